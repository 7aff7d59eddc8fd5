package io.urunner.registry;

import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.manifest;
import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.auth.AuthHints;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import okhttp3.OkHttpClient;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.SocketPolicy;
import okio.Buffer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the client behaves towards busy, broken or hostile registries. */
class MannersTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);
    private static final String CI = "Basic Y2k6c2VjcmV0";

    private final ManualTime time = new ManualTime();

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> manifest(DIGEST)));

    private RegistryClient client() {
        return client(builder -> {});
    }

    private RegistryClient client(Consumer<RegistryClient.Builder> settings) {
        RegistryClient.Builder builder = RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .clock(time)
                .ticker(time::nanos)
                .sleeper(time::sleep);
        settings.accept(builder);
        return open.add(builder.build());
    }

    private ImageReference image() {
        return registry.image("team/app");
    }

    @Test
    void saysWhatItIsAndWhatItAccepts() throws Exception {
        client(builder -> builder.userAgent("tool/1").accept(List.of("application/x")))
                .resolve(image());

        var request = registry.requests.get(0);
        assertThat(request.getHeader("User-Agent")).isEqualTo("tool/1");
        assertThat(request.getHeader("Accept-Encoding")).isEqualTo("identity");
        assertThat(request.getHeader("Accept"))
                .isEqualTo("application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json,"
                        + " application/vnd.docker.distribution.manifest.list.v2+json,"
                        + " application/vnd.docker.distribution.manifest.v2+json, application/x");
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 502, 503, 504})
    void retriesTransientFailures(int status) throws Exception {
        AtomicInteger count = new AtomicInteger();
        byte[] index = Index.of(List.of(), Map.of()).content();
        MockResponse answer = new MockResponse()
                .setHeader("Content-Type", MediaType.OCI_INDEX)
                .setHeader("Docker-Content-Digest", Digest.of(index).toString())
                .setBody(new Buffer().write(index));
        registry.answer(request -> count.incrementAndGet() < 3 ? status(status) : answer);

        assertThat(client().resolve(image()).digest()).isEqualTo(Digest.of(index));
        assertThat(time.sleeps).hasSize(2);
        assertThat(time.sleeps.get(0)).isBetween(Duration.ofMillis(200), Duration.ofMillis(400));
        assertThat(time.sleeps.get(1)).isBetween(Duration.ofMillis(400), Duration.ofMillis(800));
    }

    @ParameterizedTest
    @ValueSource(strings = {"2147483648", "9999999999", "99999999999999999999999"})
    void aWaitThatIsTooLongIsAFailureLikeAnyOther(String seconds) {
        registry.answer(request -> status(503).setHeader("Retry-After", seconds));

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client().resolve(image()))
                .satisfies(e -> assertThat(e.status()).hasValue(503));
        assertThat(registry.requests).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"408", "408 0", "408 1", "503", "503 0", "503 00", "503 1", "500 0"})
    void sendsARequestAsOftenAsIsConfiguredAndNoMore(String answer) {
        String[] parts = answer.split(" ");
        registry.answer(request -> {
            MockResponse refusal = status(Integer.parseInt(parts[0]));
            return parts.length > 1 ? refusal.setHeader("Retry-After", parts[1]) : refusal;
        });

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client(builder -> builder.attempts(3)).resolve(image()));
        assertThat(registry.requests).hasSize(3);
        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client(builder -> builder.attempts(1)).resolve(image()));
        assertThat(registry.requests).hasSize(4);
    }

    @Test
    void countsARequestOnAKeptConnectionAsAnAttempt() throws Exception {
        registry.answer(request -> manifest(DIGEST));
        RegistryClient client = client(builder -> builder.attempts(3));
        client.resolve(image());
        registry.answer(request -> new MockResponse().setSocketPolicy(SocketPolicy.DISCONNECT_AFTER_REQUEST));

        assertThatExceptionOfType(UnavailableException.class).isThrownBy(() -> client.resolve(image()));
        assertThat(registry.requests).hasSize(1 + 3);
        assertThat(time.sleeps).as("it is no sign that the host is down").hasSize(1);
    }

    @Test
    void sendsARequestAgainThatMetAConnectionClosedMeanwhileEvenWithoutRetries() throws Exception {
        AtomicInteger count = new AtomicInteger();
        registry.answer(request -> count.incrementAndGet() == 2
                ? new MockResponse().setSocketPolicy(SocketPolicy.DISCONNECT_AFTER_REQUEST)
                : manifest(DIGEST));
        RegistryClient client = client(builder -> builder.attempts(1));

        client.resolve(image());
        assertThat(client.resolve(image()).digest()).hasToString(DIGEST);
        assertThat(count).hasValue(3);
        assertThat(time.sleeps).isEmpty();
    }

    @Test
    void retriesAfterABrokenConnection() throws Exception {
        AtomicInteger count = new AtomicInteger();
        registry.answer(request -> count.incrementAndGet() < 3
                ? new MockResponse().setSocketPolicy(SocketPolicy.DISCONNECT_AFTER_REQUEST)
                : manifest(DIGEST));

        assertThat(client().resolve(image()).digest()).hasToString(DIGEST);
    }

    @ParameterizedTest
    @CsvSource({
        "404, NotFoundException",
        "403, DeniedException",
        "412, DeniedException",
        "500, UnavailableException",
        "503, UnavailableException",
        "429, RateLimitedException",
        "400, ProtocolViolationException",
        "418, ProtocolViolationException",
        "304, ProtocolViolationException",
    })
    void hasAnExceptionTypeForEveryAnswer(int status, String type) {
        registry.answer(
                request -> status(status).setBody("{\"errors\":[{\"code\":\"SOME_CODE\",\"message\":\"why\"}]}"));

        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> client().manifest(image()))
                .withMessageStartingWith("cannot read " + image() + ": HTTP " + status)
                .satisfies(e -> {
                    assertThat(e.getClass().getSimpleName()).isEqualTo(type);
                    assertThat(e.status()).hasValue(status);
                    assertThat(e.registry()).isEqualTo(registry.host());
                    assertThat(e.repository()).contains("team/app");
                    assertThat(e.reference()).contains("latest");
                    assertThat(e.isTransient()).isEqualTo(status == 429 || status >= 500);
                });
    }

    @Test
    void asksForTheReasonOfAFailedHead() {
        registry.answer(request ->
                status(404).setBody("{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"no such repository\"}]}"));

        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> client().resolve(image()))
                .withMessageContaining("NAME_UNKNOWN (no such repository)")
                .satisfies(e -> assertThat(e.errors()).hasSize(1));
        assertThat(registry.lines())
                .containsExactly("HEAD /v2/team/app/manifests/latest", "GET /v2/team/app/manifests/latest");
    }

    /** But not that a manifest is missing, which would be final: HEAD may lie. */
    @ParameterizedTest
    @CsvSource({"403, DeniedException", "404, UnavailableException"})
    void keepsTheStatusIfTheRequestForItsReasonFails(int status, String error) {
        registry.answer(request -> "HEAD".equals(request.getMethod())
                ? status(status)
                : new MockResponse().setSocketPolicy(SocketPolicy.DISCONNECT_AFTER_REQUEST));

        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> client().resolve(image()))
                .satisfies(e -> assertThat(e.getClass().getSimpleName()).isEqualTo(error))
                .satisfies(e -> assertThat(e.isTransient()).isTrue())
                .satisfies(e -> assertThat(e.errors()).isEmpty());
    }

    @Test
    void reportsWhenToTryAgain() {
        registry.answer(request -> status(429).setHeader("Retry-After", "120"));
        RegistryClient client = client();

        assertThatExceptionOfType(RateLimitedException.class)
                .isThrownBy(() -> client.resolve(image()))
                .satisfies(e -> assertThat(e.isRetryAtNamed()).isTrue())
                .satisfies(e -> assertThat(e.retryAt()).isEqualTo(ManualTime.START.plusSeconds(120)));
        assertThat(registry.requests).hasSize(1);
        assertThat(time.sleeps).isEmpty();
    }

    @Test
    void sendsNothingBeforeThat() throws Exception {
        registry.answer(request -> status(429).setHeader("Retry-After", "120"));
        RegistryClient client = client();
        assertThatExceptionOfType(RateLimitedException.class).isThrownBy(() -> client.resolve(image()));
        registry.answer(request -> manifest(DIGEST));

        assertThatExceptionOfType(RateLimitedException.class)
                .isThrownBy(() -> client.resolve(registry.image("team/other")));
        assertThat(registry.requests).hasSize(1);
        time.pass(Duration.ofSeconds(100));
        client.resolve(registry.image("team/other"));

        assertThat(time.sleeps).containsExactly(Duration.ofSeconds(20));
        assertThat(registry.requests).hasSize(2);
    }

    @Test
    void usesTheEndOfTheWindowIfThereIsNoRetryAfter() {
        registry.answer(request ->
                status(429).setHeader("ratelimit-limit", "100;w=21600").setHeader("ratelimit-remaining", "0;w=21600"));

        assertThatExceptionOfType(RateLimitedException.class)
                .isThrownBy(() -> client().resolve(image()))
                .satisfies(e -> assertThat(e.retryAt()).isEqualTo(ManualTime.START.plusSeconds(3600)));
    }

    @Test
    void guessesWhenToTryAgainIfTheRegistryDoesNotSay() {
        registry.answer(request -> status(429));

        assertThatExceptionOfType(RateLimitedException.class)
                .isThrownBy(() -> client(builder -> builder.attempts(1)).resolve(image()))
                .satisfies(e -> assertThat(e.isRetryAtNamed()).isFalse())
                .satisfies(e -> assertThat(e.retryAt()).isEqualTo(ManualTime.START.plusSeconds(60)));
    }

    @Test
    void keepsTheRateLimit() throws Exception {
        List<RateLimit> told = new CopyOnWriteArrayList<>();
        registry.answer(request -> manifest(DIGEST)
                .setHeader("ratelimit-limit", "100;w=21600")
                .setHeader("ratelimit-remaining", "5;w=21600"));
        RegistryClient client = client(builder -> builder.observer(new RegistryObserver() {
            @Override
            public void rateLimited(String host, RateLimit limit) {
                told.add(limit);
            }
        }));
        assertThat(client.rateLimit(registry.host())).isEmpty();

        client.resolve(image());

        RateLimit limit = new RateLimit(
                OptionalLong.of(100),
                OptionalLong.of(5),
                Optional.of(Duration.ofHours(6)),
                Optional.empty(),
                ManualTime.START);
        assertThat(client.rateLimit(registry.host())).contains(limit);
        assertThat(told).containsExactly(limit);
    }

    @Test
    void passesOnEachWarningOfAHeader() throws Exception {
        List<String> warnings = new CopyOnWriteArrayList<>();
        registry.answer(request -> manifest(DIGEST)
                .addHeader("Warning", "299 - \"a, b\", 110 - \"stale\", 299 reg:80 \"c \\\"d\\\"\"")
                .addHeader(
                        "Warning",
                        "299 - \"e\" \"Mon, 30 Nov 2026 00:00:00 GMT\",, 299 - \"f\",299 - \"a, b\", 299 - g")
                .addHeader("Warning", ", 299, 299 -, 299 - \"\", x"));
        client(builder -> builder.observer(new RegistryObserver() {
                    @Override
                    public void warned(String host, String text) {
                        warnings.add(text);
                    }
                }))
                .resolve(image());

        assertThat(warnings).containsExactly("a, b", "c \"d\"", "e", "f");
    }

    @Test
    void passesAWarningOnOnce() throws Exception {
        List<String> warnings = new CopyOnWriteArrayList<>();
        registry.answer(request -> manifest(DIGEST)
                .addHeader("Warning", "299 - \"this registry closes on Friday\"")
                .addHeader("Warning", "110 - \"stale\""));
        RegistryClient client = client(builder -> builder.observer(new RegistryObserver() {
            @Override
            public void warned(String host, String text) {
                warnings.add(host + ": " + text);
            }
        }));

        client.resolve(image());
        client.resolve(image());

        assertThat(warnings).containsExactly(registry.host() + ": this registry closes on Friday");
    }

    @Test
    void notifiesTheObserver() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        AtomicInteger count = new AtomicInteger();
        registry.answer(request -> count.incrementAndGet() == 1 ? status(503) : manifest(DIGEST));

        client(builder -> builder.observer(new RegistryObserver() {
                    @Override
                    public void requested(String host, String method, int status, Duration elapsed) {
                        told.add(method + " " + status);
                    }

                    @Override
                    public void retried(String host, int attempt, Duration delay, String reason) {
                        told.add("again after " + attempt);
                    }
                }))
                .resolve(image());

        assertThat(told).containsExactly("HEAD 503", "again after 1", "HEAD 200");
    }

    @Test
    void followsARedirectWithoutTheCredentials() throws Exception {
        FakeServer storage = open.add(new FakeServer(request -> manifest(DIGEST)));
        registry.answer(request -> status(307).setHeader("Location", storage.url() + "/elsewhere"));
        FixedCredentials credentials = new FixedCredentials(FixedCredentials.basic("ci", "secret"));
        credentials.hints(AuthHints.sendBasicDirectly());

        client(builder -> builder.credentials(credentials)).resolve(image());

        assertThat(registry.authorizations()).containsExactly(CI);
        assertThat(storage.lines()).containsExactly("HEAD /elsewhere");
        assertThat(storage.authorizations()).containsExactly((String) null);
    }

    @Test
    void keepsTheCredentialsOnTheSameHost() throws Exception {
        registry.answer(request -> String.valueOf(request.getPath()).startsWith("/mirror/")
                ? manifest(DIGEST)
                : status(308).setHeader("Location", "/mirror" + request.getPath()));
        FixedCredentials credentials = new FixedCredentials(FixedCredentials.basic("ci", "secret"));
        credentials.hints(AuthHints.sendBasicDirectly());

        client(builder -> builder.credentials(credentials)).resolve(image());

        assertThat(registry.authorizations()).containsExactly(CI, CI);
    }

    @ParameterizedTest
    @CsvSource({
        "http://169.254.169.254/latest/meta-data, private address",
        "http://10.0.0.1/x, private address",
        "ftp://reg.example/x, does not lead to an http or https URL",
        "'http://[broken', does not lead to an http or https URL",
    })
    void doesNotFollowARedirectToJustAnyUrl(String location, String reason) {
        registry.answer(request -> status(302).setHeader("Location", location));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client().resolve(image()))
                .withMessageContaining(reason);
        assertThat(registry.requests).hasSize(1);
    }

    @Test
    void limitsTheNumberOfRedirects() {
        registry.answer(request -> status(302).setHeader("Location", request.getPath() + "x"));

        assertThatExceptionOfType(ProtocolViolationException.class).isThrownBy(() -> client().resolve(image()));
        assertThat(registry.requests).hasSize(6);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "latest", "#again"})
    void endsARedirectToItselfAtOnce(String location) {
        registry.answer(request -> status(307).setHeader("Location", location));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client().resolve(image()))
                .withMessageContaining("it leads to itself");
        assertThat(registry.requests).hasSize(1);
    }

    @Test
    void doesNotBlameTheRegistryForTheStorageBehindIt() {
        FakeServer storage = open.add(new FakeServer(request -> status(403).setBody("<Error/>")));
        registry.answer(request -> status(307).setHeader("Location", storage.url() + "/blob"));
        RegistryClient client = client();

        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() -> client.manifest(image()))
                .withMessageContaining("redirected");
        storage.answer(request -> status(404));
        assertThatExceptionOfType(NotFoundException.class).isThrownBy(() -> client.manifest(image()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"X-Other", "Docker-Content-Digest"})
    void readsTheManifestIfTheDigestIsMissing(String emptyHeader) throws Exception {
        String body = "{\"schemaVersion\":2,\"mediaType\":\"" + MediaType.OCI_INDEX + "\",\"manifests\":[]}\n";
        registry.answer(request -> new MockResponse()
                .setHeader("Content-Type", MediaType.OCI_INDEX)
                .setHeader(emptyHeader, "")
                .setBody(body));

        Descriptor descriptor = client().resolve(image());

        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        assertThat(descriptor).isEqualTo(new Descriptor(MediaType.OCI_INDEX, Digest.of(bytes), bytes.length));
        assertThat(registry.requests).extracting(r -> r.getMethod()).containsExactly("HEAD", "GET");
    }

    @Test
    void readsTheManifestIfHeadIsNotAllowed() throws Exception {
        String body = "{\"schemaVersion\":2,\"mediaType\":\"" + MediaType.OCI_INDEX + "\",\"manifests\":[]}";
        registry.answer(request -> "HEAD".equals(request.getMethod())
                ? status(405)
                : new MockResponse()
                        .setHeader("Content-Type", MediaType.OCI_INDEX)
                        .setBody(body));

        assertThat(client().resolve(image()).size()).isEqualTo(body.length());
    }

    @Test
    void doesNotMistakeAWebPageForAManifest() {
        registry.answer(request ->
                new MockResponse().setHeader("Content-Type", "text/html").setBody("<html>Sign in</html>"));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client().resolve(image()))
                .withMessageContaining("unusable: the manifest is not JSON");
    }

    @Test
    void rejectsContentOtherThanRequested() {
        registry.answer(request -> manifest("sha256:" + "b".repeat(64)));
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client().resolve(registry.image("team/app@" + DIGEST)))
                .withMessageContaining("different content");

        registry.answer(request -> new MockResponse()
                .setHeader("Docker-Content-Digest", DIGEST)
                .setBody("{\"schemaVersion\":2,\"manifests\":[]}"));
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client().manifest(image()))
                .withMessageContaining("instead of " + DIGEST);

        registry.answer(request -> manifest("sha256:short"));
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client().resolve(image()))
                .withMessageContaining("not a digest");

        registry.answer(request -> manifest(DIGEST).setHeader("Content-Type", MediaType.DOCKER_SCHEMA1_SIGNED));
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client().resolve(image()))
                .withMessageContaining("schema 1");
    }

    @Test
    void limitsTheSizeOfAManifest() {
        registry.answer(request -> new MockResponse().setBody("x".repeat(ManifestOrIndex.MAX_SIZE + 1)));
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client().manifest(image()))
                .withMessageContaining("more than 4194304 bytes");

        registry.answer(request -> new MockResponse().setChunkedBody("x".repeat(ManifestOrIndex.MAX_SIZE + 1), 65536));
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client().manifest(image()))
                .withMessageContaining("more than 4194304 bytes");
    }

    @Test
    void comparesWithTheKnownDigest() throws Exception {
        registry.answer(request ->
                ("\"" + DIGEST + "\"").equals(request.getHeader("If-None-Match")) ? status(304) : manifest(DIGEST));
        RegistryClient client = client();

        assertThat(client.resolveIfChanged(image(), Digest.parse(DIGEST))).isEmpty();
        assertThat(client.resolveIfChanged(image(), Digest.parse("sha256:" + "b".repeat(64))))
                .map(Descriptor::digest)
                .contains(Digest.parse(DIGEST));
    }

    @Test
    void limitsConcurrentRequests() throws Exception {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        registry.answer(request -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            try {
                TimeUnit.MILLISECONDS.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            now.decrementAndGet();
            return manifest(DIGEST);
        });
        RegistryClient client = client(
                builder -> builder.defaults(HostOptions.DEFAULTS.withPlainHttp().withConcurrency(3)));
        ExecutorService threads = Executors.newFixedThreadPool(12);
        try {
            List<Future<Descriptor>> results = IntStream.range(0, 36)
                    .mapToObj(i -> threads.submit(() -> client.resolve(image())))
                    .collect(Collectors.toList());
            for (Future<Descriptor> result : results) {
                result.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(most.get()).isBetween(1, 3);
    }

    @Test
    void stopsWhenTheThreadIsInterrupted() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        registry.answer(request -> {
            asked.countDown();
            return new MockResponse().setSocketPolicy(SocketPolicy.NO_RESPONSE);
        });
        RegistryClient client = client(builder -> builder.ticker(System::nanoTime));
        AtomicReference<Throwable> end = new AtomicReference<>();
        Thread thread = new Thread(() -> {
            try {
                client.resolve(image());
            } catch (RegistryException | InterruptedException e) {
                end.set(e);
            }
        });
        thread.start();
        assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();

        thread.interrupt();
        thread.join(5_000);

        assertThat(thread.isAlive()).isFalse();
        assertThat(end.get()).isInstanceOf(InterruptedException.class);
    }

    @Test
    void stopsAtTheDeadlineWhenTheRegistryHangs() {
        registry.answer(request -> new MockResponse().setSocketPolicy(SocketPolicy.NO_RESPONSE));
        RegistryClient client =
                client(builder -> builder.ticker(System::nanoTime).deadline(Duration.ofMillis(300)));

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client.resolve(image()))
                .withMessageContaining("did not answer in time");
    }

    @Test
    void speaksPlainHttpToALoopbackHostThatDoesNotSpeakTls() throws Exception {
        RegistryClient client = open.add(RegistryClient.builder().build());

        assertThat(client.resolve(image()).digest()).hasToString(DIGEST);
        assertThat(client.resolve(image()).digest()).hasToString(DIGEST);
        assertThat(registry.requests).hasSize(2);
    }

    @Test
    void usesAProxy() throws Exception {
        Proxy proxy =
                new Proxy(Proxy.Type.HTTP, registry.server.toProxyAddress().address());

        client(builder -> builder.defaults(HostOptions.DEFAULTS.withPlainHttp().withProxy(proxy)))
                .resolve(ImageReference.parse("registry.invalid/team/app"));

        assertThat(registry.requests.get(0).getRequestLine())
                .startsWith("HEAD http://registry.invalid/v2/team/app/manifests/latest");
    }

    @Test
    void leavesTheCallersHttpClientOpen() throws Exception {
        OkHttpClient http = new OkHttpClient();
        RegistryClient client = client(builder -> builder.httpClient(http));
        client.resolve(image());
        client.close();
        client.close();

        assertThat(http.dispatcher().executorService().isShutdown()).isFalse();
        assertThat(http.connectionPool().connectionCount()).isEqualTo(1);
        http.connectionPool().evictAll();
    }

    @Test
    void closesItsOwnConnections() throws Exception {
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Future<Integer> end = threads.submit(() -> {
                try (Socket socket = server.accept()) {
                    BufferedReader reader = new BufferedReader(
                            new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
                    while (!reader.readLine().isEmpty()) {
                        // The request's head ends with an empty line.
                    }
                    String answer = "HTTP/1.1 200 OK\r\nDocker-Content-Digest: " + DIGEST + "\r\nContent-Type: "
                            + MediaType.OCI_INDEX + "\r\nContent-Length: 1\r\n\r\n";
                    socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
                    return reader.read();
                }
            });
            RegistryClient client = client();
            client.resolve(ImageReference.parse("127.0.0.1:" + server.getLocalPort() + "/team/app"));
            assertThat(end.isDone()).isFalse();

            client.close();
            client.close();
            assertThat(end.get(10, TimeUnit.SECONDS)).isEqualTo(-1);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void listsPagesOnlyWithinTheRegistry() throws Exception {
        registry.answer(request -> String.valueOf(request.getPath()).contains("last=b")
                ? json("{\"name\":\"team/app\",\"tags\":[\"c\"]}")
                : json("{\"name\":\"team/app\",\"tags\":[\"a\",\"b\"]}")
                        .setHeader("Link", "</v2/team/app/tags/list?last=b&n=2>; rel=\"next\""));
        RegistryClient client = client();
        Repository repository = image().toRepository();

        Pages<String> pages = client.tags(repository, 2);
        assertThat(pages.next()).containsExactly("a", "b");
        assertThat(pages.hasNext()).isTrue();
        assertThat(pages.next()).containsExactly("c");
        assertThat(pages.hasNext()).isFalse();
        assertThat(registry.lines())
                .containsExactly("GET /v2/team/app/tags/list?n=2", "GET /v2/team/app/tags/list?last=b&n=2");

        registry.answer(request -> json("{\"tags\":[]}").setHeader("Link", "<http://evil.example/v2/x>; rel=\"next\""));
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.tags(repository).all())
                .withMessageContaining("evil.example");

        registry.answer(
                request -> json("{\"tags\":[\"a\"]}").setHeader("Link", "<" + request.getPath() + ">; rel=\"next\""));
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.tags(repository).all())
                .withMessageContaining("does not end");
    }

    /** A listing that is not one must not look like an empty one. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "null",
                "[]",
                "[\"a\"]",
                "\"a\"",
                "<html></html>",
                "{\"tags\":{}}",
                "{\"tags\":\"a\"}",
                "{\"tags\":false}",
                "{\"tags\":[1]}",
                "{\"tags\":[null]}",
                "{\"tags\":[\"\"]}",
            })
    void takesNothingElseForAListing(String body) {
        registry.answer(request -> json(body));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client().tags(image().toRepository()).all())
                .withMessageContaining("the answer is unusable");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"tags\":null}", "{\"name\":\"team/app\",\"tags\":[]}"})
    void anEmptyListingIsOne(String body) throws Exception {
        registry.answer(request -> json(body));

        assertThat(client().tags(image().toRepository()).all()).isEmpty();
    }

    @Test
    void listsReferrersOfAType() throws Exception {
        String entry = "{\"mediaType\":\"" + MediaType.OCI_MANIFEST + "\",\"digest\":\"" + DIGEST
                + "\",\"size\":1,\"artifactType\":\"%s\"}";
        registry.answer(request -> json("{\"schemaVersion\":2,\"mediaType\":\"" + MediaType.OCI_INDEX
                + "\",\"manifests\":[" + entry.formatted("a/sig") + "," + entry.formatted("a/sbom") + "]}"));

        assertThat(client().referrers(image().toRepository(), Digest.parse(DIGEST), Optional.of("a/sig"))
                        .all())
                .extracting(Descriptor::artifactType)
                .containsExactly(Optional.of("a/sig"));
        assertThat(registry.lines()).containsExactly("GET /v2/team/app/referrers/" + DIGEST + "?artifactType=a/sig");
    }

    @Test
    void looksForReferrersUnderATagOfValidLength() throws Exception {
        registry.answer(request -> status(404));

        assertThat(client().referrers(
                                image().toRepository(), Digest.parse("sha512:" + "a".repeat(128)), Optional.empty())
                        .all())
                .isEmpty();
        assertThat(registry.lines().get(1)).isEqualTo("GET /v2/team/app/manifests/sha512-" + "a".repeat(64));
    }

    @Test
    void failsIfNothingListens() throws IOException {
        String host = registry.host();
        registry.close();

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client().ping(host))
                .withMessageContaining("cannot ask " + host)
                .withMessageContaining("cannot be reached");
        assertThat(time.sleeps).hasSize(2);
    }
}
