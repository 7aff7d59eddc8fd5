package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.AuditLog;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** 99 Deployments of one image: one question per pass, and all of them are patched at once. */
class ManyDeploymentsIT {
    private static final int COUNT = 99;
    private static final int PUSHES = 3;
    private static final Duration INTERVAL = Duration.ofSeconds(5);
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 6, unit = TimeUnit.MINUTES)
    void theImageIsResolvedOncePerPassAndAllArePatchedWithinTheIntervalAndTwoSeconds() throws Exception {
        try (Cluster cluster = Cluster.connect();
                DockerRegistry registry = DockerRegistry.start()) {
            String first = registry.push("team/app", "latest", "one");
            String namespace = cluster.enabledNamespace();
            String image = registry.host() + "/team/app:latest";
            List<WorkloadId> ids = Seen.deployments(cluster, namespace, image, COUNT);
            Await.until("all pods run", Seen.within(SOON), () -> Seen.running(cluster, namespace, COUNT, first));
            try (TestAgent agent =
                    new TestAgent(cluster.configuration(), folder.resolve("db"), INTERVAL, registry.host())) {
                agent.start();
                Await.until(
                        "ready",
                        Seen.within(SOON),
                        () -> agent.agent().notReady().isEmpty());

                // Nothing changes: one HEAD per pass, no LIST.
                agent.awaitPasses(2);
                long passes = agent.passes();
                long heads = agentHeads(registry);
                long mark = cluster.auditLog().map(AuditLog::mark).orElse(0L);
                agent.awaitPasses(3);
                long more = agent.passes() - passes;
                Await.until(
                        "the registry's log has them", Seen.within(SOON), () -> agentHeads(registry) - heads >= more);
                assertThat(agentHeads(registry) - heads).isBetween(more, more + 1);
                cluster.auditLog()
                        .ifPresent(log -> assertThat(log.since(mark, "urunner"))
                                .as("requests to the API server while nothing changed")
                                .noneMatch(entry -> entry.verb().equals("list")));
                assertThat(ids)
                        .allSatisfy(id -> assertThat(Seen.revision(cluster, id)).isEqualTo(1));

                // For each push everything is patched once.
                List<Duration> took = new ArrayList<>();
                for (int push = 1; push <= PUSHES; push++) {
                    String digest = registry.push("team/app", "latest", "push " + push);
                    took.add(Seen.timeUntil(
                            "all templates name the new digest",
                            SOON,
                            () -> deployments(cluster, namespace).stream()
                                            .filter(deployment -> Seen.actedOn(deployment, digest))
                                            .count()
                                    == COUNT));
                    Await.until(
                            "all pods run the new digest",
                            Seen.within(SOON),
                            () -> Seen.running(cluster, namespace, COUNT, digest));
                    agent.awaitPasses(2);
                    int revision = push + 1;
                    assertThat(ids)
                            .allSatisfy(
                                    id -> assertThat(Seen.revision(cluster, id)).isEqualTo(revision));
                }
                System.out.println("from a push to the last of " + COUNT + " patches: " + took);
                assertThat(Seen.median(took)).as("median of %s", took).isLessThan(Seen.within(INTERVAL.plusSeconds(2)));
                Seen.awaitEndOfRollouts(folder.resolve("db"), "test");
                new Questions(registry, "team/app", INTERVAL, 1).assertFew();
            }
        }
    }

    /** The simulated nodes ask with HEAD, too, but only when pods start. */
    private static long agentHeads(DockerRegistry registry) {
        return registry.count("HEAD", "/v2/team/app/manifests/");
    }

    private static List<JsonNode> deployments(Cluster cluster, String namespace) {
        return cluster.items("/apis/apps/v1/namespaces/" + namespace + "/deployments");
    }
}
