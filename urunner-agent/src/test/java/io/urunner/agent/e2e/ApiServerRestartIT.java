package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.kube.testing.Requirement;
import io.urunner.registry.testing.DockerRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The API server stops while the agent runs, and comes back. */
class ApiServerRestartIT {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int COUNT = 5;

    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void theAgentContinuesWithinTenSecondsAndRestartsNothingTwice() throws Exception {
        try (Cluster cluster = Cluster.connect();
                DockerRegistry registry = DockerRegistry.start()) {
            Path tools = Requirement.path("URUNNER_TEST_CLUSTER_TOOLS", "folder with the program restart");
            Path state = Requirement.path("URUNNER_TEST_CLUSTER", "folder of a cluster that may be restarted");
            String namespace = cluster.enabledNamespace();
            String first = registry.push("team/app", "latest", "one");
            List<WorkloadId> ids = Seen.deployments(cluster, namespace, registry.host() + "/team/app:latest", COUNT);
            Await.until("all run", Seen.within(SOON), () -> Seen.running(cluster, namespace, COUNT, first));
            try (TestAgent agent =
                    new TestAgent(cluster.configuration(), folder.resolve("db"), INTERVAL, registry.host())) {
                agent.start();
                Await.until(
                        "ready",
                        Seen.within(SOON),
                        () -> agent.agent().notReady().isEmpty());

                // Pushed while the API server is down: seen by the agent, rolled out when it is back.
                Process restart = restart(tools, state);
                String second = registry.push("team/app", "latest", "two");
                assertThat(restart.waitFor(60, TimeUnit.SECONDS)).isTrue();
                awaitBack(cluster);
                Await.until(
                        "all are patched",
                        Seen.within(Duration.ofSeconds(10)),
                        () -> Seen.actedOn(cluster, ids, second));
                assertThat(agent.agent().notAlive()).isEmpty();

                // The controllers recover later than the agent: they must have seen this template to count it.
                Await.until(
                        "all run the second",
                        Seen.within(Duration.ofSeconds(60)),
                        () -> Seen.running(cluster, namespace, COUNT, second));

                // Killed while patches are in flight.
                String third = registry.push("team/app", "latest", "three");
                Await.until(
                        "a patch",
                        Seen.within(SOON),
                        () -> ids.stream().anyMatch(id -> Seen.actedOn(cluster, id, third)));
                assertThat(restart(tools, state).waitFor(60, TimeUnit.SECONDS)).isTrue();
                awaitBack(cluster);
                Await.until(
                        "all are patched",
                        Seen.within(Duration.ofSeconds(10)),
                        () -> Seen.actedOn(cluster, ids, third));
                Await.until(
                        "all run",
                        Seen.within(Duration.ofSeconds(60)),
                        () -> Seen.running(cluster, namespace, COUNT, third));
                assertThat(ids)
                        .allSatisfy(id -> assertThat(Seen.revision(cluster, id)).isEqualTo(3));
            }
        }
    }

    private static void awaitBack(Cluster cluster) throws Exception {
        Await.until(
                "the API is back",
                Seen.within(Duration.ofSeconds(30)),
                () -> cluster.find("/api/v1/namespaces/default").isPresent());
    }

    private static Process restart(Path tools, Path state) throws Exception {
        ProcessBuilder builder =
                new ProcessBuilder(tools.resolve("restart").toString(), state.toString(), "kube-apiserver");
        builder.environment().put("PAUSE", "2");
        return builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }
}
