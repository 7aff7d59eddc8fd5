package io.urunner.agent.plan;

import static io.urunner.agent.plan.Given.CHILD2;
import static io.urunner.agent.plan.Given.D0;
import static io.urunner.agent.plan.Given.D1;
import static io.urunner.agent.plan.Given.D2;
import static io.urunner.agent.plan.Given.D3;
import static io.urunner.agent.plan.Given.NOW;
import static io.urunner.agent.plan.Given.REF;
import static io.urunner.kube.testing.TestRolloutStatus.wanted;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.Pod;
import io.urunner.kube.RolloutStatus;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.kube.testing.TestContainerState;
import io.urunner.kube.testing.TestPod;
import io.urunner.kube.testing.TestWorkload;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The product of all inputs of a decision, checked against the invariants. The registry's digest is always D2; D1 is the
 * one before, D0 the one before that, D3 an unknown digest.
 */
@Tag("heavy")
class PlannerProductIT {
    private static final Instant SEEN = NOW.minusSeconds(2);

    private static final List<RolloutStatus> ROLLOUTS = List.of(
            Given.rollout(0),
            Given.rollout(1),
            wanted(1).total(2).available(0).build(),
            wanted(1).observed(false).build());

    private static final List<Optional<String>> ACTED = List.of(
            Optional.empty(), Optional.of(REF + "@" + D1), Optional.of(REF + "@" + D2), Optional.of("other@" + D2));

    private static final List<Optional<ContainerState>> STATES = List.of(
            Optional.empty(),
            Optional.of(state(D1, Optional.empty(), D0)),
            Optional.of(state(D2, Optional.empty(), D1)),
            Optional.of(state(D2, Optional.of(D2), D1)),
            Optional.of(state(D3, Optional.empty(), D2)),
            Optional.of(States.failed(state(D2, Optional.empty(), D1), Optional.of(D2), Optional.of("it crashed"))),
            Optional.of(state(D3, NOW, Optional.empty(), D0)),
            Optional.of(Given.state("registry.example/team/app:dev")));

    private static final List<List<String>> RUNNING = List.of(
            List.of(),
            List.of(""),
            List.of("docker://unreadable"),
            List.of(D2),
            List.of("x@" + CHILD2),
            List.of("docker-pullable://x@" + D1),
            List.of("x@" + D3),
            List.of("x@" + D2, "x@" + D1),
            List.of("x@" + D2, ""));

    private static final List<Answer> ANSWERS = List.of(
            new Answer.NotAsked(),
            new Answer.Failed(Deferral.TAG_NOT_FOUND, "tag not found", NOW),
            Given.resolved(D2),
            Given.first(D2),
            Given.once(D2),
            Given.cameBack(D2),
            new Answer.Resolved(
                    Digest.parse(D2),
                    NOW.minusSeconds(60),
                    SEEN.minusSeconds(1),
                    5,
                    true,
                    Optional.of(NOW.minusSeconds(61))));

    private static final List<Content> CONTENTS = List.of(
            new Content.Unread(),
            new Content.Unavailable("the registry answers 500"),
            new Content.Known(Set.of(D2, CHILD2)));

    private static final List<Optional<String>> REMEMBERED =
            List.of(Optional.empty(), Optional.of(D1), Optional.of(D2));

    private static final Policy ADOPT = Policy.DEFAULT
            .override(Map.of("urunner.io/first-sight", "adopt"), Set.of())
            .policy();

    private static final List<PullAndPolicy> POLICIES = List.of(
            new PullAndPolicy("Always", Policy.DEFAULT),
            new PullAndPolicy("IfNotPresent", Policy.DEFAULT),
            new PullAndPolicy("Always", ADOPT));

    private static final List<Pod> NOISE =
            List.of(pod("x@" + D3, false, false), pod("x@" + D1, true, true), pod("x@" + D2, false, true));

    private record PullAndPolicy(String pull, Policy policy) {}

