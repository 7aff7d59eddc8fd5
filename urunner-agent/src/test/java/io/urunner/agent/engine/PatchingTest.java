package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.kube.KubeException;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The possible answers of the API server to a patch. */
class PatchingTest extends EngineScene {
    @Test
    void aWorkloadThatChangedInTheMeantimeIsReadAndPlannedAgain() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        cluster.pauseWatch();
        cluster.touch(id);
        push(D2);
        assertThat(cluster.reads).isEqualTo(1);
        assertThat(cluster.patches).containsExactly(id);
        cluster.resumeWatch();
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(cluster.patches).hasSize(1);
    }

    @Test
    void aReadDoesNotOverrideWhatTheWatchReportedInTheMeantime() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        cluster.pauseWatch();
        cluster.touch(id);
        cluster.answerTheNextReadLate();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL.plusSeconds(3));
        assertThat(cluster.patches).containsExactly(id);
    }

    @Test
    void aPatchWhoseAnswerIsLostIsNotMadeTwice() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        registry.tags.put(APP, D2);
        cluster.loseNextAnswer();
        cluster.pauseWatch();
        loop.advance(INTERVAL.plusSeconds(5));
        assertThat(cluster.patches).containsExactly(id);
        cluster.resumeWatch();
        loop.advance(INTERVAL.multipliedBy(3));
        assertThat(cluster.patches).containsExactly(id);
    }

    @Test
    void aMissingPermissionBlocksIsRetriedRarelyAndRecoversByItself() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        cluster.refuse(new KubeException("not allowed to patch deployments", 403));
        loop.advance(INTERVAL);
        assertThat(decision(engine, id))
                .isInstanceOfSatisfying(
                        Decision.Blocked.class,
                        blocked -> assertThat(blocked.cause()).isEqualTo(Blockage.PERMISSION));
        cluster.allow();
        loop.advance(Duration.ofMinutes(2));
        assertThat(cluster.patches).containsExactly(id);
    }

    @Test
    void anUnreachableApiServerIsRetriedUntilItIsBack() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        registry.tags.put(APP, D2);
        cluster.refuse(new KubeException("connection refused", KubeException.NO_ANSWER));
        loop.advance(Duration.ofMinutes(1));
        cluster.allow();
        loop.advance(Duration.ofSeconds(5));
        assertThat(cluster.patches).containsExactly(id);
    }

    @Test
    void aRefusedPatchIsRetriedLessAndLessOftenAndArrivesOnceItIsAllowed() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        registry.tags.put(APP, D2);
        cluster.refuse(new KubeException("cannot patch deployments: the field is immutable", 422));
        loop.advance(Duration.ofHours(1));
        assertThat(cluster.refused).isBetween(10, 20);
        cluster.allow();
        loop.advance(Duration.ofMinutes(11));
        assertThat(cluster.patches).containsExactly(id);
    }

    @Test
    void aWorkloadDeletedWhileWePatchItIsForgotten() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        cluster.pauseWatch();
        cluster.delete(id);
        loop.advance(INTERVAL.multipliedBy(3));
        assertThat(cluster.patches).isEmpty();
        assertThat(engine.all()).isEmpty();
    }
}
