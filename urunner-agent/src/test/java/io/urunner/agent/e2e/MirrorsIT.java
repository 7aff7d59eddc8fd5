package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Registries that the agent reads from mirrors or at another address, while images keep their names. */
class MirrorsIT {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    @RegisterExtension
    private final ClusterScene scene = new ClusterScene();

    private final Cluster cluster = scene.cluster();
    private final DockerRegistry registry = scene.registry();
    private final String namespace = scene.namespace();
    private final int port = FreePort.find();
    private int commands;

    private Path file(String registries) throws Exception {
        return Files.writeString(folder.resolve("urunner.yaml"), """
                interval: 1s
                kubernetes: {auth: kubeconfig}
                store: {path: %s}
                http: {port: %d}
                registries:
                %s
                """.formatted(folder.resolve("db"), port, registries));
    }

    private Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>();
        environment.put("KUBECONFIG", cluster.kubeconfig().toString());
        environment.put("COLUMNS", "1000");
        // Agents of other tests also run on this machine.
        environment.put("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + folder);
        return environment;
    }

    private AgentProcess agent(Path file) {
        return AgentProcess.start(folder.resolve("run.log"), environment(), "run", "--config", file.toString());
    }

    private String told(Path file, String... arguments) throws Exception {
        Path log = folder.resolve("command-" + commands++ + ".log");
        String[] all = Arrays.copyOf(arguments, arguments.length + 2);
        all[arguments.length] = "--config";
        all[arguments.length + 1] = file.toString();
        try (AgentProcess command = AgentProcess.start(log, environment(), all)) {
            assertThat(command.exitCode()).as(command.log()).isZero();
            return command.log();
        }
    }

    private static List<DockerRegistry.Access> askedByTheAgent(DockerRegistry which) {
        return which.settledAccesses().stream()
                .filter(access -> access.userAgent().startsWith("urunner"))
                .toList();
    }

    private void awaitRunning(WorkloadId id, String digest) {
        Await.until(
                id + " runs " + digest,
                Seen.within(SOON),
                () -> Seen.actedOn(cluster, id, digest) && Seen.running(cluster, id, List.of(digest)));
    }