    private interface Check {
        void of(Inputs inputs, Plan plan);
    }

    private record Inputs(
            RolloutStatus rollout,
            Optional<String> acted,
            Optional<ContainerState> state,
            List<String> running,
            Answer answer,
            Content content,
            Optional<String> remembered,
            String pullPolicy,
            Policy policy) {
        Plan plan() {
            return Planner.plan(facts());
        }

        Facts facts() {
            return facts(workload(List.of()));
        }

        Facts facts(Workload workload) {
            return new Facts(
                    workload,
                    SEEN,
                    new Policy.Reading(policy, List.of()),
                    Map.of("app", new ContainerFacts.Tracked(ImageReference.parse(REF), answer, content, remembered)),
                    Map.of(),
                    Optional.empty(),
                    NOW);
        }

        Workload workload(List<Pod> more) {
            List<Pod> pods = new ArrayList<>(more);
            running.forEach(imageId -> pods.add(pod(imageId, true, false)));
            Map<String, String> own = new HashMap<>();
            state.ifPresent(of -> own.put(
                    Workload.STATE, new WorkloadState(new TreeMap<>(Map.of("app", of)), Optional.empty()).toString()));
            Map<String, String> template = new HashMap<>();
            acted.ifPresent(of ->
                    template.put(Workload.DIGESTS, new DigestsAnnotation(new TreeMap<>(Map.of("app", of))).toString()));
            return TestWorkload.named("shop/Deployment/web")
                    .annotations(own)
                    .templateAnnotations(template)
                    .container("app", REF, pullPolicy)
                    .rollout(rollout)
                    .currentRevision("revision")
                    .pods(pods)
                    .templateManagers(List.of("kubectl"))
                    .build();
        }

        boolean resolved() {
            return answer instanceof Answer.Resolved resolved && resolved.counts();
        }

        /** The answer counts, here as well, and nothing prevents acting on it. */
        boolean counts() {
            return resolved()
                    && wantsPods()
                    && !tookBack()
                    && !overtaken()
                    && (((Answer.Resolved) answer).passes() > 1
                            || state.stream().noneMatch(of -> of.replaced().contains(D2)));
        }

        boolean wantsPods() {
            return rollout.desired() > 0;
        }

        /** We acted on the tag's digest, the template does not say so, and the tag has not had another digest since. */
        boolean tookBack() {
            return state.stream().anyMatch(of -> of.acted().equals(Optional.of(D2)))
                    && !acted.equals(Optional.of(REF + "@" + D2))
                    && !cameBack();
        }

        boolean cameBack() {
            return answer instanceof Answer.Resolved resolved
                    && state.flatMap(ContainerState::actedAt)
                            .filter(at -> resolved.otherSeen().stream().anyMatch(other -> other.isAfter(at)))
                            .isPresent();
        }

        boolean askedBefore(Instant when) {
            return answer instanceof Answer.Resolved resolved
                    && resolved.asked().isBefore(when);
        }

        /** Another digest was acted on after the registry gave this answer. */
        boolean overtaken() {
            return state.stream()
                    .anyMatch(of -> !of.acted().equals(Optional.of(D2))
                            && of.actedAt().stream().anyMatch(this::askedBefore));
        }

        boolean actedForTheReference() {
            return acted.stream().anyMatch(text -> text.startsWith(REF));
        }

        /** Every pod says what it runs, and none runs a digest of the tag. */
        boolean runsTheOldOnly() {
            return !running.isEmpty() && running.stream().allMatch(id -> id.contains(D1) || id.contains(D3));
        }

        boolean runsTheTag() {
            return !running.isEmpty()
                    && running.stream()
                            .allMatch(
                                    id -> id.contains(D2) || (id.contains(CHILD2) && content instanceof Content.Known));
        }
    }

