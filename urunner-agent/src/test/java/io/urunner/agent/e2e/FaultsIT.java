package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.AgentListener;
import io.urunner.agent.e2e.FaultSchedule.Fault;
import io.urunner.agent.plan.Admission.Limits;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.WatchScope;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The API server and the registry behind proxies that fail by random schedules: whatever happens, every move of a tag
 * that was observed ends in exactly one rollout of each workload, the pods run the last digest, and the registry is
 * asked for no more often than lost answers explain. Some tags are pushed again while their rollouts are in progress.
 * Twenty schedules; more with {@code -Dfaults.seeds=200}, one of them with {@code -Dfaults.first=17 -Dfaults.seeds=1}.
 */
class FaultsIT {
    private static final int FIRST = Integer.getInteger("faults.first", 1);
    private static final int SEEDS = Integer.getInteger("faults.seeds", 20);
    private static final int AT_ONCE = 8;
    private static final int MOVES = 3;
    private static final double SHARE = 0.25;
    private static final double PUSHED_AGAIN = 0.5;
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration LONG = Duration.ofSeconds(120);

    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 2, unit = TimeUnit.HOURS) // 200 schedules on a busy machine; each has deadlines of its own
    void everyMoveEndsInOneRolloutPerWorkloadAndTheLastDigestRuns() throws Exception {
        AssertionError failures = new AssertionError("schedules that failed");
        Map<Fault, Integer> injected = new EnumMap<>(Fault.class);
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        try (Cluster cluster = Cluster.connect();
                DockerRegistry registry = DockerRegistry.start()) {
            Map<Integer, Future<Map<Fault, Integer>>> rounds = new LinkedHashMap<>();
            for (int i = 0; i < SEEDS; i++) {
                int seed = FIRST + i;
                rounds.put(seed, threads.submit(() -> {
                    try (Round round = new Round(cluster, registry, seed)) {
                        return round.run();
                    }
                }));
            }
            for (Map.Entry<Integer, Future<Map<Fault, Integer>>> round : rounds.entrySet()) {
                try {
                    round.getValue().get().forEach((fault, count) -> injected.merge(fault, count, Integer::sum));
                } catch (ExecutionException e) {
                    failures.addSuppressed(new AssertionError("seed " + round.getKey(), e.getCause()));
                }
            }
        } finally {
            threads.shutdownNow();
        }
        if (failures.getSuppressed().length > 0) {
            throw failures;
        }
        if (SEEDS >= 20) {
            assertThat(injected.keySet()).as("faults that happened").contains(Fault.values());
        }
    }

    /** One schedule, with a namespace, proxies and an agent of its own. */
    private final class Round implements AutoCloseable {
        private final int seed;
        private final Random random;
        private final Cluster cluster;
        private final DockerRegistry registry;
        private final FaultProxy api;
        private final FaultProxy images;
        private final FaultSchedule pushes;
        private final Questions questions;
        private final String namespace;
        private final Map<WorkloadId, List<String>> workloads = new LinkedHashMap<>();
        private final Map<WorkloadId, Long> rollouts = new LinkedHashMap<>();
        private final Map<String, String> digests = new LinkedHashMap<>();
        private final AtomicInteger moves = new AtomicInteger();
        private TestAgent agent;
        private Path database;

        Round(Cluster cluster, DockerRegistry registry, int seed) {
            this.cluster = cluster;
            this.registry = registry;
            this.seed = seed;
            random = new Random(seed);
            api = FaultProxy.of(cluster);
            images = FaultProxy.of(registry);
            pushes = new FaultSchedule(~seed, PUSHED_AGAIN);
            questions = new Questions(registry, repository(), INTERVAL, 1);
            namespace = cluster.enabledNamespace();
        }

        Map<Fault, Integer> run() throws Exception {
            push("one");
            push("two");
            workload(WorkloadKind.DEPLOYMENT, "both", "one", "two");
            workload(WorkloadKind.DEPLOYMENT, "web", "one");
            workload(WorkloadKind.STATEFUL_SET, "set", "one");
            workload(WorkloadKind.DAEMON_SET, "each", "two");
            awaitLastDigest();

            api.faults(new FaultSchedule(seed, SHARE));
            images.faults(new FaultSchedule(-seed, SHARE));
            startAgent();
            Await.until(
                    "ready", Seen.within(LONG), () -> agent.agent().notReady().isEmpty());
            for (int move = 0; move < MOVES; move++) {
                String tag = random.nextBoolean() ? "one" : "two";
                push(tag);
                int most = 1;
                if (pushes.pushesAgain()) {
                    awaitUnderway(tag);
                    push(tag);
                    most = 2;
                }
                awaitLastDigest();
                if (most > 1) {
                    // Pods that came up with the last digest may still be rolled out for it, a little later.
                    agent.awaitPasses(3);
                }
                assertRollouts(tag, 1, most);
                if (random.nextInt(3) == 0) {
                    startAgent();
                }
            }
            // Several in a row: not all of them are observed.
            int before = moves.get();
            for (int i = 0; i < 3; i++) {
                push("one");
                Thread.sleep(random.nextInt(1500));
            }
            awaitLastDigest();
            // Pods may have pulled the last digest by themselves, and the agent acts on that move only now.
            api.faults(FaultSchedule.NONE);
            images.faults(FaultSchedule.NONE);
            agent.awaitPasses(3);
            // An agent that has just started does not treat the first digest that it sees as a move.
            assertRollouts("one", 1, Math.min(3, moves.get() - before + 1));
            if (random.nextBoolean()) {
                startAgent();
            }
            agent.awaitPasses(3);
            assertRollouts("one", 0, 0);
            Seen.awaitEndOfRollouts(database, "test");
            questions.assertFew(images::lost);
            Map<Fault, Integer> all = new EnumMap<>(api.injected());
            images.injected().forEach((fault, count) -> all.merge(fault, count, Integer::sum));
            return all;
        }

        private void push(String tag) {
            digests.put(tag, registry.push(repository(), tag, tag + " " + random.nextLong()));
        }

        private void workload(WorkloadKind kind, String name, String... tags) {
            WorkloadId id = cluster.workload(new WorkloadId(namespace, kind, name), image(tags[0]), 2, json -> {
                for (int i = 1; i < tags.length; i++) {
                    ObjectNode container = ((ArrayNode) json.at("/spec/template/spec/containers")).addObject();
                    container
                            .put("name", "app" + i)
                            .put("image", image(tags[i]))
                            .put("imagePullPolicy", "Always");
                }
            });
            workloads.put(id, List.of(tags));
            rollouts.put(id, 0L);
        }

        private String image(String tag) {
            return images.host() + "/" + repository() + ":" + tag;
        }

        private String repository() {
            return "seed-" + seed + "/app";
        }

        /** An agent that replaces the previous one, sometimes with another history, or none. */
        private void startAgent() throws Exception {
            if (agent != null) {
                agent.close();
            }
            database = folder.resolve("seed-" + seed + "-" + random.nextInt(2) + ".db");
            KubeConfiguration through = KubeConfiguration.kubeconfig(api.kubeconfig(cluster.kubeconfig(), folder));
            AgentListener counting = new AgentListener() {
                @Override
                public void moved(String reference, String from, String to) {
                    moves.incrementAndGet();
                }
            };
            WatchScope scope = seed % 2 == 0 ? WatchScope.cluster() : WatchScope.of(Set.of(namespace));
            agent = new TestAgent(
                    through, scope, database, INTERVAL, null, Limits.NONE, List.of(counting), images.host());
            questions.started();
            agent.start();
        }

        private void awaitUnderway(String tag) {
            String digest = digests.get(tag);
            Await.until(
                    "seed " + seed + ": a template names " + digest,
                    Seen.within(LONG),
                    () -> workloads.keySet().stream().anyMatch(id -> Seen.actedOn(cluster, id, digest)));
        }

        private void awaitLastDigest() {
            workloads.forEach((id, tags) -> {
                Await.until(
                        "seed " + seed + ": " + id + " runs " + digests,
                        Seen.within(LONG),
                        () -> Seen.running(
                                cluster, id, tags.stream().map(digests::get).toList()));
            });
        }

        /** The number of rollouts since the last call, only of workloads that use a tag. */
        private void assertRollouts(String tag, int least, int most) {
            workloads.forEach((id, tags) -> {
                long now = cluster.read(id).path("metadata").path("generation").asLong() - 1;
                long since = now - rollouts.put(id, now);
                assertThat(since)
                        .as("seed %d: rollouts of %s for %s", seed, id, tag)
                        .isBetween(tags.contains(tag) ? (long) least : 0, tags.contains(tag) ? (long) most : 0);
            });
        }

        @Override
        public void close() {
            if (agent != null) {
                agent.close();
            }
            api.close();
            images.close();
            cluster.delete("/api/v1/namespaces/" + namespace);
        }
    }
}
