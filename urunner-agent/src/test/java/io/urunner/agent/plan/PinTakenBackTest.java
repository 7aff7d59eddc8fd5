package io.urunner.agent.plan;

import static io.urunner.agent.plan.Given.D1;
import static io.urunner.agent.plan.Given.D2;
import static io.urunner.agent.plan.Given.D3;
import static io.urunner.agent.plan.Given.NOW;
import static io.urunner.agent.plan.Given.REF;
import static io.urunner.agent.plan.Given.SIDECAR;
import static io.urunner.agent.plan.Given.resolved;
import static io.urunner.agent.plan.Given.workload;
import static io.urunner.kube.testing.TestRolloutStatus.wanted;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.Rollout;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.RolloutProgress.Cause;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.kube.testing.TestContainerState;
import io.urunner.registry.ImageReference;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Containers that are pinned to a digest because their nodes do not pull again, while somebody puts the tag back. */
class PinTakenBackTest {
    private static final String ARGO = "argocd-controller";

    @Test
    void theRejectionNamesTheManagerAndAdvisesNothingThatIsAlreadySet() {
        Plan plan = takenBack().plan();

        assertThat(plan.decision()).isInstanceOfSatisfying(Decision.Blocked.class, blocked -> {
            assertThat(blocked.cause()).isEqualTo(Blockage.REJECTED);
            assertThat(blocked.reason())
                    .contains(
                            ARGO + " put the tag back", "urunner resume shop/Deployment/web", "imagePullPolicy: Always")
                    .doesNotContain("if-not-always");
        });
        assertThat(app(plan)).satisfies(app -> {
            assertThat(app.rejected()).contains(D2);
            assertThat(app.rejectedBy()).contains(ARGO);
            assertThat(app.originalImage()).contains(REF);
        });
    }

    @Test
    void itIsWrittenOnceAndTheNextPushIsRejectedInTheSameWordsWhoeverChangedTheTemplate() {
        Plan first = takenBack().plan();
        Given later = takenBack().state("app", app(first)).changedBy("kubectl-edit");

        assertThat(later.plan().state()).isEmpty();
        assertThat(later.plan().decision().reason()).isEqualTo(first.decision().reason());
        Plan next = later.tagIs(D3).content(D3).plan();
        assertThat(next.decision()).isEqualTo(first.decision());
        assertThat(next.state()).isEmpty();
    }

    @Test
    void theNextPushIsRejectedEvenIfItArrivesBeforeTheRevertIsSeen() {
        assertThat(takenBack().tagIs(D3).content(D3).plan().decision().words())
                .isEqualTo("blocked: rejected by a revert");
    }

    @Test
    void podsOnNodesThatPulledTheTagAreUpToDateUntilItMoves() {
        Given pulled = putBack().runs(D2).tagIs(D2).content(D2);
        Plan plan = pulled.plan();
        assertThat(plan.decision().words()).isEqualTo("up to date");
        assertThat(app(plan).rejectedBy()).contains(ARGO);

        Given moved = pulled.state("app", app(plan)).tagIs(D3).content(D3);
        assertThat(moved.plan().decision().words()).isEqualTo("blocked: rejected by a revert");
    }

    @Test
    void nothingIsRolledOutWhileItsPodsAreStarting() {
        Given coming = putBack()
                .notComplete()
                .pod(true, false, "Pending", Map.of("app", ""), Optional.empty())
                .tagIs(D3);
        assertThat(coming.plan().decision()).isInstanceOf(Decision.InProgress.class);
        assertThat(coming.rollout(wanted(1).observed(false)).plan().decision()).isInstanceOf(Decision.InProgress.class);
    }

    @Test
    void itDoesNotMatterHowMuchWasReverted() {
        assertThat(takenBack("kubectl-replace", false).plan().decision().reason())
                .contains("kubectl-replace put the tag back");
        // Only our annotation: the image is still the digest, so nothing is wrong.
        Given annotationOnly = workload()
                .container("app", REF + "@" + D2, "IfNotPresent")
                .reference("app", REF)
                .annotation("if-not-always", "pin")
                .state("app", pinned())
                .changedBy(ARGO)
                .runs(D2)
                .tagIs(D2)
                .content(D2);
        assertThat(annotationOnly.plan().decision().words()).isEqualTo("up to date");
        assertThat(annotationOnly.plan().state()).isEmpty();
    }