    @Test
    void everyInvariantHoldsForEveryInput() {
        List<Check> checks = List.of(
                PlannerProductIT::everyDecisionHasItsReasonAndARolloutIsForADigestThatCountsAndIsWrittenWithIt,
                PlannerProductIT::afterARolloutTheSameMoveIsNeverRolledOutAgainWhateverThePodsSay,
                PlannerProductIT::terminatingOrOutdatedPodsChangeNothing,
                PlannerProductIT::aRevertedRolloutIsNotRepeated,
                PlannerProductIT::anObservedMoveArrivesWhateverTheRolloutDoes,
                PlannerProductIT::aWorkloadThatRunsTheTagIsLeftAlone,
                PlannerProductIT::aWorkloadThatWantsNoPodsIsUpToDate,
                PlannerProductIT::anOldDigestAtFirstSightIsReplaced,
                PlannerProductIT::aMoveKnownOnlyFromMemoryIsRolledOut,
                PlannerProductIT::anAnswerOlderThanThePodsOrAnActDoesNotContradictThem,
                PlannerProductIT::onlyRunningActedOnOrFirstSeenDigestsAreRemembered,
                PlannerProductIT::theContentIsRequestedOnlyIfItIsUnknownAndSomethingElseRuns,
                PlannerProductIT::withoutTheContentAnUnknownDigestIsNotStale,
                PlannerProductIT::aStateWithoutARolloutIsWrittenOnce);
        forAll(inputs -> {
            Plan plan = inputs.plan();
            checks.forEach(check -> check.of(inputs, plan));
        });
    }

    private static void everyDecisionHasItsReasonAndARolloutIsForADigestThatCountsAndIsWrittenWithIt(
            Inputs inputs, Plan plan) {
        assertThat(plan.decision().reason()).as(inputs::toString).isNotBlank();
        assertThat(plan.verdicts().get(0).words()).as(inputs::toString).isNotBlank();
        if (plan.decision() instanceof Decision.Restart restart) {
            assertThat(inputs.resolved() && inputs.wantsPods())
                    .as(inputs::toString)
                    .isTrue();
            assertThat(restart.patch().digests().digest("app", REF))
                    .as(inputs::toString)
                    .contains(D2);
            assertThat(restart.patch().state().containers().get("app").acted()).contains(D2);
            assertThat(restart.patch().state().containers().get("app").replaced())
                    .doesNotContain(D2);
            assertThat(restart.changes()).hasSize(1);
        }
    }

    private static void afterARolloutTheSameMoveIsNeverRolledOutAgainWhateverThePodsSay(Inputs inputs, Plan plan) {
        if (plan.decision() instanceof Decision.Restart restart) {
            for (RolloutStatus rollout : ROLLOUTS.subList(1, 3)) {
                for (List<String> running : List.of(List.<String>of(), List.of("x@" + D2), inputs.running())) {
                    Inputs after = new Inputs(
                            rollout,
                            Optional.of(REF + "@" + D2),
                            Optional.of(restart.patch().state().containers().get("app")),
                            running,
                            later(inputs.answer()),
                            inputs.content(),
                            inputs.remembered(),
                            inputs.pullPolicy(),
                            inputs.policy());
                    assertThat(after.plan().decision())
                            .as(() -> inputs + " and then " + after)
                            .isNotInstanceOf(Decision.Restart.class);
                }
            }
        }
    }

    private static void terminatingOrOutdatedPodsChangeNothing(Inputs inputs, Plan plan) {
        assertThat(Planner.plan(inputs.facts(inputs.workload(NOISE))))
                .as(inputs::toString)
                .isEqualTo(plan);
    }

    private static void aRevertedRolloutIsNotRepeated(Inputs inputs, Plan plan) {
        if (inputs.tookBack()) {
            assertThat(plan.decision()).as(inputs::toString).isNotInstanceOf(Decision.Restart.class);
        }
    }

