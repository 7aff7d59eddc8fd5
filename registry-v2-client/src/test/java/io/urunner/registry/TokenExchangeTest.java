package io.urunner.registry;

import static io.urunner.registry.FakeServer.challenge;
import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.manifest;
import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.testing.FakeAcr;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.TestNetwork;
import java.time.Duration;
import java.util.List;
import okhttp3.HttpUrl;
import okhttp3.mockwebserver.RecordedRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How refresh tokens are used: configured ones, and those from token servers. */
class TokenExchangeTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);

    private final ManualTime time = new ManualTime();
    private FakeServer registry;
    private FakeServer issuer;

    @BeforeEach
    void start() {
        issuer = new FakeServer(request -> status(500));
        registry = new FakeServer(request -> request.getHeader("Authorization") == null
                ? challenge("Bearer realm=\"" + issuer.url() + "/token\",service=\"svc\"")
                : manifest(DIGEST));
    }

    @AfterEach
    void close() throws Exception {
        registry.close();
        issuer.close();
    }

    private List<String> shown() {
        return issuer.requests.stream()
                .map(request -> parameter(request, "refresh_token"))
                .toList();
    }

    private static String parameter(RecordedRequest request, String name) {
        HttpUrl form =
                HttpUrl.get("https://form.invalid/?" + request.getBody().clone().readUtf8());
        return String.valueOf(form.queryParameter(name));
    }

    private void resolveTimes(int count) throws Exception {
        try (RegistryClient client = RegistryClient.builder()
                .credentials(new FixedCredentials(new Credential.IdentityToken(Secret.of("configured"))))
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .clock(time)
                .build()) {
            for (int i = 0; i < count; i++) {
                client.resolve(registry.image("team/app"));
                time.pass(Duration.ofMinutes(10));
            }
        }
    }

    @Test
    void aRefreshTokenThatComesWithATokenIsUsedTheNextTime() throws Exception {
        issuer.answer(request -> json(
                "{\"access_token\":\"t\",\"refresh_token\":\"after " + parameter(request, "refresh_token") + "\"}"));

        resolveTimes(3);

        assertThat(shown()).containsExactly("configured", "after configured", "after after configured");
    }

    @Test
    void theConfiguredRefreshTokenIsUsedAgainWhenItsSuccessorIsRefused() throws Exception {
        issuer.answer(request -> parameter(request, "refresh_token").equals("configured")
                ? json("{\"access_token\":\"t\",\"refresh_token\":\"successor\"}")
                : status(401));

        resolveTimes(2);

        assertThat(shown()).containsExactly("configured", "successor", "configured");
    }

    @Test
    void anAccessTokenIsExchangedOnceForAllRepositoriesAndAgainAfterExpiry() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            FakeAcr acr = new FakeAcr(network, "team.azurecr.io");
            acr.entraToken("entra", "one", "two");
            acr.push("one", "latest", TestImage.index("1", "amd64"));
            acr.push("two", "latest", TestImage.index("2", "amd64"));
            try (RegistryClient client = RegistryClient.builder()
                    .credentials(new FixedCredentials(new Credential.AccessToken(Secret.of("entra"), "tenant-1")))
                    .httpClient(network.client())
                    .clock(network.clock())
                    .build()) {
                client.resolve(ImageReference.parse("team.azurecr.io/one"));
                client.resolve(ImageReference.parse("team.azurecr.io/two"));
                assertThat(acr.exchanges()).isEqualTo(1);
                assertThat(acr.issuerRequests()).isEqualTo(2);

                network.advance(Duration.ofHours(4));
                acr.expireRefreshTokens();
                client.resolve(ImageReference.parse("team.azurecr.io/one"));
                assertThat(acr.exchanges()).isEqualTo(2);
            }
        }
    }
}
