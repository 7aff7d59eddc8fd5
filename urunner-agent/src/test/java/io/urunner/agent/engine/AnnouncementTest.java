package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.State;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What people are told, once. */
class AnnouncementTest extends EngineScene {
    @Test
    void aCrashBeforeTheAgentStartedIsAStateAndALaterOneIsReported() {
        WorkloadId before = cluster.deployment("before", D1, APP);
        WorkloadId later = cluster.deployment("later", D1, APP);
        cluster.crashes(before);
        Engine engine = start();
        loop.advance(Duration.ofSeconds(30));
        assertThat(state(engine, before)).satisfies(state -> {
            assertThat(state.kind()).isEqualTo(State.Kind.FAILED);
            assertThat(state.ill()).isTrue();
        });
        assertThat(toldStates).isEmpty();
        cluster.crashes(later);
        loop.advance(Duration.ofSeconds(30));
        assertThat(toldStates).containsExactly("later failed");
        cluster.runs(later, D1);
        loop.advance(Duration.ofSeconds(5));
        assertThat(toldStates).containsExactly("later failed", "later up to date");
    }

    @Test
    void announcementsAreMadeOncePerDigest() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        cluster.annotate(id, "urunner.io/shadow", "true");
        start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL.multipliedBy(5));
        assertThat(told).filteredOn(Decision.Blocked.class::isInstance).hasSize(1);
        registry.tags.put(APP, D3);
        loop.advance(INTERVAL.multipliedBy(5));
        assertThat(told).filteredOn(Decision.Blocked.class::isInstance).hasSize(2);
        assertThat(noticed).containsExactly("a " + D2, "a " + D3);
        assertThat(cluster.patches).isEmpty();
    }

    @Test
    void anEndedHoldIsReportedOnceAlthoughNothingMayBeWritten() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        cluster.annotate(id, "urunner.io/shadow", "true");
        cluster.annotate(
                id,
                Workload.STATE,
                "{\"containers\":{\"c0\":{\"reference\":\"" + APP + "\",\"rejected\":\"" + D3
                        + "\"}},\"hold\":{\"since\":\"2026-11-23T10:00:00Z\",\"by\":\"ann\",\"untilNextPush\":true}}");
        start();
        loop.advance(INTERVAL.multipliedBy(5));
        assertThat(noticed).containsExactly("a HOLD_ENDED");
    }
}
