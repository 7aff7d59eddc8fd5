package io.urunner.agent.e2e;

import io.urunner.agent.e2e.FaultSchedule.Fault;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockResponseBody;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import mockwebserver3.SocketEffect;
import okhttp3.Call;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import okio.Buffer;
import okio.BufferedSink;

/**
 * A proxy for an API server or a registry. It forwards requests, and when its schedule says so it delays them, cuts,
 * refuses, answers garbage, or loses the answer to a request that took effect. Watches are forwarded line by line.
 * Simulated nodes always get through.
 */
final class FaultProxy implements AutoCloseable {
    private static final String GARBAGE = "<html><body>It works!</body></html>";
    private static final Set<Fault> PASSED_ON = EnumSet.of(Fault.DELAY, Fault.LOSE, Fault.GARBLE, Fault.TRUNCATE);
    private static final Set<String> OF_THE_CONNECTION =
            Set.of("host", "connection", "content-length", "transfer-encoding", "accept-encoding");

    private final MockWebServer server = new MockWebServer();
    private final HttpUrl target;
    private final OkHttpClient client;
    private final Set<Call> watches = ConcurrentHashMap.newKeySet();
    private final Map<Fault, Integer> injected = new EnumMap<>(Fault.class);
    private final Map<String, Integer> lost = new ConcurrentHashMap<>();
    private volatile FaultSchedule schedule = FaultSchedule.NONE;
    private volatile Consumer<RecordedRequest> before = request -> {};
    private volatile Predicate<RecordedRequest> refused = request -> false;
    private volatile boolean closed;

