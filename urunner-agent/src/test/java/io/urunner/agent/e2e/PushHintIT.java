package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** From a push to the patch, with a registry that sends notifications, and an interval too long to help. */
class PushHintIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final int INTERVAL = 300;
    private static final String SECRET = "hook-secret-of-the-push-test";

    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void aPushIsPatchedWithinASecond() throws Exception {
        int port = FreePort.find();
        URI hook = URI.create("http://127.0.0.1:" + port + "/hooks/distribution");
        try (Cluster cluster = Cluster.connect();
                DockerRegistry registry = DockerRegistry.builder()
                        .notifications(hook, Map.of("Authorization", "Bearer " + SECRET))
                        .start()) {
            registry.push("team/app", "latest", "one");
            String namespace = cluster.enabledNamespace();
            WorkloadId id = cluster.deployment(namespace, "web", registry.host() + "/team/app:latest", 1);
            cluster.awaitRollout(id, Seen.within(SOON));
            Map<String, String> settings =
                    new HashMap<>(AgentProcess.settings(cluster, folder.resolve("db"), INTERVAL, registry.host()));
            settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
            settings.put("URUNNER_SECR_HOOKS_SECRET", SECRET);
            settings.put("URUNNER_CONF_LOG_LEVEL", "DEBUG");
            try (AgentProcess agent = AgentProcess.start(folder.resolve("log"), settings, "run")) {
                Await.until("ready", Seen.within(SOON), () -> Metrics.of(port).contains("urunner_synced 1.0"));
                Await.until("asked", Seen.within(SOON), () -> Metrics.of(port).contains("state=\"up_to_date\""));
                List<Duration> took = new ArrayList<>();
                for (int i = 2; i <= 6; i++) {
                    String digest = registry.push("team/app", "latest", "image " + i);
                    took.add(Seen.timeUntil("the patch after a push", SOON, () -> Seen.actedOn(cluster, id, digest)));
                    // The next push would supersede a rollout whose end the agent has not seen.
                    String succeeded = "urunner_rollouts_total{outcome=\"succeeded\"} " + (i - 1) + ".0";
                    Await.until(
                            "the rollout has succeeded",
                            Seen.within(SOON),
                            () -> Metrics.of(port).contains(succeeded));
                }
                System.out.println("from a push to the patch: " + took);
                assertThat(Seen.median(took)).as("median of %s", took).isLessThan(Seen.within(SECOND));

                // Hints from others are refused, and no hint is trusted.
                long asked = registry.count("HEAD", "/v2/team/app/manifests/latest");
                assertThat(hint(
                                        port,
                                        "generic",
                                        "wrong",
                                        "{\"reference\": \"" + registry.host() + "/team/app:latest\"}")
                                .statusCode())
                        .isEqualTo(401);
                assertThat(hint(port, "generic", SECRET, "{\"reference\": \"x.example/other/app:latest\"}")
                                .body())
                        .endsWith(": 0\n");
                assertThat(registry.count("HEAD", "/v2/team/app/manifests/latest"))
                        .isEqualTo(asked);
                assertThat(hint(port, "generic", SECRET, "{\"reference\": \"known-elsewhere.example/team/app:latest\"}")
                                .body())
                        .endsWith(": 1\n");
                Await.until(
                        "asked again",
                        Seen.within(SOON),
                        () -> registry.count("HEAD", "/v2/team/app/manifests/latest") > asked);
                assertThat(Seen.revision(cluster, id)).isEqualTo(6);

                Await.until(
                        "nothing is stale any more",
                        Seen.within(SOON),
                        () -> Metrics.of(port)
                                .contains("name=\"web\",namespace=\"" + namespace + "\",state=\"up_to_date\"} 0.0"));
                assertThat(Metrics.of(port))
                        .contains("urunner_hints_total{hook=\"distribution\",outcome=\"accepted\"} ")
                        .contains("urunner_hints_total{hook=\"generic\",outcome=\"refused\"} 1.0")
                        .contains("urunner_rollouts_total{outcome=\"succeeded\"} 5.0")
                        .doesNotContain(SECRET);
                assertThat(agent.log()).contains("a hint was refused").doesNotContain(SECRET);
            }
        }
    }

    private static HttpResponse<String> hint(int port, String hook, String secret, String body) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/hooks/" + hook))
                                .header("Authorization", "Bearer " + secret)
                                .POST(BodyPublishers.ofString(body))
                                .build(),
                        BodyHandlers.ofString());
    }
}
