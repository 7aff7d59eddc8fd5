package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** All possible outcomes of a rollout, on a cluster: all at once, each in a namespace of its own. */
class OutcomesIT {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofSeconds(90);
    private static final Stage.Outcomes OUTCOMES = new Stage.Outcomes();
    private static final Set<String> NOT_PULLED_BY_NODES = ConcurrentHashMap.newKeySet();
    private static final AtomicInteger NUMBER = new AtomicInteger();

    @TempDir
    private static Path folder;

    @RegisterExtension
    private static final ClusterScene SCENE = new ClusterScene();

    private static Cluster cluster;
    private static DockerRegistry registry;
    private static FaultProxy front;
    private static FaultProxy api;
    private static TestAgent agent;
    private static TestAgent impatient;

    @BeforeAll
    static void start() throws Exception {
        cluster = SCENE.cluster();
        registry = SCENE.registry();
        front = SCENE.closing(FaultProxy.of(registry));
        front.refuse(request ->
                String.valueOf(request.getHeaders().get("User-Agent")).startsWith("simulated-node")
                        && NOT_PULLED_BY_NODES.stream().anyMatch(request.getTarget()::contains));
        api = SCENE.closing(FaultProxy.of(cluster));
        KubeConfiguration through = KubeConfiguration.kubeconfig(api.kubeconfig(cluster.kubeconfig(), folder));
        agent = SCENE.closing(agent(through, "db", Limits.NONE, registry.host() + "/patient", front.host()));
        Limits soonOver = new Limits(OptionalInt.empty(), OptionalInt.empty(), false, Duration.ofSeconds(8));
        impatient = SCENE.closing(agent(cluster.configuration(), "db2", soonOver, registry.host() + "/impatient"));
        Await.until(
                "ready",
                Seen.within(SOON),
                () -> agent.agent().notReady().isEmpty()
                        && impatient.agent().notReady().isEmpty());
    }

    private static TestAgent agent(KubeConfiguration to, String database, Limits limits, String... registries) {
        TestAgent started = new TestAgent(
                to,
                WatchScope.cluster(),
                folder.resolve(database),
                INTERVAL,
                null,
                limits,
                List.of(OUTCOMES),
                registries);
        started.start();
        return started;
    }

    private static Stage stage() {
        return stage("patient", agent, true);
    }

    private static Stage stage(String prefix, TestAgent who, boolean enabled) {
        String repository = prefix + "/app-" + NUMBER.incrementAndGet();
        return new Stage(cluster, registry, registry.host(), who, repository, enabled);
    }

    @AtOnce
    void aPushIsRolledOutAndReported() throws Exception {
        Stage stage = stage();
        WorkloadId id = stage.runningDeployment();
        String second = stage.push("dev", "two");
        stage.awaitRunning(id, second);
        stage.awaitEvent(id, "RolloutStarted", second.substring(0, 19));
        stage.awaitEvent(id, "RolloutSucceeded", second.substring(0, 19));
        stage.staysChanged(id, 1);
    }

    @AtOnce
    void everyKindOfWorkloadIsRolledOutOnce() throws Exception {
        Stage stage = stage();
        String first = stage.push("dev", "one");
        List<WorkloadId> ids = List.of(
                stage.workload(
                        WorkloadKind.STATEFUL_SET,
                        "set",
                        "dev",
                        json -> json.withObject("/spec").put("replicas", 2)),
                stage.workload(WorkloadKind.DAEMON_SET, "each", "dev", json -> {}));
        ids.forEach(id -> stage.awaitRunning(id, first));
        String second = stage.push("dev", "two");
        for (WorkloadId id : ids) {
            stage.awaitRunning(id, second);
            stage.awaitEvent(id, "RolloutSucceeded");
            stage.staysChanged(id, 1);
        }
    }

    @AtOnce
    void anImageThatCannotBePulledFailsWithoutQuarantineAndTheNextPushArrives() throws Exception {
        String repository = "patient/app-" + NUMBER.incrementAndGet();
        Stage stage = new Stage(cluster, registry, front.host(), agent, repository, true);
        WorkloadId id = stage.runningDeployment();
        NOT_PULLED_BY_NODES.add(repository);
        stage.push("dev", "two");
        stage.awaitEvent(id, "RolloutFailed", "ImagePull");
        assertThat(stage.state(id).at("/containers/app/failed").isMissingNode()).isTrue();
        String third = stage.push("dev", "three");
        Await.until("the next push is acted on", Seen.within(SOON), () -> Seen.actedOn(cluster, id, third));
        // Not sooner: the existing pods would pull it by themselves, and nothing would be left to roll out.
        NOT_PULLED_BY_NODES.remove(repository);
        stage.awaitRunning(id, third);
        stage.awaitEvent(id, "RolloutSucceeded", third.substring(0, 19));
        // Two rollouts, and a note of the failure on the workload in between.
        stage.staysChanged(id, 3);
    }

