package io.urunner.registry.ecr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.EnvironmentProxySelector;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.TunnelProxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import okhttp3.mockwebserver.Dispatcher;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.MockWebServer;
import okhttp3.mockwebserver.RecordedRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Amazon's APIs through the proxies of the context. */
class EcrProxyTest {
    private static CredentialProvider provider(String registry, String api, Map<String, String> environment) {
        EnvironmentProxySelector proxies = EnvironmentProxySelector.of(environment);
        EcrSettings settings = new EcrSettings(
                Optional.of(SecretSource.of(Secret.of("AKIA4711"))),
                Optional.of(SecretSource.of(Secret.of("secret/4711/key"))),
                Optional.empty(),
                Optional.of(URI.create(api)));
        return new EcrPlugin()
                .create(
                        settings,
                        new PluginContext(registry, InstantSource.system(), proxies, proxies.authenticator()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"111111111111.dkr.ecr.eu-west-1.amazonaws.com", "public.ecr.aws"})
    void asksThroughTheProxy(String registry) throws Exception {
        String token = Base64.getEncoder().encodeToString("AWS:one".getBytes(StandardCharsets.UTF_8));
        String data = "{\"authorizationToken\": \"" + token + "\", \"expiresAt\": 4000000000}";
        try (MockWebServer proxy = new MockWebServer()) {
            proxy.setDispatcher(new Dispatcher() {
                @Override
                public MockResponse dispatch(RecordedRequest request) {
                    return new MockResponse()
                            .setBody("{\"authorizationData\": "
                                    + (registry.startsWith("public") ? data : "[" + data + "]") + "}");
                }
            });
            try (CredentialProvider provider = provider(
                    registry, "http://api.ecr.invalid/", Map.of("HTTP_PROXY", "http://127.0.0.1:" + proxy.getPort()))) {
                List<Credential> credentials = provider.credentials(registry, "app");

                assertThat(credentials.get(0)).isEqualTo(new Credential.Basic("AWS", Secret.of("one")));
                assertThat(proxy.takeRequest().getRequestLine()).startsWith("POST http://api.ecr.invalid/");
            }
        }
    }

    @Test
    void connectsToApisWithTlsThroughTheProxy() throws Exception {
        String registry = "111111111111.dkr.ecr.eu-west-1.amazonaws.com";
        try (TunnelProxy proxy = TunnelProxy.refusing(403);
                CredentialProvider provider =
                        provider(registry, "https://api.ecr.invalid/", Map.of("HTTPS_PROXY", proxy.at()))) {
            assertThatExceptionOfType(CredentialException.class)
                    .isThrownBy(() -> provider.credentials(registry, "app"));

            assertThat(proxy.lines()).containsExactly("CONNECT api.ecr.invalid:443 HTTP/1.1");
        }
    }
}
