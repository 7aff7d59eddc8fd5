package io.urunner.agent.plan;

import static io.urunner.kube.testing.TestRolloutStatus.wanted;

import io.urunner.kube.Container;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.Pod;
import io.urunner.kube.RolloutStatus;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.kube.testing.TestContainerState;
import io.urunner.kube.testing.TestRolloutStatus;
import io.urunner.kube.testing.TestWorkload;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** Builds the facts of one workload for tests: by default, one healthy Deployment with one container. */
final class Given {
    static final String REF = "registry.example/team/app:latest";
    static final String SIDECAR = "registry.example/team/proxy:latest";
    static final Instant NOW = Instant.parse("2030-01-07T12:00:00Z");

    static final String D0 = digest('0');
    static final String D1 = digest('1');
    static final String D2 = digest('2');
    static final String D3 = digest('3');
    static final String CHILD2 = digest('c');
    static final String CONFIG2 = digest('f');

    private WorkloadId id = new WorkloadId("shop", WorkloadKind.DEPLOYMENT, "web");
    private RolloutStatus rollout = rollout(1);
    private final Map<String, Container> containers = new LinkedHashMap<>();
    private final Map<String, ContainerFacts> facts = new HashMap<>();
    private final Map<String, String> acted = new TreeMap<>();
    private final Map<String, ContainerState> states = new TreeMap<>();
    private final Map<String, String> annotations = new HashMap<>();
    private final List<Pod> pods = new ArrayList<>();
    private final Map<ImageDigest, Quarantine> quarantined = new HashMap<>();
    private Optional<WorkloadState.Hold> hold = Optional.empty();
    private Optional<String> missingPermission = Optional.empty();
    private List<String> managers = List.of("kubectl-rollout");
    private Policy defaults = Policy.DEFAULT;
    private Instant seen = NOW.minusSeconds(2);

    private int restarts;

    private Given() {
        container("app", REF, "Always");
    }

    static Given workload() {
        return new Given();
    }

    static String digest(char digit) {
        return "sha256:" + String.valueOf(digit).repeat(64);
    }

    static RolloutStatus rollout(int pods) {
        return wanted(pods).build();
    }

    static Answer resolved(String digest) {
        return new Answer.Resolved(
                Digest.parse(digest),
                NOW.minusSeconds(60),
                NOW.minusSeconds(1),
                5,
                true,
                Optional.of(NOW.minusSeconds(61)));
    }

    /** The first answer after the history was lost. */
    static Answer first(String digest) {
        return new Answer.Resolved(Digest.parse(digest), NOW, NOW, 1, true, Optional.empty());
    }

    /** A digest that the tag had before, seen once. */
    static Answer once(String digest) {
        return new Answer.Resolved(Digest.parse(digest), NOW, NOW, 1, false, Optional.of(NOW.minusSeconds(5)));
    }

    /** A digest that the tag had before, seen twice. */
    static Answer cameBack(String digest) {
        return new Answer.Resolved(
                Digest.parse(digest),
                NOW.minusSeconds(9),
                NOW.minusSeconds(1),
                2,
                true,
                Optional.of(NOW.minusSeconds(10)));
    }

    static ContainerState state(String reference) {
        return States.empty(reference);
    }

    Given container(String name, String image, String pullPolicy) {
        containers.put(name, new Container(name, image, pullPolicy, false));
        if (isReference(image)) {
            facts.putIfAbsent(
                    name,
                    new ContainerFacts.Tracked(
                            ImageReference.parse(image),
                            new Answer.NotAsked(),
                            new Content.Unread(),
                            Optional.empty()));
        }
        return this;
    }