    @AtOnce
    void anImageThatCrashesIsQuarantinedForTheOthersUntilTheTagMoves() throws Exception {
        Stage stage = stage();
        Quarantined seen = quarantine(stage);
        String third = stage.push("dev", "three");
        stage.awaitRunning(seen.crashing(), third);
        stage.awaitRunning(seen.other(), third);
    }

    @AtOnce
    void liftingAQuarantineRollsTheDigestOutToTheOthers() throws Exception {
        Stage stage = stage();
        Quarantined seen = quarantine(stage);
        WorkloadId id = seen.crashing();
        Map<String, String> settings =
                AgentProcess.settings(cluster, folder.resolve("db"), 1, registry.host() + "/patient");
        try (AgentProcess resume =
                AgentProcess.start(folder.resolve("resume.log"), settings, "resume", id.toString(), "--force")) {
            assertThat(resume.exitCode()).as(resume.log()).isZero();
            assertThat(resume.log())
                    .contains("no longer quarantined", seen.digest().substring(0, 19));
        }
        stage.awaitActed(seen.other(), seen.digest());
        assertThat(stage.state(id).at("/containers/app/failed").isMissingNode()).isTrue();
    }

    private record Quarantined(WorkloadId crashing, WorkloadId other, String digest) {}

    /** A digest crashes at one workload and is withheld from another. */
    private static Quarantined quarantine(Stage stage) {
        String first = stage.push("dev", "one");
        WorkloadId crashing = stage.deployment("crashing", "dev");
        WorkloadId other = stage.deployment("other", "dev");
        stage.awaitRunning(crashing, first);
        stage.awaitRunning(other, first);
        cluster.edit(other, "{\"spec\":{\"paused\":true}}");
        String second = stage.push("dev", "two", "\"crash\"");
        stage.awaitEvent(other, "RolloutBlocked", "paused");
        stage.awaitEvent(crashing, "RolloutFailed", "CrashLoopBackOff");
        // It is reported before it is written, and only the written failure withholds it from the other.
        Await.until(
                "quarantined",
                Seen.within(SOON),
                () -> stage.state(crashing)
                        .at("/containers/app/failed")
                        .asText()
                        .equals(second));
        cluster.edit(other, "{\"spec\":{\"paused\":null}}");
        stage.awaitEvent(other, "RolloutBlocked", "quarantined", "urunner resume");
        assertThat(Seen.actedOn(cluster, other, second)).isFalse();
        return new Quarantined(crashing, other, second);
    }

    @AtOnce
    void podsThatNeverBecomeReadyFailAtTheProgressDeadline() {
        Stage stage = stage();
        String first = stage.push("dev", "one");
        WorkloadId id = stage.workload(
                WorkloadKind.DEPLOYMENT,
                "web",
                "dev",
                json -> json.withObject("/spec").put("progressDeadlineSeconds", 5));
        stage.awaitRunning(id, first);
        stage.push("dev", "two", "\"never-ready\"");
        stage.awaitEvent(id, "RolloutFailed", "does not become ready");
    }

    @AtOnce
    void aRolloutThatDoesNotEndTimesOut() {
        Stage stage = stage("impatient", impatient, true);
        String first = stage.push("dev", "one");
        WorkloadId id = stage.workload(WorkloadKind.STATEFUL_SET, "set", "dev", json -> {});
        stage.awaitRunning(id, first);
        stage.push("dev", "two", "\"never-ready\"");
        stage.awaitEvent(id, "RolloutTimedOut", "waited for");
    }

    @AtOnce
    void aPushInTheMiddleOfARolloutSupersedesIt() throws Exception {
        Stage stage = stage();
        WorkloadId id = stage.runningDeployment();
        String second = stage.push("dev", "two", "{\"start\":15}");
        stage.awaitUnderway(id, second);
        String third = stage.push("dev", "three");
        stage.awaitRunning(id, third);
        stage.staysChanged(id, 2);
        assertThat(OUTCOMES.of(id)).hasSize(2);
        assertThat(OUTCOMES.of(id).get(0)).startsWith("superseded");
        assertThat(OUTCOMES.of(id).get(1)).startsWith("succeeded");
    }

