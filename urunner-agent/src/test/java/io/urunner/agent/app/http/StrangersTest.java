package io.urunner.agent.app.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.testing.Await;
import io.urunner.registry.testing.LogCapture;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Strangers at the agent's port, with sockets. A probe from the same address must be answered all the time. */
class StrangersTest {
    private static final int PATIENCE_MILLIS = 5_000; // the chart's timeoutSeconds
    private static final String METRICS = "GET /metrics HTTP/1.1\r\nHost: agent\r\n\r\n";
    private static final String HOOK = "POST /hook HTTP/1.1\r\nHost: agent\r\n";

    private final AtomicInteger bodies = new AtomicInteger();
    private final AtomicInteger scrapes = new AtomicInteger();
    private final List<Closeable> open = new ArrayList<>();
    /** How much more time has passed for the server, in nanoseconds. */
    private final AtomicLong passed = new AtomicLong();

    @AutoClose
    private final LogCapture log = new LogCapture(AgentServer.class);

    private AgentServer server;
    private int port;

    /** Accepts bodies of senders who know a secret. */
    private final class Hook implements Endpoint {
        @Override
        public Optional<Response> refusal(Request head) {
            return head.header("Authorization").equals("secret")
                    ? Optional.empty()
                    : Optional.of(Response.text(401, "who are you?\n"));
        }

        @Override
        public int longestBody() {
            return 1024;
        }

        @Override
        public Response answer(Request request) {
            bodies.incrementAndGet();
            return new Response(200, "text/plain; charset=utf-8", new String(request.body(), ISO_8859_1), Map.of());
        }
    }

    @BeforeEach
    void start() throws Exception {
        String metrics = "urunner_metric 1\n".repeat(500_000); // more than any buffer of the system takes
        server = new AgentServer(
                0,
                Map.of("/livez", () -> ""),
                Map.of(
                        "/metrics",
                        Endpoint.reading(request -> {
                            scrapes.incrementAndGet();
                            return new Endpoint.Response(200, "text/plain; charset=utf-8", metrics, Map.of());
                        }),
                        "/hook",
                        new Hook()),
                Thread::new,
                () -> System.nanoTime() + passed.get());
        port = server.start();
    }

    @AfterEach
    void stop() throws Exception {
        for (Closeable one : open) {
            one.close();
        }
        server.close();
    }