    private static void anObservedMoveArrivesWhateverTheRolloutDoes(Inputs inputs, Plan plan) {
        boolean moved = inputs.acted().equals(Optional.of(REF + "@" + D1));
        boolean runsIt = !inputs.running().isEmpty()
                && inputs.running().stream().allMatch(id -> id.isEmpty() || id.contains(D2) || id.contains(CHILD2));
        boolean replacedBefore =
                inputs.state().stream().anyMatch(of -> of.replaced().contains(D2));
        boolean knowsEnough = inputs.content() instanceof Content.Known
                || inputs.running().stream().noneMatch(id -> id.contains(CHILD2) || id.contains(D3));
        if (moved
                && inputs.resolved()
                && inputs.wantsPods()
                && !inputs.tookBack()
                && !inputs.overtaken()
                && !runsIt
                && knowsEnough
                && (inputs.rollout().observed() || inputs.running().stream().anyMatch(id -> id.contains("sha256:")))
                && !(inputs.content() instanceof Content.Unread)
                && !(replacedBefore && ((Answer.Resolved) inputs.answer()).passes() < 2)) {
            assertThat(plan.decision()).as(inputs::toString).isInstanceOf(Decision.Restart.class);
        }
    }

    private static void aWorkloadThatWantsNoPodsIsUpToDate(Inputs inputs, Plan plan) {
        if (!inputs.wantsPods()) {
            assertThat(plan.decision()).as(inputs::toString).isInstanceOf(Decision.UpToDate.class);
            assertThat(plan.remember()).as(inputs::toString).isEmpty();
        }
    }

    private static void anOldDigestAtFirstSightIsReplaced(Inputs inputs, Plan plan) {
        if (!inputs.actedForTheReference()
                && inputs.runsTheOldOnly()
                && inputs.rollout().observed()
                && inputs.counts()
                && !inputs.askedBefore(SEEN)
                && inputs.content() instanceof Content.Known
                && inputs.policy().firstSight() == Policy.FirstSight.RESTART) {
            assertThat(plan.decision()).as(inputs::toString).isInstanceOf(Decision.Restart.class);
        }
    }

    private static void aMoveKnownOnlyFromMemoryIsRolledOut(Inputs inputs, Plan plan) {
        if (!inputs.actedForTheReference()
                && inputs.running().equals(List.of("docker://unreadable"))
                && inputs.rollout().observed()
                && inputs.counts()) {
            Optional<String> remembered =
                    inputs.remembered().or(() -> inputs.state().flatMap(ContainerState::acted));
            assertThat(plan.decision() instanceof Decision.Restart)
                    .as(inputs::toString)
                    .isEqualTo(remembered.isPresent() && !remembered.get().equals(D2));
        }
    }

    private static void anAnswerOlderThanThePodsOrAnActDoesNotContradictThem(Inputs inputs, Plan plan) {
        boolean podsMayBeNewer = inputs.askedBefore(SEEN) && inputs.runsTheOldOnly();
        boolean weSawItMove = inputs.acted().equals(Optional.of(REF + "@" + D1));
        boolean adopted = inputs.policy().firstSight() == Policy.FirstSight.ADOPT && !inputs.actedForTheReference();
        if (inputs.overtaken() || (podsMayBeNewer && !weSawItMove && !adopted)) {
            assertThat(plan.decision()).as(inputs::toString).isNotInstanceOf(Decision.Restart.class);
        }
    }

    private static void onlyRunningActedOnOrFirstSeenDigestsAreRemembered(Inputs inputs, Plan plan) {
        plan.remember().forEach((container, digest) -> {
            assertThat(digest)
                    .as(inputs::toString)
                    .isEqualTo(new Plan.Remembered(ImageReference.parse(REF), Digest.parse(D2)));
            assertThat(plan.decision() instanceof Decision.Restart
                            || inputs.runsTheTag()
                            || inputs.running().equals(List.of("x@" + D2, ""))
                            || inputs.remembered().isEmpty())
                    .as(inputs::toString)
                    .isTrue();
            assertThat(inputs.resolved()).as(inputs::toString).isTrue();
        });
    }

