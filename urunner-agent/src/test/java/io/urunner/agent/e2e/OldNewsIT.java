package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.plan.Admission.Limits;
import io.urunner.kube.WatchScope;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.TestImage;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Events from before an agent started are state, not news; and nothing that has begun blocks others forever. */
class OldNewsIT {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofSeconds(90);

    @TempDir
    private static Path folder;

    @RegisterExtension
    private static final ClusterScene SCENE = new ClusterScene();

    private static Cluster cluster;
    private static DockerRegistry registry;

    @BeforeAll
    static void start() {
        cluster = SCENE.cluster();
        registry = SCENE.registry();
    }

    /** An agent with a history of its own, like one without persistence, or a newly elected one. */
    private static final class Agent implements AutoCloseable {
        private final String name;
        private final int port = FreePort.find();
        private final AgentProcess process;

        Agent(String name, String repositories, Map<String, String> more) {
            this.name = name;
            Map<String, String> settings =
                    AgentProcess.settings(cluster, database(), 1, registry.host() + "/" + repositories);
            settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
            settings.putAll(more);
            process = AgentProcess.start(folder.resolve(name + ".log"), settings, "run");
            Await.until("it watches", Seen.within(SOON), () -> process.log().contains("synced with the cluster"));
        }

        Path database() {
            return folder.resolve(name + ".db");
        }

        String log() {
            return process.log();
        }

        /** The counters of completed rollouts that are not 0. */
        List<String> counted() throws Exception {
            return Metrics.of(port)
                    .lines()
                    .filter(line -> line.startsWith("urunner_rollouts_total") && !line.endsWith(" 0.0"))
                    .toList();
        }

        Optional<String> recorded(WorkloadId id) throws Exception {
            try (DigestStore store = DigestStores.readOnly(DigestStores.sqlite(database(), "default"))) {
                return store.rollouts(id.toString(), 1).stream()
                        .flatMap(rollout -> rollout.outcome().stream())
                        .findFirst();
            }
        }

        @Override
        public void close() {
            process.close();
        }
    }

    private static Stage stage(String repositories) {
        return new Stage(cluster, registry, registry.host(), null, repositories + "/app", true);
    }

    /** How often each Event was written. */
    private static Map<String, Integer> told(Stage stage) {
        Map<String, Integer> told = new TreeMap<>();
        for (JsonNode event : cluster.events(stage.namespace())) {
            if (event.at("/source/component").asText().equals("urunner")) {
                told.merge(
                        event.at("/involvedObject/name").asText() + " "
                                + event.path("reason").asText() + " "
                                + event.path("message").asText(),
                        event.path("count").asInt(),
                        Integer::sum);
            }
        }
        return told;
    }

    @AtOnce
    void rolloutsThatEndedBeforeAreRecordedAndNotReportedAgain() throws Exception {
        endedBefore("old", Map.of(), Agent::close);
    }

    @AtOnce
    void theNextLeaderRepeatsNoReportOfItsPredecessor() throws Exception {
        Map<String, String> election = Map.of(
                "URUNNER_CONF_LEADER_ELECTION",
                "true",
                "URUNNER_CONF_LEASE_NAME",
                "old-news",
                "URUNNER_CONF_LEASE_NAMESPACE",
                "default");
        try {
            endedBefore("led", election, Agent::close);
        } finally {
            cluster.delete("/apis/coordination.k8s.io/v1/namespaces/default/leases/old-news");
        }
    }