    private FaultProxy(HttpUrl target, boolean tls) {
        this.target = target;
        HandshakeCertificates trust = new HandshakeCertificates.Builder()
                .addPlatformTrustedCertificates()
                .addInsecureHost(target.host())
                .addInsecureHost("localhost")
                .build();
        client = new OkHttpClient.Builder()
                .sslSocketFactory(trust.sslSocketFactory(), trust.trustManager())
                .readTimeout(Duration.ZERO)
                .followRedirects(false)
                .build();
        if (tls) {
            HeldCertificate certificate = new HeldCertificate.Builder()
                    .addSubjectAlternativeName("127.0.0.1")
                    .build();
            server.useHttps(new HandshakeCertificates.Builder()
                    .heldCertificate(certificate)
                    .build()
                    .sslSocketFactory());
        }
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) throws InterruptedException {
                return answer(request);
            }
        });
        try {
            server.start(InetAddress.getByName("127.0.0.1"), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A proxy for an API server; speaks TLS, and HTTP/2 with clients that want it. */
    static FaultProxy of(Cluster cluster) {
        return new FaultProxy(HttpUrl.get(cluster.configuration().server().toString()), true);
    }

    static FaultProxy of(DockerRegistry registry) {
        return new FaultProxy(HttpUrl.get(registry.url().toString()), false);
    }

    String host() {
        return "127.0.0.1:" + server.getPort();
    }

    /** A kubeconfig that points to this proxy instead of its server. */
    Path kubeconfig(Path original, Path folder) {
        try {
            Path file = Files.createTempFile(folder, "kubeconfig", "");
            return Files.writeString(
                    file,
                    Files.readString(original)
                            .replaceFirst(
                                    "\"?certificate-authority[-a-z]*\"?: ?[^,}\\s]+", "insecure-skip-tls-verify: true")
                            .replaceFirst("(\"?server\"?: ?)[^,}\\s]+", "$1\"https://" + host() + "\""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sets the faults from now on. */
    void faults(FaultSchedule now) {
        schedule = now;
    }

    /** Sets a hook that runs before a request is forwarded. */
    void before(Consumer<RecordedRequest> hook) {
        before = hook;
    }

    /** Sets the requests that are answered with 403, whatever the schedule says. */
    void refuse(Predicate<RecordedRequest> which) {
        refused = which;
    }

    /** How often each fault happened. */
    Map<Fault, Integer> injected() {
        synchronized (injected) {
            return new EnumMap<>(injected);
        }
    }

    /** How many answers to requests of this path were lost, or came late or damaged: the server had given them. */
    int lost(String path) {
        return lost.getOrDefault(path, 0);
    }

    private MockResponse answer(RecordedRequest request) throws InterruptedException {
        String userAgent = String.valueOf(request.getHeaders().get("User-Agent"));
        boolean watch = "1".equals(request.getUrl().queryParameter("watch"));
        FaultSchedule now = schedule;
        Fault fault = userAgent.startsWith("simulated-node") ? Fault.NONE : now.next(watch);
        synchronized (injected) {
            injected.merge(fault, 1, Integer::sum);
        }
        if (PASSED_ON.contains(fault)) {
            lost.merge(request.getTarget(), 1, Integer::sum);
        }
        before.accept(request);
        if (refused.test(request)) {
            return refusal(request, 403);
        }
        try {
            return switch (fault) {
                case NONE -> pass(request, watch, now, Fault.NONE);
                case DELAY -> {
                    Thread.sleep(now.delay().toMillis());
                    yield pass(request, watch, now, Fault.NONE);
                }
                case CUT -> cut();
                case LOSE -> {
                    pass(request, false, now, Fault.NONE);
                    yield cut();
                }
                case GARBLE -> {
                    pass(request, false, now, Fault.NONE);
                    yield garbage(request);
                }
                case TOO_MANY -> refusal(request, 429);
                case ERROR -> refusal(request, 500);
                case GARBAGE -> garbage(request);
                case TRUNCATE -> truncated(pass(request, false, now, Fault.NONE));
                case BREAK, STALL, EXPIRE, NOISE -> pass(request, watch, now, fault);
            };
        } catch (IOException e) {
            return cut();
        }
    }

    private static MockResponse cut() {
        return new MockResponse.Builder()
                .onResponseStart(new SocketEffect.CloseSocket())
                .build();
    }

    private static MockResponse refusal(RecordedRequest request, int status) {
        String body = "{\"kind\":\"Status\",\"code\":" + status + ",\"message\":\"injected\"}";
        return answer(request, status, body)
                .setHeader("Content-Type", "application/json")
                .build();
    }

    private static MockResponse.Builder answer(RecordedRequest request, int status, String body) {
        MockResponse.Builder answer = new MockResponse.Builder().code(status);
        return request.getMethod().equals("HEAD") ? answer : answer.body(body);
    }

    private static MockResponse garbage(RecordedRequest request) {
        return answer(request, 200, GARBAGE)
                .setHeader("Content-Type", "text/html")
                .setHeader("Docker-Content-Digest", "sha256:garbage")
                .build();
    }

    private static MockResponse truncated(MockResponse whole) throws IOException {
        MockResponseBody body = whole.getBody();
        Buffer content = new Buffer();
        if (body != null) {
            body.writeTo(content);
        }
        Buffer half = new Buffer();
        half.write(content, content.size() / 2);
        MockResponse.Builder builder = new MockResponse.Builder()
                .code(whole.getCode())
                .body(half)
                .headers(whole.getHeaders())
                .onResponseEnd(new SocketEffect.CloseSocket());
        return builder.build();
    }

    private MockResponse pass(RecordedRequest request, boolean watch, FaultSchedule now, Fault fault)
            throws IOException {
        Request.Builder builder = new Request.Builder().url(target.resolve(request.getTarget()));
        request.getHeaders().forEach(header -> {
            if (!OF_THE_CONNECTION.contains(header.getFirst().toLowerCase(Locale.ROOT))
                    && !header.getFirst().startsWith(":")) {
                builder.addHeader(header.getFirst(), header.getSecond());
            }
        });
        RequestBody body = request.getBody() == null || request.getBody().size() == 0
                ? null
                : RequestBody.create(request.getBody(), null);
        Call call = client.newCall(builder.method(request.getMethod(), body).build());
        if (!watch) {
            try (Response response = call.execute()) {
                MockResponse.Builder answer = new MockResponse.Builder().code(response.code());
                answer.body(new Buffer().write(response.body().bytes()));
                return copyHeaders(response, answer).build();
            }
        }
        Response response = call.execute();
        watches.add(call);
        if (closed) {
            call.cancel();
        }
        MockResponse.Builder answer = new MockResponse.Builder().code(response.code());
        copyHeaders(response, answer).removeHeader("Content-Length");
        boolean http2 = request.getHandshake() != null
                && "HTTP/2".equalsIgnoreCase(request.getVersion().trim());
        answer.body(new Watch(call, response, now, fault));
        return (http2 ? answer : answer.onResponseEnd(new SocketEffect.CloseSocket())).build();
    }

    private static MockResponse.Builder copyHeaders(Response from, MockResponse.Builder to) {
        from.headers().forEach(header -> {
            String name = header.getFirst().toLowerCase(Locale.ROOT);
            if (!OF_THE_CONNECTION.contains(name)
                    || (name.equals("content-length") && from.request().method().equals("HEAD"))) {
                to.setHeader(header.getFirst(), header.getSecond());
            }
        });
        return to;
    }

    /** The events of a watch, as they come. */
    private final class Watch implements MockResponseBody {
        private final Call call;
        private final Response response;
        private final FaultSchedule now;
        private final Fault fault;

        Watch(Call call, Response response, FaultSchedule now, Fault fault) {
            this.call = call;
            this.response = response;
            this.now = now;
            this.fault = fault;
        }

        @Override
        public long getContentLength() {
            return -1;
        }

        @Override
        public void writeTo(BufferedSink sink) throws IOException {
            try (response) {
                // The server sends the headers with the first byte; white space before an event has no meaning.
                sink.writeString(" ", StandardCharsets.UTF_8);
                sink.flush();
                int lines = 0;
                int calm = now.calmLines();
                while (true) {
                    String line = response.body().source().readUtf8Line();
                    if (line == null) {
                        return;
                    }
                    if (lines++ >= calm) {
                        switch (fault) {
                            case BREAK -> throw new IOException("broken by the proxy");
                            case STALL -> Thread.sleep(now.delay().toMillis());
                            case NOISE -> line = GARBAGE;
                            case EXPIRE ->
                                line =
                                        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\"}}";
                            default -> {}
                        }
                    }
                    sink.writeString(line + "\n", StandardCharsets.UTF_8);
                    sink.flush();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                call.cancel();
                watches.remove(call);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        watches.forEach(Call::cancel);
        server.close();
        client.dispatcher().executorService().shutdown();
        client.connectionPool().evictAll();
    }
}
