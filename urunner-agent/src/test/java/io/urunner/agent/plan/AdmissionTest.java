package io.urunner.agent.plan;

import static io.urunner.agent.plan.Given.D1;
import static io.urunner.agent.plan.Given.D2;
import static io.urunner.agent.plan.Given.NOW;
import static io.urunner.agent.plan.Given.REF;
import static io.urunner.kube.testing.TestRolloutStatus.wanted;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Admission.Limits;
import io.urunner.agent.plan.Admission.Slot;
import io.urunner.kube.RolloutStatus;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.kube.testing.TestContainerState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private static final Duration PATIENCE = Duration.ofMinutes(15);
    private static final ImageDigest IMAGE = new ImageDigest(REF, D2);
    private static final RolloutStatus PAUSED =
            wanted(1).paused().total(2).available(0).build();

    private final List<Given> fleet = new ArrayList<>();
    private final List<Slot> slots = new ArrayList<>();
    private final Experience experience = new Experience(PATIENCE);

    @Test
    void withoutLimitsEverythingStarts() {
        stale("a", "one");
        stale("a", "two");

        assertThat(admit(Limits.NONE)).containsExactly("restart", "restart");
    }

    @Test
    void theClusterHasABudget() {
        stale("a", "one");
        stale("b", "two");
        stale("c", "three");

        assertThat(admit(limits(2, 0, false))).containsExactly("restart", "restart", "deferred: rollout budget");
    }

    @Test
    void aNamespaceHasABudget() {
        stale("a", "one");
        stale("a", "two");
        stale("b", "three");

        assertThat(admit(limits(0, 1, false))).containsExactly("restart", "deferred: rollout budget", "restart");
    }

    @Test
    void runningRolloutsCountAndFailedOrOverdueOnesDoNot() {
        Given running = rolledOut("a", "running").notComplete();
        fleet.add(running);
        stale("a", "stale");
        assertThat(admit(limits(0, 1, false))).containsExactly("up to date", "deferred: rollout budget");

        assertThat(Admission.isRollingOut(running.build(), PATIENCE, NOW)).isTrue();
        assertThat(Admission.isRollingOut(running.build(), Duration.ofSeconds(30), NOW))
                .isFalse();
        assertThat(Admission.isRollingOut(failed("a", "failed").build(), PATIENCE, NOW))
                .isFalse();
        assertThat(Admission.isRollingOut(rolledOut("a", "done").build(), PATIENCE, NOW))
                .isFalse();
    }

    @Test
    void aRolloutJustStartedCountsBeforeItIsVisible() {
        stale("a", "one");

        underWay("x/Deployment/y", Duration.ZERO);

        assertThat(admit(limits(1, 0, false))).containsExactly("deferred: rollout budget");
    }

    @Test
    void oneOfTheWorkloadsThatShareAnImageGoesFirst() {
        stale("a", "one");
        stale("a", "two");
        stale("b", "three");

        assertThat(admit(limits(0, 0, true)))
                .containsExactly("restart", "deferred: canary goes first", "deferred: canary goes first");
    }

    @Test
    void theOthersWaitUntilTheCanaryIsHealthy() {
        fleet.add(rolledOut("a", "one").notComplete());
        stale("a", "two");
        assertThat(admit(limits(0, 0, true))).containsExactly("up to date", "deferred: canary goes first");

        fleet.set(0, rolledOut("a", "one"));
        stale("a", "three");
        assertThat(admit(limits(0, 0, true))).containsExactly("up to date", "restart", "restart");
    }

    @Test
    void anUnhealthyCanaryHoldsBackTheOthersEvenIfItNoLongerCountsAsRunning() {
        fleet.add(rolledOut("a", "one").notComplete().notReady());
        stale("a", "two");

        assertThat(decide(impatient()).get(1)).isInstanceOfSatisfying(Decision.Deferred.class, deferred -> {
            assertThat(deferred.cause()).isEqualTo(Deferral.CANARY);
            assertThat(deferred.reason()).contains("a/Deployment/one", "is overdue");
            assertThat(deferred.until()).isEmpty();
        });
    }

    @Test
    void aCanaryWithoutAResultInTimeIsReplacedByAnother() {
        fleet.add(rolledOut("a", "one").rollout(PAUSED).notReady());
        stale("a", "two");
        stale("a", "three");

        assertThat(decide(limits(0, 0, true)).get(1)).isInstanceOfSatisfying(Decision.Deferred.class, deferred -> {
            assertThat(deferred.reason())
                    .contains("a/Deployment/one first", NOW.plusSeconds(14 * 60).toString());
            assertThat(deferred.until()).contains(NOW.plusSeconds(14 * 60));
        });
        assertThat(admit(impatient())).containsExactly("up to date", "deferred: canary goes first", "restart");
    }

    @Test
    void aHeldWorkloadDoesNotStayTheCanary() {
        fleet.add(rolledOut("a", "one").hold(false).notComplete().notReady());
        stale("a", "two");

        assertThat(admit(limits(0, 0, true))).last().isEqualTo("deferred: canary goes first");
        assertThat(admit(impatient())).last().isEqualTo("restart");
    }

    @Test
    void aRolloutFollowedForeverCountsForALimitedTime() {
        stale("a", "one");
        WorkloadId held = WorkloadId.parse("a/Deployment/held");
        slots.add(new Slot(held, Set.of(), Optional.empty(), NOW.plusSeconds(1)));
        assertThat(admit(limits(0, 1, false))).containsExactly("deferred: rollout budget");

        slots.set(0, new Slot(held, Set.of(), Optional.empty(), NOW));
        assertThat(admit(limits(0, 1, false))).containsExactly("restart");
    }

    @Test
    void theReasonNamesWhoUsesTheBudgetAndUntilWhen() {
        stale("b", "mine");
        underWay("b/Deployment/other", Duration.ofMinutes(5));
        underWay("secret/Deployment/name", Duration.ofMinutes(2));

        assertThat(decide(limits(2, 0, false)).get(0)).isInstanceOfSatisfying(Decision.Deferred.class, deferred -> {
            assertThat(deferred.reason())
                    .startsWith("2 rollouts are running in the cluster, and the budget is 2: b/Deployment/other,"
                            + " 1 in another namespace; ")
                    .contains(NOW.plus(Duration.ofMinutes(10)).toString())
                    .doesNotContain("secret", "name;");
            assertThat(deferred.until()).contains(NOW.plus(Duration.ofMinutes(10)));
        });
        for (int i = 0; i < 4; i++) {
            underWay("b/Deployment/more-" + i, Duration.ZERO);
        }
        assertThat(decide(limits(0, 5, false)).get(0).reason())
                .startsWith("5 rollouts are running in namespace b, and the budget is 5: b/Deployment/more-0,"
                        + " b/Deployment/more-1, b/Deployment/more-2, 2 more in this namespace; ");
    }

    @Test
    void aRolloutThatFailedForAnyReasonMakesRoom() {
        ContainerState written = actedAt(NOW.minusSeconds(60)).build();
        fleet.add(rolledOut("a", "one")
                .state("app", States.failed(written, Optional.empty(), Optional.of("ImagePullBackOff")))
                .notComplete());
        stale("a", "two");

        assertThat(admit(limits(0, 1, false))).last().isEqualTo("restart");
        assertThat(Quarantine.of(List.of(fleet.get(0).build()))).isEmpty();
    }

    @Test
    void theQuarantineIsReadBackFromTheAnnotations() {
        Workload failed = failed("a", "one").build();

        assertThat(Quarantine.of(List.of(failed, rolledOut("a", "two").build())))
                .isEqualTo(Map.of(new ImageDigest(REF, D2), new Quarantine(failed.id(), "CrashLoopBackOff")));
    }

    @Test
    void annotationsInAnotherNamespaceHoldUpNobody() {
        fleet.add(rolledOut("aaa-evil", "running").notComplete());
        fleet.add(failed("aaa-evil", "failed"));
        stale("b", "mine");

        assertThat(admit(limits(1, 0, true))).last().isEqualTo("restart");
    }

    @Test
    void annotationsInAnotherNamespaceProveNothing() {
        fleet.add(rolledOut("aaa-evil", "fine"));
        stale("b", "one");
        stale("b", "two");

        assertThat(admit(limits(0, 0, true))).containsExactly("up to date", "restart", "deferred: canary goes first");
    }

    @Test
    void aCanaryInAnotherNamespaceIsAwaitedForALimitedTime() {
        stale("b", "mine");
        underWay("aaa-evil/Deployment/forever", Duration.ofMinutes(14));

        Decision waits = decide(limits(0, 0, true)).get(0);
        assertThat(waits).isInstanceOfSatisfying(Decision.Deferred.class, deferred -> {
            assertThat(deferred.cause()).isEqualTo(Deferral.CANARY);
            assertThat(deferred.until()).contains(NOW.plus(Duration.ofMinutes(1)));
            assertThat(deferred.reason()).contains("another namespace").doesNotContain("evil", "forever");
        });

        slots.clear();
        underWay("aaa-evil/Deployment/forever", Duration.ofMinutes(15));
        assertThat(admit(limits(1, 0, true))).containsExactly("restart");
    }

    @Test
    void successiveCanariesInAnotherNamespaceAreNotAwaitedLonger() {
        stale("b", "mine");
        underWay("aaa-evil/Deployment/first", Duration.ofMinutes(16));
        underWay("aaa-evil/Deployment/second", Duration.ofMinutes(8));
        underWay("aaa-evil/Deployment/third", Duration.ZERO);

        assertThat(admit(limits(0, 0, true))).containsExactly("restart");
    }

    @Test
    void aNamespaceThatKeptOthersWaitingIsAwaitedLessTheNextTime() {
        stale("b", "mine");
        WorkloadId evil = WorkloadId.parse("aaa-evil/Deployment/forever");
        experience.ended(evil, Set.of(), NOW, new Outcome.TimedOut("its pods"));

        underWay(evil.toString(), Duration.ofSeconds(59));
        assertThat(admit(limits(1, 0, false))).containsExactly("deferred: rollout budget");

        slots.clear();
        underWay(evil.toString(), Duration.ofSeconds(60));
        assertThat(admit(limits(1, 0, true))).containsExactly("restart");

        experience.ended(evil, Set.of(), NOW, new Outcome.Succeeded(""));
        assertThat(experience.hold("aaa-evil")).isEqualTo(PATIENCE);
    }

    @Test
    void anImageThatWorkedElsewhereStillHasACanaryInEachNamespace() {
        experience.begun(WorkloadId.parse("a/Deployment/one"), Set.of(IMAGE), NOW);
        experience.ended(WorkloadId.parse("a/Deployment/one"), Set.of(IMAGE), NOW, new Outcome.Succeeded(""));
        underWay("a/Deployment/two", Duration.ZERO);
        stale("b", "one");
        stale("b", "two");

        assertThat(admit(limits(0, 0, true))).containsExactly("restart", "deferred: canary goes first");
    }

    @Test
    void aWorkloadWithoutPodsProvesNothingAndHoldsUpNobody() {
        fleet.add(rolledOut("a", "asleep").rollout(Given.rollout(0)));
        stale("a", "two");
        stale("a", "three");

        assertThat(admit(limits(0, 0, true))).containsExactly("up to date", "deferred: canary goes first", "restart");
    }

    @Test
    void aPausedRolloutInAnotherNamespaceHoldsUpNobodyAfterTheDeadline() {
        fleet.add(rolledOut("aaa-evil", "paused").rollout(PAUSED));
        stale("b", "mine");
        underWay("aaa-evil/Deployment/paused", PATIENCE);

        assertThat(admit(limits(1, 0, true))).last().isEqualTo("restart");
    }

    @Test
    void aPatchUnderWayThatIsNotVisibleYetIsTheCanary() {
        stale("a", "one");
        slots.add(new Slot(
                WorkloadId.parse("a/Deployment/zero"),
                Set.of(IMAGE),
                Optional.of(NOW.plusSeconds(1)),
                NOW.plusSeconds(1)));

        assertThat(admit(limits(0, 0, true))).containsExactly("deferred: canary goes first");
    }

    @Test
    void aFailureInOneNamespaceHoldsUpNoOther() {
        failed("aaa-evil/Deployment/one", Duration.ofSeconds(10));
        failed("aaa-evil/Deployment/two", Duration.ofSeconds(10));
        stale("b", "mine");

        assertThat(admit(Limits.NONE)).containsExactly("restart");
    }

    @Test
    void anImageThatFailedInSeveralNamespacesWaitsForAWhileUnlessItWorksInOne() {
        failed("x/Deployment/one", Duration.ofMinutes(20));
        failed("y/Deployment/one", Duration.ofMinutes(10));
        failed("y/Deployment/two", Duration.ZERO);
        stale("b", "mine");

        assertThat(decide(Limits.NONE).get(0)).isInstanceOfSatisfying(Decision.Deferred.class, deferred -> {
            assertThat(deferred.cause()).isEqualTo(Deferral.FAILED_ELSEWHERE);
            assertThat(deferred.until()).contains(NOW.plus(Duration.ofMinutes(5)));
            assertThat(deferred.reason())
                    .contains("other namespaces")
                    .doesNotContain("secret words", "x/Deployment", "y/Deployment");
        });

        experience.ended(WorkloadId.parse("z/Deployment/one"), Set.of(IMAGE), NOW, new Outcome.Succeeded(""));
        assertThat(admit(Limits.NONE)).containsExactly("restart");
    }

    @Test
    void repeatedFailuresMakeNobodyWaitLonger() {
        failed("x/Deployment/one", Duration.ofMinutes(30));
        failed("y/Deployment/one", Duration.ofMinutes(16));
        failed("x/Deployment/one", Duration.ofMinutes(2));
        failed("y/Deployment/one", Duration.ofMinutes(1));
        stale("b", "mine");

        assertThat(admit(Limits.NONE)).containsExactly("restart");
    }

    @Test
    void theNamespaceWithTheFewestRolloutsComesFirstThenTheOneThatStartedLongestAgo() {
        stale("aaa-evil", "one");
        stale("aaa-evil", "two");
        stale("b", "mine");
        experience.begun(WorkloadId.parse("aaa-evil/Deployment/zero"), Set.of(), NOW.minusSeconds(1));
        experience.begun(WorkloadId.parse("b/Deployment/zero"), Set.of(), NOW.minusSeconds(2));
        // What is read about the past arrives later.
        experience.begun(WorkloadId.parse("aaa-evil/Deployment/zero"), Set.of(), NOW.minusSeconds(3));

        assertThat(admit(limits(1, 0, false)))
                .containsExactly("deferred: rollout budget", "deferred: rollout budget", "restart");
        assertThat(admit(limits(2, 0, false))).containsExactly("restart", "deferred: rollout budget", "restart");
    }

    @Test
    void anActInTheFarFutureDoesNotCountAsARunningRollout() {
        Given future = rolledOut("a", "one")
                .state("app", actedAt(Instant.parse("9999-12-31T23:59:59Z")))
                .notComplete();
        Given past = rolledOut("a", "one").state("app", actedAt(Instant.EPOCH)).notComplete();

        assertThat(Admission.isRollingOut(future.build(), PATIENCE, NOW)).isFalse();
        assertThat(Admission.isRollingOut(past.build(), PATIENCE, NOW)).isFalse();
    }

    private static TestContainerState actedAt(Instant time) {
        return TestContainerState.of(REF).acted(D2).at(time).replaced(D1);
    }

    private void stale(String namespace, String name) {
        fleet.add(Given.workload()
                .named(namespace, name)
                .runs(D1)
                .actedOn(D1)
                .tagIs(D2)
                .content(D2));
    }

    private static Given rolledOut(String namespace, String name) {
        return Given.workload()
                .named(namespace, name)
                .runs(D2)
                .actedOn(D2)
                .stateActed(D2, D1)
                .answer("app", Given.resolved(D1))
                .tagIs(D2);
    }

    private static Given failed(String namespace, String name) {
        return rolledOut(namespace, name)
                .state("app", actedAt(NOW.minusSeconds(60)).failed(D2, "CrashLoopBackOff"))
                .notComplete();
    }

    private List<String> admit(Limits limits) {
        return decide(limits).stream().map(Decision::words).toList();
    }

    private List<Decision> decide(Limits limits) {
        List<Workload> workloads = fleet.stream().map(Given::build).toList();
        List<Plan> plans = fleet.stream().map(Given::plan).toList();
        Map<WorkloadId, Decision> decided = new HashMap<>();
        new Admission(
                        limits,
                        slots,
                        namespace -> workloads.stream()
                                .filter(workload -> workload.id().namespace().equals(namespace))
                                .map(Standing::of)
                                .toList(),
                        experience,
                        NOW)
                .admit(plans)
                .forEach(plan -> decided.put(plan.workload(), plan.decision()));
        return workloads.stream().map(workload -> decided.get(workload.id())).toList();
    }

    /** A rollout of ours for D2 is under way, and began this long ago. */
    private void underWay(String workload, Duration ago) {
        WorkloadId id = WorkloadId.parse(workload);
        experience.begun(id, Set.of(IMAGE), NOW.minus(ago));
        slots.add(new Slot(
                id,
                Set.of(IMAGE),
                Optional.of(NOW.minus(ago).plus(experience.hold(id.namespace()))),
                NOW.minus(ago).plus(PATIENCE)));
    }

    private void failed(String workload, Duration ago) {
        WorkloadId id = WorkloadId.parse(workload);
        experience.begun(id, Set.of(IMAGE), NOW.minus(ago));
        experience.ended(id, Set.of(IMAGE), NOW.minus(ago), new Outcome.Failed("secret words", true));
    }

    private static Limits impatient() {
        return new Limits(OptionalInt.empty(), OptionalInt.empty(), true, Duration.ofSeconds(30));
    }

    private static Limits limits(int inCluster, int inNamespace, boolean canary) {
        return new Limits(limit(inCluster), limit(inNamespace), canary, PATIENCE);
    }

    private static OptionalInt limit(int number) {
        return number == 0 ? OptionalInt.empty() : OptionalInt.of(number);
    }
}
