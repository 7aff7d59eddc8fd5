package io.urunner.agent.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.CredentialRouter;
import io.urunner.registry.testing.DockerRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedAgentIT {
    private static final Duration SOON = Duration.ofSeconds(90);

    @TempDir
    Path folder;

    @Test
    @Timeout(value = 4, unit = TimeUnit.MINUTES)
    void aPushIsRolledOutAndReportedAndTheAgentStopsWhenItShould() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        CountDownLatch shutdown = new CountDownLatch(1);
        try (Cluster cluster = Cluster.connect();
                DockerRegistry registry = DockerRegistry.start()) {
            registry.push("team/app", "latest", "one");
            WorkloadId web =
                    cluster.deployment(cluster.enabledNamespace(), "web", registry.host() + "/team/app:latest", 1);
            cluster.awaitRollout(web, SOON);
            CompletableFuture<Void> agent = CompletableFuture.runAsync(() -> {
                try {
                    EmbeddedAgent.run(
                            cluster.configuration(),
                            registry.host(),
                            new CredentialRouter(Map.of()),
                            folder.resolve("urunner.db"),
                            told::add,
                            shutdown);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            try {
                Await.until("it keeps a history", SOON, () -> Files.exists(folder.resolve("urunner.db")));

                registry.push("team/app", "latest", "two");

                Await.until("the rollout is told", SOON, () -> told.contains(web + ": succeeded"));
                assertThat(told).hasSize(1);
            } finally {
                shutdown.countDown();
            }
            agent.get(10, TimeUnit.SECONDS);
            assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.startsWith("urunner-"));
        }
    }
}
