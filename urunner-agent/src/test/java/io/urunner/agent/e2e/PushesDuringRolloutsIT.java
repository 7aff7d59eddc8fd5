package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertAll;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.PushedTag;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.AuditLog;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.TestImage;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStores;
import io.urunner.store.StoreException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * A tag that moves while its rollouts are in progress, so that pods run other digests than their templates were changed
 * for: every rollout ends, the last digest arrives, and neither the registry nor the API server is asked endlessly.
 */
class PushesDuringRolloutsIT {
    private static final Duration INTERVAL = Duration.ofSeconds(5);
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int FEW = 12;
    private static final int PUSHES = 60;
    private static final String TAG = "latest";
    private static final String OTHER_TAG = "stable";

    /** Pods of the first image terminate slowly: pods that wait for them start two pushes later. */
    private static final String SLOW_TO_STOP = "{\"stop\": 2}";

    @TempDir
    private static Path folder;

    @RegisterExtension
    private static final ClusterScene SCENE = new ClusterScene();

    private static Cluster cluster;
    private static DockerRegistry registry;
    private static TestAgent agent;
    private static DigestStore store;

    @BeforeAll
    static void start() throws Exception {
        cluster = SCENE.cluster();
        registry = SCENE.registry();
        agent = SCENE.closing(new TestAgent(cluster.configuration(), folder.resolve("db"), INTERVAL, registry.host()));
        agent.start();
        store = SCENE.closing(DigestStores.readOnly(DigestStores.sqlite(folder.resolve("db"), "test")));
        Await.until("ready", Seen.within(SOON), () -> agent.agent().notReady().isEmpty());
    }

    @AtOnce
    void ofManyDeployments() throws Exception {
        Scene scene = new Scene("many");
        scene.workloads(WorkloadKind.DEPLOYMENT, 99, TAG);
        scene.movesOnDuringItsRollouts();
    }

    @AtOnce
    void ofStatefulSets() throws Exception {
        Scene scene = new Scene("sets");
        scene.workloads(WorkloadKind.STATEFUL_SET, FEW, TAG);
        scene.movesOnDuringItsRollouts();
    }

    @AtOnce
    void ofDaemonSets() throws Exception {
        Scene scene = new Scene("daemons");
        scene.workloads(WorkloadKind.DAEMON_SET, FEW, TAG);
        scene.movesOnDuringItsRollouts();
    }

    @AtOnce
    void ofAnImageForSeveralPlatforms() throws Exception {
        Scene scene = new Scene("platforms", content -> TestImage.index(content, "amd64", "arm64"));
        scene.workloads(WorkloadKind.DEPLOYMENT, FEW, TAG);
        scene.movesOnDuringItsRollouts();
    }

    @AtOnce
    void ofTwoContainers() throws Exception {
        Scene scene = new Scene("containers");
        scene.push(OTHER_TAG, "another one");
        scene.workloads(WorkloadKind.DEPLOYMENT, FEW, TAG, OTHER_TAG);
        scene.begin();
        scene.push(OTHER_TAG, "another two");
        scene.push(TAG, "two");
        scene.awaitUnderway();
        scene.push(TAG, "three");
        scene.push(OTHER_TAG, "another three");
        scene.comesToRest();
    }

    @AtOnce
    void ofTwoTagsOnOneDigest() throws Exception {
        Scene scene = new Scene("tags");
        scene.push(OTHER_TAG, "one");
        scene.workloads(WorkloadKind.DEPLOYMENT, FEW / 2, TAG);
        scene.workloads(WorkloadKind.STATEFUL_SET, FEW / 2, OTHER_TAG);
        scene.begin();
        scene.push(TAG, "two");
        scene.push(OTHER_TAG, "two");
        scene.awaitUnderway();
        scene.push(TAG, "three");
        scene.push(OTHER_TAG, "three");
        scene.comesToRest();
    }

    @AtOnce
    void everySecondForAMinute() throws Exception {
        Scene scene = new Scene("restless");
        scene.workloads(WorkloadKind.DEPLOYMENT, FEW, TAG);
        scene.begin();
        for (int push = 1; push <= PUSHES; push++) {
            scene.push(TAG, "push " + push);
            Thread.sleep(1000);
        }
        scene.comesToRest();
    }

    @AtOnce
    void everySecondForAMinuteWithAHintForEachPush() throws Exception {
        Scene scene = new Scene("told");
        scene.workloads(WorkloadKind.DEPLOYMENT, FEW, TAG);
        scene.begin();
        for (int push = 1; push <= PUSHES; push++) {
            scene.push(TAG, "push " + push);
            scene.hint();
            Thread.sleep(1000);
        }
        scene.comesToRest();
    }

    @AtOnce
    void backToThePreviousDigest() throws Exception {
        Scene scene = new Scene("back");
        scene.workloads(WorkloadKind.DEPLOYMENT, FEW, TAG);
        scene.begin();
        scene.push(TAG, "two");
        scene.awaitUnderway();
        scene.push(TAG, "one");
        // Pods that start when the tag is back run the digest that our rollout should replace, for no visible reason.
        scene.comesToRest("succeeded", "superseded", "still old image");
    }

