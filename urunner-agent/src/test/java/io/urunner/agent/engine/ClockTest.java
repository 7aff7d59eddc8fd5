package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.KubeException;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A machine's clock is changed while the agent runs: nothing waits for a moment that comes from a wrong clock. */
class ClockTest extends EngineScene {
    private static final Duration YEARS = Duration.ofDays(3 * 365);

    private WorkloadId mine;

    @BeforeEach
    void deploy() {
        mine = cluster.deployment("mine", D1, APP);
    }

    private void assertPushArrives(String digest) {
        registry.tags.put(APP, digest);
        loop.advance(INTERVAL.plusSeconds(5));
        assertThat(acted(mine)).contains(digest);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 1})
    void aPushAfterwardsArrives(int direction) {
        start();
        assertPushArrives(D2);
        cluster.runs(mine, D2);
        loop.setClock(YEARS.multipliedBy(direction));
        assertPushArrives(D3);
    }

    @Test
    void aPushRightBeforeArrives() {
        cluster.annotate(mine, "urunner.io/settle", "1m");
        start();
        push(D2);
        loop.setClock(YEARS.negated());
        loop.advance(Duration.ofMinutes(2));
        assertThat(acted(mine)).contains(D2);
    }

    /** Pods that run something other than the registry says are replaced, once it has been asked after they were seen. */
    @ParameterizedTest
    @ValueSource(ints = {0, -1})
    void anAnswerIsNotOlderThanPodsThatWereSeenBefore(int direction) {
        start();
        assertPushArrives(D2);
        cluster.runs(mine, D2);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).hasSize(1);
        cluster.runs(mine, D3);
        loop.setClock(YEARS.multipliedBy(direction));
        loop.advance(INTERVAL);
        assertThat(cluster.patches).hasSizeGreaterThan(1);
    }

    @Test
    void aFailedPatchIsRetried() {
        start();
        cluster.refuse(new KubeException("admission webhook says no", 422));
        push(D2);
        loop.setClock(YEARS.negated());
        cluster.allow();
        loop.advance(Duration.ofMinutes(1));
        assertThat(acted(mine)).contains(D2);
    }

    @Test
    void aFailureElsewhereIsNotAwaitedForever() {
        List<WorkloadId> others =
                List.of(cluster.deploymentIn("one", "web", D1, APP), cluster.deploymentIn("two", "web", D1, APP));
        cluster.delete(mine);
        start();
        push(D2);
        for (WorkloadId other : others) {
            assertThat(acted(other)).contains(D2);
            cluster.fails(other, RolloutProgress.Cause.CONTAINERS, "it crashes");
        }
        loop.advance(INTERVAL);
        loop.setClock(YEARS.negated());
        deploy();
        loop.advance(Duration.ofMinutes(20));
        assertThat(acted(mine)).contains(D2);
    }
}