    @AtOnce
    void thePitfallOfIfNotPresentIsExplainedAndPinningAndSkippingAvoidIt() throws Exception {
        Stage stage = stage();
        String first = stage.push("dev", "one");
        WorkloadId trapped = ifNotPresent(stage, "trapped", "restart");
        WorkloadId pinned = ifNotPresent(stage, "pinned", "pin");
        WorkloadId skipped = ifNotPresent(stage, "skipped", "skip");
        for (WorkloadId id : List.of(trapped, pinned, skipped)) {
            stage.awaitRunning(id, first);
        }
        String second = stage.push("dev", "two");
        stage.awaitEvent(
                trapped, "StillOldImage", "IfNotPresent", "imagePullPolicy: Always", "urunner.io/if-not-always: pin");
        stage.awaitRunning(pinned, second);
        assertThat(cluster.read(pinned)
                        .at("/spec/template/spec/containers/0/image")
                        .asText())
                .isEqualTo(stage.image("dev") + "@" + second);
        stage.staysChanged(trapped, 1);
        stage.awaitRunning(trapped, first);
        stage.staysChanged(pinned, 1);
        stage.staysChanged(skipped, 0);
        String third = stage.push("dev", "three");
        stage.awaitRunning(pinned, third);
    }

    private static WorkloadId ifNotPresent(Stage stage, String name, String policy) {
        return stage.workload(WorkloadKind.DEPLOYMENT, name, "dev", json -> {
            json.withObject("/metadata/annotations").put("urunner.io/if-not-always", policy);
            ((ObjectNode) json.at("/spec/template/spec/containers/0")).put("imagePullPolicy", "IfNotPresent");
        });
    }

    @AtOnce
    void initContainersAndSecondContainersAreFollowed() throws Exception {
        Stage stage = stage();
        stage.push("init", "init one");
        String app = stage.push("app", "app one");
        String side = stage.push("side", "side one");
        WorkloadId id = stage.workload(WorkloadKind.DEPLOYMENT, "web", "app", json -> {
            stage.container(json, "initContainers", "init", "init");
            stage.container(json, "containers", "side", "side");
        });
        stage.awaitRunning(id, app, side);
        String sideNow = stage.push("side", "side two");
        stage.awaitRunning(id, app, sideNow);
        stage.staysChanged(id, 1);
        String initNow = stage.push("init", "init two");
        stage.awaitActed(id, initNow);
        stage.awaitRunning(id, app, sideNow);
        stage.staysChanged(id, 2);
        assertThat(cluster.pods(stage.namespace()))
                .extracting(
                        pod -> pod.at("/status/initContainerStatuses/0/imageID").asText())
                .allMatch(image -> image.endsWith(initNow));
        assertThat(Seen.digests(cluster.read(id))).contains(app, sideNow, initNow);
    }

    @AtOnce
    void twoTagsOfOneRepositoryMoveIndependently() throws Exception {
        Stage stage = stage();
        String one = stage.push("one", "one");
        String two = stage.push("two", "two");
        WorkloadId both = stage.workload(
                WorkloadKind.DEPLOYMENT, "both", "one", json -> stage.container(json, "containers", "second", "two"));
        WorkloadId onlyOne = stage.deployment("only-one", "one");
        stage.awaitRunning(both, one, two);
        stage.awaitRunning(onlyOne, one);
        String twoNow = stage.push("two", "two now");
        stage.awaitRunning(both, one, twoNow);
        stage.staysChanged(both, 1);
        assertThat(stage.changes(onlyOne)).isZero();
        // Both tags have the same digest.
        String oneNow = stage.push("one", "two now");
        assertThat(oneNow).isEqualTo(twoNow);
        stage.awaitRunning(onlyOne, oneNow);
        stage.awaitRunning(both, oneNow, twoNow);
        stage.staysChanged(both, 2);
    }

    @AtOnce
    void aWorkloadScaledToZeroIsUpToDateAndPullsWhenItIsScaledUp() throws Exception {
        Stage stage = stage();
        stage.push("dev", "one");
        WorkloadId id = stage.workload(
                WorkloadKind.DEPLOYMENT,
                "web",
                "dev",
                json -> json.withObject("/spec").put("replicas", 0));
        stage.awaitPasses(2);
        String second = stage.push("dev", "two");
        stage.staysChanged(id, 0);
        cluster.edit(id, "{\"spec\":{\"replicas\":1}}");
        stage.awaitRunning(id, second);
        stage.staysChanged(id, 1);
    }