    private Socket connect(String from) throws IOException {
        Socket socket = new Socket();
        socket.bind(new InetSocketAddress(from, 0));
        open.add(socket);
        socket.setReceiveBufferSize(4096);
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MILLIS);
        return socket;
    }

    private Socket send(String text) throws IOException {
        Socket socket = connect("127.0.0.1");
        socket.getOutputStream().write(text.getBytes(ISO_8859_1));
        return socket;
    }

    /** The complete answer until the server closes the connection. */
    private static String answer(Socket socket) throws IOException {
        return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
    }

    private String ask(String text) throws IOException {
        try (Socket socket = send(text)) {
            return answer(socket);
        }
    }

    /** As the kubelet does: over a connection of its own, which is closed after the answer. */
    private void assertThatAProbeIsAnswered() throws IOException {
        assertThat(
                        ask(
                                "GET /livez HTTP/1.1\r\nHost: 10.0.0.1:8080\r\nUser-Agent: kube-probe/1.33\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200 OK\r\n")
                .endsWith("\r\n\r\nok\n");
    }

    private static long files() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        }
    }

    @Test
    void pipeliningWithoutReadingDoesNotBlockTheProbes() throws Exception {
        for (int i = 0; i < 12; i++) {
            send(METRICS.repeat(100));
        }
        for (int i = 0; i < 30; i++) {
            assertThatAProbeIsAnswered();
        }
        // Requests from another address do not wait for them at all.
        try (Socket prometheus = connect("127.0.0.2")) {
            prometheus.getOutputStream().write(METRICS.getBytes(ISO_8859_1));
            assertThat(answer(prometheus)).startsWith("HTTP/1.1 200").endsWith("urunner_metric 1\n");
        }
    }

    @Test
    void idleAndSlowConnectionsDoNotBlockTheProbes() throws Exception {
        List<String> beginnings = List.of("", "G", "GET /livez HTTP/1.1\r\n", HOOK, METRICS, "\u0016\u0003\u0001");
        for (int i = 0; i < 600; i++) {
            send(beginnings.get(i % beginnings.size()));
            if (i % 20 == 0) {
                assertThatAProbeIsAnswered();
            }
        }
        assertThatAProbeIsAnswered();
    }

    @Test
    void aFloodOfConnectionsDoesNotBlockTheProbes() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        List<Thread> flood = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread thread = new Thread(() -> {
                while (!over.get()) {
                    try (Socket socket = new Socket()) {
                        socket.setSoLinger(true, 0);
                        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                        socket.getOutputStream().write('G');
                    } catch (IOException e) {
                        // The server has closed it: use another one.
                    }
                }
            });
            flood.add(thread);
            thread.start();
        }
        try {
            for (int i = 0; i < 100; i++) {
                assertThatAProbeIsAnswered();
            }
        } finally {
            over.set(true);
            for (Thread thread : flood) {
                thread.join();
            }
        }
    }

    @Test
    void filesAndThreadsAreBoundedAndReleased() throws Exception {
        assertThatAProbeIsAnswered();
        ask(METRICS);
        long files = files();
        int threads = Thread.activeCount();
        for (int i = 0; i < 500; i++) {
            send(i % 2 == 0 ? METRICS : "GET /me");
            // Both ends are in this process, and counted.
            assertThat(files() - files).isLessThanOrEqualTo(i + 1 + 2 * 64);
        }
        assertThat(Thread.activeCount()).isLessThanOrEqualTo(threads + 4);
        for (Closeable one : open) {
            one.close();
        }
        Await.until("all connections are gone", Duration.ofSeconds(20), () -> files() <= files);
        Await.until("the threads are gone", Duration.ofSeconds(60), () -> Thread.activeCount() <= threads);
        assertThatAProbeIsAnswered();
    }

    @Test
    void tricklingConnectionsAreClosed() throws Exception {
        try (Socket head = send("GET /livez HTTP/1.1\r\n");
                Socket body = send(HOOK + "Authorization: secret\r\nContent-Length: 1000\r\n\r\n")) {
            Await.until("both are closed", Duration.ofSeconds(20), () -> {
                passed.addAndGet(Duration.ofMillis(500).toNanos());
                return isClosed(head) && isClosed(body);
            });
        }
        assertThat(bodies).hasValue(0);
    }

    /** Sends one more byte. */
    private static boolean isClosed(Socket socket) throws IOException {
        try {
            socket.setSoTimeout(1);
            socket.getOutputStream().write('x');
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    static List<String> malformed() {
        String get = "GET /livez HTTP/1.1\r\nHost: x\r\n";
        String post = HOOK + "Authorization: secret\r\n";
        return List.of(
                "GET mailto:x HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET http://agent/livez HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET //\r\n\r\n",
                "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
                "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
                "CONNECT agent:80 HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /livez HTTP/2.0\r\nHost: x\r\n\r\n",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "GET /livez\r\n\r\n",
                "GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /li vez HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n",
                " GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
                "\r\n\r\n",
                "\n",
                "GET /livez HTTP/1.1\nHost: x\n\n",
                "GET /livez HTTP/1.1\r\rHost: x\r\n\r\n",
                "GET /livez HTTP/1.1\r\n\r\n",
                get + "Host: y\r\n\r\n",
                "GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n",
                get + " folded: x\r\n\r\n",
                get + "a: b\r\n c\r\n\r\n",
                get + "a : b\r\n\r\n",
                get + ": b\r\n\r\n",
                get + "a\r\n\r\n",
                get + "a: \u0000\r\n\r\n",
                get + "a: \u001b[2J\r\n\r\n",
                "\u0016\u0003\u0001\u0002\u0000\u0001",
                get + "a: " + "x".repeat(1024 * 1024) + "\r\n\r\n",
                get + "a: b\r\n".repeat(10_000) + "\r\n",
                get + "a: b\r\n".repeat(200) + "\r\n",
                "GET /" + "x".repeat(100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
                get + "Content-Length: 1\r\n\r\nx",
                get + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
                post + "Content-Length: -1\r\n\r\n",
                post + "Content-Length: +1\r\n\r\nx",
                post + "Content-Length: 0x1\r\n\r\nx",
                post + "Content-Length: \r\n\r\nx",
                post + "Content-Length: 99999999999999999999\r\n\r\nx",
                post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
                post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
                post + "Content-Length: 1, 1\r\n\r\nx",
                post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                post + "Transfer-Encoding: identity\r\n\r\n",
                "POST /hook HTTP/1.0\r\nAuthorization: secret\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                post + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
                post + "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
                post + "Transfer-Encoding: chunked\r\n\r\n\r\n",
                post + "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n",
                post + "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
                post + "Transfer-Encoding: chunked\r\n\r\n1;" + "x".repeat(10_000) + "\r\n",
                post + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + "a: b\r\n".repeat(10_000) + "\r\n");
    }

    @ParameterizedTest
    @MethodSource("malformed")
    void malformedRequestsAreAnswered400AndNotLogged(String request) throws Exception {
        log.clear();
        String answer;
        try {
            answer = ask(request);
        } catch (IOException e) {
            answer = ""; // closed while it was still being sent
            assertThat(request.length()).isGreaterThan(50_000);
        }
        assertThat(answer.isEmpty() || answer.startsWith("HTTP/1.1 400 Bad Request\r\n"))
                .as(answer)
                .isTrue();
        assertThat(bodies).hasValue(0);
        assertThat(log.messages()).isEmpty();
        assertThatAProbeIsAnswered();
    }

    @Test
    void theBodyOfAStrangerIsNotRead() throws Exception {
        try (Socket socket = send(HOOK + "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n")) {
            assertThat(answer(socket)).startsWith("HTTP/1.1 401 Unauthorized\r\n");
        }
        assertThat(ask(HOOK + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n")).startsWith("HTTP/1.1 401");
        assertThat(bodies).hasValue(0);
    }

    @Test
    void theBodyOfAKnownSenderIsRead() throws Exception {
        String post = HOOK + "Authorization: secret\r\n";
        assertThat(ask(post + "Content-Length: 3\r\n\r\nabc")).endsWith("\r\n\r\nabc");
        assertThat(ask(post + "Content-Length: 0\r\n\r\n")).startsWith("HTTP/1.1 200");
        assertThat(ask(post + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n001\r\nc\r\n0\r\nt: u\r\n\r\n"))
                .endsWith("\r\n\r\nabc");
        assertThat(ask(post + "Content-Length: 1025\r\n\r\n")).startsWith("HTTP/1.1 413");
        assertThat(ask(post + "Transfer-Encoding: chunked\r\n\r\n401\r\n")).startsWith("HTTP/1.1 413");
        try (Socket socket = send(post + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")) {
            byte[] goOn = socket.getInputStream().readNBytes("HTTP/1.1 100 Continue\r\n\r\n".length());
            assertThat(new String(goOn, ISO_8859_1)).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
            for (char letter : "abc".toCharArray()) {
                socket.getOutputStream().write(letter);
                socket.getOutputStream().flush();
            }
            assertThat(answer(socket)).endsWith("\r\n\r\nabc");
        }
        assertThat(ask("GET /livez HTTP/1.0\r\n\r\n")).startsWith("HTTP/1.1 200");
        assertThat(ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n"))
                .contains("Content-Length: 8500000\r\n")
                .endsWith("\r\n\r\n");
    }
}