    private static void endedBefore(String repositories, Map<String, String> more, Consumer<Agent> ends)
            throws Exception {
        Stage stage = stage(repositories);
        String first = stage.push("dev", "one");
        stage.push("crash", "fine");
        stage.push("gone", "there");
        WorkloadId web = stage.deployment("web", "dev");
        WorkloadId crashing = stage.deployment("crashing", "crash");
        WorkloadId trapped = stage.workload(
                WorkloadKind.DEPLOYMENT,
                "trapped",
                "gone",
                json -> container(json).put("imagePullPolicy", "IfNotPresent"));
        WorkloadId paused = stage.deployment("paused", "dev");
        stage.awaitRunning(web, first);
        stage.awaitRunning(paused, first);
        cluster.edit(paused, "{\"spec\":{\"paused\":true}}");
        WorkloadId wrong = stage.workload(
                WorkloadKind.DEPLOYMENT,
                "wrong",
                "dev",
                json -> json.withObject("/metadata/annotations").put("urunner.io/settle", "soon"));
        stage.awaitRunning(wrong, first);
        Agent one = new Agent(repositories + "-1", repositories, more);
        try (one) {
            stage.awaitEvent(wrong, "RolloutBlocked", "urunner.io/settle");
            stage.push("dev", "two");
            String crash = stage.push("crash", "crashes", "\"crash\"");
            stage.push("gone", "another");
            stage.awaitEvent(web, "RolloutSucceeded");
            stage.awaitEvent(trapped, "StillOldImage");
            stage.awaitEvent(paused, "RolloutBlocked", "paused");
            stage.awaitEvent(crashing, "RolloutFailed");
            Await.until(
                    "it is written",
                    Seen.within(SOON),
                    () -> stage.state(crashing)
                            .at("/containers/app/failed")
                            .asText()
                            .equals(crash));
            assertThat(one.counted()).hasSize(3);
            Agent next = more.isEmpty() ? null : new Agent(repositories + "-2", repositories, more);
            ends.accept(one);
            Map<String, Integer> before = told(stage);
            try (Agent two = next == null ? new Agent(repositories + "-2", repositories, more) : next) {
                Await.until("it knows the history", Seen.within(SOON), () -> {
                    assertThat(two.recorded(web)).contains("succeeded");
                    assertThat(two.recorded(crashing)).contains("failed");
                    assertThat(two.recorded(trapped)).contains("still old image");
                    return true;
                });
                // Another push is rolled out and reported: everything before it has been reported by then.
                stage.push("dev", "three");
                Await.until(
                        "it tells what is new",
                        Seen.within(SOON),
                        () -> two.log().contains(web + ": rollout succeeded"));
                assertThat(two.log()
                                .lines()
                                .filter(line -> line.contains(": rollout ") || line.contains("still the old image")))
                        .as(two.log())
                        .allMatch(line -> line.contains(web.toString()));
                assertThat(two.counted()).containsExactly("urunner_rollouts_total{outcome=\"succeeded\"} 1.0");
                // The push did not change the paused workload, which is reported in the same words as before.
                before.computeIfPresent(
                        "paused RolloutBlocked paused: the Deployment is paused: resume it with kubectl rollout resume",
                        (event, count) -> count + 1);
                Await.until("told", Seen.within(SOON), () -> {
                    Map<String, Integer> after = told(stage);
                    assertThat(after).containsAllEntriesOf(before);
                    after.keySet().removeAll(before.keySet());
                    assertThat(after.keySet())
                            .as("news is only about the new push")
                            .extracting(event -> event.split(" ")[0] + " " + event.split(" ")[1])
                            .containsExactlyInAnyOrder(
                                    "paused DigestChanged",
                                    "wrong DigestChanged",
                                    "web DigestChanged",
                                    "web RolloutStarted",
                                    "web RolloutSucceeded");
                    return true;
                });
            }
        }
    }

    @AtOnce
    void aRolloutInProgressIsReportedOnceByTheAgentThatActsAtItsEnd() throws Exception {
        Stage stage = stage("under-way");
        WorkloadId id = stage.runningDeployment();
        try (Agent one = new Agent("under-way-1", "under-way", Map.of())) {
            // The second agent has to be there before the pod is: it has a minute to start.
            String second = stage.push("dev", "two", "{\"start\":60}");
            stage.awaitEvent(id, "RolloutStarted");
            one.close();
            try (Agent two = new Agent("under-way-2", "under-way", Map.of())) {
                stage.awaitEvent(id, "RolloutSucceeded", second.substring(0, 19));
                Await.until(
                        "recorded", Seen.within(SOON), () -> two.recorded(id).equals(Optional.of("succeeded")));
                assertThat(two.log()).containsOnlyOnce("rollout succeeded").doesNotContain("rollout started");
                assertThat(two.counted()).containsExactly("urunner_rollouts_total{outcome=\"succeeded\"} 1.0");
                assertThat(told(stage).entrySet())
                        .filteredOn(event -> event.getKey().contains(" Rollout"))
                        .hasSize(2)
                        .allSatisfy(event -> assertThat(event.getValue()).isEqualTo(1));
            }
        }
    }

