package io.urunner.registry.ecr;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.FakeEcrPublic;
import io.urunner.registry.testing.LogCapture;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.TestNetwork;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import okhttp3.mockwebserver.RecordedRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EcrPublicTest {
    private static final ImageReference IMAGE = ImageReference.parse("public.ecr.aws/team/app:latest");

    private final TestNetwork network = new TestNetwork();
    private final FakeEcrPublic registry = new FakeEcrPublic(network);
    private final EcrSettings settings = new EcrSettings(
            Optional.of(SecretSource.of(Secret.of("AKIA4711"))),
            Optional.of(SecretSource.of(Secret.of("secret/4711/key"))),
            Optional.empty(),
            Optional.of(registry.api()));
    private final CredentialProvider provider =
            new EcrPlugin().create(settings, new PluginContext(FakeEcrPublic.HOST, network.clock()));
    private final RegistryClient client = RegistryClient.builder()
            .credentials(provider)
            .httpClient(network.client())
            .clock(network.clock())
            .sleeper(duration -> {})
            .build();
    private String digest;

    @BeforeEach
    void push() {
        registry.publicRepository("team/app");
        digest = registry.push("team/app", "latest", TestImage.index("one", "amd64", "arm64"));
    }

    @AfterEach
    void close() {
        client.close();
        provider.close();
        network.close();
    }

    @Test
    void aTokenOfTheApiIsSentOnlyToTheTokenServer() throws Exception {
        registry.accessKey("AKIA4711");

        assertThat(resolve()).isEqualTo(digest);
        assertThat(resolve()).isEqualTo(digest);

        assertThat(network.requests(FakeEcrPublic.API)).hasSize(1);
        assertThat(tokenRequests())
                .hasSize(1)
                .allSatisfy(request ->
                        assertThat(request.getHeader("Authorization")).startsWith("Basic "));
        assertThat(network.requests(FakeEcrPublic.HOST).stream()
                        .filter(request -> path(request).startsWith("/v2/")))
                .noneSatisfy(request -> assertThat(String.valueOf(request.getHeader("Authorization")))
                        .startsWith("Basic "));
        assertThat(provider.hints(FakeEcrPublic.HOST)).isEqualTo(AuthHints.NONE);
        assertThat(provider.describe(FakeEcrPublic.HOST, "team/app")).isEqualTo("AWS access key, region us-east-1");
    }

    @Test
    void aTokenIsRenewedAfterHalfOfItsTwelveHours() throws Exception {
        registry.accessKey("AKIA4711");
        resolve();
        network.advance(Duration.ofHours(6).minusSeconds(1));
        resolve();
        assertThat(network.requests(FakeEcrPublic.API)).hasSize(1);
        network.advance(Duration.ofSeconds(1));

        assertThat(resolve()).isEqualTo(digest);
        assertThat(network.requests(FakeEcrPublic.API)).hasSize(2);
    }

    @Test
    void aRefusedTokenIsSkippedAndANewOneIsUsedTheNextTime() throws Exception {
        registry.accessKey("AKIA4711");
        resolve();
        registry.expireTokens();
        registry.expireCredentials();

        assertThat(resolve()).isEqualTo(digest);
        assertThat(tokenRequests())
                .extracting(request -> request.getHeader("Authorization") != null)
                .containsExactly(true, true, false);

        registry.expireCredentials();
        assertThat(resolve()).isEqualTo(digest);
        assertThat(network.requests(FakeEcrPublic.API)).hasSize(2);
        assertThat(tokenRequests().get(3).getHeader("Authorization")).startsWith("Basic ");
    }

    @Test
    void anIdentityWithoutPermissionForATokenReadsAnonymouslyAndAsksOnceAnHour() throws Exception {
        try (LogCapture log = new LogCapture()) {
            for (int pass = 0; pass < 3; pass++) {
                assertThat(resolve()).isEqualTo(digest);
            }
            assertThat(network.requests(FakeEcrPublic.API)).hasSize(1);
            assertThat(provider.describe(FakeEcrPublic.HOST, "team/app")).isEqualTo("anonymous at public.ecr.aws");
            network.advance(Duration.ofMinutes(61));
            assertThat(resolve()).isEqualTo(digest);

            assertThat(network.requests(FakeEcrPublic.API)).hasSize(2);
            assertThat(tokenRequests())
                    .allSatisfy(request ->
                            assertThat(request.getHeader("Authorization")).isNull());
            assertThat(log.lines().stream().filter(line -> line.contains("is read anonymously")))
                    .singleElement()
                    .asString()
                    .contains("HTTP 400 AccessDeniedException", "sts:GetServiceBearerToken")
                    .doesNotContain("secret/4711/key");
        }
        registry.accessKey("AKIA4711");
        network.advance(Duration.ofMinutes(61));
        registry.expireCredentials();
        assertThat(resolve()).isEqualTo(digest);
        assertThat(tokenRequests().get(tokenRequests().size() - 1).getHeader("Authorization"))
                .startsWith("Basic ");
    }

    @Test
    void anExpiredTokenOfTheTokenServerIsReplacedWithoutAChallenge() throws Exception {
        resolve();
        network.advance(Duration.ofMinutes(10));

        assertThat(resolve()).isEqualTo(digest);
    }

    private String resolve() throws Exception {
        return client.resolve(IMAGE).digest().toString();
    }

    private List<RecordedRequest> tokenRequests() {
        return network.requests(FakeEcrPublic.HOST).stream()
                .filter(request -> path(request).startsWith("/token/"))
                .toList();
    }

    private static String path(RecordedRequest request) {
        return String.valueOf(request.getPath());
    }
}
