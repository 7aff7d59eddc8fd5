package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.app.HaltingMain;
import io.urunner.agent.app.HaltingMain.Step;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStores;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A rollback whose process is killed after any step, and repeated. */
class RollbackKillsIT {
    @TempDir
    private Path folder;

    @AutoClose
    private RollbackScene scene;

    @BeforeEach
    void start() {
        scene = new RollbackScene(folder);
    }

    @Test
    void itCompletesWhenRepeatedAfterAKillAtAnyStep() throws Exception {
        scene.push("shop/web", "v1");
        Map<Step, WorkloadId> ids = new EnumMap<>(Step.class);
        for (Step step : Step.values()) {
            String name = step.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
            ids.put(
                    step,
                    step.ordinal() % 2 == 0
                            ? scene.cluster.deployment(scene.namespace, name, scene.image("shop/web"), 1)
                            : scene.cluster.statefulSet(scene.namespace, name, scene.image("shop/web"), 1));
        }
        List<WorkloadId> all = new ArrayList<>(ids.values());
        scene.agent();
        List<String> v = scene.rollOut("shop/web", all, "v1", "v2", "v3");
        scene.stopAgents();

        for (Map.Entry<Step, WorkloadId> each : ids.entrySet()) {
            Path log = folder.resolve(each.getKey() + ".log");
            try (AgentProcess killed = AgentProcess.startMain(
                    HaltingMain.class,
                    log,
                    scene.settings("db"),
                    each.getKey().name(),
                    "rollback",
                    each.getValue().toString(),
                    "--to",
                    "-2")) {
                assertThat(killed.exitCode()).as(killed.log()).isEqualTo(137);
            }
        }
        for (WorkloadId id : all) {
            scene.done("rollback", id.toString(), "--to", "-2");
            assertThat(scene.runs(id, "app", v.get(0))).as(id.toString()).isTrue();
            assertThat(scene.held(id)).isTrue();
            assertThat(scene.templateImage(id, "app")).isEqualTo(scene.image("shop/web") + ":latest@" + v.get(0));
            assertThat(templates(id)).as("templates of " + id).isEqualTo(4);
        }
        try (DigestStore store = DigestStores.sqlite(scene.database(), "test")) {
            for (WorkloadId id : all) {
                List<RolloutRecord> back = store.rollouts(id.toString(), 10).stream()
                        .filter(rollout -> rollout.why().equals("rolled back by anna"))
                        .toList();
                assertThat(back).as(id.toString()).hasSize(1);
                assertThat(back.get(0).outcome()).contains("succeeded");
                assertThat(back.get(0).changes())
                        .extracting(DigestStore.Change::to)
                        .containsExactly(v.get(0));
            }
        }
        TestAgent agent = scene.agent();
        String v4 = scene.push("shop/web", "v4");
        agent.awaitPasses(3);
        assertThat(all).allMatch(id -> scene.runs(id, "app", v.get(0)));
        scene.stopAgents();

        // Resuming may be killed as well.
        for (Map.Entry<Step, WorkloadId> each : ids.entrySet()) {
            try (AgentProcess killed = AgentProcess.startMain(
                    HaltingMain.class,
                    folder.resolve("resume-" + each.getKey() + ".log"),
                    scene.settings("db"),
                    each.getKey().name(),
                    "resume",
                    each.getValue().toString())) {
                assertThat(killed.exitCode()).as(killed.log()).isEqualTo(137);
            }
            scene.done("resume", each.getValue().toString());
            assertThat(scene.runs(each.getValue(), "app", v4)).isTrue();
            assertThat(scene.templateImage(each.getValue(), "app")).isEqualTo(scene.image("shop/web"));
            assertThat(templates(each.getValue())).isEqualTo(5);
        }
    }

    /** How many templates a workload has had. */
    private long templates(WorkloadId id) {
        return id.kind().equals(WorkloadKind.DEPLOYMENT)
                ? Seen.revision(scene.cluster, id)
                : scene.cluster.items("/apis/apps/v1/namespaces/" + id.namespace() + "/controllerrevisions").stream()
                        .filter(each -> each.path("metadata")
                                .path("ownerReferences")
                                .path(0)
                                .path("name")
                                .asText()
                                .equals(id.name()))
                        .count();
    }
}