    private void assertImage(WorkloadId id, String image) {
        assertThat(cluster.read(id).at("/spec/template/spec/containers/0/image").asText())
                .isEqualTo(image);
        for (JsonNode pod : cluster.pods(namespace)) {
            if (pod.at("/metadata/labels/app").asText().equals(id.name())) {
                assertThat(pod.at("/spec/containers/0/image").asText()).isEqualTo(image);
            }
        }
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void aPushArrivesThroughAPullThroughCacheAndWithoutItAndEverythingSaysWhich() throws Exception {
        try (DockerRegistry cache =
                DockerRegistry.builder().pullThrough(registry.url()).start()) {
            String image = registry.host() + "/team/app:latest";
            String first = registry.push("team/app", "latest", "one");
            WorkloadId web = cluster.deployment(namespace, "web", image, 1);
            Await.until("it runs", Seen.within(SOON), () -> Seen.running(cluster, web, List.of(first)));
            Path file = file("  - {host: '%s', mirrors: [{url: '%s'}]}".formatted(registry.host(), cache.url()));
            String count = "urunner_mirror_fallbacks_total{mirror=\"" + cache.url() + "\",registry=\"" + registry.host()
                    + "\"} ";
            try (AgentProcess agent = agent(file)) {
                Await.until(
                        "it asked the mirror",
                        Seen.within(SOON),
                        () -> !askedByTheAgent(cache).isEmpty());
                String second = registry.push("team/app", "latest", "two");
                awaitRunning(web, second);

                assertImage(web, image);
                assertThat(askedByTheAgent(registry)).isEmpty();
                assertThat(Metrics.of(port)).doesNotContain("urunner_mirror_fallbacks_total{");
                assertThat(told(file, "explain", web.toString())).contains("Route:", "from the mirror " + cache.url());
                assertThat(told(file, "doctor"))
                        .contains(registry.host() + ": answers for", ", from the mirror " + cache.url())
                        .doesNotContain("a mirror had no answer", "WRONG");

                cache.stop();
                String third = registry.push("team/app", "latest", "three");
                awaitRunning(web, third);

                assertImage(web, image);
                assertThat(askedByTheAgent(registry)).isNotEmpty();
                assertThat(Metrics.of(port)).contains(count);
                assertThat(told(file, "explain", web.toString()))
                        .contains("from the registry itself, past mirrors: " + cache.url() + " cannot be reached");
                assertThat(told(file, "doctor"))
                        .contains("a mirror had no answer", "the mirror " + cache.url() + " cannot be reached")
                        .doesNotContain("WRONG");
                assertThat(agent.log()).contains("the mirror " + cache.url() + " cannot be reached");
            }
        }
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void eachImageSaysFromWhereItIs() throws Exception {
        try (DockerRegistry partial = DockerRegistry.start()) {
            String digest = registry.push("team/app", "latest", "one");
            registry.push("team/other", "latest", "one");
            partial.push("team/app", "latest", "one");
            WorkloadId app = cluster.deployment(namespace, "app", registry.host() + "/team/app:latest", 1);
            WorkloadId other = cluster.deployment(namespace, "other", registry.host() + "/team/other:latest", 1);
            Await.until("both run", Seen.within(SOON), () -> Seen.running(cluster, namespace, 2, digest));
            Path file = file("  - {host: '%s', mirrors: [{url: '%s'}]}".formatted(registry.host(), partial.url()));
            try (AgentProcess agent = agent(file)) {
                Await.until(
                        "both are asked",
                        Seen.within(SOON),
                        () -> Stream.of("team/app", "team/other")
                                .allMatch(name -> askedByTheAgent(partial).stream()
                                        .anyMatch(access -> access.path().contains(name))));
                Await.until(
                        "the registry, too",
                        Seen.within(SOON),
                        () -> askedByTheAgent(registry).size() > 1);

                assertThat(told(file, "explain", app.toString()))
                        .contains("from the mirror " + partial.url())
                        .doesNotContain("past mirrors");
                assertThat(told(file, "explain", other.toString()))
                        .contains("from the registry itself, past mirrors: " + partial.url() + " answered 404");
                assertThat(told(file, "explain", "-o", "json", other.toString()))
                        .contains("past mirrors: ");
                assertThat(agent.log()).doesNotContain("ERROR");
            }
        }
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void aMirrorThatIsBehindDelaysARolloutAndAnAddressIsWhereARegistryIsAsked() throws Exception {
        try (DockerRegistry stale = DockerRegistry.start();
                DockerRegistry named = DockerRegistry.start();
                FaultyRegistry tunnel = new FaultyRegistry(named)) {
            String first = registry.push("team/app", "latest", "one");
            stale.push("team/app", "latest", "one");
            named.push("team/app", "latest", "one");
            WorkloadId mirrored = cluster.deployment(namespace, "mirrored", registry.host() + "/team/app:latest", 1);
            WorkloadId tunnelled = cluster.deployment(namespace, "tunnelled", named.host() + "/team/app:latest", 1);
            Await.until("all run", Seen.within(SOON), () -> Seen.running(cluster, namespace, 2, first));
            Path file = file("""
                      - {host: '%s/team/app', mirrors: [{url: '%s'}]}
                      - {host: '%s', address: '%s'}
                    """.formatted(registry.host(), stale.url(), named.host(), tunnel.host()));
            try (AgentProcess agent = agent(file)) {
                Await.until(
                        "both are asked",
                        Seen.within(SOON),
                        () -> !askedByTheAgent(stale).isEmpty() && tunnel.asked() > 0);
                String second = registry.push("team/app", "latest", "two");
                named.push("team/app", "latest", "two");
                awaitRunning(tunnelled, second);
                int asked = askedByTheAgent(stale).size();
                Await.until(
                        "two more passes",
                        Seen.within(SOON),
                        () -> askedByTheAgent(stale).size() >= asked + 2);
                assertThat(Seen.actedOn(cluster, mirrored, second)).isFalse();
                assertThat(told(file, "explain", mirrored.toString()))
                        .contains("from the mirror " + stale.url(), "up to date");

                stale.push("team/app", "latest", "two");
                awaitRunning(mirrored, second);
                assertImage(mirrored, registry.host() + "/team/app:latest");
                assertImage(tunnelled, named.host() + "/team/app:latest");
                assertThat(askedByTheAgent(named)).as("at its name").isEmpty();
                assertThat(Metrics.of(port)).contains("urunner_registry_up{registry=\"" + named.host() + "\"} 1.0");
                assertThat(told(file, "doctor"))
                        .contains(named.host() + ": answers for")
                        .doesNotContain("WRONG");
                assertThat(agent.log()).doesNotContain("WARN");
            }
        }
    }
}
