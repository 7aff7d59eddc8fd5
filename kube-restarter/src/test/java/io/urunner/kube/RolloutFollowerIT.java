package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.kube.testing.TagServer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** On a cluster with controllers and simulated nodes. */
class RolloutFollowerIT {
    private static final String OLD = "sha256:" + "a".repeat(64);
    private static final String NEW = "sha256:" + "b".repeat(64);
    private static final List<WorkloadKind> KINDS = WorkloadKind.BUILT_IN;
    private static final Duration LONG = Duration.ofSeconds(60);

    private Cluster cluster;
    private String namespace;
    private TagServer registry;
    private ScheduledExecutorService executor;
    private KubeConnection connection;
    private WorkloadWatch watch;
    private Restarter restarter;

    @BeforeEach
    void start() throws Exception {
        cluster = Cluster.connect();
        namespace = cluster.enabledNamespace();
        registry = new TagServer();
        executor = Executors.newScheduledThreadPool(2);
        connection = new KubeConnection(cluster.configuration(), executor);
        watch = new WorkloadWatch(connection, WatchScope.cluster());
        restarter = new Restarter(connection);
        watch.start();
    }

    @AfterEach
    void stop() {
        if (watch != null) {
            watch.close();
        }
        if (connection != null) {
            connection.close();
        }
        if (executor != null) {
            executor.shutdownNow();
        }
        if (registry != null) {
            registry.close();
        }
        if (cluster != null) {
            cluster.close();
        }
    }

    private static DigestsAnnotation digests(String digest) {
        return new DigestsAnnotation(new TreeMap<>(Map.of("app", "app:latest@" + digest)));
    }

    private WorkloadId running(WorkloadKind kind, String image) {
        WorkloadId id = cluster.workload(new WorkloadId(namespace, kind, "web"), image, 2, json -> {});
        cluster.awaitRollout(id, LONG);
        Await.until(
                "the watch has seen it",
                LONG,
                () -> watch.find(id)
                        .map(each -> each.rollout().complete()
                                && each.rollout().ready() > 0
                                // Pods have a watch of their own, which may lag behind that of the workload.
                                && running(each).stream()
                                                .filter(Optional::isPresent)
                                                .count()
                                        == each.rollout().ready())
                        .orElse(false));
        return id;
    }

    private CompletableFuture<RolloutOutcome> restart(WorkloadId id, Duration patience, Duration timeout)
            throws KubeException {
        Restart restart = new Restart(digests(NEW), WorkloadState.EMPTY, Instant.EPOCH);
        PatchResult result = new PatchResult.Conflict();
        while (result instanceof PatchResult.Conflict) {
            result = restarter.restart(restarter.read(id).orElseThrow(), restart);
        }
        return new RolloutFollower(connection, watch, System::nanoTime, patience)
                .follow(id, digests(NEW), (PatchResult.Patched) result, timeout);
    }

