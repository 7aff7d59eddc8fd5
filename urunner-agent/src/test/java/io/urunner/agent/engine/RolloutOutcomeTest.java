package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Intervention;
import io.urunner.agent.plan.Outcome;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How rollouts end, and what their end means for other workloads. */
class RolloutOutcomeTest extends EngineScene {
    @Test
    void aFailedRolloutIsRememberedOnTheWorkloadAndQuarantinesTheDigest() throws Exception {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        push(D2);
        cluster.fails(id, RolloutProgress.Cause.CONTAINERS, "CrashLoopBackOff");
        loop.advance(Duration.ofSeconds(10));
        assertThat(ended).hasSize(1).first().isInstanceOf(Outcome.Failed.class);
        assertThat(cluster.real(id).annotations().get(Workload.STATE)).contains("CrashLoopBackOff");
        WorkloadId other = cluster.deployment("b", D1, APP);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(decision(engine, other))
                .isInstanceOfSatisfying(
                        Decision.Blocked.class,
                        blocked -> assertThat(blocked.cause()).isEqualTo(Blockage.QUARANTINED));
        assertThat(store.rollouts(id.toString(), 1).get(0).outcome()).hasValue("failed");
    }

    @Test
    void aRolloutWhoseContentNeverArrivesIsEventuallyJudgedAndHoldsUpNobody() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        // Its pods report a digest that can be compared only with the content of the new one, which nobody reads.
        cluster.forge(
                id,
                "{\"containers\":{\"c0\":{\"reference\":\"" + APP + "\",\"acted\":\"" + D2 + "\",\"actedAt\":\""
                        + loop.instant() + "\",\"replaced\":[\"" + D1 + "\"]}}}",
                "{\"c0\":\"" + APP + "@" + D2 + "\"}");
        cluster.rolling(id);
        registry.lost = true;
        start();
        cluster.runs(id, D3);
        cluster.succeeds(id);
        loop.advance(INTERVAL);
        assertThat(ended).isEmpty();
        loop.advance(Duration.ofMinutes(16));
        assertThat(ended)
                .singleElement()
                .satisfies(outcome -> assertThat(outcome.words()).contains("could not be read in time"));
    }

    @Test
    void aRolloutIsJudgedAlthoughItsContainerIsExcludedBeforeItEnds() {
        registry.tags.put("r.example/team/proxy:1", D1);
        WorkloadId id = cluster.deployment("a", D1, APP, "r.example/team/proxy:1");
        start();
        registry.tags.put(APP, D2);
        registry.tags.put("r.example/team/proxy:1", D3);
        loop.advance(INTERVAL);
        // What the pods report can be compared only with the content of the digest.
        cluster.runs(id, D3);
        cluster.annotate(id, "urunner.io/containers", "c1");
        loop.advance(INTERVAL);
        cluster.succeeds(id);
        loop.settle();
        assertThat(ended).hasSize(1);
    }

    @Test
    void anImageThatCannotBePulledForNowIsNotQuarantined() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        push(D2);
        cluster.fails(id, RolloutProgress.Cause.PULL, "ImagePullBackOff: i/o timeout");
        loop.advance(INTERVAL);
        assertThat(ended).singleElement().isInstanceOf(Outcome.Failed.class);
        assertThat(cluster.real(id).annotations().get(Workload.STATE))
                .contains("i/o timeout")
                .doesNotContain("\"failed\"");
        cluster.patches.clear();
        WorkloadId other = cluster.deployment("b", D1, APP);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(cluster.patches).containsExactly(other);
        assertThat(decision(engine, id)).isNotInstanceOf(Decision.Blocked.class);
    }

    @Test
    void aDigestThatFailedAndThenRunsIsNoLongerQuarantined() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        push(D2);
        cluster.fails(id, RolloutProgress.Cause.CONTAINERS, "CrashLoopBackOff");
        loop.advance(Duration.ofSeconds(1));
        WorkloadId other = cluster.deployment("b", D1, APP);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(cluster.patches).doesNotContain(other);
        cluster.runs(id, D2);
        loop.advance(INTERVAL);
        assertThat(cluster.real(id).annotations().get(Workload.STATE)).doesNotContain("failed");
        assertThat(cluster.patches).contains(other);
    }

    @Test
    void liftingAQuarantineRollsTheDigestOutToTheOthers() throws Exception {
        WorkloadId failed = cluster.deployment("a", D1, APP);
        start();
        push(D2);
        cluster.fails(failed, RolloutProgress.Cause.CONTAINERS, "CrashLoopBackOff");
        loop.advance(Duration.ofSeconds(1));
        WorkloadId other = cluster.deployment("b", D1, APP);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(cluster.patches).doesNotContain(other);
        Intervention end = Intervention.resume(cluster.real(failed), Map.of(), loop.instant());
        cluster.remember(cluster.real(failed), end.restart().state());
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(cluster.patches).contains(other);
        assertThat(cluster.real(failed).annotations().get(Workload.STATE)).doesNotContain("failed");
    }

    @Test
    void aQuarantineIsReadBackFromTheWorkloadsWhenTheStoreIsLost() {
        WorkloadId failed = cluster.deployment("a", D1, APP);
        Engine engine = start();
        push(D2);
        cluster.fails(failed, RolloutProgress.Cause.CONTAINERS, "CrashLoopBackOff");
        loop.advance(INTERVAL);
        engine.stop();
        loseHistory();
        cluster.patches.clear();
        WorkloadId other = cluster.deployment("b", D1, APP);
        start();
        loop.advance(INTERVAL.multipliedBy(3));
        assertThat(cluster.patches).isEmpty();
        push(D3);
        assertThat(cluster.patches).containsExactly(failed, other);
    }
}
