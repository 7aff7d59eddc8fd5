package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.Rollout;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.rollouts.Patches;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.testing.TestContainerState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What somebody who knows all images and tags of the others does in one namespace changes nothing in another. */
class NeighboursTest extends EngineScene {
    private static final String EVIL = "aaa-evil";

    private static String state(String acted, Instant at, Optional<String> failed) {
        TestContainerState state =
                TestContainerState.of(APP).acted(acted).at(at).replaced(D1);
        failed.ifPresent(digest -> state.failed(digest, "call 0800-EVIL"));
        return new WorkloadState(new TreeMap<>(Map.of("c0", state.build())), Optional.empty()).toString();
    }

    private static String digests(String digest) {
        return new DigestsAnnotation(new TreeMap<>(Map.of("c0", APP + "@" + digest))).toString();
    }

    @Test
    void aForgedFailureQuarantinesNobodyElsesDigest() {
        WorkloadId evil = cluster.deploymentIn(EVIL, "web", D1, APP);
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        start();
        cluster.forge(evil, state(D2, loop.instant(), Optional.of(D2)), digests(D2));
        push(D2);
        assertThat(cluster.patches).contains(mine);
    }

    @Test
    void aForgedFailureStillCountsInItsOwnNamespace() {
        WorkloadId one = cluster.deployment("one", D1, APP);
        WorkloadId two = cluster.deployment("two", D1, APP);
        start();
        cluster.forge(one, state(D2, loop.instant(), Optional.of(D2)), digests(D2));
        push(D2);
        assertThat(cluster.patches).doesNotContain(two);
    }

    @Test
    void aForgedRolloutHoldsNeitherCanaryNorBudgetHoweverOftenItIsForged() throws Exception {
        WorkloadId evil = cluster.deploymentIn(EVIL, "web", D1, APP);
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        start(canaryAndAtMost(1));
        loop.advance(Duration.ofMinutes(2));
        for (int i = 0; i < 1_000; i++) {
            loop.advance(Duration.ofSeconds(1));
            cluster.forge(evil, state(D2, loop.instant(), Optional.empty()), digests(D2));
            cluster.rolling(evil);
        }
        push(D2);
        assertThat(cluster.patches).contains(mine);
        assertThat(begun)
                .filteredOn(rollout -> rollout.workload().equals(evil))
                .as("how often rollouts known only from annotations are followed")
                .hasSizeLessThanOrEqualTo(200);
        assertThat(store.rollouts(evil.toString(), 1_000)).hasSizeLessThanOrEqualTo(200);
    }

    @Test
    void aRolloutForgedBeforeTheAgentStartsIsAwaitedNoLongerThanARealOne() {
        WorkloadId evil = cluster.deploymentIn(EVIL, "web", D1, APP);
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        cluster.forge(evil, state(D2, loop.instant().minusSeconds(1), Optional.empty()), digests(D2));
        cluster.rolling(evil);
        registry.tags.put(APP, D2);
        start(atMost(1));
        assertThat(cluster.patches).isEmpty();
        for (int i = 0; i < 16; i++) {
            loop.advance(Duration.ofMinutes(1));
            cluster.forge(evil, state(D2, loop.instant(), Optional.empty()), digests(D2));
            cluster.rolling(evil);
        }
        assertThat(cluster.patches).containsExactly(mine);
    }

    @Test
    void anActInTheYear9999IsFollowedByNobody() throws Exception {
        WorkloadId evil = cluster.deploymentIn(EVIL, "web", D1, APP);
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        cluster.forge(evil, state(D2, Instant.parse("9999-12-31T23:59:59Z"), Optional.empty()), digests(D2));
        cluster.rolling(evil);
        start(canaryAndAtMost(1));
        push(D2);
        assertThat(cluster.patches).contains(mine);
        assertThat(begun).extracting(Rollout::workload).containsExactly(mine);
        assertThat(store.rollouts(evil.toString(), 5)).isEmpty();
    }

