package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.WorkloadId;
import org.junit.jupiter.api.Test;

/** How many rollouts may run at once, and which one goes first. */
class LimitsTest extends EngineScene {
    @Test
    void aBudgetMakesTheOthersWaitUntilARolloutIsOver() {
        cluster.deployment("a", D1, APP);
        cluster.deployment("b", D1, APP);
        cluster.deployment("c", D1, APP);
        start(atMost(1));
        push(D2);
        assertThat(cluster.patches).hasSize(1);
        cluster.followed.get(cluster.patches.get(0)).complete(new RolloutOutcome.Succeeded());
        loop.advance(INTERVAL);
        assertThat(cluster.patches).hasSize(2);
    }

    @Test
    void aCanaryGoesFirstAndTheOthersWhenItIsHealthy() {
        WorkloadId first = cluster.deployment("a", D1, APP);
        WorkloadId second = cluster.deployment("b", D1, APP);
        WorkloadId third = cluster.deployment("c", D1, APP);
        Engine engine = start(canary());
        push(D2);
        cluster.rolling(first);
        loop.advance(INTERVAL.multipliedBy(3));
        assertThat(cluster.patches).containsExactly(first);
        assertThat(decision(engine, second))
                .isInstanceOfSatisfying(
                        Decision.Deferred.class,
                        deferred -> assertThat(deferred.cause()).isEqualTo(Deferral.CANARY));
        cluster.runs(first, D2);
        cluster.succeeds(first);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).containsExactly(first, second, third);
    }
}