    private static RolloutOutcome outcome(CompletableFuture<RolloutOutcome> future) throws Exception {
        return future.get(90, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @FieldSource("KINDS")
    void aRolloutSucceedsWhenEveryPodIsNew(WorkloadKind kind) throws Exception {
        WorkloadId id = running(kind, registry.push("app", "latest", OLD));
        assertThat(running(watch.find(id).orElseThrow())).containsOnly(Optional.of(OLD));
        registry.push("app", "latest", NEW);
        assertThat(outcome(restart(id, LONG, LONG))).isEqualTo(new RolloutOutcome.Succeeded());
        Workload workload = watch.find(id).orElseThrow();
        assertThat(running(workload)).containsOnly(Optional.of(NEW));
        assertThat(restarter.read(id).orElseThrow().currentRevision()).isEqualTo(workload.currentRevision());
    }

    private static List<Optional<String>> running(Workload workload) {
        return workload.pods().stream()
                .filter(Pod::counts)
                .flatMap(pod -> pod.containers().stream())
                .map(container -> ImageId.digest(container.imageId()))
                .toList();
    }

    @Test
    void aRolloutWithAMissingImageFailsWithThePodsReason() throws Exception {
        WorkloadId id = running(WorkloadKind.DEPLOYMENT, registry.push("app", "latest", OLD));
        registry.delete("app", "latest");
        assertFailsToPull(id, RolloutProgress.Cause.CONTAINERS);
    }

    @Test
    void anUnreachableRegistryIsNotBlamedOnTheContainers() throws Exception {
        WorkloadId id = running(WorkloadKind.DEPLOYMENT, registry.push("app", "latest", OLD));
        registry.close();
        assertFailsToPull(id, RolloutProgress.Cause.PULL);
    }

    private void assertFailsToPull(WorkloadId id, RolloutProgress.Cause cause) throws Exception {
        RolloutOutcome outcome = outcome(restart(id, Duration.ofSeconds(2), LONG));
        assertThat(outcome).isInstanceOfSatisfying(RolloutOutcome.Failed.class, failed -> {
            assertThat(failed.cause()).isEqualTo(cause);
            assertThat(failed.reason()).contains("ErrImagePull");
        });
    }

    @Test
    void quotaIsNamedAndNotBlamedOnTheContainers() throws Exception {
        WorkloadId id = running(WorkloadKind.DEPLOYMENT, registry.push("app", "latest", OLD));
        ObjectNode quota = Cluster.object("v1", "ResourceQuota", "none");
        quota.withObject("/spec/hard").put("pods", 2);
        cluster.create("/api/v1/namespaces/" + namespace + "/resourcequotas", quota);
        Await.until(
                "the quota is known",
                LONG,
                () -> cluster.get("/api/v1/namespaces/" + namespace + "/resourcequotas/none")
                        .path("status")
                        .path("used")
                        .has("pods"));
        RolloutOutcome outcome = outcome(restart(id, Duration.ofSeconds(2), LONG));
        assertThat(outcome).isInstanceOfSatisfying(RolloutOutcome.Failed.class, failed -> {
            assertThat(failed.cause()).isEqualTo(RolloutProgress.Cause.CREATION);
            assertThat(failed.reason()).contains("quota");
        });
    }

    @Test
    void anUnschedulablePodIsNamed() throws Exception {
        WorkloadId id = cluster.workload(
                new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, "web"),
                registry.push("app", "latest", OLD),
                1,
                json -> json.withObject("/spec/template/spec/nodeSelector").put("no", "such-node"));
        Await.until(
                "the pod is seen",
                LONG,
                () -> RolloutProgress.of(watch.find(id).orElseThrow()) instanceof RolloutProgress.Failed failed
                        && failed.cause() == RolloutProgress.Cause.SCHEDULING);
    }

    @Test
    void aPausedRolloutIsWaitedForUntilTheTimeout() throws Exception {
        WorkloadId id = running(WorkloadKind.DEPLOYMENT, registry.push("app", "latest", OLD));
        cluster.edit(id, "{\"spec\": {\"paused\": true}}");
        assertThat(outcome(restart(id, LONG, Duration.ofSeconds(4)))).isEqualTo(new RolloutOutcome.TimedOut("paused"));
    }

    @Test
    void aRolloutIsSupersededWhenSomebodyElseChangesTheTemplate() throws Exception {
        WorkloadId id = running(WorkloadKind.DEPLOYMENT, registry.push("app", "latest", OLD));
        cluster.edit(id, "{\"spec\": {\"paused\": true}}");
        CompletableFuture<RolloutOutcome> following = restart(id, LONG, LONG);
        cluster.edit(
                id, "{\"spec\": {\"template\": {\"metadata\": {\"annotations\": {\"urunner.io/digests\": null}}}}}");
        assertThat(outcome(following)).isEqualTo(new RolloutOutcome.Superseded());
    }

    @Test
    void aDeletedWorkloadIsGone() throws Exception {
        WorkloadId id = running(WorkloadKind.DEPLOYMENT, registry.push("app", "latest", OLD));
        cluster.edit(id, "{\"spec\": {\"paused\": true}}");
        CompletableFuture<RolloutOutcome> following = restart(id, LONG, LONG);
        cluster.delete(id);
        assertThat(outcome(following)).isEqualTo(new RolloutOutcome.Gone());
    }
}