    /** Workloads of a namespace and a repository of their own. */
    private static final class Scene {
        private final String repository;
        private final Function<String, TestImage> images;
        private final Stage stage;
        private final Questions questions;
        private final Map<WorkloadId, List<String>> workloads = new LinkedHashMap<>();
        private final Map<String, String> digests = new LinkedHashMap<>();
        private final long mark = cluster.auditLog().map(AuditLog::mark).orElse(0L);

        Scene(String name) {
            this(name, TestImage::image);
        }

        Scene(String name, Function<String, TestImage> images) {
            repository = "moving/" + name;
            this.images = images;
            stage = new Stage(cluster, registry, registry.host(), agent, repository, true);
            questions = new Questions(registry, repository, INTERVAL, 1);
            Cluster.behaviour(image("one").digest(), SLOW_TO_STOP);
            push(TAG, "one");
        }

        private TestImage image(String content) {
            return images.apply(stage.namespace() + " " + content);
        }

        void push(String tag, String content) {
            digests.put(tag, registry.push(repository, tag, image(content)));
        }

        void hint() throws InterruptedException {
            questions.hinted();
            assertThat(agent.agent().hint(List.of(new PushedTag(repository, TAG))))
                    .contains(1);
        }

        /** Workloads with a container for each tag. Every other Deployment stops its pod before the next one starts. */
        void workloads(WorkloadKind kind, int count, String... tags) {
            for (int i = 0; i < count; i++) {
                boolean recreate = kind.equals(WorkloadKind.DEPLOYMENT) && i % 2 == 0;
                WorkloadId id = stage.workload(kind, kind.kind().toLowerCase(Locale.ROOT) + "-" + i, tags[0], json -> {
                    ((ObjectNode) json.at("/spec/template/spec")).put("terminationGracePeriodSeconds", 30);
                    if (recreate) {
                        json.withObject("/spec/strategy").put("type", "Recreate");
                    }
                    if (kind.equals(WorkloadKind.STATEFUL_SET)) {
                        json.withObject("/spec").put("replicas", 2);
                    }
                    for (int further = 1; further < tags.length; further++) {
                        stage.container(json, "containers", "app-" + further, tags[further]);
                    }
                });
                workloads.put(id, List.of(tags));
            }
        }

        void movesOnDuringItsRollouts() throws Exception {
            begin();
            push(TAG, "two");
            awaitUnderway();
            push(TAG, "three");
            comesToRest();
        }

        void begin() throws InterruptedException {
            awaitRunning();
            stage.awaitPasses(2);
        }

        private void awaitRunning() {
            workloads.forEach((id, tags) ->
                    stage.awaitRunning(id, tags.stream().map(digests::get).toArray(String[]::new)));
        }

        /** Waits until the first template is changed for the digest that the first tag has now. */
        void awaitUnderway() {
            String digest = digests.get(TAG);
            Await.until(
                    "a template names " + digest,
                    Seen.within(SOON),
                    () -> workloads.keySet().stream().anyMatch(id -> Seen.actedOn(cluster, id, digest)));
        }

        void comesToRest() {
            comesToRest("succeeded", "superseded");
        }

        void comesToRest(String... outcomes) {
            awaitRunning();
            assertAll(
                    () -> Await.until("every rollout has ended", Seen.within(SOON), () -> {
                        assertEnded();
                        return true;
                    }),
                    () -> {
                        stage.awaitPasses(6);
                        awaitRunning();
                        assertEnded();
                        assertThat(outcomes()).as("outcomes of rollouts").isSubsetOf(outcomes);
                    },
                    questions::assertFew,
                    () -> cluster.auditLog()
                            .ifPresent(log -> Questions.assertFewPerWorkload(log, mark, stage.namespace())));
        }

        /** Every workload was rolled out, and each of its rollouts is recorded with its outcome. */
        private void assertEnded() throws StoreException {
            Set<String> ours =
                    workloads.keySet().stream().map(WorkloadId::toString).collect(Collectors.toSet());
            assertThat(store.unfinishedRollouts().stream()
                            .map(RolloutRecord::workload)
                            .filter(ours::contains))
                    .as("workloads with a rollout that has not ended")
                    .isEmpty();
            for (String id : ours) {
                assertThat(store.rollouts(id, 1))
                        .as("the last rollout of %s", id)
                        .isNotEmpty();
            }
        }

        private Set<String> outcomes() throws StoreException {
            Set<String> outcomes = new TreeSet<>();
            for (WorkloadId id : workloads.keySet()) {
                store.rollouts(id.toString(), 2 * PUSHES)
                        .forEach(rollout -> outcomes.add(rollout.outcome().orElse("none")));
            }
            return outcomes;
        }
    }
}
