package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.app.InProcess;
import io.urunner.agent.app.InProcess.Result;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A StatefulSet waits for a pod that never becomes ready, even during a rollback, which is needed just then. */
class StuckStatefulSetIT {
    private static final String RULES = """
            [{"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["get", "list", "watch", "patch"]},
             {"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["list"]},
             {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]""";

    @TempDir
    private Path folder;

    @AutoClose
    private RollbackScene scene;

    @BeforeEach
    void start() {
        scene = new RollbackScene(folder);
    }

    @Test
    void theStuckPodIsDeletedOrTheCommandToDeleteItIsNamed() throws Exception {
        scene.push("shop/db", "v1");
        WorkloadId db = scene.cluster.statefulSet(scene.namespace, "db", scene.image("shop/db"), 2);
        WorkloadId other = scene.cluster.statefulSet(scene.namespace, "other", scene.image("shop/db"), 2);
        scene.agent();
        String v1 = scene.rollOut("shop/db", List.of(db, other), "v1").get(0);
        Path restricted = scene.cluster.serviceAccount(scene.namespace, "operator", RULES);
        try {
            neverReady("never ready, " + scene.namespace);
            Await.until("both are stuck", Seen.within(RollbackScene.SOON), () -> isStuck(db) && isStuck(other));

            String out = scene.done("rollback", db.toString(), "--to", v1);
            assertThat(out).contains("pod db-1 of the old template does not become ready", "it was deleted");
            assertThat(scene.runs(db, "app", v1)).isTrue();

            Map<String, String> settings = new HashMap<>(scene.settings("db"));
            settings.put("KUBECONFIG", restricted.toString());
            CompletableFuture<Result> rollback = CompletableFuture.supplyAsync(
                    () -> InProcess.run(settings, "rollback", other.toString(), "--to", v1, "--timeout", "120"));
            // Does by hand what the command says; it does not finish before that.
            Await.until("it is taken back", Seen.within(RollbackScene.SOON), () -> scene.held(other));
            Thread.sleep(7_000);
            assertThat(rollback).isNotDone();
            scene.cluster.delete("/api/v1/namespaces/" + scene.namespace + "/pods/other-1");
            Result result = rollback.get();
            assertThat(result.code()).as(result.toString()).isZero();
            assertThat(result.out())
                    .contains("we are not allowed to delete it")
                    .contains("kubectl delete pod -n " + scene.namespace + " other-1");
            assertThat(scene.runs(other, "app", v1)).isTrue();
        } finally {
            scene.cluster.deleteRole(scene.namespace, "operator");
        }
    }

    private boolean isStuck(WorkloadId id) {
        return scene.pods(id).stream()
                .anyMatch(pod -> pod.path("metadata").path("name").asText().endsWith("-1")
                        && pod.path("status").path("phase").asText().equals("Running")
                        && pod.path("status")
                                .path("containerStatuses")
                                .path(0)
                                .path("ready")
                                .isBoolean()
                        && !pod.path("status")
                                .path("containerStatuses")
                                .path(0)
                                .path("ready")
                                .asBoolean());
    }

    private void neverReady(String content) throws Exception {
        String digest = io.urunner.registry.testing.TestImage.image(content).digest();
        Cluster.behaviour(digest, "\"never-ready\"");
        assertThat(scene.registry.push("shop/db", "latest", content)).isEqualTo(digest);
    }
}
