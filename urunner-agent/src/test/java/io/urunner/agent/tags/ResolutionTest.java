package io.urunner.agent.tags;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.urunner.agent.plan.Deferral;
import io.urunner.registry.HostOptions;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.testing.TestNetwork;
import okhttp3.mockwebserver.MockResponse;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the agent makes of a registry's answers, as its client reports them. */
class ResolutionTest {
    private static final String HOST = "registry.example";

    @AutoClose
    private final TestNetwork network = new TestNetwork();

    @AutoClose
    private final RegistryClient client = RegistryClient.builder()
            .httpClient(network.client())
            .clock(network.clock())
            .defaults(HostOptions.DEFAULTS)
            .attempts(1)
            .build();

    private Resolution resolution() {
        return Resolution.of(catchThrowableOfType(
                RegistryException.class, () -> client.resolve(ImageReference.parse(HOST + "/team/app"))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "403 | <html>blocked</html> | Useless | REGISTRY_CONFUSED",
                "403 | | Useless | REGISTRY_CONFUSED",
                "403 | {\"errors\":[{\"code\":\"DENIED\"}]} | Refused | ACCESS_DENIED",
                "401 | {\"errors\":[{\"code\":\"UNAUTHORIZED\"}]} | Rejected | CREDENTIAL_REJECTED",
                "404 | | Refused | TAG_NOT_FOUND",
                "400 | | Refused | REGISTRY_CONFUSED",
            })
    void takesThePageOfAGatewayForNoVerdict(int status, String body, String outcome, Deferral kind) {
        network.serve(HOST, request -> {
            MockResponse answer = new MockResponse().setResponseCode(status);
            return "HEAD".equals(request.getMethod()) || body == null ? answer : answer.setBody(body);
        });

        Resolution resolution = resolution();
        assertThat(resolution.getClass().getSimpleName()).isEqualTo(outcome);
        assertThat(resolution.trouble())
                .get()
                .extracting(Resolution.Problem::kind)
                .isEqualTo(kind);
    }

    @Test
    void namesTheSettingThatLiftsARefusal() {
        network.serve(
                HOST,
                request -> new MockResponse().setResponseCode(307).setHeader("Location", "https://10.0.0.1/private"));

        assertThat(resolution().trouble())
                .get()
                .extracting(Resolution.Problem::message)
                .asString()
                .contains("add it to the registry's trusted hosts: registries[].trustedHosts")
                .doesNotContain("HostOptions");
    }
}