    @Test
    void anUndoRevertsOneRolloutAndTheNextPushIsPinned() {
        Plan undone = takenBack("kubectl-rollout", false).plan();
        assertThat(undone.decision().reason()).contains("was reverted by kubectl-rollout", "until the tag moves");
        assertThat(app(undone).originalImage()).isEmpty();

        Decision next = takenBack("kubectl-rollout", false)
                .state("app", app(undone))
                .tagIs(D3)
                .content(D3)
                .plan()
                .decision();
        assertThat(next)
                .isInstanceOfSatisfying(
                        Decision.Restart.class,
                        restart -> assertThat(restart.patch().images()).containsEntry("app", REF + "@" + D3));
    }

    @Test
    void oneOfTwoContainersKeepsTheWholeWorkloadAsItIs() {
        Given both = takenBack()
                .container("proxy", SIDECAR, "IfNotPresent")
                .answer("proxy", resolved(D3))
                .content("proxy", new Content.Known(Set.of(D3)))
                .actedOn("proxy", SIDECAR, D1);
        assertThat(both.plan().decision().words()).isEqualTo("blocked: rejected by a revert");
    }

    @Test
    void aRolloutForAnotherContainerDoesNotPinItAgain() {
        Plan seen = putBack().runs(D2).tagIs(D2).content(D2).plan();
        Given other = putBack()
                .state("app", app(seen))
                .runs(D2)
                .tagIs(D2)
                .content(D2)
                .container("proxy", SIDECAR, "Always")
                .answer("proxy", resolved(D3))
                .actedOn("proxy", SIDECAR, D1);

        assertThat(other.plan().decision()).isInstanceOfSatisfying(Decision.Restart.class, restart -> {
            assertThat(restart.patch().images()).isEmpty();
            ContainerState app = restart.patch().state().containers().get("app");
            assertThat(app.rejectedBy()).contains(ARGO);
            assertThat(app.originalImage()).contains(REF);
            assertThat(States.brought(restart.patch().state())).containsOnlyKeys("proxy");
        });
    }

    @Test
    void resumingRetriesIt() {
        Given rejected = takenBack().state("app", app(takenBack().plan()));
        Intervention resume = Intervention.resume(rejected.build(), Map.of(), NOW);
        assertThat(resume.pinnedAgain()).containsExactly(REF);
        WorkloadState resumed = resume.restart().state();

        assertThat(takenBack()
                        .state("app", resumed.containers().get("app"))
                        .plan()
                        .decision())
                .isInstanceOfSatisfying(
                        Decision.Restart.class,
                        restart -> assertThat(restart.patch().images()).containsEntry("app", REF + "@" + D2));
    }

    @Test
    void ifNodesPullAgainNothingIsPinnedAndTheTagIsFollowed() {
        Given always = takenBack().container("app", REF, "Always").tagIs(D3).content(D3);
        assertThat(always.plan().decision())
                .isInstanceOfSatisfying(
                        Decision.Restart.class,
                        restart -> assertThat(restart.patch().images()).isEmpty());
    }

    @Test
    void itsRolloutIsSupersededWhateverThePodsDoAndNotFollowedAgain() {
        Given given = takenBack();
        for (RolloutOutcome end : List.of(
                new RolloutOutcome.Succeeded(),
                new RolloutOutcome.Failed(Cause.CONTAINERS, "CrashLoopBackOff"),
                new RolloutOutcome.TimedOut("its pods"))) {
            assertThat(Verification.judge(end, Optional.of(given.build()), image -> new Content.Unread()))
                    .isInstanceOfSatisfying(
                            Outcome.Superseded.class,
                            outcome -> assertThat(outcome.words()).contains(ARGO + " put the tag back"));
        }
        assertThat(Rollout.found(given.build())).isEmpty();
    }

    @Test
    void aLastingPinIsNotAdvisedAgain() {
        Given standing = workload()
                .container("app", REF + "@" + D2, "IfNotPresent")
                .reference("app", REF)
                .annotation("if-not-always", "pin")
                .state("app", pinned())
                .actedOn(D2)
                .runs(D1)
                .tagIs(D2)
                .content(D2);
        assertThat(standing.plan().decision().words()).isEqualTo("still the old image");
        assertThat(standing.plan().decision().reason()).doesNotContain("if-not-always");
    }

