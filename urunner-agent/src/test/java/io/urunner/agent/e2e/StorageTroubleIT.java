package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import io.urunner.store.StoreException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The history cannot be written while an agent runs, and works again. */
class StorageTroubleIT {
    @TempDir
    private Path folder;

    private RollbackScene scene;
    private WorkloadId web;

    @BeforeEach
    void start() throws IOException {
        scene = new RollbackScene(Files.createDirectory(folder.resolve("disk")));
    }

    @AfterEach
    void stop() throws Exception {
        if (scene != null) {
            scene.close();
            execute("umount", scene.folder.toString());
        }
    }

    @Test
    void aFolderInThePlaceOfTheFile() throws Exception {
        TestAgent agent = agentWithHistory();
        Files.move(scene.database(), folder.resolve("away"), StandardCopyOption.ATOMIC_MOVE);
        Files.createDirectory(scene.database());

        List<String> meanwhile = rollOutMeanwhile(agent);
        commandsAnswer();
        doctorSays("it is a folder");

        for (String suffix : List.of("", "-wal", "-shm")) {
            Files.deleteIfExists(scene.folder.resolve("db" + suffix));
        }
        recovers(agent, meanwhile);
    }

    @Test
    void anotherProcessKeepsItLocked() throws Exception {
        TestAgent agent = agentWithHistory();
        List<String> meanwhile;
        try (DatabaseLock lock = new DatabaseLock(scene.database())) {
            meanwhile = rollOutMeanwhile(agent);
            commandsAnswer();
            assertThat(lock.held()).isTrue();
        }
        recovers(agent, meanwhile);
    }

    @Test
    void theDiskIsFull() throws Exception {
        mountSmallDisk();
        TestAgent agent = agentWithHistory();
        Path ballast = scene.folder.resolve("ballast");
        fill(ballast);

        List<String> meanwhile = rollOutMeanwhile(agent);
        commandsAnswer();

        Files.delete(ballast);
        recovers(agent, meanwhile);
    }

    /** No disk becomes read-only while a file on it is open for writing: the agent starts on one. */
    @Test
    void theDiskIsReadOnly() throws Exception {
        mountSmallDisk();
        agentWithHistory();
        scene.stopAgents();
        assertThat(execute("mount", "-o", "remount,ro", scene.folder.toString()))
                .isTrue();
        TestAgent agent = scene.agent();

        List<String> meanwhile = rollOutMeanwhile(agent);
        commandsAnswer();
        doctorSays("it is read-only");

        assertThat(execute("mount", "-o", "remount,rw", scene.folder.toString()))
                .isTrue();
        recovers(agent, meanwhile);
    }

    private TestAgent agentWithHistory() throws InterruptedException {
        scene.push("shop/web", "v1");
        web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        TestAgent agent = scene.agent();
        scene.rollOut("shop/web", List.of(web), "v1");
        Await.until("the history is written", Seen.within(RollbackScene.SOON), this::isWritten);
        return agent;
    }

    private List<String> rollOutMeanwhile(TestAgent agent) throws InterruptedException {
        String v2 = scene.rollOut("shop/web", List.of(web), "v2").get(0);
        Await.until(
                "it says that the history does not work",
                Seen.within(RollbackScene.SOON),
                () -> !agent.agent().historyWorks());
        String v3 = scene.rollOut("shop/web", List.of(web), "v3").get(0);
        assertThat(agent.agent().historyWorks()).isFalse();
        assertThat(agent.agent().notReady()).isEmpty();
        return List.of(v2, v3);
    }

    /** The commands answer as far as they can, whatever the history does. */
    private void commandsAnswer() {
        for (String command : List.of("history", "explain")) {
            assertThat(scene.done(command, web.toString())).doesNotContain("Exception");
        }
    }

    private void doctorSays(String words) {
        assertThat(scene.run("doctor").out()).contains(words).doesNotContain("Exception");
    }

    private void recovers(TestAgent agent, List<String> meanwhile) throws Exception {
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
                            .containsAll(meanwhile));
        }
    }

    private boolean isWritten() {
        try (DigestStore store = DigestStores.readOnly(DigestStores.sqlite(scene.database(), "test"))) {
            return !store.references().isEmpty();
        } catch (StoreException e) {
            return false;
        }
    }

    /** Only root can make one. */
    private void mountSmallDisk() throws Exception {
        assumeTrue(
                execute("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", scene.folder.toString()),
                "no right to mount a small file system, so there is no such disk to try");
    }

    private static boolean execute(String... command) throws Exception {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static void fill(Path ballast) throws IOException {
        byte[] block = new byte[4096];
        try (OutputStream file = Files.newOutputStream(ballast, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            while (true) {
                file.write(block);
            }
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("No space left");
        }
    }
}
