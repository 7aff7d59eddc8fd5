package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.registry.testing.FreePort;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import io.urunner.store.StoreException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The history cannot be written while an agent runs, and recovers. */
class StorageTroubleIT {
    @TempDir
    private Path folder;

    private RollbackScene scene;
    private WorkloadId web;
    private AgentProcess agent;
    private int port;
    private int logs;

    @BeforeEach
    void start() throws IOException {
        port = FreePort.find();
        scene = new RollbackScene(Files.createDirectory(folder.resolve("disk")));
    }

    @AfterEach
    void stop() throws Exception {
        if (agent != null) {
            agent.close();
        }
        if (scene != null) {
            scene.close();
            execute("umount", scene.folder.toString());
        }
    }

    @Test
    void aFolderInPlaceOfTheFile() throws Exception {
        runWithHistory();
        Files.move(scene.database(), folder.resolve("away"), StandardCopyOption.ATOMIC_MOVE);
        Files.createDirectory(scene.database());

        List<String> meanwhile = rollOutMeanwhile("it is a folder");
        assertThat(command(1, "doctor")).contains("it is a folder");

        for (String suffix : List.of("", "-wal", "-shm")) {
            Files.deleteIfExists(scene.folder.resolve("db" + suffix));
        }
        recovers(meanwhile);
    }

    @Test
    void anotherProcessKeepsItLocked() throws Exception {
        runWithHistory();
        List<String> meanwhile;
        try (DatabaseLock lock = new DatabaseLock(scene.database())) {
            meanwhile = rollOutMeanwhile("another process keeps it locked");
            assertThat(command(1, "doctor")).contains("another process keeps it locked");
            // Its contents so far can be read.
            assertThat(command(0, "rollback", web.toString(), "--dry-run")).doesNotContain("cannot be read");
            assertThat(lock.held()).isTrue();
        }
        recovers(meanwhile);
    }

    @Test
    void theDiskIsFull() throws Exception {
        mountSmallDisk();
        runWithHistory();
        Path ballast = scene.folder.resolve("ballast");
        fill(ballast);

        List<String> meanwhile = rollOutMeanwhile("the disk is full");
        assertThat(command(1, "doctor")).contains("last attempt to write the database failed", "see its log");

        Files.delete(ballast);
        recovers(meanwhile);
    }

    /** No disk becomes read-only while a file on it is open for writing: the agent starts on one. */
    @Test
    void theDiskIsReadOnly() throws Exception {
        mountSmallDisk();
        runWithHistory();
        agent.terminate();
        assertThat(execute("mount", "-o", "remount,ro", scene.folder.toString()))
                .isTrue();
        run();

        List<String> meanwhile = rollOutMeanwhile("it is read-only");
        assertThat(command(1, "doctor")).contains("it is read-only");

        assertThat(execute("mount", "-o", "remount,rw", scene.folder.toString()))
                .isTrue();
        recovers(meanwhile);
    }

    private void runWithHistory() throws Exception {
        String v1 = scene.push("shop/web", "v1");
        web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        Await.until("v1 runs", Seen.within(RollbackScene.SOON), () -> scene.runs(web, "app", v1));
        run();
        Await.until("the history is written", Seen.within(RollbackScene.SOON), this::isWritten);
    }

    private void run() throws Exception {
        Map<String, String> serving = settings();
        serving.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
        agent = AgentProcess.start(folder.resolve("run-" + logs++ + ".log"), serving, "run");
    }

    private List<String> rollOutMeanwhile(String said) throws Exception {
        String v2 = scene.rollOut("shop/web", List.of(web), "v2").get(0);
        Await.until(
                "it says so", Seen.within(RollbackScene.SOON), () -> agent.log().contains(said));
        assertThat(agent.log()).contains("rollouts continue");
        String v3 = scene.rollOut("shop/web", List.of(web), "v3").get(0);
        assertThat(status("/readyz/history")).isEqualTo(503);
        assertThat(status("/readyz")).isEqualTo(200);
        assertThat(Metrics.of(port)).contains("urunner_history_up 0.0");
        assertThat(command(0, "explain", web.toString())).contains("the running agent", v3.substring(0, 19));
        assertThat(command(0, "history", web.toString(), "--wide")).contains(v3);
        return List.of(v2, v3);
    }

    private void recovers(List<String> meanwhile) throws Exception {
        Await.until("it has recovered", Seen.within(RollbackScene.SOON), () -> status("/readyz/history") == 200);
        assertThat(command(0, "doctor")).contains("the database can be written");
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
        agent.terminate();
        assertThat(agent.log()).doesNotContain("Exception");
    }

    private Map<String, String> settings() {
        Map<String, String> settings = scene.settings("db");
        // Agents of other tests also run on this machine.
        settings.put("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + folder);
        return settings;
    }

    private String command(int code, String... arguments) throws Exception {
        Path log = folder.resolve("command-" + logs++ + ".log");
        try (AgentProcess command = AgentProcess.start(log, settings(), arguments)) {
            assertThat(command.exitCode()).as(command.log()).isEqualTo(code);
            assertThat(command.log()).doesNotContain("Exception");
            return command.log();
        }
    }

    private int status(String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .build(),
                        BodyHandlers.discarding())
                .statusCode();
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
