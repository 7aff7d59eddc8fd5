package io.urunner.registry;

import static io.urunner.registry.FakeServer.challenge;
import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.manifest;
import static io.urunner.registry.FakeServer.status;
import static io.urunner.registry.FixedCredentials.basic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Registries that redirect to hosts that demand tokens of their own, as gateways in front of registries do. */
class ElsewhereTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);
    private static final String CI = "Basic Y2k6c2VjcmV0";

    private final ManualTime time = new ManualTime();

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer other = open.add(new FakeServer(request -> status(500)));
    private final FakeServer issuer = open.add(new FakeServer(request -> status(500)));
    private final FakeServer registry = open.add(new FakeServer(request -> redirect(request, other)));

    private static MockResponse redirect(RecordedRequest request, FakeServer to) {
        return status(307).setHeader("Location", to.url() + request.getPath().replace("team/", "upstream/"));
    }

    private RegistryClient client(FixedCredentials credentials) {
        return open.add(RegistryClient.builder()
                .credentials(credentials)
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .clock(time)
                .sleeper(time::sleep)
                .attempts(1)
                .build());
    }

    private String bearer(String parameters) {
        return "Bearer realm=\"" + issuer.url() + "/token\",service=\"other\"" + parameters;
    }

    /** The other host demands a token for its own name of the repository. */
    private void demandsTokens(MockResponse content) {
        AtomicInteger number = new AtomicInteger();
        issuer.answer(request -> json("{\"token\":\"t" + number.incrementAndGet() + "\",\"expires_in\":300}"));
        other.answer(request -> request.getHeader("Authorization") == null
                ? challenge(bearer(",scope=\"repository:upstream/app:pull\""))
                : content.clone());
    }

    private ImageReference image() {
        return registry.image("team/app");
    }

    @Test
    void answersTheChallengeOfTheOtherHostAnonymouslyAndKeepsItsToken() throws Exception {
        demandsTokens(manifest(DIGEST));
        registry.answer(request ->
                request.getHeader("Authorization") == null ? challenge("Basic realm=\"r\"") : redirect(request, other));
        RegistryClient client = client(new FixedCredentials(basic("ci", "secret")));

        for (int i = 0; i < 3; i++) {
            assertThat(client.resolve(image()).digest()).hasToString(DIGEST);
        }

        assertThat(registry.authorizations()).containsExactly(null, CI, CI, CI);
        assertThat(other.authorizations()).containsExactly(null, "Bearer t1", "Bearer t1", "Bearer t1");
        assertThat(issuer.authorizations()).containsExactly((String) null);
        assertThat(issuer.lines()).containsExactly("GET /token?service=other&scope=repository:upstream/app:pull");
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403})
    void answersASecondChallengeOfTheOtherHostThatNamesTheRightScope(int status) throws Exception {
        issuer.answer(request -> json("{\"token\":\"" + request.getRequestUrl().queryParameter("scope") + "\"}"));
        other.answer(request -> {
            String shown = String.valueOf(request.getHeader("Authorization"));
            return shown.endsWith("mirror:pull")
                    ? manifest(DIGEST)
                    : shown.endsWith("app:pull")
                            ? challenge(bearer(
                                            ",scope=\"repository:upstream/mirror:pull\",error=\"insufficient_scope\""))
                                    .setResponseCode(status)
                            : challenge(bearer(",scope=\"repository:upstream/app:pull\""));
        });

        assertThat(client(new FixedCredentials()).resolve(image()).digest()).hasToString(DIGEST);

        assertThat(issuer.requests).hasSize(2);
    }

    @Test
    void sendsNoCredentialThatIsConfiguredForTheOtherHost() throws Exception {
        demandsTokens(manifest(DIGEST));
        // These credentials are yielded for every host.
        RegistryClient client = client(new FixedCredentials(basic("ci", "secret")));

        client.resolve(image());

        assertThat(other.authorizations()).containsExactly(null, "Bearer t1");
        assertThat(issuer.authorizations()).containsExactly((String) null);
    }

    @Test
    void answersItForManifestsBlobsReferrersAndTags() throws Exception {
        byte[] content =
                "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}"
                        .getBytes(StandardCharsets.UTF_8);
        Descriptor blob = new Descriptor("application/octet-stream", Digest.of(content), content.length);
        Repository repository = image().toRepository();
        for (Function<RegistryClient, Object> use : List.<Function<RegistryClient, Object>>of(
                client -> call(() -> client.manifest(image()).digest()),
                client -> call(() -> client.resolve(image()).digest()),
                client -> call(() -> client.hasBlob(repository, blob.digest())),
                client -> call(() -> read(client, repository, blob)),
                client -> call(() -> client.referrers(repository, blob.digest(), Optional.empty())
                        .all()))) {
            other.requests.clear();
            demandsTokens(json(new String(content, StandardCharsets.UTF_8))
                    .setHeader("Content-Type", MediaType.OCI_INDEX)
                    .setHeader("Docker-Content-Digest", blob.digest().toString()));

            use.apply(client(new FixedCredentials()));

            assertThat(other.authorizations()).containsExactly(null, "Bearer t1");
        }
    }

    private interface Use {
        Object use() throws Exception;
    }

    private static Object call(Use use) {
        try {
            return use.use();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] read(RegistryClient client, Repository repository, Descriptor blob) throws Exception {
        try (InputStream stream = client.blob(repository, blob)) {
            return stream.readAllBytes();
        }
    }

    @Test
    void requestsTheRepositoryOfTheUrlIfTheChallengeNamesNoScope() throws Exception {
        issuer.answer(request -> json("{\"token\":\"t1\"}"));
        other.answer(request -> request.getHeader("Authorization") == null ? challenge(bearer("")) : manifest(DIGEST));

        client(new FixedCredentials()).resolve(image());

        assertThat(issuer.lines()).containsExactly("GET /token?service=other&scope=repository:upstream/app:pull");
    }

    @Test
    void requestsAnotherTokenForAnotherRepositoryAndAfterExpiry() throws Exception {
        demandsTokens(manifest(DIGEST));
        other.answer(request -> request.getHeader("Authorization") == null
                ? challenge(bearer(",scope=\"repository:"
                        + request.getPath().replaceFirst("/v2/(.*)/manifests/.*", "$1") + ":pull\""))
                : manifest(DIGEST));
        RegistryClient client = client(new FixedCredentials());

        client.resolve(image());
        client.resolve(registry.image("team/second"));
        time.pass(Duration.ofMinutes(6));
        client.resolve(image());

        assertThat(issuer.lines())
                .extracting(line -> line.substring(line.indexOf("scope=")))
                .containsExactly(
                        "scope=repository:upstream/app:pull",
                        "scope=repository:upstream/second:pull",
                        "scope=repository:upstream/app:pull");
    }

    @Test
    void replacesATokenThatTheOtherHostNoLongerAccepts() throws Exception {
        demandsTokens(manifest(DIGEST));
        RegistryClient client = client(new FixedCredentials());
        client.resolve(image());
        other.answer(request -> "Bearer t2".equals(request.getHeader("Authorization"))
                ? manifest(DIGEST)
                : challenge(bearer(",scope=\"repository:upstream/app:pull\",error=\"invalid_token\"")));

        client.resolve(image());

        assertThat(other.authorizations()).containsExactly(null, "Bearer t1", "Bearer t1", "Bearer t2");
    }

    @Test
    void sendsItsTokenToNoThirdHost() throws Exception {
        FakeServer storage = open.add(new FakeServer(request -> manifest(DIGEST)));
        demandsTokens(status(307).setHeader("Location", storage.url() + "/signed"));

        client(new FixedCredentials()).resolve(image());

        assertThat(storage.authorizations()).containsExactly((String) null);
    }

    @Test
    void answersTheChallengesOfTwoHostsInARow() throws Exception {
        FakeServer third = open.add(new FakeServer(request -> request.getHeader("Authorization") == null
                ? challenge(bearer(",scope=\"repository:third/app:pull\""))
                : manifest(DIGEST)));
        demandsTokens(status(307).setHeader("Location", third.url() + "/v2/third/app/manifests/latest"));

        assertThat(client(new FixedCredentials()).resolve(image()).digest()).hasToString(DIGEST);
        assertThat(third.authorizations()).containsExactly(null, "Bearer t2");
    }

    /** From A to B and back to A, as if B signed what A then serves. */
    @Test
    void showsTheRegistryItsCredentialAgainIfTheOtherHostLeadsBack() throws Exception {
        demandsTokens(status(307).setHeader("Location", registry.url() + "/v2/signed/manifests/latest"));
        registry.answer(request -> request.getHeader("Authorization") == null
                ? challenge("Basic realm=\"r\"")
                : request.getPath().contains("signed") ? manifest(DIGEST) : redirect(request, other));

        assertThat(client(new FixedCredentials(basic("ci", "secret")))
                        .resolve(image())
                        .digest())
                .hasToString(DIGEST);

        assertThat(registry.authorizations()).containsExactly(null, CI, CI);
        assertThat(other.authorizations()).containsExactly(null, "Bearer t1");
    }

    @Test
    void answersTheChallengeOfSeveralThatLeadsWhereItFollows() throws Exception {
        issuer.answer(request -> json("{\"token\":\"t1\"}"));
        other.answer(request -> request.getHeader("Authorization") == null
                ? challenge("Bearer realm=\"http://10.0.0.1/token\"").addHeader("WWW-Authenticate", bearer(""))
                : manifest(DIGEST));

        assertThat(client(new FixedCredentials()).resolve(image()).digest()).hasToString(DIGEST);
        assertThat(issuer.requests).hasSize(1);
    }

    @Test
    void answersAsManyDifferentChallengesAsAreSensible() {
        AtomicInteger number = new AtomicInteger();
        issuer.answer(request -> json("{\"token\":\"t\"}"));
        other.answer(request -> challenge(
                bearer(",scope=\"repository:a" + number.incrementAndGet() + ":pull\",error=\"insufficient_scope\"")));

        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() -> client(new FixedCredentials()).resolve(image()))
                .withMessageContaining("to which the registry redirected");
        assertThat(issuer.requests).hasSize(3);
        assertThat(other.requests).hasSize(4);
    }

    @Test
    void answersTheSameChallengeOnce() {
        issuer.answer(request -> json("{\"token\":\"weak\"}"));
        other.answer(request -> challenge(bearer(",scope=\"repository:upstream/app:pull\"")));

        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() -> client(new FixedCredentials()).resolve(image()))
                .withMessageContaining("127.0.0.1, to which the registry redirected, does not allow this")
                .withMessageNotContaining("weak");
        assertThat(issuer.requests).hasSize(1);
        assertThat(other.requests).hasSize(2);
    }

    @Test
    void saysThatItShowsTheOtherHostNoCredentialAndAsksAgainAfterSeconds() throws Exception {
        other.answer(request -> challenge(bearer(",scope=\"repository:upstream/app:pull\"")));
        issuer.answer(request -> status(401).setBody("{\"details\":\"sign in\"}"));
        RegistryClient client = client(new FixedCredentials(basic("ci", "secret")));

        for (int i = 0; i < 2; i++) {
            assertThatExceptionOfType(DeniedException.class)
                    .isThrownBy(() -> client.resolve(image()))
                    .withMessageContaining(other.host() + ", to which the registry redirected, issues no token")
                    .withMessageContaining("sign in")
                    .withMessageContaining("name that host in the reference");
        }
        assertThat(registry.requests).hasSize(1);

        demandsTokens(manifest(DIGEST));
        time.pass(Duration.ofSeconds(16));
        assertThat(client.resolve(image()).digest()).hasToString(DIGEST);
    }

    @Test
    void leavesAnotherHostsBasicChallengeUnanswered() {
        other.answer(request -> challenge("Basic realm=\"other\""));

        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() ->
                        client(new FixedCredentials(basic("ci", "secret"))).resolve(image()));
        assertThat(other.authorizations()).containsOnlyNulls();
    }

    @Test
    void followsNoRealmOfTheOtherHostToAPrivateAddress() {
        other.answer(request -> challenge("Bearer realm=\"http://10.0.0.1/token\""));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client(new FixedCredentials()).resolve(image()))
                .withMessageContaining("to which the registry redirected, names a token server at http://10.0.0.1/...")
                .withMessageContaining("trustedHosts");
    }

    @Test
    void pushesNothingForTheOtherHostsChallenge() {
        demandsTokens(status(201));
        registry.answer(request -> request.getMethod().equals("DELETE") ? redirect(request, other) : status(500));

        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() ->
                        client(new FixedCredentials()).deleteManifest(image().toRepository(), Digest.parse(DIGEST)));
        assertThat(issuer.requests).isEmpty();
    }

    @Test
    void readsTheReasonOfARefusedHeadFromTheOtherHost() {
        demandsTokens(status(404).setBody("{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"gone\"}]}"));

        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> client(new FixedCredentials()).resolve(image()))
                .satisfies(
                        e -> assertThat(e.errors()).extracting(OciError::code).contains("MANIFEST_UNKNOWN"));
        assertThat(issuer.requests).hasSize(1);
    }
}
