package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.UsedSecrets;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A running agent whose mounted Secret and ConfigMap change. */
class ReloadIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    /** Much less than the interval. */
    private static final Duration AT_ONCE = Duration.ofSeconds(30);

    private static final String RIGHT = "right-password-4711";
    private static final String WRONG = "wrong-password-0815";
    private static final String HOOK = "hook-secret-before";
    private static final String NEW_HOOK = "hook-secret-after";

    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void rotatedCredentialsAndAnotherLogLevelTakeEffectWithoutARestart() throws Exception {
        int port = FreePort.find();
        UsedSecrets.add(WRONG);
        UsedSecrets.add(HOOK);
        UsedSecrets.add(NEW_HOOK);
        MountedFolder secret = new MountedFolder(folder.resolve("secret"), Map.of("pass", WRONG + "\n"));
        try (Cluster cluster = Cluster.connect();
                DockerRegistry registry =
                        DockerRegistry.builder().user("ci", RIGHT).start()) {
            registry.push("team/app", "latest", "one");
            String namespace = cluster.enabledNamespace();
            String image = registry.host() + "/team/app:latest";
            cluster.deployment(namespace, "web", image, 1);
            String configuration =
                    """
                    log: {level: INFO}
                    interval: 5m
                    kubernetes: {auth: kubeconfig}
                    store: {path: %s}
                    http: {port: %d, hooks: {secret: %s}}
                    registries:
                      - host: %s
                        type: generic
                        credentials: {user: ci, pass: {file: %s}}
                    """.formatted(folder.resolve("db"), port, HOOK, registry.host(), secret.file("pass"));
            MountedFolder mounted = new MountedFolder(folder.resolve("config"), Map.of("urunner.yaml", configuration));
            Map<String, String> environment = Map.of(
                    "KUBECONFIG",
                    cluster.kubeconfig().toString(),
                    "URUNNER_CONFIG",
                    mounted.file("urunner.yaml").toString());
            try (AgentProcess agent = AgentProcess.start(folder.resolve("log"), environment, "run")) {
                Await.until(
                        "refused",
                        Seen.within(SOON),
                        () -> Metrics.of(port).contains("outcome=\"credential_rejected\""));

                secret.update(Map.of("pass", RIGHT + "\n"));
                Await.until(
                        "found", Seen.within(AT_ONCE), () -> Metrics.of(port).contains("outcome=\"found\""));
                assertThat(agent.log()).contains("a file changed: log level and credentials are read again");

                assertThat(agent.log()).doesNotContain(" DEBUG ");
                assertThat(hint(port, HOOK)).isEqualTo(202);
                mounted.update(Map.of(
                        "urunner.yaml",
                        configuration
                                .replace("INFO", "DEBUG")
                                .replace("5m", "6m")
                                .replace(HOOK, NEW_HOOK)));
                Await.until(
                        "debug",
                        Seen.within(AT_ONCE),
                        () -> agent.log().contains("take effect when the agent is restarted: interval"));
                assertThat(agent.log()).contains("changed: log.level");
                assertThat(hint(port, NEW_HOOK)).isEqualTo(202);
                assertThat(hint(port, HOOK)).as("a secret that was rotated out").isEqualTo(401);
                agent.hangUp();
                Await.until("SIGHUP", Seen.within(AT_ONCE), () -> agent.log().contains("SIGHUP: log level"));
                cluster.deployment(namespace, "another", image, 1);
                Await.until(
                        "debug lines", Seen.within(AT_ONCE), () -> agent.log().contains(" DEBUG "));

                mounted.update(Map.of("urunner.yaml", configuration.replace("level: INFO", "levle: ERROR")));
                Await.until("reported", Seen.within(AT_ONCE), () -> agent.log().contains("did you mean level?"));
                assertThat(agent.log()).contains("urunner.yaml:1: log.levle", "keeping the previous configuration");
                // It is counted after it is logged.
                Await.until(
                        "counted",
                        Seen.within(AT_ONCE),
                        () -> Metrics.of(port).contains("urunner_reloads_total{outcome=\"failure\"} 1.0"));
                assertThat(Metrics.of(port)).contains("urunner_registry_up{registry=\"" + registry.host() + "\"} 1.0");

                mounted.update(Map.of("urunner.yaml", configuration.replace("INFO", "ERROR")));
                Await.until(
                        "valid again",
                        Seen.within(AT_ONCE),
                        () -> Metrics.of(port).contains("urunner_reloads_total{outcome=\"success\"} 4.0"));
                agent.terminate();
                assertThat(agent.exitCode()).as(agent.log()).isZero();
                assertThat(agent.log())
                        .doesNotContain(RIGHT, WRONG, HOOK, NEW_HOOK)
                        .doesNotContain("shutting down");
            }
        }
    }

    private static int hint(int port, String secret) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/hooks/generic"))
                                .header("Authorization", "Bearer " + secret)
                                .POST(BodyPublishers.ofString("{\"reference\": \"elsewhere.example/app:latest\"}"))
                                .build(),
                        BodyHandlers.discarding())
                .statusCode();
    }
}
