package io.urunner.registry;

import static io.urunner.registry.FakeServer.challenge;
import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import okhttp3.mockwebserver.SocketPolicy;
import okio.Buffer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Some proxies and registries answer HEAD wrongly where GET works. */
class LyingHeadTest {
    private static final byte[] MANIFEST = ("{\"schemaVersion\":2,\"mediaType\":\"" + MediaType.OCI_INDEX
                    + "\",\"manifests\":[]}")
            .getBytes(StandardCharsets.UTF_8);
    private static final Digest DIGEST = Digest.of(MANIFEST);
    private static final String HEAD = "HEAD /v2/team/app/manifests/latest";
    private static final String GET = "GET /v2/team/app/manifests/latest";

    private final ManualTime time = new ManualTime();

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> content()));
    private final RegistryClient client = open.add(RegistryClient.builder()
            .defaults(HostOptions.DEFAULTS.withPlainHttp())
            .clock(time)
            .ticker(time::nanos)
            .sleeper(time::sleep)
            .build());

    private static MockResponse content() {
        return new MockResponse()
                .setHeader("Content-Type", MediaType.OCI_INDEX)
                .setHeader("Docker-Content-Digest", DIGEST.toString())
                .setBody(new Buffer().write(MANIFEST));
    }

    private static Function<RecordedRequest, MockResponse> head(MockResponse answer) {
        return request -> "HEAD".equals(request.getMethod()) ? answer.clone() : content();
    }

    private Descriptor resolve() throws Exception {
        return client.resolve(registry.image("team/app"));
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 403, 404, 405, 406, 410, 415, 422, 500, 501})
    void resolvesWithGetAndRemembersIt(int status) throws Exception {
        registry.answer(head(status(status)));
        Descriptor found = new Descriptor(MediaType.OCI_INDEX, DIGEST, MANIFEST.length);

        assertThat(resolve()).isEqualTo(found);
        assertThat(registry.lines()).containsExactly(HEAD, GET);

        assertThat(resolve()).isEqualTo(found);
        assertThat(client.withCredentials(new CredentialRouter(Map.of())).resolve(registry.image("team/app")))
                .isEqualTo(found);
        assertThat(client.find(registry.image("team/app"))).contains(found);
        assertThat(registry.lines()).containsExactly(HEAD, GET, GET, GET, GET);

        time.pass(Duration.ofMinutes(11));
        registry.answer(head(FakeServer.manifest(DIGEST.toString()).setHeader("Content-Length", MANIFEST.length)));
        assertThat(resolve()).isEqualTo(found);
        assertThat(resolve()).isEqualTo(found);
        assertThat(registry.lines()).endsWith(GET, HEAD, HEAD).hasSize(7);
    }

    @Test
    void withoutRetriesTheNextCallIsGet() throws Exception {
        registry.answer(head(status(500)));
        RegistryClient once = open.add(RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .ticker(time::nanos)
                .attempts(1)
                .build());
        ImageReference image = registry.image("team/app");

        assertThatExceptionOfType(UnavailableException.class).isThrownBy(() -> once.resolve(image));
        assertThat(once.resolve(image).digest()).isEqualTo(DIGEST);
        assertThat(once.resolve(image).digest()).isEqualTo(DIGEST);
        assertThat(registry.lines()).containsExactly(HEAD, GET, GET);

        registry.answer(request -> status(500));
        time.pass(Duration.ofMinutes(11));
        for (int i = 0; i < 3; i++) {
            assertThatExceptionOfType(UnavailableException.class).isThrownBy(() -> once.resolve(image));
        }
        assertThat(registry.lines()).endsWith(HEAD, GET, HEAD).hasSize(6);
    }

    @Test
    void remembersThatHeadSaysTooLittle() throws Exception {
        registry.answer(head(new MockResponse().setHeader("Content-Type", MediaType.OCI_INDEX)));

        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(registry.lines()).containsExactly(HEAD, GET, GET);
    }

    @Test
    void asksConditionallyWithGet() throws Exception {
        registry.answer(request -> "HEAD".equals(request.getMethod())
                ? status(404)
                : ("\"" + DIGEST + "\"").equals(request.getHeader("If-None-Match")) ? status(304) : content());

        assertThat(client.resolveIfChanged(registry.image("team/app"), DIGEST)).isEmpty();
        assertThat(client.resolveIfChanged(registry.image("team/app"), DIGEST)).isEmpty();
        Digest other = Digest.of(new byte[0]);
        assertThat(client.resolveIfChanged(registry.image("team/app"), other).map(Descriptor::digest))
                .contains(DIGEST);
        assertThat(registry.lines()).containsExactly(HEAD, GET, GET, GET);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 403, 404, 405, 501})
    void resolvesIfOnlyGetIsChallenged(int status) throws Exception {
        FakeServer issuer = open.add(new FakeServer(request -> json("{\"token\":\"t\"}")));
        registry.answer(request -> "HEAD".equals(request.getMethod())
                ? status(status)
                : "Bearer t".equals(request.getHeader("Authorization"))
                        ? content()
                        : challenge("Bearer realm=\"" + issuer.url() + "/token\""));

        assertThat(resolve().digest()).isEqualTo(DIGEST);
        int first = registry.lines().size();
        assertThat(first).isLessThanOrEqualTo(4);
        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(registry.lines()).startsWith(HEAD, GET).endsWith(GET, GET).hasSize(first + 1);
    }

    @Test
    void aRefusalOfHeadAloneSilencesNobody() throws Exception {
        registry.answer(head(status(403)));
        assertThat(resolve().digest()).isEqualTo(DIGEST);
        time.pass(Duration.ofMinutes(11));
        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(registry.lines()).containsExactly(HEAD, GET, HEAD, GET);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 403, 404, 405})
    void isAnErrorIfGetFailsTheSameWay(int status) {
        registry.answer(request -> status(status).setBody("{\"errors\":[{\"code\":\"WHY\"}]}"));

        for (int i = 0; i < 2; i++) {
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(this::resolve)
                    .satisfies(e -> assertThat(e.status()).hasValue(status))
                    .withMessageContaining("WHY");
        }
        // A refusal is remembered; that HEAD is right is not worth remembering.
        assertThat(registry.lines()).startsWith(HEAD, GET).hasSize(status == 403 ? 2 : 4);
    }

    @Test
    void theBodyMustHaveTheDigest() {
        registry.answer(request -> "HEAD".equals(request.getMethod())
                ? status(404)
                : content().setBody("{\"schemaVersion\":2,\"manifests\":[]}"));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(this::resolve)
                .withMessageContaining("instead of " + DIGEST);
    }

    @Test
    void theBodyIsBounded() {
        registry.answer(request -> "HEAD".equals(request.getMethod())
                ? status(404)
                : content().setBody(new Buffer().write(new byte[ManifestOrIndex.MAX_SIZE + 1])));

        assertThatExceptionOfType(ProtocolViolationException.class).isThrownBy(this::resolve);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 403, 405, 500, 501})
    void looksForABlobByOneByte(int status) throws Exception {
        registry.answer(request -> "HEAD".equals(request.getMethod())
                ? status(status)
                : "bytes=0-0".equals(request.getHeader("Range")) ? status(206).setBody("x") : status(500));
        Repository repository = registry.image("team/app").toRepository();

        assertThat(client.hasBlob(repository, DIGEST)).isTrue();
        assertThat(client.hasBlob(repository, DIGEST)).isTrue();
        registry.answer(request -> status(416));
        assertThat(client.hasBlob(repository, DIGEST)).as("an empty one").isTrue();
        registry.answer(request -> status(404));
        assertThat(client.hasBlob(repository, DIGEST)).isFalse();

        String path = " /v2/team/app/blobs/" + DIGEST;
        assertThat(registry.lines())
                .isEqualTo(List.of("HEAD" + path, "GET" + path, "GET" + path, "GET" + path, "GET" + path));
    }

    private List<String> methods() {
        return registry.requests.stream()
                .map(request -> String.valueOf(request.getMethod()))
                .toList();
    }

    @Test
    void doubtsThatAManifestOrABlobIsMissing() throws Exception {
        registry.answer(head(status(404)));
        Repository repository = registry.image("team/app").toRepository();

        assertThat(client.hasBlob(repository, DIGEST)).isTrue();
        assertThat(client.hasBlob(repository, DIGEST)).isTrue();
        assertThat(client.find(registry.image("team/app"))).isPresent();
        assertThat(client.find(registry.image("team/app"))).isPresent();
        assertThat(methods()).containsExactly("HEAD", "GET", "GET", "HEAD", "GET", "GET");
    }

    @Test
    void anHonestRegistryIsAskedTwiceForOneMissingBlobOnly() throws Exception {
        registry.answer(request -> status(404).setBody("HEAD".equals(request.getMethod()) ? "" : "{}"));
        Repository repository = registry.image("team/app").toRepository();
        for (int i = 0; i < 20; i++) {
            assertThat(client.hasBlob(repository, Digest.of(new byte[i]))).isFalse();
        }
        assertThat(methods()).hasSize(21).startsWith("HEAD", "GET", "HEAD", "HEAD");

        time.pass(Duration.ofMinutes(11));
        assertThat(client.hasBlob(repository, DIGEST)).isFalse();
        assertThat(methods()).hasSize(23);
    }

    @Test
    void aHeadThatSucceedsShowsThatTheRegistryIsHonest() throws Exception {
        registry.answer(request -> String.valueOf(request.getPath()).endsWith("/latest") ? content() : status(404));
        assertThat(client.find(registry.image("team/app"))).isPresent();
        for (int i = 0; i < 3; i++) {
            assertThat(client.find(registry.image("team/app:v" + i))).isEmpty();
        }
        assertThat(methods()).containsExactly("HEAD", "HEAD", "HEAD", "HEAD");
    }

    /** The same handler announces equally long bodies. */
    @ParameterizedTest
    @ValueSource(strings = {"", "{\"errors\":[]}"})
    void aMissingManifestShowsItIfBothAnswersAreTheSame(String announced) throws Exception {
        registry.answer(request -> String.valueOf(request.getPath()).endsWith("/latest")
                ? "HEAD".equals(request.getMethod()) ? status(404) : content()
                : status(404).setBody("HEAD".equals(request.getMethod()) ? announced : "{\"errors\":[]}"));

        assertThat(client.find(registry.image("team/app:v1"))).isEmpty();
        assertThat(client.find(registry.image("team/app:v2"))).isEmpty();
        boolean honest = !announced.isEmpty();
        assertThat(methods()).hasSize(honest ? 3 : 4);
        assertThat(client.find(registry.image("team/app")).isPresent()).isEqualTo(!honest);
        // What ends with an error is asked again all the same, for the registry's words.
        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(client.find(registry.image("team/app"))).isPresent();
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 403, 404, 405, 500})
    void whatGetDoesNotFindEitherIsMissing(int status) throws Exception {
        registry.answer(request -> status("HEAD".equals(request.getMethod()) ? status : 404));

        assertThat(client.find(registry.image("team/app"))).isEmpty();
        assertThat(client.hasBlob(registry.image("team/app").toRepository(), DIGEST))
                .isFalse();
        assertThat(methods()).containsExactly("HEAD", "GET", "HEAD", "GET");

        assertThat(client.find(registry.image("team/app"))).isEmpty();
        assertThat(methods().subList(4, methods().size()))
                .isEqualTo(status == 404 ? List.of("HEAD") : List.of("HEAD", "GET"));
    }

    /** Nothing shows whether the same handler made both answers. */
    @Test
    void twoMissingManifestsWithoutALengthShowNothing() throws Exception {
        registry.answer(request -> String.valueOf(request.getPath()).endsWith("/latest")
                ? "HEAD".equals(request.getMethod()) ? status(404) : content()
                : "HEAD".equals(request.getMethod())
                        ? status(404).removeHeader("Content-Length")
                        : status(404).setChunkedBody("{}", 10));
        assertThat(client.find(registry.image("team/app:v1"))).isEmpty();
        assertThat(client.find(registry.image("team/app"))).isPresent();
    }

    @Test
    void aFailureOfTheTokenServerSaysNothingAboutHead() throws Exception {
        List<Integer> tokens = new ArrayList<>(List.of(500, 200));
        registry.answer(request -> {
            if (String.valueOf(request.getPath()).startsWith("/token")) {
                return status(tokens.remove(0)).setBody("{\"token\":\"t\"}");
            }
            return request.getHeader("Authorization") != null
                    ? content()
                    : status(401)
                            .setHeader(
                                    "WWW-Authenticate", "Bearer realm=\"" + registry.url() + "/token\",service=\"s\"");
        });
        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(registry.lines())
                .filteredOn(line -> !line.contains("/token"))
                .containsOnly(HEAD);
        assertThat(tokens).isEmpty();
    }

    /** To miss a blob costs a transfer; that a manifest is missing would be final. */
    @ParameterizedTest
    @ValueSource(ints = {429, 503})
    void whereGetFailsForNowABlobIsMissingAndAManifestIsNot(int status) throws Exception {
        registry.answer(request -> "HEAD".equals(request.getMethod())
                ? status(404)
                : status(status).setHeader("Retry-After", "3600"));
        assertThat(client.hasBlob(registry.image("team/app").toRepository(), DIGEST))
                .isFalse();
        assertThat(methods()).containsExactly("HEAD", "GET");

        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> client.find(registry.image("team/app")))
                .satisfies(e -> assertThat(e.isTransient()).isTrue())
                .satisfies(e -> assertThat(e.status()).hasValue(status))
                .extracting(e -> e instanceof RateLimitedException limited
                        ? limited.retryAt()
                        : ((UnavailableException) e).retryAt().orElseThrow())
                .isEqualTo(time.instant().plusSeconds(3600));
        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(this::resolve)
                .satisfies(e -> assertThat(e.isTransient()).isTrue());
    }

    @Test
    void aMissingManifestThatGetBreaksOffForIsAskedForAgain() throws Exception {
        registry.answer(request -> "HEAD".equals(request.getMethod())
                ? status(404)
                : methods().size() == 2
                        ? new MockResponse().setSocketPolicy(SocketPolicy.DISCONNECT_AFTER_REQUEST)
                        : content());
        assertThat(client.find(registry.image("team/app"))).isPresent();
    }

    @Test
    void whereGetFailsForNowAnHonestRegistryIsBelieved() throws Exception {
        registry.answer(request -> !"HEAD".equals(request.getMethod())
                ? status(503)
                : String.valueOf(request.getPath()).endsWith("/latest") ? content() : status(404));
        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(client.find(registry.image("team/app:v1"))).isEmpty();
        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> client.resolve(registry.image("team/app:v1")));
        assertThat(methods()).containsExactly("HEAD", "HEAD", "HEAD", "GET");
    }

    @Test
    void whatHeadDoesNotSayIsAskedUntilGetAnswers() throws Exception {
        registry.answer(request ->
                "HEAD".equals(request.getMethod()) ? status(405) : methods().size() == 2 ? status(503) : content());
        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(methods()).containsExactly("HEAD", "GET", "HEAD", "GET");
    }

    @ParameterizedTest
    @ValueSource(ints = {502, 503, 504})
    void theLastAttemptIsGetAndThatIsNotRemembered(int status) throws Exception {
        registry.answer(head(status(status)));

        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(client.hasBlob(registry.image("team/app").toRepository(), DIGEST))
                .isTrue();
        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(methods()).containsExactly("HEAD", "HEAD", "GET", "HEAD", "HEAD", "GET", "HEAD", "HEAD", "GET");

        registry.answer(request -> status(status));
        assertThatExceptionOfType(UnavailableException.class).isThrownBy(this::resolve);
        assertThat(methods()).hasSize(12);
    }

    /** A registry that ignores the range announces the whole blob, which never comes. */
    @Test
    void theBlobItselfIsNotDownloaded() throws Exception {
        registry.answer(request -> "HEAD".equals(request.getMethod())
                ? status(405)
                : new MockResponse().setHeader("Content-Length", 1_000_000_000));

        assertThat(client.hasBlob(registry.image("team/app").toRepository(), DIGEST))
                .isTrue();
        assertThat(methods()).containsExactly("HEAD", "GET");
    }

    /** A push sends what is missing, and nothing that HEAD alone denies. */
    @ParameterizedTest
    @ValueSource(ints = {400, 403, 404, 405, 500})
    void aBlobThatIsThereIsFoundAmongThoseThatAreNot(int status) throws Exception {
        String there = DIGEST.toString();
        registry.answer(request -> "HEAD".equals(request.getMethod())
                ? status(status)
                : String.valueOf(request.getPath()).endsWith(there)
                        ? status(206).setBody("{")
                        : status(404));
        Repository repository = registry.image("team/app").toRepository();

        assertThat(client.hasBlob(repository, DIGEST)).isTrue();
        assertThat(client.hasBlob(repository, Digest.of(new byte[1]))).isFalse();
        assertThat(client.hasBlob(repository, DIGEST)).isTrue();
        assertThat(methods()).containsExactly("HEAD", "GET", "GET", "GET");
    }

    /** A URL that is signed for GET refuses HEAD, so the registry is asked for another one. */
    @ParameterizedTest
    @ValueSource(ints = {401, 403})
    void aStorageThatRefusesHeadIsAskedByWayOfTheRegistryAgain(int status) throws Exception {
        FakeServer storage = open.add(new FakeServer(request -> {
            boolean signed = String.valueOf(request.getPath()).endsWith("for=" + request.getMethod());
            return signed && "GET".equals(request.getMethod()) ? content() : status(status);
        }));
        registry.answer(request -> status(307).setHeader("Location", storage.url() + "/x?for=" + request.getMethod()));
        Repository repository = registry.image("team/app").toRepository();

        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(client.hasBlob(repository, DIGEST)).isTrue();
        assertThat(storage.lines())
                .containsExactly("HEAD /x?for=HEAD", "GET /x?for=GET", "HEAD /x?for=HEAD", "GET /x?for=GET");
        assertThat(resolve().digest()).isEqualTo(DIGEST);
        assertThat(client.hasBlob(repository, DIGEST)).isTrue();
        assertThat(methods()).containsExactly("HEAD", "GET", "HEAD", "GET", "GET", "GET");
    }
}