    /** {@code minReadySeconds: 86400}, a paused Deployment, pods that never become ready: our rollout, which never ends. */
    @Test
    void anEndlessRolloutLosesCanaryAndBudgetAfterTheDeadlineAndIsAwaitedLessTheNextTime() {
        WorkloadId evil = cluster.deploymentIn(EVIL, "web", D1, APP);
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        Engine engine = start(canaryAndAtMost(1));
        push(D2);
        cluster.rolling(evil);
        assertThat(cluster.patches).containsExactly(evil);
        assertThat(decision(engine, mine)).isInstanceOfSatisfying(Decision.Deferred.class, waits -> {
            assertThat(waits.cause()).isEqualTo(Deferral.CANARY);
            assertThat(waits.reason()).doesNotContain(EVIL, "web");
        });

        loop.advance(PATIENCE.plusSeconds(1));
        assertThat(cluster.patches).containsExactly(evil, mine);
        cluster.runs(mine, D2);
        cluster.succeeds(mine);
        cluster.followed.get(evil).complete(new RolloutOutcome.TimedOut("its pods"));
        loop.advance(INTERVAL);

        cluster.patches.clear();
        registry.tags.put(APP, D3);
        loop.advance(INTERVAL.plus(Duration.ofMinutes(1)).plusSeconds(2));
        assertThat(cluster.patches).contains(mine);
    }

    @Test
    void aRolloutInANamespaceNoLongerWatchedHoldsUpNothing() {
        WorkloadId evil = cluster.deploymentIn(EVIL, "web", D1, APP);
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        start(canaryAndAtMost(1));
        push(D2);
        cluster.rolling(evil);
        assertThat(cluster.patches).containsExactly(evil);

        cluster.delete(evil);
        loop.advance(Duration.ofSeconds(2));
        assertThat(cluster.patches).containsExactly(evil, mine);
        assertThat(ended).singleElement().isInstanceOf(Outcome.Superseded.class);
    }

    @Test
    void anImageThatFailsInOneNamespaceIsTriedInOthersAndOneThatFailsInSeveralWaits() throws Exception {
        WorkloadId first = cluster.deploymentIn("a", "web", D1, APP);
        WorkloadId second = cluster.deploymentIn("b", "web", D1, APP);
        Engine engine = start();
        push(D2);
        assertThat(cluster.patches).containsExactly(first, second);
        fail(first);
        loop.advance(INTERVAL);
        WorkloadId third = cluster.deploymentIn("c", "web", D1, APP);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(cluster.patches).contains(third);

        cluster.patches.clear();
        fail(second);
        loop.advance(INTERVAL);
        WorkloadId fourth = cluster.deploymentIn("d", "web", D1, APP);
        loop.advance(INTERVAL.multipliedBy(2));
        assertWaits(engine, fourth);

        // What an agent reads from the store and the workloads when it starts is the same.
        engine.stop();
        Engine next = start();
        loop.advance(INTERVAL);
        assertWaits(next, fourth);
        assertThat(cluster.patches).doesNotContain(fourth);

        loop.advance(PATIENCE);
        assertThat(cluster.patches).contains(fourth);
    }

    private void fail(WorkloadId id) {
        cluster.fails(id, RolloutProgress.Cause.CONTAINERS, "call 0800-EVIL");
    }

    private static void assertWaits(Engine engine, WorkloadId id) {
        assertThat(decision(engine, id)).isInstanceOfSatisfying(Decision.Deferred.class, waits -> {
            assertThat(waits.cause()).isEqualTo(Deferral.FAILED_ELSEWHERE);
            assertThat(waits.until()).isPresent();
            assertThat(waits.reason()).doesNotContain("0800", "a/Deployment", "b/Deployment");
        });
    }

