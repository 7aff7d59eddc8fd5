package io.urunner.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.app.process.ProcessProxies;
import io.urunner.registry.testing.TunnelProxy;
import io.urunner.registry.testing.UsedSecrets;
import java.io.IOException;
import java.net.Authenticator;
import java.net.ProxySelector;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.Credentials;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code --url} names an agent elsewhere, which is asked through the proxies of the environment. */
@Isolated("the proxies are those of the process")
class AgentElsewhereTest extends WiredCommands {
    private static final String TOKEN = "agent-token-0123456789";
    private static final String PASSWORD = "proxy-pass-0123456789";

    private final ProxySelector proxiesBefore = ProxySelector.getDefault();
    private final Authenticator loginBefore = Authenticator.getDefault();
    private final List<RecordedRequest> asked = new CopyOnWriteArrayList<>();

    /** A proxy that demands a login, and answers as an agent for every host. */
    private final MockWebServer proxy = new MockWebServer();

    @BeforeEach
    void start() throws IOException {
        UsedSecrets.add(TOKEN);
        UsedSecrets.add(PASSWORD);
        environment.put("URUNNER_SECR_HTTP_TOKEN", TOKEN);
        proxy.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                asked.add(request);
                MockResponse.Builder answer = new MockResponse.Builder();
                return Credentials.basic("user", PASSWORD)
                                .equals(request.getHeaders().get("Proxy-Authorization"))
                        ? answer.addHeader("Urunner-Exit-Code", "0")
                                .body("what the agent says\n")
                                .build()
                        : answer.code(407)
                                .addHeader("Proxy-Authenticate", "Basic realm=\"proxy\"")
                                .build();
            }
        });
        proxy.start();
    }

    @AfterEach
    void restore() {
        ProxySelector.setDefault(proxiesBefore);
        Authenticator.setDefault(loginBefore);
        proxy.close();
    }

    private String address() {
        return "http://user:" + PASSWORD + "@127.0.0.1:" + proxy.getPort();
    }

    @ParameterizedTest
    @CsvSource({"explain, /status?", "doctor, /doctor?"})
    void theAgentIsAskedThroughTheProxyWithItsToken(String command, String path) {
        ProcessProxies.install(Map.of("HTTP_PROXY", address()));

        assertThat(run(command, "--url", "http://agent.invalid:8080"))
                .as(err.toString())
                .isZero();

        assertThat(out.toString()).isEqualTo("what the agent says\n");
        RecordedRequest last = asked.get(asked.size() - 1);
        assertThat(last.getRequestLine()).startsWith("GET http://agent.invalid:8080" + path);
        assertThat(last.getHeaders().get("Authorization")).isEqualTo("Bearer " + TOKEN);
        assertThat(err.toString()).doesNotContain(PASSWORD, TOKEN);
    }

    @Test
    void whatNoProxyNamesIsAskedDirectly() {
        ProcessProxies.install(Map.of("HTTP_PROXY", address(), "NO_PROXY", "other.example,.invalid"));

        assertThat(run("explain", "--url", "http://agent.invalid:8080")).isEqualTo(1);

        assertThat(err.toString()).contains("the agent at http://agent.invalid:8080 does not answer");
        assertThat(asked).isEmpty();
    }

    @Test
    void anAgentOnThisMachineIsAskedDirectly() throws IOException {
        ProcessProxies.install(Map.of("HTTP_PROXY", "http://127.0.0.1:1", "HTTPS_PROXY", "http://127.0.0.1:1"));
        try (MockWebServer agent = new MockWebServer()) {
            agent.enqueue(new MockResponse.Builder()
                    .addHeader("Urunner-Exit-Code", "0")
                    .body("what the agent says\n")
                    .build());
            agent.start();
            environment.put("URUNNER_URL", "http://127.0.0.1:" + agent.getPort());

            assertThat(run("explain")).as(err.toString()).isZero();

            assertThat(out.toString()).isEqualTo("what the agent says\n");
        }
    }

    @Test
    void theProxyOfHttpsLearnsTheHostAndNotTheToken() throws IOException {
        try (TunnelProxy tunnel = TunnelProxy.refusing(403)) {
            ProcessProxies.install(Map.of("HTTP_PROXY", address(), "HTTPS_PROXY", "http://" + tunnel.at()));

            assertThat(run("explain", "--url", "https://agent.invalid:8443")).isEqualTo(1);

            assertThat(tunnel.lines()).isNotEmpty().allMatch("CONNECT agent.invalid:8443 HTTP/1.1"::equals);
            assertThat(tunnel.header(0, "Authorization")).isEmpty();
            assertThat(err.toString()).contains("the agent at https://agent.invalid:8443 does not answer");
            assertThat(asked).isEmpty();
        }
    }
}