    @AtOnce
    void unfinishedRolloutsDoNotBlockTheBudgetOrTheCanaryForever() throws Exception {
        // Long ago somebody's rollback was held and then paused, and its tag put back; no history knows about it.
        Stage stage = stage("budget");
        String first = stage.push("dev", "one");
        String other = stage.push("other", "other");
        WorkloadId held = stage.workload(WorkloadKind.DEPLOYMENT, "aaa-held", "other", json -> {});
        WorkloadId web = stage.deployment("web", "dev");
        WorkloadId next = stage.deployment("web-2", "dev");
        stage.awaitRunning(held, other);
        stage.awaitRunning(web, first);
        stage.awaitRunning(next, first);
        String second = TestImage.image(stage.namespace() + "two").digest();
        WorkloadId paused = stage.deployment("aaa-paused", "dev");
        stage.awaitRunning(paused, first);
        // As the agent writes it, for the tag's next digest.
        unfinished(stage, paused, "dev", second, first, "");
        unfinished(
                stage,
                held,
                "other",
                first,
                other,
                ",\"hold\":{\"since\":\"" + AGO + "\",\"by\":\"anna\",\"untilNextPush\":false}");
        try (TestAgent agent = new TestAgent(
                cluster.configuration(),
                WatchScope.cluster(),
                folder.resolve("budget.db"),
                INTERVAL,
                null,
                new Limits(OptionalInt.empty(), OptionalInt.of(1), true, Duration.ofMinutes(15)),
                List.of(),
                registry.host() + "/budget")) {
            agent.start();
            Await.until(
                    "ready", Seen.within(SOON), () -> agent.agent().notReady().isEmpty());
            // After a canary without a result, the next one is slow, so the other one waits for it, and says so.
            assertThat(stage.push("dev", "two", "{\"start\":6}")).isEqualTo(second);
            Await.until("one goes first", Seen.within(SOON), () -> Seen.actedOn(cluster, web, second));
            Await.until("the other one says for whom it waits", Seen.within(SOON), () -> {
                assertThat(reason(agent, next)).contains(web.toString(), "until 20");
                return true;
            });
            stage.awaitRunning(web, second);
            stage.awaitRunning(next, second);
        }
    }

    private static final Instant AGO = Instant.now().minus(Duration.ofMinutes(20));

    private static void unfinished(Stage stage, WorkloadId id, String tag, String acted, String replaced, String hold) {
        String reference = stage.image(tag);
        cluster.edit(id, "{\"spec\":{\"paused\":true}}");
        String state = "{\"containers\":{\"app\":{\"reference\":\"" + reference + "\",\"acted\":\"" + acted
                + "\",\"actedAt\":\"" + AGO + "\",\"replaced\":[\"" + replaced + "\"]}}" + hold + "}";
        ObjectNode patch = (ObjectNode) Cluster.json("{}");
        patch.withObject("/metadata/annotations").put("urunner.io/state", state);
        patch.withObject("/spec/template/metadata/annotations")
                .put("urunner.io/digests", "{\"app\":\"" + reference + "@" + acted + "\"}");
        cluster.edit(id, patch.toString());
    }

    private static String reason(TestAgent agent, WorkloadId id) throws InterruptedException {
        return agent.agent().status().orElseThrow().workloads().stream()
                .filter(workload -> workload.id().equals(id))
                .map(WorkloadStatus::decision)
                .flatMap(Optional::stream)
                .map(decision -> decision.reason())
                .findFirst()
                .orElse("");
    }

    private static ObjectNode container(ObjectNode workload) {
        return (ObjectNode) workload.at("/spec/template/spec/containers/0");
    }
}