    private static boolean isReference(String image) {
        try {
            ImageReference.parse(image);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** The registry's answer for the container {@code app}. */
    Given tagIs(String digest) {
        return answer("app", resolved(digest));
    }

    Given answer(String container, Answer answer) {
        return tracked(
                container, old -> new ContainerFacts.Tracked(old.reference(), answer, old.content(), old.remembered()));
    }

    Given reference(String container, String reference) {
        return tracked(
                container,
                old -> new ContainerFacts.Tracked(
                        ImageReference.parse(reference), old.answer(), old.content(), old.remembered()));
    }

    Given content(String... digests) {
        return content("app", new Content.Known(Set.of(digests)));
    }

    Given content(String container, Content content) {
        return tracked(
                container, old -> new ContainerFacts.Tracked(old.reference(), old.answer(), content, old.remembered()));
    }

    Given remembered(String digest) {
        return tracked(
                "app",
                old -> new ContainerFacts.Tracked(old.reference(), old.answer(), old.content(), Optional.of(digest)));
    }

    Given untracked(String container, ContainerFacts.Why why) {
        facts.put(container, new ContainerFacts.Untracked(why, why.name()));
        return this;
    }

    private Given tracked(String container, UnaryOperator<ContainerFacts.Tracked> change) {
        facts.computeIfPresent(container, (name, known) -> change.apply((ContainerFacts.Tracked) known));
        return this;
    }

    /** One ready pod of the current revision for each image id of the container {@code app}. */
    Given runs(String... imageIds) {
        for (String imageId : imageIds) {
            newPod(imageId);
        }
        return rollout(rollout(imageIds.length));
    }

    /** A pod of the current revision, which runs this. */
    Given newPod(String imageId) {
        return newPod(Map.of("app", imageId));
    }

    Given newPod(Map<String, String> imageIds) {
        return pod(true, false, "Running", imageIds, Optional.empty());
    }

    /** A pod of the current revision, and what prevents it from running. */
    Given newPod(String imageId, String trouble) {
        return pod(true, false, "Running", Map.of("app", imageId), Optional.of(trouble));
    }

    Given oldPod(String imageId) {
        return pod(false, false, "Running", Map.of("app", imageId), Optional.empty());
    }

    Given oldPod(String imageId, String trouble) {
        return pod(false, false, "Running", Map.of("app", imageId), Optional.of(trouble));
    }

    Given pod(
            boolean current,
            boolean terminating,
            String phase,
            Map<String, String> imageIds,
            Optional<String> trouble) {
        List<Pod.ContainerStatus> statuses = imageIds.entrySet().stream()
                .map(entry -> new Pod.ContainerStatus(
                        entry.getKey(), entry.getValue(), !entry.getValue().isEmpty(), restarts, trouble))
                .toList();
        String name = "web-" + pods.size();
        pods.add(new Pod(name, name, current, terminating, phase, true, Optional.empty(), statuses));
        return this;
    }

    /** How often the containers of the following pods were restarted. */
    Given restarts(int times) {
        restarts = times;
        return this;
    }

    Given unschedulablePod() {
        pods.add(new Pod("stuck", "stuck", true, false, "Pending", false, Optional.of("no node is free"), List.of()));
        return this;
    }

    /** The template says that we acted for this digest. */
    Given actedOn(String digest) {
        return actedOn("app", REF, digest);
    }

    Given actedOn(String container, String reference, String digest) {
        acted.put(container, reference + "@" + digest);
        return this;
    }

    /** The workload says that we acted for this digest, one minute ago, and what it replaced. */
    Given stateActed(String digest, String... replaced) {
        return state(
                "app",
                TestContainerState.of(REF)
                        .acted(digest)
                        .at(NOW.minusSeconds(60))
                        .replaced(replaced));
    }

    Given state(String container, TestContainerState state) {
        return state(container, state.build());
    }

    Given state(String container, ContainerState state) {
        states.put(container, state);
        return this;
    }

    Given hold(boolean untilNextPush) {
        hold = Optional.of(new WorkloadState.Hold(NOW.minusSeconds(600), "anna", untilNextPush));
        return this;
    }

    Given rollout(TestRolloutStatus status) {
        return rollout(status.build());
    }

    Given rollout(RolloutStatus status) {
        rollout = status;
        return this;
    }

    Given notComplete() {
        return rollout(wanted(1).total(2).available(0));
    }

    /** The pods exist, but are not ready. */
    Given notReady() {
        pods.replaceAll(pod -> new Pod(
                pod.name(),
                pod.uid(),
                pod.counts(),
                pod.terminating(),
                pod.phase(),
                false,
                pod.unschedulable(),
                pod.containers()));
        return this;
    }

    Given kind(WorkloadKind kind) {
        id = new WorkloadId(id.namespace(), kind, id.name());
        return this;
    }

    Given named(String namespace, String name) {
        id = new WorkloadId(namespace, id.kind(), name);
        return this;
    }

    Given annotation(String name, String value) {
        annotations.put("urunner.io/" + name, value);
        return this;
    }

    Given defaults(Policy policy) {
        defaults = policy;
        return this;
    }

    Given quarantined(String digest, String where) {
        return quarantined(REF, digest, where);
    }

    Given quarantined(String reference, String digest, String where) {
        quarantined.put(
                new ImageDigest(reference, digest), new Quarantine(WorkloadId.parse(where), "CrashLoopBackOff"));
        return this;
    }

    Given missingPermission(String words) {
        missingPermission = Optional.of(words);
        return this;
    }

    Given changedBy(String... newestFirst) {
        managers = List.of(newestFirst);
        return this;
    }

    Given podsSeenAfterTheAnswer() {
        seen = NOW;
        return this;
    }

    Workload build() {
        Map<String, String> own = new HashMap<>(annotations);
        if (!states.isEmpty() || hold.isPresent()) {
            own.put(Workload.STATE, new WorkloadState(new TreeMap<>(states), hold).toString());
        }
        Map<String, String> template = acted.isEmpty()
                ? Map.of()
                : Map.of(Workload.DIGESTS, new DigestsAnnotation(new TreeMap<>(acted)).toString());
        return TestWorkload.of(id)
                .annotations(own)
                .templateAnnotations(template)
                .containers(List.copyOf(containers.values()))
                .rollout(rollout)
                .currentRevision("revision")
                .pods(pods)
                .templateManagers(managers)
                .build();
    }

    Facts facts() {
        return new Facts(
                build(),
                seen,
                defaults.override(annotations, containers.keySet()),
                facts,
                quarantined,
                missingPermission,
                NOW);
    }

    Plan plan() {
        return Planner.plan(facts());
    }

    static Duration minutes(int minutes) {
        return Duration.ofMinutes(minutes);
    }
}