    @Test
    void aReturnedPinOfAnEarlierTemplateIsReportedAndTheTagStaysFollowed() {
        Given undone = pinIsBack();
        assertThat(Tracking.of(undone.build(), undone.build().containers().get(0), Policy.DEFAULT, reference -> true))
                .isEqualTo(new Tracking.Follows(ImageReference.parse(REF)));

        Plan plan = undone.plan();

        assertThat(plan.decision().words()).isEqualTo("blocked: rejected by a revert");
        assertThat(plan.decision().reason())
                .contains("kubectl-rollout put back a pin of ours", "urunner resume shop/Deployment/web");
        assertThat(app(plan).rejectedBy()).contains("kubectl-rollout");
        // It is written once, and neither a push nor a scale to zero changes it.
        Given later = undone.state("app", app(plan)).changedBy("kubectl-edit");
        for (Given each : List.of(later, later.tagIs(D3).content(D3), later.rollout(Given.rollout(0)))) {
            assertThat(each.plan().state()).isEmpty();
            assertThat(each.plan().decision()).isEqualTo(plan.decision());
        }
    }

    @Test
    void aReturnedPinIsReportedAlthoughTheOtherContainerIsUpToDate() {
        Given two = pinIsBack()
                .container("proxy", SIDECAR, "Always")
                .answer("proxy", resolved(D3))
                .actedOn("proxy", SIDECAR, D3);
        assertThat(two.plan().decision().words()).isEqualTo("blocked: rejected by a revert");
        // Nor does a rollout for the other container remove it.
        assertThat(two.actedOn("proxy", SIDECAR, D1).plan().decision().words())
                .isEqualTo("blocked: rejected by a revert");
        assertThat(Intervention.followed(two.build()))
                .extracting(each -> each.container().name())
                .containsExactly("app", "proxy");
    }

    @Test
    void aPinThatReturnsDuringAHoldEndsTheHoldAndIsReported() {
        Plan plan = pinIsBack().state("app", pinned()).hold(false).plan();

        assertThat(plan.notices()).singleElement().asString().contains("changed the image of app");
        assertThat(plan.decision().words()).isEqualTo("blocked: rejected by a revert");
        assertThat(plan.state().orElseThrow().hold()).isEmpty();
    }

    @Test
    void aDigestChosenBySomebodyElseIsKept() {
        // What runs, from Git, with the annotation of our last act; and another one.
        for (String digest : List.of(D2, D3)) {
            Given own =
                    pinIsBack().container("app", REF + "@" + digest, "Always").actedOn(D2);
            assertThat(Tracking.of(own.build(), own.build().containers().get(0), Policy.DEFAULT, reference -> true))
                    .isInstanceOf(Tracking.Ignored.class);
            assertThat(Intervention.followed(own.build())).isEmpty();
        }
    }

    @Test
    void ifThePolicyPinsAnUndoRevertsOneRolloutLikeAnyOther() {
        Given undone =
                pinIsBack().container("app", REF + "@" + D1, "IfNotPresent").annotation("if-not-always", "pin");
        assertThat(undone.plan().decision().reason()).contains("until the tag moves");
        assertThat(undone.tagIs(D3).content(D3).plan().decision())
                .isInstanceOfSatisfying(
                        Decision.Restart.class,
                        restart -> assertThat(restart.patch().images()).containsEntry("app", REF + "@" + D3));
    }

    /** D1 was pinned by a rollback, then D2 was followed again; an undo restored the template of the rollback. */
    private static Given pinIsBack() {
        return workload()
                .container("app", REF + "@" + D1, "Always")
                .reference("app", REF)
                .actedOn(D1)
                .stateActed(D2, D1)
                .changedBy("kubectl-rollout", "urunner")
                .runs(D1)
                .tagIs(D2)
                .content(D2);
    }

    private static Given takenBack() {
        return takenBack(ARGO, true);
    }

    /** Its nodes have the tag, so they run the old image again. */
    private static Given takenBack(String manager, boolean annotationStays) {
        Given given = putBack(manager, annotationStays);
        return given.runs(D1).tagIs(D2).content(D2);
    }

    private static Given putBack() {
        return putBack(ARGO, true);
    }

    /** We pinned D2, and the image is the tag again. */
    private static Given putBack(String manager, boolean annotationStays) {
        Given given = workload()
                .container("app", REF, "IfNotPresent")
                .annotation("if-not-always", "pin")
                .state("app", pinned())
                .changedBy(manager, "urunner");
        return annotationStays ? given.actedOn(D2) : given;
    }

    private static ContainerState pinned() {
        return TestContainerState.of(REF)
                .acted(D2)
                .at(NOW.minusSeconds(60))
                .replaced(D1)
                .originalImage(REF)
                .build();
    }

    private static ContainerState app(Plan plan) {
        return plan.state().orElseThrow().containers().get("app");
    }
}
