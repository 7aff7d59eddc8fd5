package io.urunner.registry;

import static io.urunner.registry.FakeServer.challenge;
import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.manifest;
import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.Secret;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import okhttp3.Credentials;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import okhttp3.mockwebserver.SocketPolicy;
import okio.Buffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Mirrors and addresses, as containerd's hosts.toml means them, on the wire. */
class MirrorsTest {
    private static final String OLD = "sha256:" + "a".repeat(64);
    private static final String NEW = "sha256:" + "b".repeat(64);
    private static final byte[] CONTENT = ("{\"schemaVersion\":2,\"mediaType\":\"" + MediaType.OCI_INDEX
                    + "\",\"manifests\":[]}")
            .getBytes(StandardCharsets.UTF_8);
    private static final Digest DIGEST = Digest.of(CONTENT);

    private final ManualTime time = new ManualTime();
    private final FakeServer mirror = new FakeServer(request -> manifest(OLD));
    private final FakeServer second = new FakeServer(request -> manifest(OLD));
    private final FakeServer registry = new FakeServer(request -> manifest(NEW));

    @AfterEach
    void close() throws Exception {
        mirror.close();
        second.close();
        registry.close();
    }

    /** The credential of each host. */
    private record PerHost(Map<String, Credential> known) implements CredentialProvider {
        @Override
        public List<Credential> credentials(String host, String repository) {
            return Optional.ofNullable(known.get(host)).map(List::of).orElseGet(List::of);
        }

        @Override
        public String describe(String host, String repository) {
            return "a credential of " + host;
        }
    }

    private RegistryClient client(Mirror... mirrors) {
        return client(HostOptions.DEFAULTS.withMirrors(List.of(mirrors)), new PerHost(Map.of()));
    }

    private RegistryClient client(HostOptions options, CredentialProvider credentials) {
        return RegistryClient.builder()
                .host(registry.host(), options)
                .credentials(credentials)
                .clock(time)
                .ticker(time::nanos)
                .sleeper(time::sleep)
                .build();
    }

    private static MockResponse content(byte[] bytes) {
        return new MockResponse().setHeader("Content-Type", MediaType.OCI_INDEX).setBody(new Buffer().write(bytes));
    }

    @Test
    void theMirrorIsAskedWithTheNameOfTheRegistryAndItsAnswerCounts() throws Exception {
        try (RegistryClient client = client(Mirror.of(mirror.url()))) {
            assertThat(client.mirror(registry.host())).isEmpty();

            assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(OLD);

            assertThat(mirror.lines()).containsExactly("HEAD /v2/team/app/manifests/latest?ns=" + registry.host());
            assertThat(registry.requests).isEmpty();
            assertThat(client.mirror(registry.host())).contains(mirror.url());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'', /v2/team/app/manifests/latest",
        "/, /v2/team/app/manifests/latest",
        "/v2, /v2/team/app/manifests/latest",
        "/v2/, /v2/team/app/manifests/latest",
        "/prefix, /prefix/v2/team/app/manifests/latest",
        "/artifactory/api/docker/hub/v2, /artifactory/api/docker/hub/v2/team/app/manifests/latest",
        "/v2/proxy-hub, /v2/proxy-hub/team/app/manifests/latest",
        "/v2/group/dependency_proxy/containers/, /v2/group/dependency_proxy/containers/team/app/manifests/latest"
    })
    void thePathSaysWhereTheApiIs(String path, String asked) throws Exception {
        try (RegistryClient client = client(Mirror.of(mirror.url() + path))) {
            client.resolve(registry.image("team/app"));

            assertThat(mirror.lines()).containsExactly("HEAD " + asked + "?ns=" + registry.host());
        }
    }