    @AtOnce
    void aPausedWorkloadIsBlockedUntilItIsResumed() throws Exception {
        Stage stage = stage();
        WorkloadId id = stage.runningDeployment();
        cluster.edit(id, "{\"spec\":{\"paused\":true}}");
        String second = stage.push("dev", "two");
        stage.awaitEvent(id, "RolloutBlocked", "paused", "kubectl rollout resume");
        stage.staysChanged(id, 1);
        cluster.edit(id, "{\"spec\":{\"paused\":null}}");
        stage.awaitRunning(id, second);
        stage.staysChanged(id, 3);
    }

    @AtOnce
    void withOnDeleteAWorkloadIsBlockedUntilSomebodyDeletesThePods() throws Exception {
        Stage stage = stage();
        String first = stage.push("dev", "one");
        WorkloadId id = stage.workload(
                WorkloadKind.STATEFUL_SET,
                "set",
                "dev",
                json -> json.withObject("/spec/updateStrategy").put("type", "OnDelete"));
        stage.awaitRunning(id, first);
        String second = stage.push("dev", "two");
        stage.awaitEvent(id, "RolloutBlocked", "OnDelete");
        cluster.delete("/api/v1/namespaces/" + stage.namespace() + "/pods/set-0");
        stage.awaitRunning(id, second);
        stage.staysChanged(id, 0);
    }

    @AtOnce
    void aDeploymentThatIsEditedDuringThePatchIsReadAndPlannedAgain() throws Exception {
        Stage stage = stage();
        String first = stage.push("dev", "one");
        WorkloadId id = stage.deployment("edited", "dev");
        stage.awaitRunning(id, first);
        AtomicInteger patches = new AtomicInteger();
        api.before(request -> {
            if (request.getMethod().equals("PATCH")
                    && request.getTarget().startsWith(Cluster.path(id) + "?")
                    && patches.incrementAndGet() == 1) {
                cluster.edit(id, "{\"spec\":{\"revisionHistoryLimit\":7}}");
            }
        });
        String second = stage.push("dev", "two");
        stage.awaitRunning(id, second);
        stage.staysChanged(id, 2);
        assertThat(patches.get()).as("refused with 409, and planned again").isGreaterThanOrEqualTo(2);
        assertThat(cluster.read(id).at("/spec/revisionHistoryLimit").asInt()).isEqualTo(7);
    }

    @AtOnce
    void aDeploymentThatIsDeletedDuringARolloutIsForgottenAndANewOneOfTheSameNameIsNew() throws Exception {
        Stage stage = stage();
        WorkloadId id = stage.runningDeployment();
        String second = stage.push("dev", "two", "{\"start\":15}");
        stage.awaitUnderway(id, second);
        cluster.delete(id);
        Await.until("reported", Seen.within(SOON), () -> OUTCOMES.of(id).size() == 1);
        assertThat(OUTCOMES.of(id).get(0)).startsWith("superseded").contains("deleted");
        String third = stage.push("dev", "three");
        stage.deployment("web", "dev");
        stage.awaitRunning(id, third);
        stage.staysChanged(id, 0);
    }

    @AtOnce
    void aNamespaceThatIsDeletedDuringARolloutIsForgotten() throws Exception {
        Stage stage = stage();
        WorkloadId id = stage.runningDeployment();
        String second = stage.push("dev", "two", "{\"start\":15,\"stop\":3}");
        stage.awaitUnderway(id, second);
        cluster.delete("/api/v1/namespaces/" + stage.namespace());
        Await.until(
                "forgotten",
                Seen.within(SOON),
                () -> !agent.follows(id) && OUTCOMES.of(id).size() == 1);
        assertThat(agent.agent().status().orElseThrow().problems())
                .noneMatch(problem -> problem.namespace().equals(Optional.of(stage.namespace())));
    }

    @AtOnce
    void anUndoDuringARolloutIsNotFoughtAndTheNextPushArrives() throws Exception {
        Stage stage = stage();
        WorkloadId id = stage.runningDeployment();
        String second = stage.push("dev", "two");
        stage.awaitRunning(id, second);
        stage.awaitEvent(id, "RolloutSucceeded", second.substring(0, 19));
        String third = stage.push("dev", "three", "{\"start\":15}");
        stage.awaitUnderway(id, third);
        undo(cluster, id, 2);
        stage.awaitEvent(id, "RolloutBlocked", "kubectl-rollout", "reverted");
        stage.awaitPasses(3);
        assertThat(Seen.revision(cluster, id)).isEqualTo(4);
        assertThat(OUTCOMES.of(id).get(1)).startsWith("superseded");
        String fourth = stage.push("dev", "four");
        stage.awaitRunning(id, fourth);
        stage.awaitPasses(3);
        assertThat(Seen.revision(cluster, id)).isEqualTo(5);
    }