    @Test
    void failuresForgedInSeveralNamespacesAreNotHistory() throws Exception {
        List<WorkloadId> evils =
                List.of(cluster.deploymentIn("evil-1", "web", D1, APP), cluster.deploymentIn("evil-2", "web", D1, APP));
        start();
        for (WorkloadId evil : evils) {
            cluster.forge(evil, state(D2, loop.instant(), Optional.empty()), digests(D2));
            cluster.rolling(evil);
            loop.settle();
            fail(evil);
            loop.advance(INTERVAL);
            assertThat(store.rollouts(evil.toString(), 1).get(0).outcome()).contains("failed");
        }
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        push(D2);
        assertThat(cluster.patches).contains(mine);

        start();
        WorkloadId other = cluster.deploymentIn("other", "web", D1, APP);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(cluster.patches).contains(other);
    }

    @Test
    void aCrowdOfOneNamespaceDelaysThePlanAndThePatchOfAnotherByOne() {
        for (int i = 0; i < 300; i++) {
            cluster.deploymentIn(EVIL, "w" + i, D1, APP);
        }
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        Deque<Runnable> sent = new ArrayDeque<>();
        kubeWorkers = sent::add;
        start();
        served.clear();
        push(D2);

        List<String> plans =
                served.stream().filter(what -> what.startsWith("PLAN")).toList();
        assertThat(plans.indexOf("PLAN shop")).isBetween(0, 1);
        // One patch after the other.
        List<WorkloadId> order = new ArrayList<>();
        while (!sent.isEmpty()) {
            sent.remove().run();
            loop.settle();
            order.addAll(cluster.patches.subList(order.size(), cluster.patches.size()));
        }
        assertThat(order).hasSize(301);
        assertThat(order.indexOf(mine)).isBetween(0, 1);
        assertThat(served)
                .contains("PATCH shop")
                .filteredOn(("PATCH " + EVIL)::equals)
                .hasSize(300);
    }

    @Test
    void aNamespaceWhosePatchesHangLeavesRoomForOthers() {
        for (int i = 0; i < 300; i++) {
            cluster.deploymentIn(EVIL, "w" + i, D1, APP);
        }
        WorkloadId mine = cluster.deployment("mine", D1, OTHER);
        Deque<Runnable> hanging = new ArrayDeque<>();
        kubeWorkers = hanging::add;
        start();
        push(D2);
        assertThat(hanging).hasSizeLessThan(Patches.AT_ONCE);

        kubeWorkers = Runnable::run;
        registry.tags.put(OTHER, D2);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).containsExactly(mine);
    }

    @Test
    void aWaitingNamespaceThatKeepsChangingIsNotPlannedAllTheTime() {
        List<WorkloadId> evils = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            evils.add(cluster.deploymentIn(EVIL, "w" + i, D1, APP));
        }
        WorkloadId mine = cluster.deployment("mine", D1, OTHER);
        start(canary());
        push(D2);
        assertThat(cluster.patches).hasSize(1);
        served.clear();
        for (int i = 0; i < 500; i++) {
            cluster.touch(evils.get(1 + i % 99));
            loop.advance(Duration.ofMillis(10));
        }
        assertThat(served.stream().filter(("PLAN " + EVIL)::equals).count())
                .as("5 s: 500 changes, and the 99 that wait, once per second")
                .isLessThan(500 + 99 * 8);
        registry.tags.put(OTHER, D2);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).contains(mine);
    }

    @Test
    void aWaitingPatchIsDroppedWhenItsNamespaceIsNoLongerWatched() {
        List<WorkloadId> left = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            left.add(cluster.deploymentIn("left", "w" + i, D1, APP));
        }
        Deque<Runnable> sent = new ArrayDeque<>();
        kubeWorkers = sent::add;
        Engine engine = start();
        push(D2);
        int underWay = sent.size();
        left.forEach(cluster::delete);
        loop.settle();
        while (!sent.isEmpty()) {
            sent.remove().run();
            loop.settle();
        }
        assertThat(underWay).isPositive();
        assertThat(cluster.patches).isEmpty();
        loop.advance(INTERVAL);
        assertThat(engine.quiet()).isTrue();
    }
}
