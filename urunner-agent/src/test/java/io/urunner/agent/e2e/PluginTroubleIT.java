package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.app.config.PluginJars;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.UsedSecrets;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A plugin whose library is missing at first: only its registry fails, and recovers by itself. */
class PluginTroubleIT {
    private static final Duration SOON = Duration.ofSeconds(90);
    private static final String PASSWORD = "Tr0ub4dor-and-4";

    @TempDir
    private Path folder;

    @RegisterExtension
    private final ClusterScene scene = new ClusterScene();

    private final Cluster cluster = scene.cluster();
    private DockerRegistry good;
    private DockerRegistry bad;
    private final String namespace = scene.namespace();

    @BeforeEach
    void start() {
        good = scene.closing(DockerRegistry.start());
        bad = scene.closing(DockerRegistry.start());
        UsedSecrets.add(PASSWORD);
    }

    @Test
    void aPluginThatThrowsAnErrorFailsOnlyItsOwnRegistryAndIsAskedAgain() throws Exception {
        Path mended = folder.resolve("mended");
        Path jars = Files.createDirectories(folder.resolve("plugins"));
        PluginJars.plugin(
                jars.resolve("acme.jar"),
                "AcmePlugin",
                Map.of(
                        "credentials",
                        "if (!java.nio.file.Files.exists(java.nio.file.Path.of(\"" + mended + "\")))"
                                + " throw new NoClassDefFoundError(\"com/acme/Http\"); return List.of();"));
        Path configuration = Files.writeString(
                folder.resolve("urunner.yaml"), """
                pluginDirectory: %s
                registries:
                - host: "%s"
                  type: generic
                - host: "%s"
                  type: acme
                  credentials: {user: ci, pass: %s}
                """.formatted(jars, good.host(), bad.host(), PASSWORD));
        String one = good.push("team/app", "latest", "one");
        assertThat(bad.push("team/app", "latest", "one")).isEqualTo(one);
        WorkloadId well = cluster.deployment(namespace, "well", good.host() + "/team/app:latest", 1);
        WorkloadId ill = cluster.deployment(namespace, "ill", bad.host() + "/team/app:latest", 1);
        Await.until("both run", Seen.within(SOON), () -> Seen.running(cluster, namespace, 2, one));

        int port = FreePort.find();
        Map<String, String> settings =
                new HashMap<>(AgentProcess.settings(cluster, folder.resolve("db"), 1, good.host()));
        settings.keySet().removeIf(name -> name.startsWith("URUNNER_CONF_CONTAINER_REGISTRY"));
        settings.put("URUNNER_CONFIG", configuration.toString());
        settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
        settings.put("TMPDIR", folder.toString());
        try (AgentProcess agent = AgentProcess.start(folder.resolve("run.log"), settings, "run")) {
            Await.until("it is reported", Seen.within(SOON), () -> agent.log().contains("com/acme/Http"));
            String two = good.push("team/app", "latest", "two");
            Await.until("the other registry's push", Seen.within(SOON), () -> Seen.actedOn(cluster, well, two));
            assertThat(bad.push("team/app", "latest", "two")).isEqualTo(two);
            assertThat(status(port)).isEqualTo(200);

            assertThat(command(0, settings, "explain", "--wide"))
                    .contains(well.toString(), ill.toString(), "acme user ci");
            assertThat(command(1, settings, "doctor"))
                    .contains(
                            "elsewhere.AcmePlugin",
                            "acme.jar",
                            "NoClassDefFoundError: com/acme/Http",
                            "missing a library");
            assertThat(Seen.actedOn(cluster, ill, two)).isFalse();

            Files.createFile(mended);
            Await.until("asked again", Seen.within(SOON), () -> Seen.actedOn(cluster, ill, two));
            assertThat(status(port)).isEqualTo(200);
            assertThat(agent.log()).doesNotContain(PASSWORD, "\tat ");
        }
    }

    private static int status(int port) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/livez"))
                                .build(),
                        BodyHandlers.discarding())
                .statusCode();
    }

    private int commands;

    private String command(int code, Map<String, String> settings, String... arguments) throws Exception {
        Map<String, String> all = new HashMap<>(settings);
        all.put("URUNNER_CONF_HTTP_PORT", "0");
        try (AgentProcess command =
                AgentProcess.start(folder.resolve("command-" + commands++ + ".log"), all, arguments)) {
            assertThat(command.exitCode()).as(command.log()).isEqualTo(code);
            return command.log();
        }
    }
}
