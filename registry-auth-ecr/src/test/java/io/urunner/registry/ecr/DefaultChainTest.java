package io.urunner.registry.ecr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.testing.FakeEcr;
import io.urunner.registry.testing.TestNetwork;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import okhttp3.mockwebserver.MockResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Without an access key the SDK's default chain is used; properties replace the environment that Kubernetes sets. */
class DefaultChainTest {
    private static final String HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    private final TestNetwork network = new TestNetwork();
    private final FakeEcr ecr = new FakeEcr(network, HOST);
    private final Map<String, @Nullable String> before = new HashMap<>();

    @TempDir
    private Path folder;

    @BeforeEach
    void nothingElse() {
        // The configuration of the machine that runs the tests must not interfere.
        set("aws.configFile", folder.resolve("config").toString());
        set("aws.sharedCredentialsFile", folder.resolve("credentials").toString());
        set("aws.disableEc2Metadata", "true");
    }

    @AfterEach
    void restore() {
        before.forEach((name, value) -> {
            if (value == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, value);
            }
        });
        network.close();
    }

    @Test
    void aServiceAccountWithARoleIsExchangedForItsKeys() throws IOException, CredentialException {
        ecr.accessKey("ASIAROLE");
        Path token = Files.writeString(folder.resolve("token"), "web-identity-4711");
        URI sts = network.servePlain(
                "sts",
                request -> new MockResponse()
                        .setHeader("Content-Type", "text/xml")
                        .setBody("<AssumeRoleWithWebIdentityResponse"
                                + " xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult>"
                                + "<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                                + "<SessionToken>t</SessionToken><Expiration>"
                                + Instant.now().plus(1, ChronoUnit.HOURS).truncatedTo(ChronoUnit.SECONDS)
                                + "</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
                                + "</AssumeRoleWithWebIdentityResponse>"));
        set("aws.roleArn", "arn:aws:iam::123456789012:role/urunner");
        set("aws.webIdentityTokenFile", token.toString());
        set("aws.endpointUrlSts", sts.toString());
        set("aws.region", "eu-west-1");

        try (CredentialProvider provider = provider()) {
            assertThat(provider.credentials(HOST, "app")).hasSize(1);
        }
        assertThat(network.requests("sts")).hasSize(1);
        assertThat(network.requests("sts").get(0).getBody().readUtf8())
                .contains("Action=AssumeRoleWithWebIdentity", "web-identity-4711");
    }

    @Test
    void podIdentityCredentialsComeFromTheirEndpoint() throws IOException, CredentialException {
        ecr.accessKey("ASIAPOD");
        Path token = Files.writeString(folder.resolve("token"), "pod-4711");
        URI agent = network.servePlain(
                "agent",
                request -> new MockResponse()
                        .setHeader("Content-Type", "application/json")
                        .setBody(
                                "{\"AccessKeyId\":\"ASIAPOD\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\""
                                        + Instant.now()
                                                .plus(1, ChronoUnit.HOURS)
                                                .truncatedTo(ChronoUnit.SECONDS) + "\"}"));
        set("aws.containerCredentialsFullUri", agent + "/v1/credentials");
        set("aws.containerAuthorizationTokenFile", token.toString());

        try (CredentialProvider provider = provider()) {
            assertThat(provider.credentials(HOST, "app")).hasSize(1);
            assertThat(provider.describe(HOST, "app")).isEqualTo("AWS default credentials, region eu-west-1");
        }
        assertThat(network.requests("agent").get(0).getHeader("Authorization")).isEqualTo("pod-4711");
    }

    @Test
    void anEmptyChainIsReportedAsTransient() {
        try (CredentialProvider provider = provider()) {
            CredentialException failure =
                    catchThrowableOfType(CredentialException.class, () -> provider.credentials(HOST, "app"));
            assertThat(failure.isTransient()).isTrue();
            assertThat(failure).hasMessageContainingAll("Amazon ECR", "eu-west-1", "Unable to load credentials");
        }
        assertThat(network.requests("ecr-api")).isEmpty();
    }

    private CredentialProvider provider() {
        EcrSettings settings =
                new EcrSettings(Optional.empty(), Optional.empty(), Optional.empty(), Optional.of(ecr.api()));
        return new EcrPlugin().create(settings, new PluginContext(HOST, network.clock()));
    }

    private void set(String name, String value) {
        before.putIfAbsent(name, System.getProperty(name));
        System.setProperty(name, value);
    }
}
