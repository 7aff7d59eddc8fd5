package io.urunner.agent.plan;

import static io.urunner.agent.plan.Given.D1;
import static io.urunner.agent.plan.Given.D2;
import static io.urunner.agent.plan.Given.NOW;
import static io.urunner.agent.plan.Given.REF;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Admission.Limits;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private final List<Given> fleet = new ArrayList<>();

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
    void rolloutsThatRunCountAndThoseThatFailedOrTakeTooLongDoNot() {
        Given running = rolledOut("a", "running").notComplete();
        fleet.add(running);
        stale("b", "stale");
        assertThat(admit(limits(1, 0, false))).containsExactly("up to date", "deferred: rollout budget");

        assertThat(Admission.isRollingOut(running.build(), PATIENCE, NOW)).isTrue();
        assertThat(Admission.isRollingOut(running.build(), Duration.ofSeconds(30), NOW))
                .isFalse();
        assertThat(Admission.isRollingOut(failed("a", "failed").build(), PATIENCE, NOW))
                .isFalse();
        assertThat(Admission.isRollingOut(rolledOut("a", "done").build(), PATIENCE, NOW))
                .isFalse();
    }

    @Test
    void whatWasJustStartedCountsBeforeItShows() {
        stale("a", "one");

        assertThat(admit(limits(1, 0, false), Set.of(WorkloadId.parse("x/Deployment/y"))))
                .containsExactly("deferred: rollout budget");
    }

    @Test
    void ofTheWorkloadsThatShareAnImageOneGoesFirst() {
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
    void aCanaryThatDoesNotEndIsNotHealthyThoughItDoesNotCountAsRunningAnyMore() {
        fleet.add(rolledOut("a", "one").notComplete());
        stale("a", "two");

        assertThat(admit(new Limits(OptionalInt.of(1), OptionalInt.empty(), true, Duration.ofSeconds(30))))
                .containsExactly("up to date", "deferred: canary goes first");
    }

    @Test
    void theQuarantineIsReadBackFromTheAnnotations() {
        Workload failed = failed("a", "one").build();

        assertThat(Quarantine.of(List.of(failed, rolledOut("a", "two").build())))
                .isEqualTo(Map.of(new ImageDigest(REF, D2), new Quarantine(failed.id(), "CrashLoopBackOff")));
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
        Workload workload = rolledOut(namespace, name).build();
        return rolledOut(namespace, name)
                .state(
                        "app",
                        States.failed(
                                States.of(workload).containers().get("app"),
                                Optional.of(D2),
                                Optional.of("CrashLoopBackOff")))
                .notComplete();
    }

    private List<String> admit(Limits limits) {
        return admit(limits, Set.of());
    }

    private List<String> admit(Limits limits, Set<WorkloadId> started) {
        List<Workload> workloads = fleet.stream().map(Given::build).toList();
        List<Plan> plans = fleet.stream().map(Given::plan).toList();
        Map<WorkloadId, String> decided = new HashMap<>();
        new Admission(limits, workloads, started, NOW)
                .admit(plans)
                .forEach(plan -> decided.put(plan.workload(), plan.decision().words()));
        return workloads.stream().map(workload -> decided.get(workload.id())).toList();
    }

    private static Limits limits(int inCluster, int inNamespace, boolean canary) {
        return new Limits(limit(inCluster), limit(inNamespace), canary, PATIENCE);
    }

    private static OptionalInt limit(int number) {
        return number == 0 ? OptionalInt.empty() : OptionalInt.of(number);
    }
}
