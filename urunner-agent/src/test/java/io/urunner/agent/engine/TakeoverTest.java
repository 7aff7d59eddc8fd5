package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Admission.Limits;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Outcome;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore;
import io.urunner.store.StoreException;
import java.time.Duration;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Rollouts that this agent did not see start, and what it reports when it starts acting. */
class TakeoverTest extends EngineScene {
    @Test
    void anAgentThatStandsByPlansButDoesNotActUntilItIsElected() throws Exception {
        acts = false;
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        push(D2);
        assertThat(decision(engine, id)).isInstanceOf(Decision.Restart.class);
        assertThat(cluster.patches).isEmpty();
        assertThat(told).isEmpty();
        lead(engine);
        loop.settle();
        assertThat(cluster.patches).containsExactly(id);
        assertThat(told).first().isInstanceOf(Decision.Restart.class);
        standBy(engine);
        cluster.succeeds(id);
        registry.tags.put(APP, D3);
        loop.advance(INTERVAL.multipliedBy(3));
        assertThat(cluster.patches).containsExactly(id);
        assertThat(ended).isEmpty();
        assertThat(outcomes(id)).containsExactly("not followed");
    }

    @Test
    void aRolloutThatEndedWhileNoAgentWasRunningIsRecordedWithItsOutcome() throws Exception {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        push(D2);
        engine.stop();
        cluster.runs(id, D2);
        cluster.followed.clear();
        start();
        loop.advance(INTERVAL);
        assertThat(cluster.followed).isEmpty();
        assertThat(outcomes(id)).containsExactly("succeeded");
        assertThat(ended).as("it ended before").isEmpty();
    }

    @Test
    void aReelectedLeaderReportsWhatEndsThenAndNotWhatEndedInBetween() throws Exception {
        WorkloadId over = cluster.deployment("a", D1, APP);
        WorkloadId underWay = cluster.deployment("b", D1, APP);
        WorkloadId failed = cluster.deployment("c", D1, APP);
        Engine engine = start();
        push(D2);
        cluster.rolling(underWay);
        cluster.rolling(failed);
        cluster.fails(failed, RolloutProgress.Cause.PULL, "ImagePullBackOff: i/o timeout");
        loop.advance(INTERVAL);
        assertThat(ended).hasSize(1);
        standBy(engine);
        cluster.runs(over, D2);
        begun.clear();
        ended.clear();
        cluster.followed.clear();
        lead(engine);
        loop.advance(INTERVAL);
        assertThat(cluster.followed).containsOnlyKeys(underWay);
        assertThat(ended).isEmpty();
        assertThat(store.rollouts(over.toString(), 5).get(0).outcome()).contains("succeeded");
        cluster.runs(underWay, D2);
        cluster.succeeds(underWay);
        loop.advance(INTERVAL);
        assertThat(begun).isEmpty();
        assertThat(ended).singleElement().isInstanceOf(Outcome.Succeeded.class);
    }

    @Test
    void anElectedAgentDoesNotRepeatWhatWasReportedWhileItStoodBy() {
        WorkloadId shadow = cluster.deployment("a", D1, APP);
        cluster.annotate(shadow, "urunner.io/shadow", "true");
        WorkloadId wrong = cluster.deployment("b", D1, APP);
        cluster.annotate(wrong, "urunner.io/settle", "soon");
        acts = false;
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(Duration.ofMinutes(2));
        lead(engine);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(told).isEmpty();
        registry.tags.put(APP, D3);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(told).singleElement().isInstanceOf(Decision.Blocked.class);
        standBy(engine);
        registry.tags.put(APP, digest(4));
        loop.advance(INTERVAL.multipliedBy(2));
        lead(engine);
        loop.advance(INTERVAL);
        assertThat(told).as("nobody led when it moved").hasSize(2);
    }

