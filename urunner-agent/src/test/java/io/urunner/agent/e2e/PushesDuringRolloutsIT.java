package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertAll;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.AuditLog;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStores;
import io.urunner.store.StoreException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A tag that moves on while its rollouts are under way, so that pods run other digests than their templates were changed
 * for: every rollout ends, the last digest arrives, and nobody is asked without end.
 */
class PushesDuringRolloutsIT {
    private static final Duration INTERVAL = Duration.ofSeconds(5);
    private static final Duration SOON = Duration.ofSeconds(60);
    /** Pods of the first image end slowly: those that wait for their end start after the next push. */
    private static final String SLOW_TO_STOP = "{\"stop\": 2}";

    @TempDir
    private static Path folder;

    private static Cluster cluster;
    private static DockerRegistry registry;
    private static TestAgent agent;
    private static DigestStore store;

    @BeforeAll
    static void start() throws Exception {
        cluster = Cluster.connect();
        registry = DockerRegistry.start();
        agent = new TestAgent(cluster.configuration(), folder.resolve("db"), INTERVAL, registry.host());
        agent.start();
        store = DigestStores.readOnly(DigestStores.sqlite(folder.resolve("db"), "test"));
        Await.until("ready", Seen.within(SOON), () -> agent.agent().notReady().isEmpty());
    }

    @AfterAll
    static void stop() throws Exception {
        for (AutoCloseable part : new AutoCloseable[] {store, agent, registry, cluster}) {
            if (part != null) {
                part.close();
            }
        }
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void ninetyNineDeploymentsOfOneImage() throws Exception {
        Scene scene = new Scene("many");
        for (int i = 0; i < 99; i++) {
            boolean recreate = i % 2 == 0;
            scene.workload(WorkloadKind.DEPLOYMENT, "web-" + i, recreate);
        }
        scene.run();
    }

    /** Workloads of one repository. */
    private static final class Scene {
        private final String repository;
        private final Stage stage;
        private final Questions questions;
        private final List<WorkloadId> ids = new ArrayList<>();
        private final long mark = cluster.auditLog().map(AuditLog::mark).orElse(0L);

        Scene(String name) {
            repository = "moving/" + name;
            stage = new Stage(cluster, registry, registry.host(), agent, repository, true);
            questions = new Questions(registry, repository, INTERVAL, 1);
            stage.push("latest", "one", SLOW_TO_STOP);
        }

        void workload(WorkloadKind kind, String name, boolean recreate) {
            ids.add(stage.workload(kind, name, "latest", json -> {
                if (recreate) {
                    json.withObject("/spec/strategy").put("type", "Recreate");
                }
            }));
        }

        void run() throws Exception {
            String first = stage.push("latest", "one");
            ids.forEach(id -> stage.awaitRunning(id, first));
            stage.awaitPasses(2);
            String second = stage.push("latest", "two");
            Await.until(
                    "a template is changed",
                    Seen.within(SOON),
                    () -> ids.stream().anyMatch(id -> Seen.actedOn(cluster, id, second)));
            String third = stage.push("latest", "three");
            ids.forEach(id -> stage.awaitRunning(id, third));
            assertAll(this::awaitEnds, this::assertEndsStay, questions::assertFew, this::assertFewPatches);
        }

        /** Waits until every workload was rolled out, and each of its rollouts is recorded with how it ended. */
        private void awaitEnds() {
            Await.until("every rollout has ended", Seen.within(SOON), () -> {
                assertEnds();
                return true;
            });
        }

        private void assertEndsStay() throws Exception {
            stage.awaitPasses(6);
            assertEnds();
        }

        private void assertFewPatches() {
            cluster.auditLog().ifPresent(log -> Questions.assertFewPerWorkload(log, mark, stage.namespace()));
        }

        private void assertEnds() throws StoreException {
            Set<String> ours = ids.stream().map(WorkloadId::toString).collect(Collectors.toSet());
            assertThat(store.unfinishedRollouts().stream()
                            .map(RolloutRecord::workload)
                            .filter(ours::contains))
                    .as("workloads whose rollouts have not ended")
                    .isEmpty();
            for (WorkloadId id : ids) {
                assertThat(rollouts(id)).as("rollouts of %s", id).isNotEmpty().allSatisfy(rollout -> {
                    assertThat(rollout.outcome()).isPresent().get().isIn("succeeded", "superseded");
                });
            }
        }

        private List<RolloutRecord> rollouts(WorkloadId id) throws StoreException {
            return store.rollouts(id.toString(), 200);
        }
    }
}
