package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.UsedSecrets;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Access to a running agent with the tokens that the chart mounts. */
class TokensIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String METRICS = "Metr1cs-t0ken";
    private static final String NEXT = "Next-metr1cs-t0ken";
    private static final String COMMANDS = "C0mmands-t0ken";

    @TempDir
    private Path folder;

    private final HttpClient http = HttpClient.newHttpClient();
    private final int port = FreePort.find();

    private HttpResponse<String> ask(String method, String target, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + target))
                .timeout(SOON)
                .method(method, HttpRequest.BodyPublishers.noBody());
        if (headers.length > 0) {
            request.headers(headers);
        }
        HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
        assertThat(response.body() + response.headers()).doesNotContain(METRICS, NEXT, COMMANDS);
        return response;
    }

    private int status(String target, String authorization) throws Exception {
        return ask("GET", target, "Authorization", authorization).statusCode();
    }

    private static String basic(String user, String password) {
        return "Basic " + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void metricsRequireTheTokenAndProbesAreOpen() throws Exception {
        Stream.of(METRICS, NEXT, COMMANDS).forEach(UsedSecrets::add);
        Path file = Files.writeString(folder.resolve("token"), METRICS + "\n");
        try (Cluster cluster = Cluster.connect()) {
            Map<String, String> settings = AgentProcess.settings(cluster, folder.resolve("db"), 1, "127.0.0.1:1");
            settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
            settings.put("URUNNER_CONF_LOG_LEVEL", "DEBUG");
            settings.put("URUNNER_SECR_METRICS_TOKEN_FILE", file.toString());
            settings.put("URUNNER_SECR_HTTP_TOKEN", COMMANDS);
            try (AgentProcess agent = AgentProcess.start(folder.resolve("log"), settings, "run")) {
                Await.until("probes are answered", Seen.within(SOON), () -> isLive());

                for (String target : List.of("/metrics", "/status", "/doctor")) {
                    assertRefused(ask("GET", target));
                    assertRefused(ask("HEAD", target));
                    for (String token : List.of(METRICS, COMMANDS)) {
                        for (String wrong : List.of(
                                "Bearer",
                                "Bearer ",
                                "Bearer wrong",
                                "Bearer " + token.toLowerCase(Locale.ROOT),
                                "Bearer " + token.toUpperCase(Locale.ROOT),
                                "Bearer x" + token,
                                "Bearer " + token + "x",
                                "Bearer " + token.substring(1),
                                "Bearer " + token.substring(0, token.length() - 1),
                                "Bearer " + token + token,
                                "Bearer  " + token,
                                "Bearer \"" + token + "\"",
                                "Bearer wrong, Bearer " + token,
                                "Bearer " + token + ", Bearer " + token,
                                "Bearer=" + token,
                                "Bearer" + token,
                                "Token " + token,
                                basic("urunner", token),
                                basic(token, ""),
                                token)) {
                            assertRefused(ask("GET", target, "Authorization", wrong));
                        }
                        for (String query : List.of("token", "access_token", "bearer_token", "authorization")) {
                            assertRefused(ask("GET", target + "?" + query + "=" + token));
                        }
                        for (String header : List.of("X-Token", "Proxy-Authorization", "Cookie", "X-Auth-Token")) {
                            assertRefused(ask("GET", target, header, "Bearer " + token));
                        }
                    }
                }
                for (String other : List.of("/metrics/", "//metrics", "/%6Detrics", "/METRICS", "/./metrics")) {
                    assertThat(ask("GET", other).statusCode()).as(other).isBetween(400, 499);
                }
                for (String probe : List.of("/livez", "/readyz/history")) {
                    assertThat(ask("GET", probe).statusCode()).as(probe).isEqualTo(200);
                    assertThat(status(probe, "Bearer wrong")).as(probe).isEqualTo(200);
                }

                HttpResponse<String> metrics = ask("GET", "/metrics", "Authorization", "Bearer " + METRICS);
                assertThat(metrics.statusCode()).isEqualTo(200);
                assertThat(metrics.body()).contains("urunner_");
                assertThat(status("/metrics", "bearer " + METRICS)).isEqualTo(200);
                assertThat(status("/metrics", "Bearer " + COMMANDS)).isEqualTo(200);
                assertThat(status("/status", "Bearer " + COMMANDS)).isEqualTo(200);
                for (String target : List.of("/status", "/doctor")) {
                    assertThat(status(target, "Bearer " + METRICS))
                            .as("the metrics token does not give access to %s", target)
                            .isEqualTo(401);
                }

                Files.writeString(file, NEXT);
                assertThat(status("/metrics", "Bearer " + NEXT)).isEqualTo(200);
                assertThat(status("/metrics", "Bearer " + METRICS)).isEqualTo(401);
                Files.delete(file);
                assertThat(status("/metrics", "Bearer " + NEXT))
                        .as("still protected if the token cannot be read")
                        .isEqualTo(401);
                assertRefused(ask("GET", "/metrics"));
                Files.writeString(file, "\n");
                assertThat(status("/metrics", "Bearer ")).isEqualTo(401);

                agent.terminate();
                assertThat(agent.log())
                        .contains("a token of the HTTP endpoints: cannot read the secret file")
                        .doesNotContain(METRICS, NEXT, COMMANDS);
            }
        }
    }

    private boolean isLive() throws Exception {
        try {
            return ask("GET", "/livez").statusCode() == 200
                    && ask("GET", "/readyz/history").statusCode() == 200;
        } catch (IOException e) {
            return false; // it does not listen yet
        }
    }

    private static void assertRefused(HttpResponse<String> response) {
        assertThat(response.statusCode())
                .as("%s %s", response.request().uri(), response.request().headers())
                .isEqualTo(401);
        assertThat(response.headers().firstValue("WWW-Authenticate")).contains("Bearer realm=\"urunner\"");
        assertThat(response.body()).doesNotContain("urunner_");
    }
}