    static Stream<Function<RecordedRequest, MockResponse>> failures() {
        return Stream.of(
                request -> status(404),
                request -> status(400),
                request -> status(401),
                request -> challenge("Basic realm=\"m\""),
                request -> status(403),
                request -> status(405),
                request -> status(429),
                request -> status(500),
                request -> status(503).setHeader("Retry-After", "30"),
                request -> status(301),
                request -> status(302).setHeader("Location", "http://10.0.0.1/x"),
                request -> status(200),
                request -> manifest("nonsense"),
                request -> new MockResponse().setBody("<html>"),
                request -> new MockResponse().setSocketPolicy(SocketPolicy.DISCONNECT_AFTER_REQUEST));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void whateverAMirrorAnswersTheNextIsAskedOnce(Function<RecordedRequest, MockResponse> failure) throws Exception {
        mirror.answer(failure);
        try (RegistryClient client = client(Mirror.of(mirror.url()), Mirror.of(second.url()))) {
            assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(OLD);

            assertThat(second.requests).hasSize(1);
            assertThat(registry.requests).isEmpty();
            assertThat(time.sleeps).isEmpty();
            assertThat(client.mirror(registry.host())).contains(second.url());
        }
    }

    @ParameterizedTest
    @MethodSource("failures")
    void theRegistryIsAskedAtTheEnd(Function<RecordedRequest, MockResponse> failure) throws Exception {
        mirror.answer(failure);
        try (RegistryClient client = client(Mirror.of(mirror.url()))) {
            assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(NEW);

            assertThat(registry.lines()).containsExactly("HEAD /v2/team/app/manifests/latest");
            assertThat(client.mirror(registry.host())).isEmpty();
        }
    }

    @Test
    void theErrorOfTheRegistryCountsAndThoseOfMirrorsAreKept() throws Exception {
        mirror.answer(request -> status(403));
        registry.answer(request -> status(404));
        try (RegistryClient client = client(Mirror.of(mirror.url()))) {
            assertThatExceptionOfType(NotFoundException.class)
                    .isThrownBy(() -> client.resolve(registry.image("team/app")))
                    .satisfies(failure -> assertThat(failure.getSuppressed())
                            .singleElement()
                            .isInstanceOf(DeniedException.class)
                            .asString()
                            .contains(mirror.host()));
        }
    }

    @Test
    void aMirrorThatWasUnreachableIsAskedAgainAfterAMinute() throws Exception {
        mirror.answer(request -> new MockResponse().setSocketPolicy(SocketPolicy.DISCONNECT_AFTER_REQUEST));
        try (RegistryClient client = client(Mirror.of(mirror.url()))) {
            client.resolve(registry.image("team/app"));
            int asked = mirror.requests.size();
            mirror.answer(request -> manifest(OLD));
            time.sleep(Duration.ofSeconds(59));
            assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(NEW);
            assertThat(mirror.requests).hasSize(asked);
            time.sleep(Duration.ofSeconds(2));
            assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(OLD);
        }
    }

    @Test
    void whyAMirrorWasPassedOverIsToldToTheObserverAndKnownToEachView() throws Exception {
        mirror.answer(request -> status(403));
        List<String> passed = new ArrayList<>();
        RegistryObserver observer = new RegistryObserver() {
            @Override
            public void mirrorPassedOver(String host, String url, String reason) {
                passed.add(host + " " + url + " " + reason);
            }
        };
        try (RegistryClient client = RegistryClient.builder()
                .host(
                        registry.host(),
                        HostOptions.DEFAULTS.withMirrors(List.of(Mirror.of(mirror.url()), Mirror.of(second.url()))))
                .observer(observer)
                .clock(time)
                .ticker(time::nanos)
                .sleeper(time::sleep)
                .build()) {
            client.withCredentials(new PerHost(Map.of())).resolve(registry.image("team/app"));
            assertThat(passed)
                    .singleElement()
                    .asString()
                    .startsWith(registry.host() + " " + mirror.url() + " ")
                    .contains("HTTP 403");
            assertThat(client.mirror(registry.host())).contains(second.url());
            assertThat(client.mirrorProblem(registry.host()).orElseThrow()).contains(mirror.host(), "HTTP 403");
            ImageReference image = registry.image("team/app");
            assertThat(client.mirror(image)).contains(second.url());
            assertThat(client.mirrorsPassedOver(image)).contains(mirror.url() + " answered 403");
            assertThat(client.mirror(registry.image("team/other"))).isEmpty();
            assertThat(client.mirrorsPassedOver(registry.image("team/other"))).isEmpty();

            second.answer(request -> new MockResponse().setSocketPolicy(SocketPolicy.DISCONNECT_AFTER_REQUEST));
            client.resolve(registry.image("team/app"));
            assertThat(client.mirror(registry.host())).isEmpty();
            int asked = second.requests.size();
            client.resolve(registry.image("team/app"));
            assertThat(second.requests).hasSize(asked);
            assertThat(passed).hasSize(1 + 2 + 2);
            assertThat(passed.get(4)).contains(" " + second.url() + " ", "is not asked for a minute");
            assertThat(client.mirrorProblem(registry.host()).orElseThrow()).contains("; ", "is not asked for a minute");
            assertThat(client.mirror(image)).isEmpty();
            assertThat(client.mirrorsPassedOver(image).orElseThrow())
                    .isEqualTo(mirror.url() + " answered 403; " + second.url()
                            + " cannot be reached, and is not asked for a minute");

            mirror.answer(request -> manifest(OLD));
            time.sleep(Duration.ofSeconds(20));
            client.resolve(registry.image("team/app"));
            assertThat(client.mirrorProblem(registry.host())).isEmpty();
            assertThat(passed).hasSize(5);
        }
    }

    @Test
    void aMirrorForContentIsNotAskedForTags() throws Exception {
        mirror.answer(request -> content(CONTENT));
        try (RegistryClient client = client(Mirror.of(mirror.url()).forContentOnly())) {
            assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(NEW);
            assertThat(mirror.requests).isEmpty();

            client.manifest(registry.image("team/app").toRepository().digest(DIGEST));
            assertThat(mirror.lines())
                    .containsExactly("GET /v2/team/app/manifests/" + DIGEST + "?ns=" + registry.host());
            assertThat(registry.requests).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "<html>not here</html>", "{\"schemaVersion\":2}"})
    void contentThatIsNotWhatWasAskedForIsReadFromTheRegistry(String wrong) throws Exception {
        mirror.answer(request -> content(wrong.getBytes(StandardCharsets.UTF_8)));
        registry.answer(request -> content(CONTENT));
        try (RegistryClient client = client(Mirror.of(mirror.url()))) {
            ManifestOrIndex read =
                    client.manifest(registry.image("team/app").toRepository().digest(DIGEST));

            assertThat(read.content()).isEqualTo(CONTENT);
            assertThat(mirror.requests).hasSize(1);
        }
    }

    @Test
    void blobsComeFromTheMirrorToo() throws Exception {
        mirror.answer(request -> content(CONTENT));
        try (RegistryClient client = client(Mirror.of(mirror.url()));
                InputStream blob = client.blob(
                        registry.image("team/app").toRepository(),
                        new Descriptor("application/octet-stream", DIGEST, CONTENT.length))) {
            assertThat(blob.readAllBytes()).isEqualTo(CONTENT);
            assertThat(mirror.lines()).containsExactly("GET /v2/team/app/blobs/" + DIGEST + "?ns=" + registry.host());
            assertThat(registry.requests).isEmpty();
        }
    }

    private static byte[] bytes(int size, int seed) {
        byte[] content = new byte[size];
        new Random(seed).nextBytes(content);
        return content;
    }

    private static MockResponse blob(byte[] bytes) {
        return new MockResponse().setBody(new Buffer().write(bytes));
    }

    private static MockResponse chunked(byte[] bytes) {
        return new MockResponse().setChunkedBody(new Buffer().write(bytes), 100_000);
    }

    /** What a mirror sends in place of a blob; of a small one, it need not announce the length. */
    static Stream<Arguments> wrongBlobs() {
        return Stream.of(
                Arguments.of(1000, blob(bytes(999, 1))),
                Arguments.of(1000, blob(bytes(1001, 1))),
                Arguments.of(1000, blob(new byte[0])),
                Arguments.of(1000, chunked(bytes(999, 1))),
                Arguments.of(1000, chunked(bytes(1001, 1))),
                Arguments.of(3_000_000, blob(bytes(2_999_999, 1))),
                Arguments.of(3_000_000, blob(bytes(3_000_001, 1))),
                Arguments.of(3_000_000, blob(new byte[0])));
    }

    @ParameterizedTest
    @MethodSource("wrongBlobs")
    void aBlobOfAWrongLengthComesFromTheNextOne(int size, MockResponse wrong) throws Exception {
        byte[] layer = bytes(size, 1);
        mirror.answer(request -> wrong);
        second.answer(request -> blob(layer));
        try (RegistryClient client = client(Mirror.of(mirror.url()), Mirror.of(second.url()));
                InputStream content = client.blob(
                        registry.image("team/app").toRepository(),
                        new Descriptor(MediaType.OCI_LAYER, Digest.of(layer), layer.length))) {
            assertThat(content.readAllBytes()).isEqualTo(layer);
        }
        assertThat(mirror.requests).hasSize(1);
        assertThat(second.requests).hasSize(1);
        assertThat(registry.requests).isEmpty();
    }

    @Test
    void aSmallBlobOfWrongContentComesFromTheRegistry() throws Exception {
        byte[] config = bytes(1000, 1);
        mirror.answer(request -> blob(bytes(1000, 2)));
        registry.answer(request -> blob(config));
        try (RegistryClient client = client(Mirror.of(mirror.url()));
                InputStream content = client.blob(
                        registry.image("team/app").toRepository(),
                        new Descriptor(MediaType.OCI_CONFIG, Digest.of(config), config.length))) {
            assertThat(content.readAllBytes()).isEqualTo(config);
            assertThat(client.mirror(registry.host())).isEmpty();
            assertThat(client.mirrorProblem(registry.host()).orElseThrow())
                    .contains(mirror.url(), "content that is not that of sha256:");
        }
        assertThat(mirror.requests).hasSize(1);
        assertThat(registry.requests).hasSize(1);
    }

    @Test
    void theErrorNamesTheMirrorWhoseContentWasHandedOut() throws Exception {
        byte[] layer = bytes(3_000_000, 1);
        mirror.answer(request -> blob(bytes(3_000_000, 2)));
        try (RegistryClient client = client(Mirror.of(mirror.url()));
                InputStream content = client.blob(
                        registry.image("team/app").toRepository(),
                        new Descriptor(MediaType.OCI_LAYER, Digest.of(layer), layer.length))) {
            assertThatIOException()
                    .isThrownBy(content::readAllBytes)
                    .withMessageContainingAll("does not match blob", "from " + mirror.host());
        }
        assertThat(registry.requests).isEmpty();
    }

    @Test
    void theRestOfABlobThatBreaksOffComesFromTheRegistry() throws Exception {
        byte[] layer = bytes(3_000_000, 1);
        mirror.answer(request -> chunked(Arrays.copyOf(layer, 2_000_000)));
        registry.answer(request -> status(206)
                .setHeader("Content-Range", "bytes 2000000-2999999/3000000")
                .setBody(new Buffer().write(layer, 2_000_000, 1_000_000)));
        try (RegistryClient client = client(Mirror.of(mirror.url()));
                InputStream content = client.blob(
                        registry.image("team/app").toRepository(),
                        new Descriptor(MediaType.OCI_LAYER, Digest.of(layer), layer.length))) {
            assertThat(content.readAllBytes()).isEqualTo(layer);
        }
        assertThat(mirror.requests).hasSize(2);
        assertThat(registry.requests)
                .singleElement()
                .satisfies(request -> assertThat(request.getHeader("Range")).isEqualTo("bytes=2000000-"));
    }

    @Test
    void theErrorNamesAllWhoSentSomeOfTheContent() throws Exception {
        byte[] layer = bytes(3_000_000, 1);
        mirror.answer(request -> chunked(bytes(2_000_000, 2)));
        registry.answer(request -> status(206)
                .setHeader("Content-Range", "bytes 2000000-2999999/3000000")
                .setBody(new Buffer().write(layer, 2_000_000, 1_000_000)));
        try (RegistryClient client = client(Mirror.of(mirror.url()));
                InputStream content = client.blob(
                        registry.image("team/app").toRepository(),
                        new Descriptor(MediaType.OCI_LAYER, Digest.of(layer), layer.length))) {
            assertThatIOException()
                    .isThrownBy(content::readAllBytes)
                    .withMessageContaining("from " + mirror.host() + " and " + registry.host());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes 0-2999999/3000000", "bytes 20000000-29999999/30000000", ""})
    void aMirrorThatResumesABlobElsewhereIsPassedOver(String range) throws Exception {
        byte[] layer = bytes(3_000_000, 1);
        mirror.answer(request -> request.getHeader("Range") == null
                ? chunked(Arrays.copyOf(layer, 2_000_000))
                : status(206).setHeader("Content-Range", range).setBody(new Buffer().write(layer, 0, 1_000_000)));
        registry.answer(request -> status(206)
                .setHeader("Content-Range", "bytes 2000000-2999999/3000000")
                .setBody(new Buffer().write(layer, 2_000_000, 1_000_000)));
        try (RegistryClient client = client(Mirror.of(mirror.url()));
                InputStream content = client.blob(
                        registry.image("team/app").toRepository(),
                        new Descriptor(MediaType.OCI_LAYER, Digest.of(layer), layer.length))) {
            assertThat(content.readAllBytes()).isEqualTo(layer);
            assertThat(client.mirrorProblem(registry.host()).orElseThrow()).contains("another part of the blob");
        }
        assertThat(mirror.requests).hasSize(2);
        assertThat(registry.requests).hasSize(1);
    }

    @Test
    void whatIsWrittenAndWhatIsAskedBeforeDoesNotConcernMirrors() throws Exception {
        registry.answer(request -> switch (String.valueOf(request.getMethod())) {
            case "HEAD" -> manifest(NEW);
            case "PUT" -> status(201);
            case "DELETE" -> status(202);
            default -> FakeServer.json("{\"tags\": [\"latest\"]}");
        });
        try (RegistryClient client = client(Mirror.of(mirror.url()))) {
            ImageReference image = registry.image("team/app");
            Repository repository = image.toRepository();
            client.find(image);
            client.hasBlob(repository, DIGEST);
            client.pushManifest(image, ManifestOrIndex.parse(CONTENT, MediaType.OCI_INDEX));
            client.deleteManifest(repository, DIGEST);
            client.tags(repository).all();

            assertThat(registry.requests).hasSizeGreaterThanOrEqualTo(5);
            assertThat(mirror.requests).isEmpty();
        }
    }

    @Test
    void aMirrorGetsItsOwnCredentialsOnly() throws Exception {
        Function<RecordedRequest, MockResponse> demanding =
                request -> request.getHeader("Authorization") == null ? challenge("Basic realm=\"r\"") : manifest(OLD);
        mirror.answer(demanding);
        second.answer(demanding);
        registry.answer(demanding);
        Credential own = new Credential.Basic("own", Secret.of("secret-own"));
        Credential mirrors = new Credential.Basic("mirror", Secret.of("secret-mirror"));
        try (RegistryClient client = client(
                HostOptions.DEFAULTS.withMirrors(List.of(Mirror.of(second.url()), Mirror.of(mirror.url()))),
                new PerHost(Map.of(registry.host(), own, mirror.host(), mirrors)))) {
            client.resolve(registry.image("team/app"));

            assertThat(second.authorizations()).containsOnlyNulls();
            assertThat(mirror.authorizations()).containsExactly(null, Credentials.basic("mirror", "secret-mirror"));
            assertThat(registry.requests).isEmpty();
        }
    }

    @Test
    void theNameOfAMirrorNeedNotBeThatOfAnImage() throws Exception {
        CredentialProvider configured =
                new CredentialRouter(Map.of(RegistryPrefix.parse("registry.example/team"), new PerHost(Map.of())));
        Mirror other = Mirror.of(mirror.url() + "/v2/Docker-Virtual");
        try (RegistryClient client = client(HostOptions.DEFAULTS.withMirrors(List.of(other)), configured)) {
            assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(OLD);

            assertThat(mirror.lines())
                    .containsExactly("HEAD /v2/Docker-Virtual/team/app/manifests/latest?ns=" + registry.host());
        }
    }

    @Test
    void aPageIsNoBlob() throws Exception {
        byte[] layer = "layer".getBytes(StandardCharsets.UTF_8);
        mirror.answer(request -> new MockResponse()
                .setHeader("Content-Type", "text/html; charset=utf-8")
                .setBody("<html>"));
        registry.answer(request -> new MockResponse().setBody(new Buffer().write(layer)));
        try (RegistryClient client = client(Mirror.of(mirror.url()));
                InputStream content = client.blob(
                        registry.image("team/app").toRepository(),
                        new Descriptor(MediaType.OCI_LAYER, Digest.of(layer), layer.length))) {
            assertThat(content.readAllBytes()).isEqualTo(layer);
        }
        assertThat(mirror.requests).hasSize(1);
    }

    @Test
    void aLyingHeadOfAMirrorIsRemembered() throws Exception {
        mirror.answer(request -> "HEAD".equals(request.getMethod()) ? status(403) : content(CONTENT));
        try (RegistryClient client = client(Mirror.of(mirror.url()))) {
            for (int i = 0; i < 3; i++) {
                assertThat(client.resolve(registry.image("team/app")).digest()).isEqualTo(DIGEST);
            }
        }
        assertThat(mirror.lines())
                .extracting(line -> line.split(" ", -1)[0])
                .containsExactly("HEAD", "GET", "GET", "GET");
        assertThat(registry.requests).isEmpty();
    }

    @Test
    void aMirrorWhoseHeadFailsIsAskedWithGetTheNextTime() throws Exception {
        mirror.answer(request -> "HEAD".equals(request.getMethod()) ? status(500) : content(CONTENT));
        try (RegistryClient client = client(Mirror.of(mirror.url()))) {
            for (int i = 0; i < 4; i++) {
                client.resolve(registry.image("team/app"));
            }
        }
        assertThat(mirror.lines())
                .extracting(line -> line.split(" ", -1)[0])
                .containsExactly("HEAD", "GET", "GET", "GET");
        assertThat(registry.requests).hasSize(1);
    }

    @Test
    void aMirrorThatHasNothingIsAskedWithGetOnce() throws Exception {
        mirror.answer(request -> status(404));
        try (RegistryClient client = client(Mirror.of(mirror.url()))) {
            for (int i = 0; i < 3; i++) {
                assertThat(client.resolve(registry.image("team/app:v" + i)).digest())
                        .hasToString(NEW);
            }
        }
        assertThat(mirror.lines())
                .extracting(line -> line.split(" ", -1)[0])
                .containsExactly("HEAD", "GET", "HEAD", "HEAD");
        assertThat(registry.requests).hasSize(3);
    }

    @Test
    void aRegistryIsReachedAtAnotherAddressUnderItsName() throws Exception {
        registry.answer(
                request -> request.getHeader("Authorization") == null ? challenge("Basic realm=\"r\"") : manifest(NEW));
        List<String> asked = new ArrayList<>();
        RegistryObserver observer = new RegistryObserver() {
            @Override
            public void requested(String host, String method, int status, Duration elapsed) {
                asked.add(host);
            }
        };
        try (RegistryClient client = RegistryClient.builder()
                .observer(observer)
                .host("registry.invalid", HostOptions.DEFAULTS.withAddress(registry.host()))
                .credentials(new PerHost(Map.of("registry.invalid", new Credential.Basic("u", Secret.of("secret-u")))))
                .build()) {
            client.resolve(ImageReference.parse("registry.invalid/team/app"));

            assertThat(registry.lines())
                    .containsExactly("HEAD /v2/team/app/manifests/latest", "HEAD /v2/team/app/manifests/latest");
            assertThat(registry.authorizations()).containsExactly(null, Credentials.basic("u", "secret-u"));
            assertThat(asked).containsExactly("registry.invalid", "registry.invalid");

            registry.answer(request -> status(404));
            assertThatExceptionOfType(NotFoundException.class)
                    .isThrownBy(() -> client.resolve(ImageReference.parse("registry.invalid/team/app")))
                    .withMessageContaining("registry.invalid/team/app");
        }
    }

    @Test
    void aRegistryThatNamesItselfIsReachedAtItsAddress() throws Exception {
        String own = "https://registry.invalid";
        registry.answer(request -> {
            String line = request.getMethod() + " " + request.getPath();
            if (request.getHeader("Authorization") == null) {
                return challenge("Basic realm=\"r\"");
            } else if (line.startsWith("POST")) {
                return status(202).setHeader("Location", own + "/v2/team/app/blobs/uploads/1");
            } else if (line.startsWith("PUT")) {
                return status(201);
            } else if (line.endsWith("/tags/list?n=1000")) {
                return json("{\"tags\":[\"a\"]}")
                        .setHeader("Link", "<" + own + "/v2/team/app/tags/list?last=a>; rel=\"next\"");
            } else if (line.contains("/tags/list")) {
                return json("{\"tags\":[\"b\"]}");
            }
            return line.contains("/moved/")
                    ? manifest(NEW)
                    : status(307).setHeader("Location", own + "/v2/moved/manifests/latest");
        });
        byte[] content = {1};
        try (RegistryClient client = RegistryClient.builder()
                .host("registry.invalid", HostOptions.DEFAULTS.withAddress(registry.host()))
                .credentials(new PerHost(Map.of("registry.invalid", new Credential.Basic("u", Secret.of("secret-u")))))
                .build()) {
            Repository repository = new Repository("registry.invalid", "team/app");
            assertThat(client.resolve(repository.tag("latest")).digest()).hasToString(NEW);
            assertThat(client.tags(repository).all()).containsExactly("a", "b");
            client.pushBlob(
                    repository,
                    new Descriptor("x/y", Digest.of(content), 1),
                    () -> new java.io.ByteArrayInputStream(content));
        }
        assertThat(registry.lines().get(registry.lines().size() - 1)).startsWith("PUT /v2/team/app/blobs/uploads/1");
    }

    @Test
    void thatNeitherMirrorNorRegistryAnswersIsNoAnswerOfTheRegistry() throws Exception {
        registry.answer(request -> status(503));
        try (RegistryClient client = RegistryClient.builder()
                .host(
                        registry.host(),
                        HostOptions.DEFAULTS.withPlainHttp().withMirrors(List.of(Mirror.of("http://127.0.0.1:1"))))
                .attempts(1)
                .build()) {
            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> client.resolve(registry.image("team/app")));
            assertThat(client.mirror(registry.host())).isEmpty();
            assertThat(client.mirrorProblem(registry.host())).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ftp://m.example", "m.example", "https://u:p@m.example", "https://m.example?x", "https://", "x y"
            })
    void refusesWhatIsNoAddressOfAMirror(String url) {
        assertThatIllegalArgumentException().isThrownBy(() -> Mirror.of(url));
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://a.example", "a.example/path", "", "a b", "a.example:port"})
    void refusesWhatIsNoAddress(String address) {
        assertThatIllegalArgumentException().isThrownBy(() -> HostOptions.DEFAULTS.withAddress(address));
    }
}
