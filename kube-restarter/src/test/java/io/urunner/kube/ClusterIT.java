package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import java.time.Duration;
import java.time.Instant;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClusterIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private Cluster cluster;
    private ScheduledExecutorService executor;
    private KubeConnection connection;
    private WorkloadWatch watch;

    @BeforeEach
    void start() {
        cluster = Cluster.connect();
        executor = Executors.newScheduledThreadPool(2);
        connection = new KubeConnection(cluster.configuration(), executor);
        watch = new WorkloadWatch(connection, WatchScope.cluster());
        watch.start();
    }

    @AfterEach
    void stop() {
        watch.close();
        connection.close();
        executor.shutdownNow();
        cluster.close();
    }

    @Test
    void firstLook() throws Exception {
        String ns = cluster.enabledNamespace();
        WorkloadId id = cluster.deployment(ns, "web", "127.0.0.1:1/none:latest", 2);
        Await.until(
                "seen",
                SOON,
                () -> watch.find(id).map(w -> w.pods().size() == 2).orElse(false));
        Await.until("trouble", SOON, () -> RolloutProgress.of(watch.find(id).get()) instanceof RolloutProgress.Failed);
        System.err.println(watch.find(id).get());
        System.err.println(RolloutProgress.of(watch.find(id).get()));
        Restarter restarter = new Restarter(connection);
        assertThat(restarter.read(id).get().currentRevision())
                .isEqualTo(watch.find(id).get().currentRevision());
        TreeMap<String, String> d = new TreeMap<>();
        d.put("app", "127.0.0.1:1/none:latest@sha256:00");
        PatchResult r = restarter.restart(
                watch.find(id).get(), new Restart(new DigestsAnnotation(d), WorkloadState.EMPTY, Instant.EPOCH));
        System.err.println(r);
        assertThat(watch.problems()).isEmpty();
    }
}
