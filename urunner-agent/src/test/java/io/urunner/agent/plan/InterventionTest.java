package io.urunner.agent.plan;

import static io.urunner.agent.plan.Given.D1;
import static io.urunner.agent.plan.Given.D2;
import static io.urunner.agent.plan.Given.D3;
import static io.urunner.agent.plan.Given.NOW;
import static io.urunner.agent.plan.Given.REF;
import static io.urunner.agent.plan.Given.workload;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Intervention.Target;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.kube.WorkloadState.Hold;
import io.urunner.kube.testing.TestWorkload;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The patches of a rollback and of its end. */
class InterventionTest {
    private static final String SHORT = "registry.example/team/app";

    @Test
    void aRollbackPinsRejectsHoldsAndRemembersTheOriginalText() {
        Workload web = workload()
                .container("app", SHORT, "Always")
                .runs(D3)
                .stateActed(D3, D2)
                .build();

        Intervention back = rollback(web, D1, "anna");

        assertThat(back.rollsOut()).isTrue();
        assertThat(back.restart().images()).containsExactly(Map.entry("app", REF + "@" + D1));
        assertThat(back.restart().digests().digests()).containsExactly(Map.entry("app", REF + "@" + D1));
        assertThat(back.restart().state().hold()).contains(new Hold(NOW, "anna", false));
        ContainerState state = back.restart().state().containers().get("app");
        assertThat(state.originalImage()).contains(SHORT);
        assertThat(state.rejected()).contains(D3);
        assertThat(state.acted()).contains(D1);
        assertThat(state.replaced()).containsExactly(D3);
        assertThat(back.changes()).containsExactly(new Decision.Change("app", REF, Optional.of(D3), D1));
    }

    @Test
    void repeatingARequestChangesNothing() {
        Workload held = rolledBackTo(D1);

        // Even if the tag has moved in the meantime.
        Intervention again =
                Intervention.rollback(held, Map.of("app", new Target(D1, D2)), "bob", Optional.empty(), false, NOW);

        assertThat(again.isDone()).isTrue();
    }

    @Test
    void changingTheEndOfAHoldNeedsNoRollout() {
        Workload held = rolledBackTo(D1);

        Intervention again =
                Intervention.rollback(held, Map.of("app", new Target(D1, D3)), "bob", Optional.empty(), true, NOW);

        assertThat(again.isDone()).isFalse();
        assertThat(again.rollsOut()).isFalse();
        assertThat(again.restart().state().hold()).contains(new Hold(NOW, "bob", true));
    }

    @Test
    void aReasonStaysWithThePersonWhoGaveIt() {
        Workload held = rolledBackTo(D1);
        Optional<String> crashes = Optional.of("v5 crashes");

        Intervention bob = Intervention.rollback(
                held, Map.of("app", new Target(D1, D3)), "bob", crashes, false, NOW.plusSeconds(60));

        assertThat(bob.rollsOut()).isFalse();
        assertThat(bob.restart().state().hold()).contains(new Hold(NOW, "bob", false, crashes));
        Workload bobs = after(held, bob);
        assertThat(rollback(bobs, D1, "bob").isDone()).isTrue();
        assertThat(rollback(bobs, D1, "anna").isDone()).isTrue();
        assertThat(rollback(bobs, D2, "anna").restart().state().hold()).contains(new Hold(NOW, "anna", false));
    }

    @Test
    void resumingRestoresTheTextVerbatimAndActsOnTheTagsCurrentDigest() {
        Workload held = rolledBackTo(D1);

        Intervention end = Intervention.resume(held, Map.of("app", D2), NOW);

        assertThat(end.restart().images()).containsExactly(Map.entry("app", SHORT));
        assertThat(end.restart().digests().digests()).containsExactly(Map.entry("app", REF + "@" + D2));
        assertThat(end.restart().state().hold()).isEmpty();
        ContainerState state = end.restart().state().containers().get("app");
        assertThat(state.originalImage()).isEmpty();
        assertThat(state.rejected()).isEmpty();
        assertThat(state.acted()).contains(D2);
    }

    @Test
    void resumingLiftsTheQuarantineOfWhatFailedHere() {
        Workload failed = workload()
                .runs(D3)
                .actedOn(D3)
                .state("app", States.failed(Given.state(REF), Optional.of(D3), Optional.of("CrashLoopBackOff")))
                .build();

        Intervention end = Intervention.resume(failed, Map.of(), NOW);

        assertThat(end.isDone()).isFalse();
        assertThat(end.rollsOut()).isFalse();
        assertThat(end.lifted()).containsExactly(new ImageDigest(REF, D3));
        assertThat(Quarantine.of(List.of(failed))).containsOnlyKeys(new ImageDigest(REF, D3));
        ContainerState state = end.restart().state().containers().get("app");
        assertThat(state.failed()).isEmpty();
        assertThat(state.failure()).isEmpty();
    }

