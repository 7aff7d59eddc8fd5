package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.AgentListener;
import io.urunner.agent.PushedTag;
import io.urunner.agent.RegistryProbe;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.tags.Hints;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.KubeException;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.FailedRequest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.NotFoundException;
import io.urunner.registry.RegistryPrefix;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * What could loop endlessly: two users of one cache with different needs, somebody who undoes what we do, workloads that
 * keep changing. The registry and the API server are asked a bounded number of times, and pushes arrive.
 */
class RunawayTest extends EngineScene {
    /** Some pods pulled the next push by themselves: their rollout is compared with a digest that the tag has left. */
    @Test
    void rolloutsThatAreJudgedWhileTheTagMovesOnReadEveryManifestOnce() {
        List<WorkloadId> ids = List.of(
                cluster.deployment("a", D1, APP), cluster.deployment("b", D1, APP), cluster.deployment("c", D1, APP));
        start();
        push(D2);
        assertThat(cluster.patches).hasSize(3);
        registry.tags.put(APP, D3);
        cluster.runs(ids.get(0), D3);
        cluster.rolling(ids.get(1));
        cluster.runs(ids.get(2), digest(4));
        loop.advance(INTERVAL);
        Map.copyOf(cluster.followed).values().forEach(rollout -> rollout.complete(new RolloutOutcome.Succeeded()));
        loop.advance(INTERVAL.multipliedBy(20));
        assertThat(registry.read).as("each digest once").hasSize(2).doesNotHaveDuplicates();
        assertThat(registry.asked).as("22 passes, and a check").hasSizeBetween(22, 24);
        assertThat(acted(ids.get(0))).as("it already ran D3").contains(D2);
        assertThat(acted(ids.get(1))).contains(D3);
        assertThat(acted(ids.get(2))).contains(D3);
        Map.copyOf(cluster.followed).values().forEach(rollout -> rollout.complete(new RolloutOutcome.Succeeded()));
        loop.settle();
        assertThat(begun).as("every rollout is judged").hasSameSizeAs(ended);
        assertThat(stopped).isEmpty();
    }

    @Test
    void aTagThatMovesEverySecondCostsOneQuestionPerPassAndOneManifestPerDigest() {
        List<WorkloadId> ids = List.of(cluster.deployment("a", D1, APP), cluster.deployment("b", D1, APP, APP));
        start();
        registry.asked.clear();
        for (int second = 0; second < 60; second++) {
            registry.tags.put(APP, digest(second % 5 + 1));
            cluster.runs(ids.get(second % 2), digest((second + 2) % 5 + 1));
            loop.advance(Duration.ofSeconds(1));
        }
        loop.advance(INTERVAL.multipliedBy(10));
        assertThat(registry.asked)
                .as("16 passes, and at most one check per interval")
                .hasSizeBetween(16, 32);
        assertThat(registry.read).hasSizeLessThanOrEqualTo(5).doesNotHaveDuplicates();
        assertThat(stopped).isEmpty();
    }

