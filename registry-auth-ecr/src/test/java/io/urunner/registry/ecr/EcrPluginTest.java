package io.urunner.registry.ecr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.FakeEcr;
import io.urunner.registry.testing.FakeRegistry.IssuerState;
import io.urunner.registry.testing.TestNetwork;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EcrPluginTest {
    private static final String FIRST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com";
    private static final String SECOND = "222222222222.dkr.ecr.eu-west-1.amazonaws.com";
    private static final String FAR = "111111111111.dkr.ecr.us-east-2.amazonaws.com";

    @AutoClose
    private final TestNetwork network = new TestNetwork();

    private final FakeEcr ecr = new FakeEcr(network, FIRST);

    @Test
    void asksOncePerRegionForAllAccounts() throws CredentialException {
        try (CredentialProvider provider = provider(FIRST, settings("AKIA4711"))) {
            List<Credential> first = provider.credentials(FIRST, "app");
            assertThat(provider.credentials(SECOND, "app")).isEqualTo(first);
            assertThat(provider.credentials(FAR, "app")).isNotEqualTo(first);
            assertThat(ecr.regions()).containsExactlyInAnyOrder("eu-west-1", "us-east-2");
            assertThat(network.requests("ecr-api")).hasSize(2);
        }
    }

    @Test
    void renewsAfterHalfOfTheTwelveHours() throws CredentialException {
        try (CredentialProvider provider = provider(FIRST, settings("AKIA4711"))) {
            List<Credential> first = provider.credentials(FIRST, "app");
            network.advance(Duration.ofHours(6).minusSeconds(1));
            assertThat(provider.credentials(FIRST, "app")).isEqualTo(first);
            network.advance(Duration.ofSeconds(1));
            assertThat(provider.credentials(FIRST, "app")).isNotEqualTo(first);
        }
    }

    @Test
    void asksAgainOnceWhenTheRegistryRefuses() throws CredentialException {
        try (CredentialProvider provider = provider(FIRST, settings("AKIA4711"))) {
            Credential first = provider.credentials(FIRST, "app").get(0);
            provider.refused(FIRST, first);
            Credential second = provider.credentials(FIRST, "app").get(0);
            assertThat(second).isNotEqualTo(first);
            provider.refused(FIRST, second);
            assertThat(provider.credentials(FIRST, "app")).containsExactly(second);
        }
    }

    @Test
    void readsTheAccessKeyForEveryRequest(@TempDir Path folder) throws Exception {
        Path id = Files.writeString(folder.resolve("id"), "AKIAOLD\n");
        EcrSettings settings = new EcrSettings(
                Optional.of(SecretSource.file(id)),
                Optional.of(SecretSource.of(Secret.of("key"))),
                Optional.empty(),
                Optional.of(ecr.api()));
        try (CredentialProvider provider = provider(FIRST, settings)) {
            ecr.accessKey("AKIANEW");
            assertThat(failure(provider).isTransient()).isFalse();
            Files.writeString(id, "AKIANEW\n");
            assertThat(provider.credentials(FIRST, "app")).hasSize(1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "400, AccessDeniedException, false",
        "400, UnrecognizedClientException, false",
        "403, InvalidSignatureException, false",
        "400, ThrottlingException, true",
        "429, TooManyRequestsException, true",
        "500, ServerException, true",
        "503, ServiceUnavailable, true"
    })
    void distinguishesTransientFromPermanentFailures(int status, String type, boolean isTransient) {
        EcrSettings settings = new EcrSettings(
                Optional.of(SecretSource.of(Secret.of("AKIA4711"))),
                Optional.of(SecretSource.of(Secret.of("key"))),
                Optional.empty(),
                Optional.of(network.servePlain(
                        "refusing",
                        (RecordedRequest request) -> new MockResponse()
                                .setResponseCode(status)
                                .setHeader("Content-Type", "application/x-amz-json-1.1")
                                .setBody("{\"__type\":\"" + type + "\",\"message\":\"because\"}"))));
        try (CredentialProvider provider = provider(FIRST, settings)) {
            CredentialException failure = failure(provider);
            assertThat(failure.isTransient()).isEqualTo(isTransient);
            assertThat(failure).hasMessageContainingAll("Amazon ECR", "eu-west-1", "HTTP " + status, type);
            assertThat(network.requests("refusing")).as("the caller retries").hasSize(1);
        }
    }

    @Test
    void aRefusedAccessKeyIsUsedOnceAnHour() throws CredentialException {
        EcrSettings settings = settings("AKIA4711");
        ecr.issuer(IssuerState.REFUSING);
        try (CredentialProvider provider = provider(FIRST, settings)) {
            for (int reference = 0; reference < 10; reference++) {
                assertThat(failure(provider)).hasMessageContaining("UnrecognizedClientException");
            }
            assertThat(network.requests("ecr-api")).hasSize(1);
            assertThat(failure(provider)).hasMessageContaining("not tried again before 2026-01-01T01:00:00Z");
            ecr.issuer(IssuerState.WORKING);
            network.advance(Duration.ofMinutes(60));
            assertThat(provider.credentials(FIRST, "app")).hasSize(1);
        }
    }

    @Test
    void aCustomNameNeedsARegion() throws CredentialException {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> provider("images.example", settings("AKIA4711")))
                .withMessageContainingAll("images.example", "'region'");

        ecr.accessKey("AKIA4711");
        EcrSettings settings = new EcrSettings(
                Optional.of(SecretSource.of(Secret.of("AKIA4711"))),
                Optional.of(SecretSource.of(Secret.of("key"))),
                Optional.of("sa-east-1"),
                Optional.of(ecr.api()));
        try (CredentialProvider provider = provider("images.example", settings)) {
            provider.credentials("images.example", "app");
            assertThat(ecr.regions()).containsExactly("sa-east-1");
        }
    }

    @Test
    void anAccessKeyIsCompleteOrAbsent() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new EcrSettings(
                        Optional.of(SecretSource.of(Secret.of("AKIA4711"))),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty()))
                .withMessageContaining("'secretAccessKey'");
    }

    @Test
    void sendsNothingAfterClosing() {
        CredentialProvider provider = provider(FIRST, settings("AKIA4711"));
        provider.close();
        provider.close();

        assertThatIllegalStateException().isThrownBy(() -> provider.credentials(FIRST, "app"));
    }

    private EcrSettings settings(String accessKey) {
        ecr.accessKey(accessKey);
        return new EcrSettings(
                Optional.of(SecretSource.of(Secret.of(accessKey))),
                Optional.of(SecretSource.of(Secret.of("key"))),
                Optional.empty(),
                Optional.of(ecr.api()));
    }

    private CredentialProvider provider(String registry, EcrSettings settings) {
        return new EcrPlugin().create(settings, new PluginContext(registry, network.clock()));
    }

    private static CredentialException failure(CredentialProvider provider) {
        CredentialException failure =
                catchThrowableOfType(CredentialException.class, () -> provider.credentials(FIRST, "app"));
        assertThat(failure).isNotNull();
        return failure;
    }
}
