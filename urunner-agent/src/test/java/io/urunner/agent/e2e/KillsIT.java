package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Agents that are killed with {@code kill -9} at any moment: whatever happens, a move of the tag changes each template
 * once, the last digest arrives, and the registry is asked no more than this number of agents needs.
 */
class KillsIT {
    private static final int DEPLOYMENTS = 6;
    private static final int ROUNDS = 10;
    private static final int INTERVAL = 1;
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    @RegisterExtension
    private final ClusterScene scene = new ClusterScene();

    private final Cluster cluster = scene.cluster();
    private final DockerRegistry registry = scene.registry();
    private final String namespace = scene.namespace();
    private List<WorkloadId> ids;
    private Questions questions;
    private final List<AgentProcess> agents = new ArrayList<>();
    private int kills;
    private String pushed;

    @BeforeEach
    void start() {
        questions = new Questions(registry, "team/app", Duration.ofSeconds(INTERVAL), 2);
        pushed = registry.push("team/app", "latest", "0");
        ids = Seen.deployments(cluster, namespace, registry.host() + "/team/app:latest", DEPLOYMENTS);
        Await.until("all run", Seen.within(SOON), () -> Seen.running(cluster, namespace, DEPLOYMENTS, pushed));
    }

    @AfterEach
    void stop() {
        agents.forEach(AgentProcess::close);
    }

    @Test
    @Timeout(value = 8, unit = TimeUnit.MINUTES)
    void fiftyKillsLoseNoMoveAndCauseNoExtraRollout() throws Exception {
        Random random = new Random(20261123);
        for (int round = 1; round <= ROUNDS; round++) {
            // Killed before it has seen anything, and during its first pass.
            killAfter(agent("a"), Duration.ofMillis(300 + random.nextInt(700)));
            killAfter(agent("a"), Duration.ofMillis(1000 + random.nextInt(1500)));
            // Pods that have not started yet would pull the push by themselves: nothing would be left to roll out.
            Await.until("all run", Seen.within(SOON), () -> Seen.running(cluster, namespace, DEPLOYMENTS, pushed));
            String digest = registry.push("team/app", "latest", "round " + round);
            pushed = digest;

            // Killed between the first patch and the others.
            AgentProcess among = agent("a");
            Await.until(
                    "a patch", Seen.within(SOON), () -> ids.stream().anyMatch(id -> Seen.actedOn(cluster, id, digest)));
            kill(among);

            // Killed after the patches, but before they are in the store: the database is locked.
            try (DatabaseLock lock = new DatabaseLock(database("a"))) {
                AgentProcess unwritten = agent("a");
                Await.until("all are patched", Seen.within(SOON), () -> Seen.actedOn(cluster, ids, digest));
                assertThat(lock.held()).isTrue();
                kill(unwritten);
            }
            if (round % 2 == 0) {
                delete(database("a"));
            }

            // Two agents by mistake, one of which is killed.
            AgentProcess one = agent("a");
            AgentProcess other = agent("b");
            killAfter(one, Duration.ofMillis(500 + random.nextInt(2000)));
            other.terminate();
            agents.remove(other);
            int expected = round + 1;
            assertThat(ids)
                    .as("templates after round %d", round)
                    .allSatisfy(id -> assertThat(Seen.revision(cluster, id)).isEqualTo(expected));
        }
        assertThat(kills).isEqualTo(50);

        // Several moves in a row, two agents: the last one arrives, and none causes more than one rollout. Pods that
        // were started for an earlier one may pull the last by themselves: then no template names it.
        Await.until("all run", Seen.within(SOON), () -> Seen.running(cluster, namespace, DEPLOYMENTS, pushed));
        agent("a");
        agent("b");
        registry.push("team/app", "latest", "x");
        registry.push("team/app", "latest", "y");
        String last = registry.push("team/app", "latest", "z");
        Await.until(
                "the last digest arrives",
                Seen.within(SOON),
                () -> Seen.running(cluster, namespace, DEPLOYMENTS, last));
        assertThat(ids).allSatisfy(id -> assertThat(Seen.revision(cluster, id)).isBetween(ROUNDS + 2, ROUNDS + 4));
        for (String name : List.of("a", "b")) {
            Seen.awaitEndOfRollouts(database(name), "default");
        }
        questions.assertFew();
    }

    private AgentProcess agent(String name) {
        questions.started();
        AgentProcess agent = AgentProcess.start(
                folder.resolve(name + ".log"),
                AgentProcess.settings(cluster, database(name), INTERVAL, registry.host()),
                "run");
        agents.add(agent);
        return agent;
    }

    private Path database(String name) {
        return folder.resolve(name + ".db");
    }

    private void killAfter(AgentProcess agent, Duration time) throws InterruptedException {
        long begun = System.nanoTime();
        Await.until("time passes", time.plusSeconds(5), () -> System.nanoTime() - begun > time.toNanos());
        kill(agent);
    }

    private void kill(AgentProcess agent) throws InterruptedException {
        assertThat(agent.isAlive()).as(agent.log()).isTrue();
        agent.kill();
        agents.remove(agent);
        kills++;
    }

    private static void delete(Path database) throws IOException {
        Set<Path> files = new HashSet<>();
        for (String suffix : List.of("", "-wal", "-shm")) {
            files.add(database.resolveSibling(database.getFileName() + suffix));
        }
        for (Path file : files) {
            Files.deleteIfExists(file);
        }
    }
}