    @Test
    void resumingKeepsAnImageThatSomebodyElseSet() {
        Workload held = rolledBackTo(D1);
        Workload edited = with(held, SHORT);

        Intervention end = Intervention.resume(edited, Map.of("app", D3), NOW);

        assertThat(end.rollsOut()).isFalse();
        assertThat(end.isDone()).isFalse();
        assertThat(end.restart().state().hold()).isEmpty();
    }

    @Test
    void aDigestThatFailsWhenItIsRolledBackIsRemembered() {
        Given crashing = workload()
                .container("app", SHORT, "Always")
                .stateActed(D3, D2)
                .actedOn(D3)
                .notComplete()
                .newPod(D3, "CrashLoopBackOff");

        ContainerState state = rollback(crashing.build(), D2, "anna")
                .restart()
                .state()
                .containers()
                .get("app");

        assertThat(state.failed()).contains(D3);
        assertThat(state.failure().orElseThrow()).contains("CrashLoopBackOff");
    }

    @Test
    void aChangeStartsFromWhatRuns() {
        Workload held = rolledBackTo(D2);

        assertThat(rollback(held, D1, "anna").changes())
                .containsExactly(new Decision.Change("app", REF, Optional.of(D2), D1));
        assertThat(rollback(held, D2, "anna").changes())
                .containsExactly(new Decision.Change("app", REF, Optional.empty(), D2));
        assertThat(Intervention.resume(held, Map.of("app", D3), NOW).changes())
                .containsExactly(new Decision.Change("app", REF, Optional.of(D2), D3));
    }

    @Test
    void aReturnedPinIsRolledBackOrResumedAndGetsItsTextAsItWasWritten() {
        Workload back = Intervention.spelled(
                workload()
                        .container("app", REF + "@" + D1, "Always")
                        .actedOn(D1)
                        .stateActed(D3, D1)
                        .runs(D1)
                        .build(),
                Map.of("app", SHORT));

        Intervention end = Intervention.resume(back, Map.of("app", D3), NOW);
        assertThat(end.restart().images()).containsExactly(Map.entry("app", SHORT));
        assertThat(end.changes()).containsExactly(new Decision.Change("app", REF, Optional.of(D1), D3));
        assertThat(end.restart().state().containers().get("app").originalImage())
                .isEmpty();

        Intervention further = rollback(back, D2, "anna");
        assertThat(further.restart().images()).containsExactly(Map.entry("app", REF + "@" + D2));
        assertThat(further.restart().state().containers().get("app").originalImage())
                .contains(SHORT);
        assertThat(Intervention.spelled(back, Map.of("app", SHORT))).isEqualTo(back);
    }

    @Test
    void anImageThatNamesADigestOfItsOwnIsNotFollowed() {
        assertThat(Intervention.followed(
                        workload().container("app", REF + "@" + D1, "Always").build()))
                .isEmpty();
    }

    @Test
    void anImageWithADigestOfTheSameRegistryMayBeMeantToo() {
        Workload web = workload()
                .container("proxy", "registry.example/team/proxy@" + D1, "Always")
                .container("mesh", "mesh.example/proxy@" + D1, "Always")
                .build();
        assertThat(Intervention.unfollowed(web, "registry.example")).containsExactly("proxy");
    }

    @Test
    void somebodysOwnDigestOfTheSameTagEndsTheHold() {
        Workload held = rolledBackTo(D1);
        Workload edited = with(held, REF + "@" + D2);
        Facts facts = workload().container("app", REF, "Always").tagIs(D3).facts();

        Plan plan = Planner.plan(new Facts(
                edited,
                facts.seen(),
                facts.policy(),
                facts.containers(),
                facts.quarantined(),
                facts.missingPermission(),
                facts.now()));

        assertThat(plan.notices()).singleElement().asString().contains("changed the image of app");
    }

    /** Rolls back from D3, which the tag has now, without a reason and until somebody resumes it. */
    private static Intervention rollback(Workload workload, String to, String by) {
        return Intervention.rollback(workload, Map.of("app", new Target(to, D3)), by, Optional.empty(), false, NOW);
    }

    /** A workload that ran D3, after a rollback. */
    private static Workload rolledBackTo(String digest) {
        Workload before = workload()
                .container("app", SHORT, "Always")
                .runs(D3)
                .stateActed(D3)
                .build();
        return after(before, rollback(before, digest, "anna"));
    }

    private static Workload after(Workload before, Intervention back) {
        String image = back.restart()
                .images()
                .getOrDefault("app", before.containers().get(0).image());
        return TestWorkload.like(with(before, image))
                .annotations(Map.of(Workload.STATE, back.restart().state().toString()))
                .templateAnnotations(
                        Map.of(Workload.DIGESTS, back.restart().digests().toString()))
                .build();
    }

    private static Workload with(Workload workload, String image) {
        return TestWorkload.like(workload).container("app", image, "Always").build();
    }
}