    @Test
    void whatTheStoreOrTheWorkloadShowsIsNotReportedAgainAtTheNextStart() {
        WorkloadId shadow = cluster.deployment("a", D1, APP);
        cluster.annotate(shadow, "urunner.io/shadow", "true");
        WorkloadId held = cluster.deployment("b", D1, APP);
        cluster.annotate(
                held,
                Workload.STATE,
                "{\"containers\":{},\"hold\":{\"since\":\"2026-11-23T10:00:00Z\",\"by\":\"ann\",\"untilNextPush\":false}}");
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(told)
                .filteredOn(decision -> decision.words().equals("blocked: shadow mode"))
                .hasSize(1);
        engine.stop();
        told.clear();
        start();
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(told).isEmpty();
    }

    @Test
    void aRolloutThatIsNotOursHoldsUpNobodyWhileItIsUnderWay() {
        WorkloadId strange = cluster.deployment("a", D1, "elsewhere.example/team/app:latest");
        cluster.forge(
                strange,
                "{\"containers\":{\"c0\":{\"reference\":\"elsewhere.example/team/app:latest\",\"acted\":\"" + D3
                        + "\",\"actedAt\":\"" + loop.instant() + "\",\"replaced\":[\"" + D2
                        + "\"]}},\"hold\":{\"since\":\"2026-11-23T10:00:00Z\",\"by\":\"ann\",\"untilNextPush\":false}}",
                "{\"c0\":\"elsewhere.example/team/app:latest@" + D3 + "\"}");
        cluster.rolling(strange);
        WorkloadId ours = cluster.deployment("b", D1, APP);
        start(new Limits(OptionalInt.of(1), OptionalInt.of(1), true, Duration.ofMinutes(15)));
        push(D2);
        assertThat(cluster.followed).containsOnlyKeys(ours);
        assertThat(cluster.patches).containsExactly(ours);
    }

    @Test
    void aRolloutUnknownToTheStoreIsRecordedOnceItIsFound() throws Exception {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        push(D2);
        engine.stop();
        loseHistory();
        begun.clear();
        cluster.followed.clear();
        cluster.runs(id, D2);
        Engine next = start();
        loop.advance(INTERVAL);
        assertThat(cluster.followed).isEmpty();
        assertThat(begun).isEmpty();
        assertThat(ended).as("it ended before").isEmpty();
        assertThat(outcomes(id)).containsExactly("succeeded");
        next.stop();
        cluster.followed.clear();
        start();
        loop.advance(INTERVAL);
        assertThat(cluster.followed).isEmpty();
    }

    @Test
    void aRolloutThatNobodyFollowsIsRecordedAsSuchUntilItIsTakenOver() throws Exception {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine once = start();
        push(D2);
        cluster.rolling(id);
        once.stop();
        loop.settle();
        assertThat(last(id).outcome()).hasValue("not followed");
        assertThat(last(id).finished()).isEmpty();
        begun.clear();
        Engine agent = start();
        loop.advance(INTERVAL);
        assertThat(last(id).outcome()).hasValue("running");
        agent.stop();
        loop.settle();
        cluster.runs(id, D2);
        start();
        loop.advance(INTERVAL);
        assertThat(last(id).outcome()).hasValue("succeeded");
        assertThat(last(id).finished()).isPresent();
        assertThat(begun).as("it began before").isEmpty();
        assertThat(cluster.patches).containsExactly(id);
    }

    private DigestStore.RolloutRecord last(WorkloadId id) throws StoreException {
        return store.rollouts(id.toString(), 1).get(0);
    }

    @Test
    void aRolloutThatIsFoundUnderWayIsFollowedToItsEnd() throws Exception {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        push(D2);
        engine.stop();
        loseHistory();
        cluster.rolling(id);
        begun.clear();
        start();
        assertThat(begun).as("it began before").isEmpty();
        cluster.runs(id, D2);
        cluster.succeeds(id);
        loop.advance(INTERVAL);
        assertThat(outcomes(id)).containsExactly("succeeded");
        assertThat(cluster.patches).containsExactly(id);
    }
}