    @Test
    void aPlanRepeatedOnTheSameFactsIsStoppedUntilTheRegistryIsAskedAgain() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        Tracked one = engine.all().iterator().next();
        Set<Plan> plans = Collections.newSetFromMap(new IdentityHashMap<>());
        for (int i = 0; i < 1000; i++) {
            engine.queue().plan(one);
            loop.settle();
            plans.add(one.plan().orElseThrow());
        }
        assertThat(plans).hasSizeLessThanOrEqualTo(50);
        assertThat(stopped).containsExactly(AgentListener.Runaway.PLAN);
        push(D2);
        assertThat(cluster.patches).as("a push still arrives").containsExactly(id);
    }

    @Test
    void repeatedAnswersOfTheRegistryAreNotARunaway() {
        cluster.deployment("a", D1, APP);
        cluster.deployment("b", D1, OTHER);
        FailedRequest missing = FailedRequest.of("resolve", "q.example").answered(404, List.of());
        registry.failing.put(OTHER, new NotFoundException(missing, "it does not exist", null));
        start();
        loop.advance(INTERVAL.multipliedBy(300));
        assertThat(registry.asked).filteredOn(OTHER::equals).hasSizeGreaterThan(200);
        assertThat(stopped).isEmpty();
    }

    @Test
    void aWorkloadIsPatchedAFewTimesAMinuteAndTheLastDigestArrives() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Hints hints = start().hints();
        String last = D1;
        for (int i = 0; i < 118; i++) {
            last = "sha256:" + "%064x".formatted(i);
            registry.tags.put(APP, last);
            cluster.touch(id);
            hints.pushed(List.of(new PushedTag("team/app", "latest")));
            loop.advance(Duration.ofMillis(500));
        }
        assertThat(cluster.patches).hasSizeBetween(20, 30);
        assertThat(stopped).containsOnly(AgentListener.Runaway.PATCH);
        loop.advance(Duration.ofMinutes(2));
        assertThat(acted(id)).contains(last);
    }

    /** The pods become ready before their failure is written, because the API server was unreachable. */
    @Test
    void aFailedRolloutThatRecoversIsNotRecordedAsBothInTurn() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        push(D2);
        cluster.refuse(new KubeException("away", KubeException.NO_ANSWER));
        cluster.fails(id, RolloutProgress.Cause.CONTAINERS, "container c0 crashes");
        loop.advance(Duration.ofMillis(500));
        cluster.runs(id, D2);
        cluster.allow();
        loop.advance(Duration.ofMinutes(10));
        assertThat(cluster.patches).as("the rollout, its failure, its recovery").hasSizeLessThanOrEqualTo(3);
        assertThat(cluster.real(id).annotations().get(Workload.STATE)).doesNotContain("failed");
        assertThat(stopped).isEmpty();
    }

    /** An operator that owns the whole object removes all our annotations, and reverts the template with them. */
    @Test
    void changesThatAnOperatorRevertsAtOnceAreRetriedLessAndLessOften() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        cluster.undoAll();
        start();
        registry.tags.put(APP, D2);
        loop.advance(Duration.ofMinutes(1));
        assertThat(cluster.patches).hasSizeBetween(2, 4);
        loop.advance(Duration.ofHours(1));
        assertThat(cluster.patches).hasSizeLessThanOrEqualTo(6);
        assertThat(stopped)
                .as("each time, so that the alert keeps firing")
                .hasSize(cluster.patches.size() - 2)
                .containsOnly(AgentListener.Runaway.PATCH);
        registry.tags.put(APP, D3);
        int before = cluster.patches.size();
        loop.advance(Duration.ofMinutes(1));
        assertThat(cluster.patches).as("a push is another reason").hasSizeGreaterThan(before);
        assertThat(cluster.patches).containsOnly(id);
    }

    /** An admission rule drops our annotations, and the API server reports success. */
    @Test
    void changesThatTheApiServerDropsAreRetriedLessAndLessOften() {
        cluster.deployment("a", D1, APP);
        cluster.dropAll();
        start();
        registry.tags.put(APP, D2);
        loop.advance(Duration.ofHours(1));
        assertThat(cluster.patches).hasSizeBetween(2, 6);
        assertThat(stopped).containsOnly(AgentListener.Runaway.PATCH);
    }

    @Test
    void aWorkloadThatIncludesAndExcludesAContainerCostsOneQuestionPerInterval() {
        registry.tags.put("r.example/team/proxy:1", D1);
        WorkloadId id = cluster.deployment("a", D3, APP, "r.example/team/proxy:1");
        cluster.annotate(id, "urunner.io/shadow", "true");
        start();
        loop.advance(INTERVAL);
        registry.asked.clear();
        for (int i = 0; i < 300; i++) {
            cluster.annotate(id, "urunner.io/containers", i % 2 == 0 ? "c1" : "c0");
            loop.advance(Duration.ofMillis(200));
        }
        assertThat(registry.asked)
                .as("two references, 6 passes, and at most one check in each")
                .hasSizeLessThanOrEqualTo(24);
        assertThat(registry.read).as("they have one digest").hasSizeLessThanOrEqualTo(1);
    }

    @Test
    void aWorkloadThatIsCreatedAndDeletedCostsOneQuestionPerInterval() {
        cluster.deployment("b", D1, OTHER);
        start();
        loop.advance(INTERVAL);
        registry.asked.clear();
        for (int i = 0; i < 300; i++) {
            WorkloadId id = cluster.deployment("a", D3, APP);
            cluster.annotate(id, "urunner.io/shadow", "true");
            loop.advance(Duration.ofMillis(100));
            cluster.delete(id);
            loop.advance(Duration.ofMillis(100));
        }
        assertThat(registry.asked.stream().filter(APP::equals)).hasSizeBetween(6, 13);
        assertThat(registry.read).hasSizeLessThanOrEqualTo(1);
    }

    /** Only the next answer could decide, and it must not be rolled out anyway. */
    @Test
    void podsThatKeepChangingCostOneMoreQuestionPerInterval() {
        WorkloadId id = cluster.deployment("a", D3, APP);
        cluster.annotate(id, "urunner.io/shadow", "true");
        start();
        loop.advance(INTERVAL);
        registry.asked.clear();
        for (int i = 0; i < 600; i++) {
            cluster.touch(id);
            loop.advance(Duration.ofMillis(100));
        }
        assertThat(registry.asked).as("6 passes").hasSizeBetween(6, 13);
    }

    @Test
    void aRegistryThatIsSlowerThanTheIntervalHoldsUpNothing() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        registry.slow = INTERVAL.multipliedBy(2);
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL.multipliedBy(10));
        assertThat(cluster.patches).containsExactly(id);
    }

    /** Each workload has an image of its own besides one that all share: a pass reaches only a few of them. */
    @Test
    void aBudgetThatIsTooSmallForAPassDelaysRolloutsAndStopsNone() {
        String sidecar = "r.example/team/sidecar:1";
        registry.tags.put(sidecar, D1);
        int count = 60;
        for (int i = 0; i < count; i++) {
            registry.tags.put("r.example/team/m" + i + ":1", D1);
            cluster.deployment("w" + i, D1, "r.example/team/m" + i + ":1", sidecar);
        }
        registry.budget = OptionalInt.of(10);
        start();
        loop.advance(Duration.ofMinutes(30));
        for (int i = 0; i < count; i++) {
            registry.tags.put("r.example/team/m" + i + ":1", D2);
        }
        registry.asked.clear();
        registry.read.clear();
        loop.advance(Duration.ofMinutes(30));
        assertThat(cluster.patches).hasSize(count).doesNotHaveDuplicates();
        assertThat(registry.asked.size() + registry.read.size()).isLessThanOrEqualTo(31 * 10);
    }

    /** One tag for the index and one for the image in it, as many pipelines push them. */
    @Test
    void tagsThatShareAConfigurationReadItOnceAndBothHaveItsLabels() throws Exception {
        String single = "r.example/team/app:latest-amd64";
        registry.tags.put(single, digest(3));
        registry.index(digest(5), digest(6));
        registry.image(digest(6), digest(8));
        cluster.deployment("a", D1, APP);
        cluster.deployment("b", digest(3), single);
        start();
        registry.tags.put(APP, digest(5));
        registry.tags.put(single, digest(6));
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(registry.configurations).containsExactly(digest(8));
        assertThat(stopped).isEmpty();
        for (String reference : List.of(APP, single)) {
            assertThat(store.digests(reference, 1).get(0).labels().orElseThrow().revision())
                    .contains("4f2a");
        }
    }

    @Test
    void anUnreadableConfigurationOfTagsWithOneDigestIsNotADefectOfOurs() {
        String other = "r.example/team/app:1.2";
        registry.tags.put(other, D1);
        registry.image(D2, digest(8));
        registry.noBlobs = true;
        cluster.deployment("a", D1, APP);
        cluster.deployment("b", D1, other);
        start();
        registry.tags.put(APP, D2);
        registry.tags.put(other, D2);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(registry.configurations).containsExactly(digest(8));
        assertThat(stopped).isEmpty();
    }

    /** A settle time that ends in the middle of an outage: nothing could be pulled. */
    @Test
    void anOutageDoesNotMakeAnOldAnswerValidAgain() {
        for (int i = 0; i < 60; i++) {
            registry.tags.put("r.example/team/m" + i + ":1", D1);
            cluster.deployment("w" + i, D1, "r.example/team/m" + i + ":1");
        }
        WorkloadId id = cluster.deployment("a", D1, APP);
        cluster.annotate(id, "urunner.io/settle", "45m");
        start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL.multipliedBy(2));
        registry.down.add("r.example");
        loop.advance(Duration.ofHours(2));
        assertThat(cluster.patches).isEmpty();
        registry.down.clear();
        loop.advance(Duration.ofMinutes(11));
        assertThat(cluster.patches).containsExactly(id);
    }

    @Test
    void repeatedChecksOfARegistryGetTheAnswerOfTheFirst() {
        cluster.deployment("a", D1, APP);
        Engine engine = start();
        registry.slow = Duration.ofSeconds(3);
        registry.asked.clear();
        List<String> told = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            engine.registries()
                    .check(
                            new RegistryProbe(
                                    RegistryPrefix.parse("r.example"),
                                    Optional.of(new RegistryProbe.Image(ImageReference.parse(APP), "shop"))),
                            trouble -> told.add(trouble.toString()));
            loop.advance(Duration.ofMillis(400));
        }
        loop.advance(Duration.ofSeconds(1));
        assertThat(told).hasSize(20).containsOnly("Optional.empty");
        assertThat(registry.asked).hasSize(1);
        assertThat(stopped).isEmpty();
    }
}
