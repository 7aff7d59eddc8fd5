package io.urunner.registry;

import static io.urunner.registry.FakeServer.challenge;
import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.manifest;
import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the client authenticates, against servers that behave as registries and token servers do. */
class AuthenticationTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);
    private static final String CI = "Basic Y2k6c2VjcmV0";

    private final ManualTime time = new ManualTime();
    private final List<AutoCloseable> open = new ArrayList<>();
    private final FakeServer registry = opened(new FakeServer(request -> status(500)));
    private final FakeServer issuer = opened(new FakeServer(request -> status(500)));

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable closeable : open) {
            closeable.close();
        }
    }

    private <T extends AutoCloseable> T opened(T closeable) {
        open.add(closeable);
        return closeable;
    }

    private RegistryClient client(FixedCredentials credentials) {
        return opened(RegistryClient.builder()
                .credentials(credentials)
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .clock(time)
                .sleeper(time::sleep)
                .attempts(1)
                .build());
    }

    private static FixedCredentials ci() {
        return new FixedCredentials(FixedCredentials.basic("ci", "secret"));
    }

    private String bearer(String scope) {
        return "Bearer realm=\"" + issuer.url() + "/token?from=realm\",service=\"svc\"" + scope;
    }

    /** A registry that requires a token of its issuer. */
    private Function<RecordedRequest, MockResponse> wantsToken(String token, String challenge) {
        return request -> ("Bearer " + token).equals(request.getHeader("Authorization"))
                ? manifest(DIGEST)
                : challenge(challenge);
    }

    /** All of them would be 5 MB of characters; the agent's whole heap has 64 MB. */
    @Test
    void keepsOnlySomeOfManyLongTokens() throws Exception {
        registry.answer(request -> request.getHeader("Authorization") == null
                ? challenge(bearer(",scope=\"" + scope(request) + "\""))
                : manifest(DIGEST));
        issuer.answer(request -> json("{\"token\":\"" + "t".repeat(60_000) + "\"}"));
        RegistryClient client = client(ci());
        for (int i = 0; i < 80; i++) {
            client.resolve(registry.image("team/app" + i));
        }
        assertThat(issuer.requests).hasSize(80);

        for (int i = 79; i > 79 - 60; i--) {
            client.resolve(registry.image("team/app" + i));
        }
        assertThat(issuer.requests).as("the latest are kept").hasSize(80);
        for (int i = 0; i < 10; i++) {
            client.resolve(registry.image("team/app" + i));
        }
        assertThat(issuer.requests).as("the eldest are not").hasSize(90);
    }

    private static String scope(RecordedRequest request) {
        return "repository:" + String.valueOf(request.getPath()).replaceFirst("/v2/(.*)/manifests/.*", "$1") + ":pull";
    }

    @Test
    void requestsATokenWithTheScopeOfTheChallengeAndKeepsIt() throws Exception {
        registry.answer(wantsToken("t1", bearer(",scope=\"repository:team/app:pull\"")));
        issuer.answer(request -> json("{\"token\":\"t1\",\"access_token\":\"\"}"));
        RegistryClient client = client(ci());

        for (int i = 0; i < 10; i++) {
            assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(DIGEST);
        }

        assertThat(issuer.lines()).containsExactly("GET /token?from=realm&service=svc&scope=repository:team/app:pull");
        assertThat(issuer.authorizations()).containsExactly(CI);
        assertThat(registry.requests).hasSize(1 + 10);
        assertThat(registry.authorizations().get(0)).isNull();
    }

    @Test
    void remembersTheDemandForOtherRepositories() throws Exception {
        registry.answer(wantsToken("t1", bearer(",scope=\"repository:team/app:pull\"")));
        issuer.answer(request -> json("{\"token\":\"t1\"}"));
        RegistryClient client = client(ci());

        client.resolve(registry.image("team/app"));
        client.resolve(registry.image("team/other"));

        assertThat(registry.requests).hasSize(3);
        assertThat(issuer.lines().get(1)).contains("scope=repository:team/other:pull");
    }

    @Test
    void derivesTheScopeIfTheChallengeHasNone() throws Exception {
        registry.answer(wantsToken("t1", bearer("")));
        issuer.answer(request -> json("{\"token\":\"t1\"}"));

        client(ci()).resolve(registry.image("team/app"));

        assertThat(issuer.lines().get(0)).contains("scope=repository:team/app:pull");
    }

    @Test
    void usesAnOpaqueScopeForEverything() throws Exception {
        registry.answer(wantsToken("t1", "Bearer realm=\"" + issuer.url() + "/token\",scope=\"aws\""));
        issuer.answer(request -> json("{\"token\":\"t1\"}"));
        RegistryClient client = client(new FixedCredentials());

        client.resolve(registry.image("team/app"));
        client.resolve(registry.image("team/other"));

        assertThat(issuer.lines()).containsExactly("GET /token?scope=aws");
        assertThat(issuer.authorizations()).containsExactly((String) null);
        assertThat(registry.requests).hasSize(3);
    }

    @Test
    void requestsEveryScopeThatAChallengeNames() throws Exception {
        registry.answer(wantsToken("t1", bearer(",scope=\"repository:team/app:pull,push repository:other/app:pull\"")));
        issuer.answer(request -> json("{\"token\":\"t1\"}"));

        client(ci()).resolve(registry.image("team/app"));

        assertThat(issuer.lines().get(0))
                .contains("&scope=repository:team/app:pull,push&scope=repository:other/app:pull");
    }

    @Test
    void requestsThePermissionsThatACallNeeds() throws Exception {
        registry.answer(request -> {
            boolean reads = "HEAD".equals(request.getMethod());
            if (request.getHeader("Authorization") == null) {
                return challenge(bearer(",scope=\"repository:team/app:" + (reads ? "pull" : "delete") + "\""));
            }
            // Before it deletes a manifest, the client asks whether that has a subject.
            return "GET".equals(request.getMethod()) ? status(404) : manifest(DIGEST);
        });
        issuer.answer(request -> json("{\"token\":\"t1\"}"));
        RegistryClient client = client(ci());
        Repository repository = registry.image("team/app").toRepository();

        client.resolve(repository.tag("latest"));
        client.deleteManifest(repository, Digest.parse(DIGEST));
        client.deleteTag(repository, "old");
        client.mountBlob(repository, "other/app", Digest.parse(DIGEST));

        assertThat(issuer.lines())
                .extracting(line -> line.substring(line.indexOf("scope=")))
                .containsExactly(
                        "scope=repository:team/app:pull",
                        "scope=repository:team/app:delete",
                        "scope=repository:team/app:pull,push&scope=repository:other/app:pull");
        assertThat(registry.requests.stream().filter(r -> r.getHeader("Authorization") == null))
                .hasSize(1);
    }

    @Test
    void renewsATokenBeforeItExpires() throws Exception {
        AtomicInteger number = new AtomicInteger();
        registry.answer(request -> request.getHeader("Authorization") == null
                ? challenge(bearer(",scope=\"repository:team/app:pull\""))
                : manifest(DIGEST));
        issuer.answer(request -> json("{\"token\":\"t" + number.incrementAndGet() + "\",\"expires_in\":300}"));
        RegistryClient client = client(ci());

        client.resolve(registry.image("team/app"));
        time.pass(Duration.ofSeconds(269));
        client.resolve(registry.image("team/app"));
        assertThat(issuer.requests).hasSize(1);
        time.pass(Duration.ofSeconds(1));
        client.resolve(registry.image("team/app"));

        assertThat(issuer.requests).hasSize(2);
        assertThat(registry.authorizations()).containsExactly(null, "Bearer t1", "Bearer t1", "Bearer t2");
    }

    @Test
    void replacesARefusedTokenOnce() throws Exception {
        AtomicInteger number = new AtomicInteger();
        issuer.answer(request -> json("{\"token\":\"t" + number.incrementAndGet() + "\",\"expires_in\":3600}"));
        registry.answer(wantsToken("t1", bearer(",scope=\"repository:team/app:pull\"")));
        RegistryClient client = client(ci());
        client.resolve(registry.image("team/app"));

        registry.answer(wantsToken("t2", bearer(",scope=\"repository:team/app:pull\",error=\"invalid_token\"")));
        client.resolve(registry.image("team/app"));

        assertThat(registry.authorizations()).containsExactly(null, "Bearer t1", "Bearer t1", "Bearer t2");
    }

    @Test
    void replacesATokenThatExpiredWithoutAChallenge() throws Exception {
        AtomicInteger number = new AtomicInteger();
        issuer.answer(request -> json("{\"token\":\"t" + number.incrementAndGet() + "\",\"expires_in\":3600}"));
        registry.answer(wantsToken("t1", bearer(",scope=\"aws\"")));
        RegistryClient client = client(ci());
        client.resolve(registry.image("team/app"));

        registry.answer(
                request -> "Bearer t2".equals(request.getHeader("Authorization")) ? manifest(DIGEST) : status(400));

        assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(DIGEST);
        assertThat(number).hasValue(2);
    }

    @Test
    void authenticatesOncePerRequest() {
        registry.answer(
                request -> challenge(bearer(",scope=\"repository:team/app:pull\",error=\"insufficient_scope\"")));
        issuer.answer(request -> json("{\"token\":\"weak\"}"));
        RegistryClient client = client(ci());

        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() -> client.resolve(registry.image("team/app")))
                .withMessageContaining("cannot resolve " + registry.host() + "/team/app:latest")
                .withMessageContaining("test account")
                .withMessageNotContaining("secret")
                .withMessageNotContaining("weak");
        assertThat(registry.requests).hasSize(2);
        assertThat(issuer.requests).hasSize(1);
    }

    /** With 401, as distribution does, or with 403, as RFC 6750 has it. */
    @ParameterizedTest
    @ValueSource(ints = {401, 403})
    void answersASecondChallengeThatNamesTheRightScope(int status) throws Exception {
        registry.answer(request -> {
            @Nullable String shown = request.getHeader("Authorization");
            if (shown == null) {
                return challenge(bearer(",scope=\"repository:team/app:pull\""));
            }
            return shown.equals("Bearer repository:team/mirror:pull")
                    ? manifest(DIGEST)
                    : challenge(bearer(",scope=\"repository:team/mirror:pull\",error=\"insufficient_scope\""))
                            .setResponseCode(status);
        });
        issuer.answer(request -> json("{\"token\":\""
                + request.getRequestUrl().queryParameter("scope").replace(' ', '+') + "\"}"));
        RegistryClient client = client(ci());

        client.resolve(registry.image("team/app"));
        client.resolve(registry.image("team/app"));

        assertThat(registry.authorizations())
                .containsExactly(
                        null,
                        "Bearer repository:team/app:pull",
                        "Bearer repository:team/mirror:pull",
                        "Bearer repository:team/mirror:pull");
        assertThat(issuer.requests).hasSize(2);
    }

    @Test
    void answersNoThirdChallenge() {
        AtomicInteger number = new AtomicInteger();
        registry.answer(request -> challenge(
                bearer(",scope=\"repository:a" + number.incrementAndGet() + ":pull\",error=\"insufficient_scope\"")));
        issuer.answer(request -> json("{\"token\":\"t\"}"));

        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() -> client(ci()).resolve(registry.image("team/app")));
        assertThat(registry.requests).hasSize(3);
        assertThat(issuer.requests).hasSize(2);
    }

    @Test
    void marksOnlyTheRepositoryThatIsDenied() throws Exception {
        issuer.answer(request -> json("{\"token\":\"t\"}"));
        registry.answer(request -> {
            boolean denied = String.valueOf(request.getPath()).contains("secret");
            if (request.getHeader("Authorization") == null || denied) {
                String name = denied ? "team/secret" : "team/app";
                return challenge(bearer(",scope=\"repository:" + name + ":pull\""));
            }
            return manifest(DIGEST);
        });
        RegistryClient client = client(ci());

        for (int i = 0; i < 3; i++) {
            assertThatExceptionOfType(UnauthorizedException.class)
                    .isThrownBy(() -> client.resolve(registry.image("team/secret")));
            client.resolve(registry.image("team/app"));
        }

        assertThat(registry.lines().stream().filter(line -> line.contains("secret")))
                .hasSize(2);
        time.pass(Duration.ofMinutes(61));
        assertThatExceptionOfType(UnauthorizedException.class)
                .isThrownBy(() -> client.resolve(registry.image("team/secret")));
        assertThat(registry.lines().stream().filter(line -> line.contains("secret")))
                .hasSizeBetween(3, 4);
    }

    @Test
    void marksOnlyTheRepositoryThatTheTokenServerDenies() throws Exception {
        issuer.answer(request -> String.valueOf(request.getPath()).contains("secret")
                ? status(403).setBody("{\"errors\":[{\"code\":\"DENIED\",\"message\":\"denied\"}]}")
                : json("{\"token\":\"t\"}"));
        registry.answer(wantsToken("t", bearer("")));
        RegistryClient client = client(ci());

        for (int i = 0; i < 3; i++) {
            assertThatExceptionOfType(DeniedException.class)
                    .isThrownBy(() -> client.resolve(registry.image("team/secret")))
                    .withMessageContaining("DENIED (denied)")
                    .withMessageContaining("test account");
            assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(DIGEST);
        }

        assertThat(issuer.lines().stream().filter(line -> line.contains("secret")))
                .hasSize(1);
        time.pass(Duration.ofMinutes(61));
        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() -> client.resolve(registry.image("team/secret")));
        assertThat(issuer.lines().stream().filter(line -> line.contains("secret")))
                .hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Forbidden\n", "<html>blocked</html>"})
    void staysAwayFromATokenServerThatRefusesIt(String body) throws Exception {
        AtomicInteger number = new AtomicInteger();
        registry.answer(wantsToken("t1", bearer("")));
        issuer.answer(request -> number.incrementAndGet() == 1
                ? json("{\"token\":\"t1\"}")
                : status(403).setBody(body));
        RegistryClient client = client(ci());
        client.resolve(registry.image("team/app"));

        for (String name : List.of("team/other", "team/third", "team/other")) {
            assertThatExceptionOfType(DeniedException.class)
                    .isThrownBy(() -> client.resolve(registry.image(name)))
                    .withMessageContaining("banned");
        }
        assertThat(issuer.requests).hasSize(2);
    }

    @Test
    void sendsARejectedCredentialAtMostOnceAnHour() throws Exception {
        registry.answer(request -> {
            String path = String.valueOf(request.getPath());
            String name = path.substring("/v2/".length(), path.indexOf("/manifests"));
            return "Bearer good".equals(request.getHeader("Authorization"))
                    ? manifest(DIGEST)
                    : challenge(bearer(",scope=\"repository:" + name + ":pull\""));
        });
        issuer.answer(request -> status(401)
                .setBody("{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"HTTP Basic: Access denied\"}]}"));
        FixedCredentials credentials = ci();
        RegistryClient client = client(credentials);

        for (String name : List.of("team/app", "team/other", "team/app")) {
            assertThatExceptionOfType(UnauthorizedException.class)
                    .isThrownBy(() -> client.resolve(registry.image(name)))
                    .withMessageContaining("rejects the credential (test account)")
                    .withMessageContaining(issuer.host())
                    .withMessageContaining("Access denied");
        }
        assertThat(issuer.requests).hasSize(1);
        assertThat(credentials.refused).hasSize(1);
        for (int minutes : List.of(1, 58, 2)) {
            time.pass(Duration.ofMinutes(minutes));
            assertThatExceptionOfType(UnauthorizedException.class)
                    .isThrownBy(() -> client.resolve(registry.image("team/app")));
        }
        assertThat(issuer.requests).as("once more, then an hour later").hasSize(3);

        issuer.answer(request -> json("{\"token\":\"good\"}"));
        credentials.yielded = List.of(FixedCredentials.basic("ci", "changed"));
        assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(DIGEST);
    }

    @Test
    void sendsAWrongCredentialOnlyOnceFromManyThreads() throws Exception {
        registry.answer(request -> challenge(bearer("")));
        issuer.answer(request -> status(401));
        RegistryClient client = client(ci());
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<?>> results = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                ImageReference image = registry.image("team/app" + i);
                results.add(threads.submit(() -> assertThatExceptionOfType(UnauthorizedException.class)
                        .isThrownBy(() -> client.resolve(image))));
            }
            for (Future<?> result : results) {
                result.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(issuer.requests).hasSize(1);
    }

    @Test
    void fetchesATokenOnceForManyThreads() throws Exception {
        registry.answer(wantsToken("t1", bearer(",scope=\"repository:team/app:pull\"")));
        issuer.answer(
                request -> json("{\"token\":\"t1\"}").setHeadersDelay(100, java.util.concurrent.TimeUnit.MILLISECONDS));
        RegistryClient client = client(ci());
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try {
            List<Future<Descriptor>> results = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                results.add(threads.submit(() -> client.resolve(registry.image("team/app"))));
            }
            for (Future<Descriptor> result : results) {
                assertThat(result.get().digest()).hasToString(DIGEST);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(issuer.requests).hasSize(1);
    }

    @Test
    void answersABasicChallengeAndRemembersIt() throws Exception {
        registry.answer(request -> CI.equals(request.getHeader("Authorization"))
                ? manifest(DIGEST)
                : challenge("BASIC realm=\"Sonatype Nexus Repository Manager\""));
        RegistryClient client = client(ci());

        client.resolve(registry.image("team/app"));
        client.resolve(registry.image("team/other"));

        assertThat(registry.authorizations()).containsExactly(null, CI, CI);
    }

    @Test
    void distinguishesAWrongPasswordFromAMissingPermission() throws Exception {
        registry.answer(request -> {
            boolean known = CI.equals(request.getHeader("Authorization"));
            String path = String.valueOf(request.getPath());
            if (known && path.equals("/v2/")) {
                return status(200);
            }
            return known && path.contains("team/app") ? manifest(DIGEST) : challenge("Basic realm=\"harbor\"");
        });
        RegistryClient client = client(ci().hints(AuthHints.sendBasicDirectly()));

        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() -> client.resolve(registry.image("other/app")))
                .withMessageContaining("does not allow this");
        assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(DIGEST);
        assertThat(registry.lines())
                .containsExactly(
                        "HEAD /v2/other/app/manifests/latest", "GET /v2/", "HEAD /v2/team/app/manifests/latest");
    }

    @Test
    void sendsBasicAtOnceIfThePluginSaysSo() throws Exception {
        registry.answer(request -> CI.equals(request.getHeader("Authorization")) ? manifest(DIGEST) : status(500));

        client(ci().hints(AuthHints.sendBasicDirectly())).resolve(registry.image("team/app"));

        assertThat(registry.requests).hasSize(1);
    }

    @Test
    void usesATokenIfDirectBasicIsAnsweredWithAChallenge() throws Exception {
        registry.answer(wantsToken("t1", bearer(",scope=\"repository:team/app:pull\"")));
        issuer.answer(request -> json("{\"token\":\"t1\"}"));
        RegistryClient client = client(ci().hints(AuthHints.sendBasicDirectly()));

        client.resolve(registry.image("team/app"));
        client.resolve(registry.image("team/app"));

        assertThat(registry.authorizations()).containsExactly(CI, "Bearer t1", "Bearer t1");
    }

    @Test
    void prefersTheBearerChallengeOfTwo() throws Exception {
        registry.answer(request -> "Bearer t1".equals(request.getHeader("Authorization"))
                ? manifest(DIGEST)
                : challenge(bearer(",scope=\"*\"")).addHeader("WWW-Authenticate", "Basic realm=\"Gitea\""));
        issuer.answer(request -> json("{\"token\":\"t1\"}"));

        client(ci()).resolve(registry.image("team/app"));

        assertThat(issuer.lines()).containsExactly("GET /token?from=realm&service=svc&scope=*");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer realm=\"http://10.0.0.1/token\"", "Bearer realm=\"ftp://issuer/token\"", "Bearer"})
    void answersTheBearerChallengeOfSeveralThatLeadsWhereItFollows(String first) throws Exception {
        registry.answer(request -> "Bearer t1".equals(request.getHeader("Authorization"))
                ? manifest(DIGEST)
                : challenge(first).addHeader("WWW-Authenticate", bearer("")));
        issuer.answer(request -> json("{\"token\":\"t1\"}"));

        client(ci()).resolve(registry.image("team/app"));

        assertThat(registry.authorizations()).containsExactly(null, "Bearer t1");
    }

    /** Some gateways change the status of what they pass on (RFC 9110, section 15.3.4). */
    @ParameterizedTest
    @ValueSource(ints = {200, 201, 203})
    void readsATokenFromAnAnswerOfAnySuccess(int status) throws Exception {
        registry.answer(wantsToken("t1", bearer("")));
        issuer.answer(request -> json("{\"token\":\"t1\"}").setResponseCode(status));

        client(ci()).resolve(registry.image("team/app"));

        assertThat(issuer.requests).hasSize(1);
    }

    @Test
    void asksTheProviderAgainWhenARegistryReportsAnExpiredCredential() throws Exception {
        registry.answer(
                request -> CI.equals(request.getHeader("Authorization"))
                        ? manifest(DIGEST)
                        : status(403)
                                .setBody(
                                        "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"Your authorization token has expired\"}]}"));
        FixedCredentials credentials = new FixedCredentials(FixedCredentials.basic("ci", "old"));
        credentials.hints(AuthHints.sendBasicDirectly());
        credentials.onRefused = () -> credentials.yielded = List.of(FixedCredentials.basic("ci", "secret"));

        assertThat(client(credentials).resolve(registry.image("team/app")).digest())
                .hasToString(DIGEST);
        assertThat(credentials.refused).containsExactly(FixedCredentials.basic("ci", "old"));
    }

    @Test
    void givesUpAfterOneRenewedCredential() {
        registry.answer(
                request -> status(403).setBody("{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no right\"}]}"));
        FixedCredentials credentials = new FixedCredentials(FixedCredentials.basic("ci", "0"));
        credentials.hints(AuthHints.sendBasicDirectly());
        AtomicInteger number = new AtomicInteger();
        credentials.onRefused =
                () -> credentials.yielded = List.of(FixedCredentials.basic("ci", "" + number.incrementAndGet()));
        RegistryClient client = client(credentials);

        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() -> client.resolve(registry.image("team/app")))
                .withMessageContaining("DENIED (no right)");
        assertThat(registry.lines().stream().filter(line -> line.startsWith("HEAD")))
                .hasSize(2);
    }

    @Test
    void triesCredentialsInOrderAndRemembersWhichOneWorked() throws Exception {
        registry.answer(request -> CI.equals(request.getHeader("Authorization"))
                ? manifest(DIGEST)
                : request.getHeader("Authorization") == null ? challenge("Basic realm=\"r\"") : status(403));
        RegistryClient client = client(
                new FixedCredentials(FixedCredentials.basic("old", "x"), FixedCredentials.basic("ci", "secret")));

        client.resolve(registry.image("team/app"));
        int first = registry.requests.size();
        client.resolve(registry.image("team/app"));

        assertThat(registry.requests).hasSize(first + 1);
    }

    @Test
    void triesEveryCredentialForHiddenContent() throws Exception {
        registry.answer(request -> {
            String authorization = request.getHeader("Authorization");
            return authorization == null
                    ? challenge("Basic realm=\"r\"")
                    : authorization.equals(CI) ? manifest(DIGEST) : status(404);
        });
        RegistryClient client = client(
                new FixedCredentials(FixedCredentials.basic("old", "x"), FixedCredentials.basic("ci", "secret")));

        assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(DIGEST);
    }

    @Test
    void reportsThatCredentialsAreMissing() {
        registry.answer(request -> challenge("Basic realm=\"r\""));

        assertThatExceptionOfType(UnauthorizedException.class)
                .isThrownBy(() -> client(new FixedCredentials()).resolve(registry.image("team/app")))
                .withMessageContaining("none are configured");
    }

    @Test
    void readsAnonymouslyWithAnAnonymousToken() throws Exception {
        registry.answer(wantsToken("anon", bearer(",scope=\"repository:team/app:pull\"")));
        issuer.answer(request -> json("{\"token\":\"anon\"}"));

        client(new FixedCredentials()).resolve(registry.image("team/app"));

        assertThat(issuer.authorizations()).containsExactly((String) null);
    }

    @Test
    void exchangesARefreshTokenByPost() throws Exception {
        registry.answer(wantsToken("t1", bearer(",scope=\"repository:team/app:pull\"")));
        issuer.answer(request -> json("{\"access_token\":\"t1\"}"));

        client(new FixedCredentials(new Credential.IdentityToken(Secret.of("refresh"))))
                .resolve(registry.image("team/app"));

        assertThat(issuer.lines()).containsExactly("POST /token?from=realm");
        assertThat(issuer.requests.get(0).getBody().readUtf8())
                .contains(
                        "grant_type=refresh_token",
                        "refresh_token=refresh",
                        "service=svc",
                        "scope=repository%3Ateam%2Fapp%3Apull");
    }

    @Test
    void fallsBackToGetIfTheTokenServerDoesNotSupportPost() throws Exception {
        registry.answer(request ->
                "Bearer t1".equals(request.getHeader("Authorization")) ? manifest(DIGEST) : challenge(bearer("")));
        issuer.answer(request ->
                String.valueOf(request.getMethod()).equals("POST") ? status(405) : json("{\"token\":\"t1\"}"));
        RegistryClient client = client(new FixedCredentials(new Credential.IdentityToken(Secret.of("refresh"))));

        client.resolve(registry.image("team/app"));
        client.resolve(registry.image("team/other"));

        assertThat(issuer.requests).extracting(RecordedRequest::getMethod).containsExactly("POST", "GET", "GET");
    }

    @Test
    void sendsARegistryTokenToTheRegistryItself() throws Exception {
        registry.answer(
                request -> "Bearer own".equals(request.getHeader("Authorization")) ? manifest(DIGEST) : status(500));

        client(new FixedCredentials(new Credential.RegistryToken(Secret.of("own"))))
                .resolve(registry.image("team/app"));

        assertThat(registry.requests).hasSize(1);
    }

    @Test
    void usesTheTokenServerThatThePluginNames() throws Exception {
        registry.answer(wantsToken("t1", "Bearer realm=\"http://unreachable.invalid/t\",service=\"svc\""));
        issuer.answer(request -> json("{\"token\":\"t1\"}"));

        client(ci().hints(AuthHints.askForTokensAt(URI.create(issuer.url() + "/jwt/auth"))))
                .resolve(registry.image("team/app"));

        assertThat(issuer.lines().get(0)).startsWith("GET /jwt/auth?service=svc&scope=");
    }

    @Test
    void doesNotFollowAChallengeToAPrivateAddress() {
        registry.answer(request -> challenge("Bearer realm=\"http://169.254.169.254/latest\",service=\"svc\""));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client(ci()).resolve(registry.image("team/app")))
                .withMessageContaining("169.254.169.254")
                .withMessageContaining("private address");
    }

    @Test
    void followsAChallengeToATrustedPrivateAddress() throws Exception {
        String realm = "http://localhost:" + issuer.server.getPort() + "/token";
        registry.answer(wantsToken("t1", "Bearer realm=\"" + realm + "\""));
        issuer.answer(request -> json("{\"token\":\"t1\"}"));
        HostOptions trusting =
                HostOptions.DEFAULTS.withPlainHttp().withTrustedHosts(Set.of("localhost:" + issuer.server.getPort()));

        try (RegistryClient client =
                RegistryClient.builder().credentials(ci()).defaults(trusting).build()) {
            client.resolve(registry.image("team/app"));
        }

        assertThat(issuer.requests).hasSize(1);
    }

    @Test
    void neverSendsCredentialsToWhereATokenServerRedirects() throws Exception {
        FakeServer elsewhere = opened(new FakeServer(request -> json("{\"token\":\"t1\"}")));
        registry.answer(wantsToken("t1", bearer("")));
        issuer.answer(request -> status(307).setHeader("Location", elsewhere.url() + "/token"));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client(ci()).resolve(registry.image("team/app")))
                .withMessageContaining("redirect");
        assertThat(elsewhere.requests).isEmpty();
    }

    @Test
    void reportsThatTheTokenServerDoesNotUnderstandTheRequest() {
        registry.answer(request -> challenge(bearer("")));
        issuer.answer(request -> status(400).setBody("invalid scope"));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client(ci()).resolve(registry.image("team/app")))
                .withMessageContaining("400")
                .withMessageContaining("invalid scope")
                .withMessageContaining("repository:team/app:pull");
    }

    @Test
    void treatsFailuresOfTheTokenServerAsTransient() throws Exception {
        registry.answer(wantsToken("t1", bearer("")));
        issuer.answer(request -> status(503));
        RegistryClient client = client(ci());

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client.resolve(registry.image("team/app")))
                .withMessageContaining(issuer.host());
        issuer.answer(request -> json("{\"token\":\"t1\"}"));
        assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(DIGEST);
    }

    @Test
    void doesNotAcceptJustAnythingAsAToken() {
        registry.answer(request -> challenge(bearer("")));
        issuer.answer(request -> json("<html>"));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client(ci()).resolve(registry.image("team/app")))
                .withMessageContaining("not JSON");
        issuer.answer(request -> json("{\"token\":\"" + "x".repeat(70_000) + "\"}"));
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client(ci()).resolve(registry.image("team/app")))
                .withMessageContaining("more than 65536 bytes");
    }
}