    /** An undo that only removes our annotations sets no field, so Kubernetes records no manager. */
    @AtOnce
    void anUndoOfTheFirstRolloutIsNotFoughtAndNobodyIsNamedWrongly() throws Exception {
        Stage stage = stage();
        WorkloadId id = stage.runningDeployment();
        // Managers are recorded with whole seconds: the Deployment's creator must not seem to come after our act.
        stage.awaitPasses(2);
        String second = stage.push("dev", "two", "{\"start\":15}");
        stage.awaitUnderway(id, second);
        undo(cluster, id, 1);
        stage.awaitEvent(id, "RolloutBlocked", "reverted by an unknown field manager");
        stage.awaitPasses(3);
        assertThat(Seen.revision(cluster, id)).isEqualTo(3);
    }

    /**
     * Does what {@code kubectl rollout undo} does: replaces template and annotations with those of the older
     * ReplicaSet.
     */
    static void undo(Cluster cluster, WorkloadId id, int revision) throws Exception {
        String number = "deployment.kubernetes.io/revision";
        ArrayNode patch = (ArrayNode) Cluster.json("[]");
        for (JsonNode replicaSet : cluster.replicaSets(id.namespace())) {
            if (replicaSet.at("/metadata/annotations").path(number).asText().equals(Integer.toString(revision))) {
                ObjectNode annotations = replicaSet.at("/metadata/annotations").deepCopy();
                annotations.retain("urunner.io/state");
                annotations.set(
                        number, cluster.read(id).at("/metadata/annotations").path(number));
                ObjectNode template = replicaSet.at("/spec/template").deepCopy();
                ((ObjectNode) template.at("/metadata/labels")).remove("pod-template-hash");
                replace(patch, "/spec/template", template);
                replace(patch, "/metadata/annotations", annotations);
            }
        }
        assertThat(cluster.send(
                                "PATCH",
                                Cluster.path(id) + "?fieldManager=kubectl-rollout",
                                "application/json-patch+json",
                                patch)
                        .status())
                .isEqualTo(200);
    }

    private static void replace(ArrayNode patch, String path, JsonNode value) {
        patch.addObject().put("op", "replace").put("path", path).set("value", value);
    }

    @AtOnce
    void anotherTagWithTheSameDigestCausesNoRolloutOfOurs() throws Exception {
        Stage stage = stage();
        String first = stage.push("dev", "one");
        stage.push("prod", "one");
        WorkloadId id = stage.deployment("web", "dev");
        stage.awaitRunning(id, first);
        stage.awaitPasses(2);
        cluster.edit(
                id,
                "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"app\",\"imagePullPolicy\":\"Always\",\"image\":\""
                        + stage.image("prod") + "\"}]}}}}");
        stage.awaitRunning(id, first);
        stage.staysChanged(id, 1);
        stage.push("dev", "dev two");
        stage.staysChanged(id, 1);
        String prod = stage.push("prod", "two");
        stage.awaitRunning(id, prod);
        stage.staysChanged(id, 2);
    }

    @AtOnce
    void aTagThatMovesAndComesBackIsFollowed() throws Exception {
        Stage stage = stage();
        String first = stage.push("dev", "one");
        WorkloadId id = stage.deployment("web", "dev");
        stage.awaitRunning(id, first);
        String second = stage.push("dev", "two");
        stage.awaitRunning(id, second);
        assertThat(stage.push("dev", "one")).isEqualTo(first);
        stage.awaitRunning(id, first);
        stage.staysChanged(id, 2);
    }

    @AtOnce
    void podsThatTerminateSlowlyAreNoEvidence() throws Exception {
        Stage stage = stage();
        String first = stage.push("dev", "one", "{\"stop\":6}");
        WorkloadId id = stage.deployment("web", "dev");
        stage.awaitRunning(id, first);
        String second = stage.push("dev", "two", "{\"start\":2}");
        stage.awaitEvent(id, "RolloutSucceeded", second.substring(0, 19));
        stage.awaitRunning(id, second);
        stage.staysChanged(id, 1);
    }

    @AtOnce
    void aLabelTakesEffect() throws Exception {
        Stage stage = stage("patient", agent, false);
        WorkloadId id = stage.runningDeployment();
        cluster.labelNamespace(stage.namespace(), "enable");
        Await.until("it is watched", Seen.within(SOON), () -> agent.follows(id));
        String second = stage.push("dev", "two");
        stage.awaitRunning(id, second);
        cluster.labelNamespace(stage.namespace(), null);
        Await.until("it is not watched", Seen.within(SOON), () -> !agent.follows(id));
        stage.push("dev", "three");
        stage.staysChanged(id, 1);
    }
}