    private static void aWorkloadThatRunsTheTagIsLeftAlone(Inputs inputs, Plan plan) {
        if (!inputs.running().isEmpty() && inputs.running().stream().allMatch(D2::equals)) {
            assertThat(plan.decision()).as(inputs::toString).isNotInstanceOf(Decision.Restart.class);
        }
    }

    private static void theContentIsRequestedOnlyIfItIsUnknownAndSomethingElseRuns(Inputs inputs, Plan plan) {
        List<ImageReference> unread = Planner.of(inputs.facts()).unread();
        if (!unread.isEmpty()) {
            assertThat(unread).containsExactly(ImageReference.parse(REF + "@" + D2));
            assertThat(plan.decision()).as(inputs::toString).isInstanceOf(Decision.Deferred.class);
            assertThat(inputs.content()).as(inputs::toString).isInstanceOf(Content.Unread.class);
            assertThat(inputs.running().stream().allMatch(id -> id.isEmpty() || id.contains(D2)))
                    .as(inputs::toString)
                    .isFalse();
        }
    }

    private static void withoutTheContentAnUnknownDigestIsNotStale(Inputs inputs, Plan plan) {
        if (inputs.content() instanceof Content.Unavailable
                && inputs.running().equals(List.of("x@" + D3))
                && inputs.state().stream().noneMatch(of -> of.acted().equals(Optional.of(D3)))) {
            assertThat(plan.decision()).as(inputs::toString).isNotInstanceOf(Decision.Restart.class);
        }
    }

    private static void aStateWithoutARolloutIsWrittenOnce(Inputs inputs, Plan plan) {
        plan.state().ifPresent(state -> {
            Plan after = new Inputs(
                            inputs.rollout(),
                            inputs.acted(),
                            Optional.of(state.containers().get("app")),
                            inputs.running(),
                            inputs.answer(),
                            inputs.content(),
                            inputs.remembered(),
                            inputs.pullPolicy(),
                            inputs.policy())
                    .plan();
            assertThat(after.state()).as(inputs::toString).isEmpty();
            assertThat(after.decision()).as(inputs::toString).isEqualTo(plan.decision());
        });
    }

    private static void forAll(Consumer<Inputs> check) {
        for (RolloutStatus rollout : ROLLOUTS) {
            for (Optional<String> acted : ACTED) {
                for (Optional<ContainerState> state : STATES) {
                    for (List<String> running : RUNNING) {
                        for (Answer answer : ANSWERS) {
                            for (Content content : CONTENTS) {
                                for (Optional<String> remembered : REMEMBERED) {
                                    for (PullAndPolicy policy : POLICIES) {
                                        check.accept(new Inputs(
                                                rollout,
                                                acted,
                                                state,
                                                running,
                                                answer,
                                                content,
                                                remembered,
                                                policy.pull(),
                                                policy.policy()));
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /** The same answer one pass later: the tag has not moved. */
    private static Answer later(Answer answer) {
        return answer instanceof Answer.Resolved resolved
                ? new Answer.Resolved(
                        resolved.digest(),
                        resolved.since(),
                        NOW.plusSeconds(1),
                        resolved.passes() + 1,
                        true,
                        resolved.otherSeen())
                : answer;
    }

    private static ContainerState state(String acted, Optional<String> rejected, String replaced) {
        return state(acted, NOW.minusSeconds(60), rejected, replaced);
    }

    private static ContainerState state(String acted, Instant at, Optional<String> rejected, String replaced) {
        TestContainerState state =
                TestContainerState.of(REF).acted(acted).at(at).replaced(replaced);
        rejected.ifPresent(digest -> state.rejected(digest, "kubectl"));
        return state.build();
    }

    private static Pod pod(String imageId, boolean current, boolean terminating) {
        return TestPod.named("web")
                .ofCurrentRevision(current)
                .terminating(terminating)
                .containers(new Pod.ContainerStatus("app", imageId, true, 0, Optional.empty()))
                .build();
    }
}
