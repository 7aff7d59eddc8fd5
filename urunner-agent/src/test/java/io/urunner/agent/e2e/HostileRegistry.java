package io.urunner.agent.e2e;

import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.TestImage;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;

/**
 * A registry that gives agents the answers of a test, byte by byte, and forwards to a real one everything else.
 * Simulated nodes are always forwarded. One request per connection.
 */
final class HostileRegistry implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 30_000;
    private static final int LONGEST_HEAD = 100_000;
    private static final int TLS_HANDSHAKE = 22;

    private final DockerRegistry real;
    private final ServerSocket server;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "hostile-registry");
        thread.setDaemon(true);
        return thread;
    });
    private final CountDownLatch closed = new CountDownLatch(1);
    private final ConcurrentLinkedDeque<Rule> rules = new ConcurrentLinkedDeque<>();
    private final AtomicInteger connections = new AtomicInteger();
    private final Queue<Asked> asked = new ConcurrentLinkedQueue<>();
    private final Collection<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile Answer handshake = exchange -> {};

    /** Handles a connection once a request has been read. */
    @FunctionalInterface
    interface Answer {
        void to(Exchange exchange) throws IOException, InterruptedException;
    }

    private record Rule(Predicate<Exchange> which, Answer answer) {}

    /**
     * A request of an agent.
     *
     * @param user who asked, empty where nobody is named
     * @param nanos when
     */
    record Asked(String method, String path, String user, long nanos) {}

    HostileRegistry(DockerRegistry real) throws IOException {
        this(real, InetAddress.getLoopbackAddress());
    }

    /** A registry at another address; no other address of this machine answers at its port. */
    HostileRegistry(DockerRegistry real, InetAddress address) throws IOException {
        this.real = real;
        server = new ServerSocket(0, 200, address);
        threads.execute(this::accept);
    }

    String host() {
        return "127.0.0.1:" + port();
    }

    int port() {
        return server.getLocalPort();
    }

    /** From now on agents get this answer to these requests, regardless of previous settings. */
    void answer(Predicate<Exchange> which, Answer answer) {
        rules.addFirst(new Rule(which, answer));
    }

    /** The same for everything below a repository or a folder of repositories. */
    void answer(String repositories, Answer answer) {
        answer(exchange -> exchange.isBelow(repositories), answer);
    }

    /** Handles a connection that begins with a TLS handshake, which is otherwise simply closed. */
    void handshake(Answer answer) {
        handshake = answer;
    }

    /** Also speaks TLS, with a certificate for these hosts from an unknown authority. */
    void speakTls(String... hosts) {
        SSLSocketFactory sockets = identity(hosts);
        handshake = exchange -> {
            try (SSLSocket socket = (SSLSocket) sockets.createSocket(exchange.socket(), exchange.in(), true)) {
                Exchange secured = new Exchange(socket, new BufferedInputStream(socket.getInputStream()));
                secured.read();
                answer(secured);
            }
        };
    }

    /** A certificate for these hosts from an authority of its own. */
    static SSLSocketFactory identity(String... hosts) {
        HeldCertificate authority = DockerRegistry.newAuthority();
        HeldCertificate.Builder certificate = new HeldCertificate.Builder().signedBy(authority);
        Stream.of(hosts).forEach(certificate::addSubjectAlternativeName);
        return new HandshakeCertificates.Builder()
                .heldCertificate(certificate.build(), authority.certificate())
                .build()
                .sslContext()
                .getSocketFactory();
    }

    /** Only this user may read these repositories; simulated nodes may, too. */
    void restrict(String repositories, String user, String password) {
        String right = "Basic " + base64(user + ":" + password);
        answer(
                exchange -> exchange.isBelow(repositories) && !right.equals(exchange.header("authorization")),
                exchange -> exchange.send(401, "", "WWW-Authenticate: Basic realm=\"registry\""));
    }

    /** Points a tag to this image from now on, which is served from memory. */
    void serve(String repository, TestImage image) {
        Map<String, TestImage> manifests = new LinkedHashMap<>();
        manifests.put("latest", image);
        manifests.put(image.digest(), image);
        manifests.putAll(image.children());
        answer(
                exchange -> exchange.isBelow(repository) && manifests.containsKey(exchange.last()),
                exchange -> exchange.send(manifests.get(exchange.last())));
        answer(
                exchange -> exchange.isBelow(repository) && image.blobs().containsKey(exchange.last()),
                exchange -> exchange.send(200, image.blobs().get(exchange.last())));
    }

    /** From now on it behaves like the real one. */
    void answerWell() {
        rules.clear();
        handshake = exchange -> {};
    }

    int connections() {
        return connections.get();
    }

    /** The requests of agents, oldest first. */
    Stream<Asked> asked() {
        return asked.stream();
    }

    /** How often agents asked for something below a repository or a folder of repositories. */
    long asked(String repositories) {
        return asked().filter(request -> isBelow(request.path(), repositories)).count();
    }

    static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean isBelow(String path, String repositories) {
        return path.startsWith("/v2/" + repositories + "/");
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                connections.incrementAndGet();
                open.add(socket);
                threads.execute(() -> serve(socket));
            } catch (IOException e) {
                // Continue with the next one, unless it was closed.
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            in.mark(1);
            int first = in.read();
            in.reset();
            Exchange exchange = new Exchange(socket, in);
            if (first == TLS_HANDSHAKE) {
                handshake.to(exchange);
            } else if (first >= 0) {
                exchange.read();
                answer(exchange);
            }
        } catch (IOException e) {
            // The other side disconnected, or this one is closing.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            open.remove(socket);
        }
    }

    private void answer(Exchange exchange) throws IOException, InterruptedException {
        if (exchange.header("user-agent").startsWith("simulated-node")) {
            exchange.passOn();
            return;
        }
        asked.add(new Asked(exchange.method, exchange.path, exchange.user(), System.nanoTime()));
        for (Rule rule : rules) {
            if (rule.which().test(exchange)) {
                rule.answer().to(exchange);
                return;
            }
        }
        exchange.passOn();
    }

    @Override
    public void close() throws IOException {
        closed.countDown();
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
        threads.shutdownNow();
    }

    /** A request and the connection on which it came. */
    final class Exchange {
        private final Socket socket;
        private final InputStream in;
        private final OutputStream out;
        private final Map<String, String> headers = new LinkedHashMap<>();
        private String method = "";
        private String path = "";

        Exchange(Socket socket, InputStream in) throws IOException {
            this.socket = socket;
            this.in = in;
            out = socket.getOutputStream();
        }

        private void read() throws IOException {
            String[] lines = head().split("\r\n");
            String[] words = lines[0].split(" ");
            method = words[0];
            path = words.length > 1 ? words[1] : "";
            Stream.of(lines).skip(1).forEach(line -> {
                int colon = line.indexOf(':');
                headers.put(
                        line.substring(0, colon).toLowerCase(Locale.ROOT),
                        line.substring(colon + 1).strip());
            });
        }

        private String head() throws IOException {
            ByteArrayOutputStream head = new ByteArrayOutputStream();
            int matched = 0;
            while (matched < 4) {
                int next = in.read();
                if (next < 0 || head.size() > LONGEST_HEAD) {
                    throw new EOFException();
                }
                head.write(next);
                matched = next == "\r\n\r\n".charAt(matched) ? matched + 1 : next == '\r' ? 1 : 0;
            }
            return head.toString(StandardCharsets.ISO_8859_1);
        }

        Socket socket() {
            return socket;
        }

        /** The bytes that the client sent and nobody has read yet. */
        InputStream in() {
            return in;
        }

        String path() {
            return path;
        }

        boolean isHead() {
            return method.equals("HEAD");
        }

        boolean isBelow(String repositories) {
            return HostileRegistry.isBelow(path, repositories);
        }

        /** The tag or the digest. */
        String last() {
            return path.substring(path.lastIndexOf('/') + 1);
        }

        String header(String name) {
            return headers.getOrDefault(name, "");
        }

        String user() {
            String[] words = header("authorization").split(" ");
            if (words.length < 2 || !words[0].equals("Basic")) {
                return "";
            }
            return new String(Base64.getDecoder().decode(words[1]), StandardCharsets.UTF_8).split(":", 2)[0];
        }

        void send(int status, String body, String... more) throws IOException {
            send(status, body.getBytes(StandardCharsets.UTF_8), more);
        }

        void send(int status, byte[] body, String... more) throws IOException {
            String lines = Stream.concat(Stream.of("Content-Length: " + body.length), Stream.of(more))
                    .collect(Collectors.joining("\r\n"));
            write("HTTP/1.1 " + status + " Status\r\n" + lines + "\r\nConnection: close\r\n\r\n");
            if (!isHead()) {
                write(body);
            }
        }

        void send(TestImage image, String... more) throws IOException {
            send(
                    200,
                    image.manifest(),
                    Stream.concat(
                                    Stream.of(
                                            "Content-Type: " + image.mediaType(),
                                            "Docker-Content-Digest: " + image.digest()),
                                    Stream.of(more))
                            .toArray(String[]::new));
        }

        void write(String text) throws IOException {
            write(text.getBytes(StandardCharsets.ISO_8859_1));
        }

        void write(byte[] bytes) throws IOException {
            out.write(bytes);
            out.flush();
        }

        /** Repeats the same text until the other side disconnects or has received this many bytes. */
        void repeat(String text, long bytes) throws IOException {
            byte[] block = text.repeat(Math.max(1, 64 * 1024 / text.length())).getBytes(StandardCharsets.ISO_8859_1);
            for (long written = 0; written < bytes; written += block.length) {
                out.write(block);
            }
            out.flush();
        }

        /** Writes a byte every 100 ms, until the other side disconnects. */
        void trickle(String text) throws IOException, InterruptedException {
            for (int i = 0; ; i = (i + 1) % text.length()) {
                write(text.substring(i, i + 1));
                if (closed.await(100, TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        }

        /** Answers nothing, and leaves the connection open. */
        void hang() throws InterruptedException {
            closed.await();
        }

        /** Ends the connection like a machine that has lost it. */
        void reset() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        /** Answers like the real registry. */
        void passOn() throws IOException {
            try (Socket upstream = new Socket(InetAddress.getLoopbackAddress(), real.port())) {
                upstream.setSoTimeout(PATIENCE_MILLIS);
                String kept = headers.entrySet().stream()
                        .filter(header -> !Arrays.asList("host", "connection", "authorization")
                                .contains(header.getKey()))
                        .map(header -> header.getKey() + ": " + header.getValue() + "\r\n")
                        .collect(Collectors.joining());
                upstream.getOutputStream()
                        .write((method + " " + path + " HTTP/1.1\r\nHost: " + real.host() + "\r\nConnection: close\r\n"
                                        + kept + "\r\n")
                                .getBytes(StandardCharsets.ISO_8859_1));
                upstream.getInputStream().transferTo(out);
            }
        }
    }
}
