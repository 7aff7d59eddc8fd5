package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import io.urunner.store.StoreException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The history breaks under a running agent, and works again. */
class StorageTroubleIT {
    @TempDir
    private Path folder;

    private RollbackScene scene;

    @BeforeEach
    void start() {
        scene = new RollbackScene(folder);
    }

    @AfterEach
    void stop() {
        if (scene != null) {
            scene.close();
        }
    }

    @Test
    void rolloutsGoOnAndTheHistoryRecoversByItselfWithWhatHappenedMeanwhile() throws Exception {
        scene.push("shop/web", "v1");
        WorkloadId web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        TestAgent agent = scene.agent();
        scene.rollOut("shop/web", List.of(web), "v1");
        Await.until("the history is written", Seen.within(RollbackScene.SOON), this::isWritten);

        Files.move(scene.database(), folder.resolve("away"), StandardCopyOption.ATOMIC_MOVE);
        Files.createDirectory(scene.database());
        String v2 = scene.rollOut("shop/web", List.of(web), "v2").get(0);
        Await.until(
                "it says that the history is broken",
                Seen.within(RollbackScene.SOON),
                () -> !agent.agent().historyWorks());
        String v3 = scene.rollOut("shop/web", List.of(web), "v3").get(0);

        assertThat(agent.agent().notReady()).isEmpty();

        for (String suffix : List.of("", "-wal", "-shm")) {
            Files.deleteIfExists(folder.resolve("db" + suffix));
        }
        Await.until(
                "it has recovered",
                Seen.within(RollbackScene.SOON),
                () -> agent.agent().historyWorks());
        try (DigestStore store = DigestStores.readOnly(DigestStores.sqlite(scene.database(), "test"))) {
            Await.until(
                    "what happened meanwhile is there",
                    Seen.within(RollbackScene.SOON),
                    () -> store.rollouts(web.toString(), 10).stream()
                            .filter(rollout -> rollout.outcome().isPresent())
                            .flatMap(rollout -> rollout.changes().stream())
                            .map(DigestStore.Change::to)
                            .toList()
                            .containsAll(List.of(v2, v3)));
        }
    }

    private boolean isWritten() {
        try (DigestStore store = DigestStores.readOnly(DigestStores.sqlite(scene.database(), "test"))) {
            return !store.references().isEmpty();
        } catch (StoreException e) {
            return false;
        }
    }
}
