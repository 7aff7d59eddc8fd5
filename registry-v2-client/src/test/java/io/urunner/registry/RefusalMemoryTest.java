package io.urunner.registry;

import static io.urunner.registry.FakeServer.challenge;
import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.manifest;
import static io.urunner.registry.FakeServer.status;
import static io.urunner.registry.FixedCredentials.basic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import java.time.Duration;
import java.util.List;
import okhttp3.mockwebserver.MockResponse;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** For how long the client takes a refusal at its word. */
class RefusalMemoryTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);
    private static final String PAGE = "<html><body>Forbidden</body></html>";
    private static final String DENIED = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"}]}";
    private static final String UNAUTHORIZED = "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"no\"}]}";

    private final ManualTime time = new ManualTime();

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> status(500)));
    private final FakeServer issuer = open.add(new FakeServer(request -> status(500)));

    private RegistryClient client(FixedCredentials credentials, Duration memory) {
        return open.add(RegistryClient.builder()
                .credentials(credentials)
                .clock(time)
                .sleeper(time::sleep)
                .refusalMemory(memory)
                .attempts(1)
                .build());
    }

    private RegistryClient client(FixedCredentials credentials) {
        return client(credentials, Duration.ofHours(1));
    }

    private static FixedCredentials ci() {
        return new FixedCredentials(basic("ci", "secret"));
    }

    private ImageReference image() {
        return registry.image("team/app");
    }

    private RegistryException refused(RegistryClient client, String name) {
        RegistryException[] refusal = new RegistryException[1];
        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> client.manifest(registry.image(name)))
                .satisfies(e -> refusal[0] = e);
        return refusal[0];
    }

    private RegistryException refused(RegistryClient client) {
        return refused(client, "team/app");
    }

    private void wantsToken() {
        registry.answer(request -> request.getHeader("Authorization") == null
                ? challenge("Bearer realm=\"" + issuer.url() + "/token\",service=\"svc\"")
                : json("{\"schemaVersion\":2,\"mediaType\":\"" + MediaType.OCI_INDEX + "\",\"manifests\":[]}"));
    }

    private static MockResponse refusal(int status, String body) {
        return status(status).setBody(body);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Negotiate", "NTLM", "Kerberos realm=\"proxy\""})
    void aChallengeThatNoRegistryHasIsThatOfAGateway(String challenge) throws Exception {
        registry.answer(request -> refusal(401, PAGE).setHeader("WWW-Authenticate", challenge));

        assertThat(refused(client(new FixedCredentials())).isTransient()).isTrue();
    }

    /** The last column is whether the same request may succeed later. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "401 | <html>sign in</html> | true",
                "403 | <html>blocked</html> | true",
                "403 | | true",
                "403 | blocked | true",
                "403 | {\"message\":\"Forbidden\"} | true",
                "403 | {\"timestamp\":1,\"status\":403,\"error\":\"Forbidden\",\"path\":\"/v2/\"} | true",
                "403 | {\"success\":false,\"errors\":[{\"code\":1020,\"message\":\"Access denied\"}]} | true",
                "403 | {\"errors\":[{\"status\":403,\"message\":\"Forbidden\"}]} | false",
                "403 | {\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"}]} | false",
                "401 | {\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"no\"}]} | false",
            })
    void asksAnonymouslyAgainAfterSecondsThenAfterMinutes(int status, String body, boolean mayPass) throws Exception {
        registry.answer(request -> refusal(status, body == null ? "" : body));
        RegistryClient client = client(new FixedCredentials());

        assertThat(refused(client).isTransient()).isEqualTo(mayPass);
        for (int i = 0; i < 5; i++) {
            assertThat(refused(client).isTransient()).isEqualTo(mayPass);
        }
        assertThat(registry.requests).hasSize(1);
        for (int wait : List.of(15, 30, 60, 120, 240, 480, 600, 600)) {
            int asked = registry.requests.size();
            time.pass(Duration.ofSeconds(wait - 1));
            assertThat(refused(client)).hasMessageContaining("not asked again before");
            assertThat(registry.requests).hasSize(asked);
            time.pass(Duration.ofSeconds(1));
            refused(client);
            assertThat(registry.requests).hasSize(asked + 1);
        }

        registry.answer(request -> manifest(DIGEST));
        time.pass(Duration.ofMinutes(10));
        client.resolve(image());
        registry.answer(request -> refusal(status, PAGE));
        refused(client);
        int asked = registry.requests.size();
        time.pass(Duration.ofSeconds(15));
        refused(client);
        assertThat(registry.requests).as("from the beginning, after a success").hasSize(asked + 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {PAGE, "", "blocked by policy", "{\"message\":\"Forbidden\"}"})
    void asksAgainAfterSecondsIfAGatewayRefusesACredential(String body) throws Exception {
        registry.answer(request -> refusal(403, body));
        FixedCredentials credentials = new FixedCredentials(new Credential.RegistryToken(Secret.of("own")));
        RegistryClient client = client(credentials);

        assertThat(refused(client)).isInstanceOf(DeniedException.class).matches(RegistryException::isTransient);
        registry.answer(request -> manifest(DIGEST));
        time.pass(Duration.ofSeconds(15));

        assertThat(client.resolve(image()).digest()).hasToString(DIGEST);
    }

    @Test
    void takesTheRegistrysWordAboutACredentialForAnHour() throws Exception {
        registry.answer(request -> refusal(403, DENIED));
        RegistryClient client = client(ci().hints(AuthHints.sendBasicDirectly()));

        assertThat(refused(client).isTransient()).isFalse();
        registry.answer(request -> manifest(DIGEST));
        time.pass(Duration.ofMinutes(59));
        assertThat(refused(client)).hasMessageContaining("DENIED").matches(e -> !e.isTransient());
        assertThat(registry.requests).hasSize(1);
        time.pass(Duration.ofMinutes(1));

        assertThat(client.resolve(image()).digest()).hasToString(DIGEST);
    }

    /** The code of the specification, which some send with another status than 429, is no verdict on a credential. */
    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403})
    void tooManyRequestsAreNoRefusal(int status) throws Exception {
        String body = "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"slow down\"}]}";
        RegistryClient client = client(ci());
        registry.answer(request -> refusal(status, body).setHeader("Retry-After", "30"));

        assertThat(refused(client)).isInstanceOf(RateLimitedException.class).hasMessageContaining("slow down");
        wantsToken();
        time.pass(Duration.ofSeconds(30));
        issuer.answer(request -> refusal(status, body).setHeader("Retry-After", "30"));
        assertThat(refused(client)).isInstanceOf(RateLimitedException.class);
        issuer.answer(request -> json("{\"token\":\"t\"}"));
        time.pass(Duration.ofSeconds(30));

        client.manifest(image());
    }

    @Test
    void remembersItForAsLongAsConfigured() {
        registry.answer(request -> refusal(403, DENIED));
        RegistryClient client = client(ci().hints(AuthHints.sendBasicDirectly()), Duration.ofMinutes(2));
        RegistryClient never = client(new FixedCredentials(), Duration.ZERO);

        refused(client);
        time.pass(Duration.ofSeconds(119));
        refused(client);
        assertThat(registry.requests).hasSize(1);
        time.pass(Duration.ofSeconds(1));
        refused(client);
        assertThat(registry.requests).hasSize(2);

        refused(never);
        refused(never);
        assertThat(registry.requests).hasSize(4);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RegistryClient.builder().refusalMemory(Duration.ofNanos(-1)));
    }

    @Test
    void takesNoSingleRejectionOfATokenServerForFinal() throws Exception {
        wantsToken();
        issuer.answer(request -> refusal(401, UNAUTHORIZED));
        RegistryClient client = client(ci());

        assertThat(refused(client)).isInstanceOf(UnauthorizedException.class);
        refused(client, "team/other");
        assertThat(issuer.requests).as("nor is it repeated at once").hasSize(1);
        issuer.answer(request -> json("{\"token\":\"t\"}"));
        time.pass(Duration.ofSeconds(15));

        client.manifest(image());
        client.manifest(registry.image("team/other"));
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 400})
    void takesItsSecondRejectionForFinal(int status) {
        wantsToken();
        issuer.answer(request -> refusal(status, status == 400 ? "{\"error\":\"invalid_grant\"}" : UNAUTHORIZED));
        RegistryClient client = client(ci());

        refused(client);
        time.pass(Duration.ofSeconds(15));
        refused(client, "team/other");
        assertThat(issuer.requests).hasSize(2);
        for (int minutes : List.of(15, 44)) {
            time.pass(Duration.ofMinutes(minutes));
            assertThat(refused(client, "team/third")).isInstanceOf(UnauthorizedException.class);
            refused(client);
        }
        assertThat(issuer.requests).hasSize(2);
        time.pass(Duration.ofMinutes(1));
        refused(client);
        refused(client, "team/other");
        assertThat(issuer.requests).as("once an hour").hasSize(3);
    }

    @Test
    void keepsUsingACredentialThatATokenServerRejectsForOneRepository() throws Exception {
        wantsToken();
        issuer.answer(request -> String.valueOf(request.getPath()).contains("secret")
                ? refusal(401, UNAUTHORIZED)
                : json("{\"token\":\"t\"}"));
        RegistryClient client = client(ci());
        client.manifest(image());

        for (int i = 0; i < 10; i++) {
            refused(client, "team/secret");
            client.manifest(registry.image("team/app" + i));
            time.pass(Duration.ofMinutes(1));
        }

        assertThat(issuer.lines().stream().filter(line -> line.contains("secret")))
                .as("its second rejection is final")
                .hasSize(2);
    }

    @ParameterizedTest
    @CsvSource({"401, 4", "403, 4"})
    void backsOffFromATokenServerBehindAGatewayThatRefuses(int status, int requests) throws Exception {
        wantsToken();
        issuer.answer(request -> refusal(status, PAGE));
        RegistryClient client = client(ci());

        for (int i = 0; i < 12; i++) {
            assertThat(refused(client, "team/app" + i).isTransient()).isTrue();
            time.pass(Duration.ofSeconds(10));
        }

        assertThat(issuer.requests).hasSizeBetween(2, requests);
        issuer.answer(request -> json("{\"token\":\"t\"}"));
        time.pass(Duration.ofMinutes(10));
        client.manifest(image());
    }

    @Test
    void asksATokenServerAnonymouslyAgainAfterSeconds() throws Exception {
        wantsToken();
        issuer.answer(request -> refusal(403, DENIED));
        RegistryClient client = client(new FixedCredentials());

        refused(client);
        refused(client);
        assertThat(issuer.requests).hasSize(1);
        issuer.answer(request -> json("{\"token\":\"t\"}"));
        time.pass(Duration.ofSeconds(15));

        client.manifest(image());
    }
}
