package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Admission.Limits;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.tags.WatchedRegistry;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** A push, from the registry to the pods. */
class EngineTest extends EngineScene {
    @Test
    void aPushIsPlannedOnceWithTheContentOfItsDigest() throws Exception {
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        registry.index(D2, digest(5));
        registry.image(digest(5), digest(6));
        registry.tags.put(APP, D2);
        registry.slow = Duration.ofSeconds(1);
        served.clear();
        loop.advance(INTERVAL.plusSeconds(4));
        assertThat(cluster.patches).containsExactly(id);
        assertThat(served.subList(0, served.indexOf("PATCH shop")))
                .filteredOn("PLAN shop"::equals)
                .hasSize(1);
        loop.advance(INTERVAL);
        assertThat(registry.read).containsExactly("r.example/team/app@" + D2, "r.example/team/app@" + digest(5));
        assertThat(registry.configurations).containsExactly(digest(6));
        assertThat(store.digests(APP, 1).get(0).labels().orElseThrow().revision())
                .contains("4f2a");
    }

    @Test
    void contentThatIsNeverReadHoldsUpOnlyItsOwnPush() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        whenMoved = () -> {
            registry.lost = true;
            loop.after(Duration.ofSeconds(1), () -> registry.lost = false);
        };
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL.multipliedBy(2).minusSeconds(1));
        assertThat(decision(engine, id)).isInstanceOf(Decision.UpToDate.class);
        loop.advance(Duration.ofSeconds(2));
        assertThat(decision(engine, id).words()).isEqualTo("deferred: content not read yet");
        assertThat(told).as("it may be over in a moment").noneMatch(Decision.Deferred.class::isInstance);
        whenMoved = () -> {};
        registry.tags.put(APP, D3);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(cluster.patches).containsExactly(id);
        assertThat(acted(id)).contains(D3);
    }

    @Test
    void contentThatARegistryDoesNotShowIsUnknownUntilItDoes() {
        WorkloadId id = cluster.deployment("a", digest(7), APP);
        registry.noManifests = true;
        Engine engine = start();
        assertThat(decision(engine, id).words()).isEqualTo("deferred: content unknown");
        loop.advance(INTERVAL.multipliedBy(60));
        assertThat(cluster.patches).isEmpty();
        assertThat(registry.read).as("with a back-off").hasSizeLessThan(8);
        registry.noManifests = false;
        loop.advance(INTERVAL.multipliedBy(64));
        assertThat(cluster.patches).containsExactly(id);
    }

    /** If pulls are limited, they are left to the nodes. */
    @Test
    void underALimitOnlyContentThatDecidesIsRead() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        cluster.annotate(id, "urunner.io/settle", "no duration");
        registry.limit =
                Optional.of(new WatchedRegistry.Allowance(1000, loop.instant().plus(Duration.ofDays(1))));
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL.multipliedBy(3));
        assertThat(decision(engine, id)).isInstanceOf(Decision.Blocked.class);
        assertThat(registry.read).isEmpty();
    }

    @Test
    void asksOncePerImageAndPatchesEveryWorkloadOncePerMove() throws Exception {
        List<WorkloadId> ids = List.of(
                cluster.deployment("a", D1, APP), cluster.deployment("b", D1, APP), cluster.deployment("c", D1, APP));
        Engine engine = start();
        assertThat(registry.asked).containsExactly(APP);
        assertThat(cluster.patches).isEmpty();
        push(D2);
        assertThat(registry.asked).containsExactly(APP, APP);
        assertThat(cluster.patches).containsExactlyElementsOf(ids);
        assertThat(acted(ids.get(0))).contains(D2);
        loop.advance(INTERVAL.multipliedBy(5));
        assertThat(cluster.patches).hasSize(3);
        assertThat(decision(engine, ids.get(0))).isNotInstanceOf(Decision.Restart.class);
        assertThat(store.rollouts(ids.get(0).toString(), 5)).hasSize(1);
        assertThat(store.digests(APP, 5))
                .extracting(DigestStore.TagDigest::digest)
                .containsExactly(D2, D1);
    }

    @Test
    void severalContainersThatMovedAreOnePatch() {
        registry.tags.put("r.example/team/proxy:1", D1);
        WorkloadId id = cluster.deployment("a", D1, APP, "r.example/team/proxy:1");
        start();
        registry.tags.put(APP, D2);
        registry.tags.put("r.example/team/proxy:1", D3);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).containsExactly(id);
        assertThat(acted(id)).contains(D2).contains(D3);
    }

    @Test
    void aNewWorkloadIsCheckedAtOnceAndOneWithAKnownImageWithoutAQuestion() {
        cluster.deployment("a", D1, APP);
        start();
        WorkloadId known = cluster.deployment("b", D2, APP);
        loop.settle();
        assertThat(registry.asked).containsExactly(APP);
        WorkloadId other = cluster.deployment("c", D2, "r.example/team/new:1");
        registry.tags.put("r.example/team/new:1", D1);
        loop.settle();
        assertThat(registry.asked).containsExactly(APP, "r.example/team/new:1");
        assertThat(cluster.patches).contains(other);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).contains(known);
    }

    @Test
    void aLookAtEverythingAsksAgainWhereOnlyTheNextAnswerDecides() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        push(D2);
        cluster.runs(id, D2);
        push(D1);
        assertThat(cluster.patches).hasSize(1);
        assertThat(engine.lookAgain()).isTrue();
        loop.settle();
        assertThat(cluster.patches).hasSize(2);
        assertThat(engine.lookAgain()).isFalse();
    }

    @Test
    void aWrongAnnotationBlocksItsWorkloadAndNoOther() {
        WorkloadId wrong = cluster.deployment("a", D1, APP);
        cluster.annotate(wrong, "urunner.io/cooldown", "soon");
        WorkloadId right = cluster.deployment("b", D1, APP);
        Engine engine = start();
        push(D2);
        assertThat(cluster.patches).containsExactly(right);
        assertThat(decision(engine, wrong))
                .isInstanceOfSatisfying(
                        Decision.Blocked.class,
                        blocked -> assertThat(blocked.reason()).contains("urunner.io/cooldown"));
        assertThat(told).filteredOn(Decision.Blocked.class::isInstance).hasSize(1);
    }

    @Test
    void aWorkloadWithNonsenseInItsAnnotationsStopsNoOther() {
        WorkloadId odd = cluster.deployment("a", D1, APP);
        cluster.annotate(odd, "urunner.io/settle", "PT2562047788015215H");
        WorkloadId odder = cluster.deployment("b", D1, APP);
        cluster.annotate(
                odder,
                Workload.STATE,
                "{\"containers\":{\"c0\":{\"reference\":\"" + APP
                        + "\",\"acted\":\"?\",\"actedAt\":\"9999-12-31T23:59:59Z\",\"originalImage\":\"@@\"}},"
                        + "\"hold\":{\"since\":\"1970-01-01T00:00:00Z\",\"by\":\"x\",\"untilNextPush\":true}}");
        cluster.annotate(odder, "urunner.io/cooldown", "3650d");
        WorkloadId right = cluster.deployment("c", D1, APP);
        start(new Limits(OptionalInt.of(3), OptionalInt.of(3), true, Duration.ofMinutes(15)));
        push(D2);
        cluster.patches.forEach(id -> cluster.runs(id, D2));
        cluster.followed.values().forEach(rollout -> rollout.complete(new RolloutOutcome.Succeeded()));
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(cluster.patches).contains(right).doesNotContain(odd);
    }
}
