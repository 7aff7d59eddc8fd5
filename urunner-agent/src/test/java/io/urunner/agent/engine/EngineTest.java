package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Admission.Limits;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Intervention;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.State;
import io.urunner.agent.tags.Hints;
import io.urunner.agent.tags.PushedTag;
import io.urunner.agent.tags.WatchedRegistry;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.KubeAccess.Permission;
import io.urunner.kube.KubeException;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.testing.LogCapture;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import io.urunner.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

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
    void whatARegistryDoesNotShowOfADigestIsUnknownUntilItDoes() {
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

    /** Where pulls are limited, they belong to the nodes. */
    @Test
    void underALimitNoContentIsReadThatDecidesNothing() {
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
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
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
    void whoWasAnsweredBeforeWaitsForALimitOnceTheAnswerIsTooOldAndIsWellAgainAfterwards() {
        WorkloadId id = cluster.deployment("web", D1, APP);
        Engine engine = start();
        loop.advance(INTERVAL);
        assertThat(state(engine, id).kind()).isEqualTo(State.Kind.UP_TO_DATE);
        Instant resets = loop.instant().plus(Duration.ofHours(6));
        registry.limit = Optional.of(new WatchedRegistry.Allowance(0, resets));
        loop.advance(INTERVAL.multipliedBy(4));
        State waiting = state(engine, id);
        assertThat(waiting.kind()).isEqualTo(State.Kind.WAITING);
        assertThat(waiting.cause()).isEqualTo(Deferral.RATE_LIMITED.words());
        assertThat(waiting.until()).contains(resets);
        assertThat(waiting.since()).isPresent();
        assertThat(waiting.reason()).contains("limit is used up", Phrases.time(resets));
        loop.advance(Duration.ofHours(6));
        assertThat(state(engine, id).kind()).isEqualTo(State.Kind.UP_TO_DATE);
        assertThat(stopped).isEmpty();
    }

    @Test
    void whatCrashedBeforeTheAgentCameIsAStateAndWhatCrashesLaterIsTold() {
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
    void whoWasAnsweredBeforeWaitsForARegistryThatIsAwayThoughItIsAskedForOthersOnly() {
        List<WorkloadId> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(cluster.deployment("web" + i, digest(9), "r.example/x" + i + ":latest"));
        }
        Engine engine = start();
        loop.advance(INTERVAL);
        registry.down.add("r.example");
        loop.advance(INTERVAL.multipliedBy(5));
        assertThat(ids).allSatisfy(id -> {
            assertThat(state(engine, id).cause()).isEqualTo(Deferral.REGISTRY_UNREACHABLE.words());
            assertThat(state(engine, id).until().orElseThrow()).isAfter(loop.instant());
        });
        registry.down.clear();
        loop.advance(Duration.ofMinutes(11));
        assertThat(ids).allSatisfy(id -> assertThat(state(engine, id).kind()).isEqualTo(State.Kind.UP_TO_DATE));
        assertThat(stopped).isEmpty();
    }

    @Test
    void whatOurOwnBudgetDoesNotLetBeAskedWaitsAndIsNotIll() {
        registry.budget = OptionalInt.of(1);
        List<WorkloadId> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(cluster.deployment("web" + i, digest(9), "r.example/x" + i + ":latest"));
        }
        Engine engine = start();
        loop.advance(INTERVAL);
        List<State> waiting = ids.stream()
                .map(id -> state(engine, id))
                .filter(state -> state.cause().equals(Deferral.REQUEST_BUDGET.words()))
                .toList();
        assertThat(waiting).hasSizeGreaterThanOrEqualTo(3).allSatisfy(state -> {
            assertThat(state.kind()).isEqualTo(State.Kind.WAITING);
            assertThat(state.ill()).isFalse();
            assertThat(state.until()).isPresent();
        });
        assertThat(stopped).isEmpty();
    }

    @Test
    void aDigestThatATemplateIsPinnedToIsNotPrunedThoughPodsReportAnother() throws Exception {
        Instant ago = loop.instant().minus(Duration.ofDays(200));
        store.write(new DigestStore.Batch(
                List.of(
                        new DigestStore.Sighting(APP, D1, Optional.empty(), ago),
                        new DigestStore.Sighting(APP, D2, Optional.empty(), ago.plusSeconds(1)),
                        new DigestStore.Sighting(APP, D3, Optional.empty(), loop.instant())),
                Map.of(),
                Map.of(),
                Set.of(),
                List.of()));
        cluster.deployment("a", "sha256:" + "c".repeat(64), APP + "@" + D1);
        start();
        loop.advance(Duration.ofMinutes(6));
        assertThat(store.digests(APP, 5))
                .extracting(DigestStore.TagDigest::digest)
                .containsExactly(D3, D1);
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
    void aWorkloadThatChangedMeanwhileIsReadAndPlannedAgain() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        cluster.pauseWatch();
        cluster.touch(id);
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        assertThat(cluster.reads).isEqualTo(1);
        assertThat(cluster.patches).containsExactly(id);
        cluster.resumeWatch();
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(cluster.patches).hasSize(1);
    }

    @Test
    void whatWasReadDoesNotOutlastWhatTheWatchToldMeanwhile() {
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
    void aMissingPermissionBlocksIsTriedSeldomAndGoesAwayByItself() {
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
    void whileSomethingCannotBeSeenNoRegistryIsCalledUnused() {
        cluster.deployment("a", D1, APP);
        cluster.hidden.add(new WatchProblem(
                "pods",
                Optional.of("shop"),
                Optional.of(new Permission("list", "", "pods", Optional.of("shop"))),
                "not allowed to list pods in namespace shop"));
        try (LogCapture log = new LogCapture()) {
            start();
            loop.advance(INTERVAL.multipliedBy(3));
            assertThat(log.lines()).noneMatch(line -> line.contains("use of registry"));
            cluster.hidden.clear();
            loop.advance(INTERVAL);
            assertThat(log.lines())
                    .filteredOn(line -> line.contains("use of registry q.example"))
                    .hasSize(1);
        }
    }

    @Test
    void anApiServerThatIsAwayIsTriedAgainUntilItIsBack() {
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
    void aPatchThatTheClusterRefusesIsTriedLessAndLessOftenAndArrivesWhenItMay() {
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
    void aRegistryThatFailsDefersItsWorkloadsAndNoOthers() {
        WorkloadId app = cluster.deployment("app", D1, APP);
        WorkloadId both = cluster.deployment("both", D1, APP, OTHER);
        registry.down.add("q.example");
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).containsExactly(app);
        assertThat(decision(engine, both))
                .isInstanceOfSatisfying(
                        Decision.Deferred.class,
                        deferred -> assertThat(deferred.cause()).isEqualTo(Deferral.REGISTRY_UNREACHABLE));
        registry.down.clear();
        loop.advance(INTERVAL.multipliedBy(4));
        assertThat(cluster.patches).containsExactly(app, both);
    }

    @Test
    void anAnswerThatHasGrownOldIsNotActedOn() {
        WorkloadId first = cluster.deployment("first", D1, OTHER);
        start();
        registry.down.add("q.example");
        loop.advance(INTERVAL.multipliedBy(10));
        // Its pods are older than what the registry said long ago, but the tag may have moved since.
        WorkloadId late = cluster.deployment("late", D3, OTHER);
        loop.settle();
        assertThat(cluster.patches).isEmpty();
        registry.down.clear();
        registry.tags.put(OTHER, D3);
        loop.advance(Duration.ofMinutes(10));
        assertThat(cluster.patches).containsExactly(first);
        assertThat(acted(late)).isEmpty();
    }

    @Test
    void aNewWorkloadIsLookedAtAtOnceAndOneOfAKnownImageWithoutAQuestion() {
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
    void aWorkloadThatIsDeletedWhileWePatchItIsLetGo() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        cluster.pauseWatch();
        cluster.delete(id);
        loop.advance(INTERVAL.multipliedBy(3));
        assertThat(cluster.patches).isEmpty();
        assertThat(engine.all()).isEmpty();
    }

    @Test
    void aBudgetLetsTheOthersWaitUntilARolloutIsOver() {
        cluster.deployment("a", D1, APP);
        cluster.deployment("b", D1, APP);
        cluster.deployment("c", D1, APP);
        start(new Limits(OptionalInt.of(1), OptionalInt.empty(), false, Duration.ofMinutes(15)));
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).hasSize(1);
        cluster.followed.get(cluster.patches.get(0)).complete(new RolloutOutcome.Succeeded());
        loop.advance(INTERVAL);
        assertThat(cluster.patches).hasSize(2);
    }

    @Test
    void aRolloutThatFailedIsRememberedOnTheWorkloadAndQuarantinesTheDigest() throws Exception {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        cluster.followed
                .get(id)
                .complete(new RolloutOutcome.Failed(RolloutProgress.Cause.CONTAINERS, "CrashLoopBackOff"));
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
    void aDatabaseThatDoesNotWorkKeepsNothingFromBeingRolledOutAndIsCaughtUp() throws Exception {
        store.close();
        Path missing = folder.resolve("missing");
        store = DigestStores.sqlite(missing.resolve("db"), "test");
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).containsExactly(id);
        create(missing);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(store.rollouts(id.toString(), 5)).hasSize(1);
        assertThat(store.digests(APP, 5))
                .extracting(DigestStore.TagDigest::digest)
                .contains(D2);
    }

    @Test
    void anAgentThatStandsByPlansButDoesNotActUntilItIsElected() throws Exception {
        acts = false;
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        assertThat(decision(engine, id)).isInstanceOf(Decision.Restart.class);
        assertThat(cluster.patches).isEmpty();
        assertThat(told).isEmpty();
        acts = true;
        engine.leads(true);
        loop.settle();
        assertThat(cluster.patches).containsExactly(id);
        assertThat(told).first().isInstanceOf(Decision.Restart.class);
        acts = false;
        engine.leads(false);
        cluster.followed.get(id).complete(new RolloutOutcome.Succeeded());
        registry.tags.put(APP, D3);
        loop.advance(INTERVAL.multipliedBy(3));
        assertThat(cluster.patches).containsExactly(id);
        assertThat(ended).isEmpty();
        assertThat(store.rollouts(id.toString(), 5))
                .singleElement()
                .satisfies(rollout -> assertThat(rollout.outcome()).hasValue("not followed"));
    }

    @Test
    void aRolloutThatEndedWhileNoAgentLookedIsRecordedWithItsOutcome() throws Exception {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        engine.stop();
        cluster.runs(id, D2);
        cluster.followed.clear();
        start();
        loop.advance(INTERVAL);
        assertThat(cluster.followed).isEmpty();
        assertThat(store.rollouts(id.toString(), 5))
                .singleElement()
                .satisfies(rollout -> assertThat(rollout.outcome()).hasValue("succeeded"));
        assertThat(ended).as("it ended before").isEmpty();
    }

    @Test
    void whoLeadsAgainTellsWhatEndsThenAndNotWhatEndedMeanwhile() throws Exception {
        WorkloadId over = cluster.deployment("a", D1, APP);
        WorkloadId underWay = cluster.deployment("b", D1, APP);
        WorkloadId failed = cluster.deployment("c", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        cluster.rolling(underWay);
        cluster.rolling(failed);
        cluster.followed
                .get(failed)
                .complete(new RolloutOutcome.Failed(RolloutProgress.Cause.PULL, "ImagePullBackOff: i/o timeout"));
        loop.advance(INTERVAL);
        assertThat(ended).hasSize(1);
        acts = false;
        engine.leads(false);
        cluster.runs(over, D2);
        begun.clear();
        ended.clear();
        cluster.followed.clear();
        acts = true;
        engine.leads(true);
        loop.advance(INTERVAL);
        assertThat(cluster.followed).containsOnlyKeys(underWay);
        assertThat(ended).isEmpty();
        assertThat(store.rollouts(over.toString(), 5).get(0).outcome()).contains("succeeded");
        cluster.runs(underWay, D2);
        cluster.followed.get(underWay).complete(new RolloutOutcome.Succeeded());
        loop.advance(INTERVAL);
        assertThat(begun).isEmpty();
        assertThat(ended).singleElement().isInstanceOf(Outcome.Succeeded.class);
    }

    @Test
    void anAgentThatIsElectedTellsNothingThatWasToldWhileItStoodBy() {
        WorkloadId shadow = cluster.deployment("a", D1, APP);
        cluster.annotate(shadow, "urunner.io/shadow", "true");
        WorkloadId wrong = cluster.deployment("b", D1, APP);
        cluster.annotate(wrong, "urunner.io/settle", "soon");
        acts = false;
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(Duration.ofMinutes(2));
        acts = true;
        engine.leads(true);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(told).isEmpty();
        registry.tags.put(APP, D3);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(told).singleElement().isInstanceOf(Decision.Blocked.class);
        acts = false;
        engine.leads(false);
        registry.tags.put(APP, digest(4));
        loop.advance(INTERVAL.multipliedBy(2));
        acts = true;
        engine.leads(true);
        loop.advance(INTERVAL);
        assertThat(told).as("nobody led when it moved").hasSize(2);
    }

    @Test
    void whatTheStoreOrTheWorkloadShowsIsNotToldAtTheNextStart() {
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
    void aRolloutWhoseContentNeverComesIsJudgedInTheEndAndHoldsNobody() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        // Its pods report a digest that can only be compared with what the new one stands for, which nobody reads.
        cluster.forge(
                id,
                "{\"containers\":{\"c0\":{\"reference\":\"" + APP + "\",\"acted\":\"" + D2 + "\",\"actedAt\":\""
                        + loop.instant() + "\",\"replaced\":[\"" + D1 + "\"]}}}",
                "{\"c0\":\"" + APP + "@" + D2 + "\"}");
        cluster.rolling(id);
        registry.lost = true;
        start();
        cluster.runs(id, D3);
        cluster.followed.get(id).complete(new RolloutOutcome.Succeeded());
        loop.advance(INTERVAL);
        assertThat(ended).isEmpty();
        loop.advance(Duration.ofMinutes(16));
        assertThat(ended)
                .singleElement()
                .satisfies(outcome -> assertThat(outcome.words()).contains("could not be read in time"));
    }

    @Test
    void whatIsNotOursHoldsNobodyThoughItIsUnderWay() {
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
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        assertThat(cluster.followed).containsOnlyKeys(ours);
        assertThat(cluster.patches).containsExactly(ours);
    }

    @Test
    void aRolloutOfWhichTheStoreKnowsNothingIsRecordedOnceItIsFound() throws Exception {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        engine.stop();
        store.close();
        store = DigestStores.sqlite(folder.resolve("another"), "test");
        begun.clear();
        cluster.followed.clear();
        cluster.runs(id, D2);
        Engine next = start();
        loop.advance(INTERVAL);
        assertThat(cluster.followed).isEmpty();
        assertThat(begun).isEmpty();
        assertThat(ended).as("it ended before").isEmpty();
        assertThat(store.rollouts(id.toString(), 5))
                .singleElement()
                .satisfies(rollout -> assertThat(rollout.outcome()).hasValue("succeeded"));
        next.stop();
        cluster.followed.clear();
        start();
        loop.advance(INTERVAL);
        assertThat(cluster.followed).isEmpty();
    }

    @Test
    void aRolloutThatNobodyFollowsAnyMoreIsCalledThatUntilSomebodyTakesItUp() throws Exception {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine once = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
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
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        engine.stop();
        store.close();
        store = DigestStores.sqlite(folder.resolve("another"), "test");
        cluster.rolling(id);
        begun.clear();
        start();
        assertThat(begun).as("it began before").isEmpty();
        cluster.runs(id, D2);
        cluster.followed.get(id).complete(new RolloutOutcome.Succeeded());
        loop.advance(INTERVAL);
        assertThat(store.rollouts(id.toString(), 5))
                .singleElement()
                .satisfies(rollout -> assertThat(rollout.outcome()).hasValue("succeeded"));
        assertThat(cluster.patches).containsExactly(id);
    }

    @Test
    void aLookAtEverythingAsksAgainWhereOnlyTheNextAnswerDecides() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        cluster.runs(id, D2);
        registry.tags.put(APP, D1);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).hasSize(1);
        assertThat(engine.lookAgain()).isTrue();
        loop.settle();
        assertThat(cluster.patches).hasSize(2);
        assertThat(engine.lookAgain()).isFalse();
    }

    @Test
    void whatIsSaidIsSaidOncePerDigest() {
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
    void aHoldThatEndedIsToldOnceThoughNothingMayBeWritten() {
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

    @Test
    void aWrongAnnotationBlocksItsWorkloadAndNoOther() {
        WorkloadId wrong = cluster.deployment("a", D1, APP);
        cluster.annotate(wrong, "urunner.io/cooldown", "soon");
        WorkloadId right = cluster.deployment("b", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).containsExactly(right);
        assertThat(decision(engine, wrong))
                .isInstanceOfSatisfying(
                        Decision.Blocked.class,
                        blocked -> assertThat(blocked.reason()).contains("urunner.io/cooldown"));
        assertThat(told).filteredOn(Decision.Blocked.class::isInstance).hasSize(1);
    }

    @Test
    void aRegistryThatWantsACredentialThatThereIsNotIsSaid() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        registry.closed = true;
        Engine engine = start();
        assertThat(decision(engine, id))
                .isInstanceOfSatisfying(
                        Decision.Deferred.class,
                        deferred -> assertThat(deferred.cause()).isEqualTo(Deferral.NO_CREDENTIAL));
    }

    @Test
    void aCanaryGoesFirstAndTheOthersWhenItIsHealthy() {
        WorkloadId first = cluster.deployment("a", D1, APP);
        WorkloadId second = cluster.deployment("b", D1, APP);
        WorkloadId third = cluster.deployment("c", D1, APP);
        Engine engine = start(new Limits(OptionalInt.empty(), OptionalInt.empty(), true, Duration.ofMinutes(15)));
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        cluster.rolling(first);
        loop.advance(INTERVAL.multipliedBy(3));
        assertThat(cluster.patches).containsExactly(first);
        assertThat(decision(engine, second))
                .isInstanceOfSatisfying(
                        Decision.Deferred.class,
                        deferred -> assertThat(deferred.cause()).isEqualTo(Deferral.CANARY));
        cluster.runs(first, D2);
        cluster.followed.get(first).complete(new RolloutOutcome.Succeeded());
        loop.advance(INTERVAL);
        assertThat(cluster.patches).containsExactly(first, second, third);
    }

    @Test
    void aQuarantineIsReadBackFromTheWorkloadsWhenTheStoreIsLost() {
        WorkloadId failed = cluster.deployment("a", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        cluster.followed
                .get(failed)
                .complete(new RolloutOutcome.Failed(RolloutProgress.Cause.CONTAINERS, "CrashLoopBackOff"));
        loop.advance(INTERVAL);
        engine.stop();
        store.close();
        store = DigestStores.sqlite(folder.resolve("another"), "test");
        cluster.patches.clear();
        WorkloadId other = cluster.deployment("b", D1, APP);
        start();
        loop.advance(INTERVAL.multipliedBy(3));
        assertThat(cluster.patches).isEmpty();
        registry.tags.put(APP, D3);
        loop.advance(INTERVAL);
        assertThat(cluster.patches).containsExactly(failed, other);
    }

    @Test
    void anOperatorLiftsAQuarantineAndTheOthersGetTheDigest() throws Exception {
        WorkloadId failed = cluster.deployment("a", D1, APP);
        start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        cluster.followed
                .get(failed)
                .complete(new RolloutOutcome.Failed(RolloutProgress.Cause.CONTAINERS, "CrashLoopBackOff"));
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
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        cluster.patches.forEach(id -> cluster.runs(id, D2));
        cluster.followed.values().forEach(rollout -> rollout.complete(new RolloutOutcome.Succeeded()));
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(cluster.patches).contains(right).doesNotContain(odd);
    }

    @Test
    void aRolloutIsJudgedThoughItsContainerIsExcludedBeforeItIsOver() {
        registry.tags.put("r.example/team/proxy:1", D1);
        WorkloadId id = cluster.deployment("a", D1, APP, "r.example/team/proxy:1");
        start();
        registry.tags.put(APP, D2);
        registry.tags.put("r.example/team/proxy:1", D3);
        loop.advance(INTERVAL);
        // What the pods report can only be compared with what the digest stands for.
        cluster.runs(id, D3);
        cluster.annotate(id, "urunner.io/containers", "c1");
        loop.advance(INTERVAL);
        cluster.followed.get(id).complete(new RolloutOutcome.Succeeded());
        loop.settle();
        assertThat(ended).hasSize(1);
    }

    @Test
    void anImageThatCannotBePulledForNowIsNotQuarantined() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        Engine engine = start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        cluster.followed
                .get(id)
                .complete(new RolloutOutcome.Failed(RolloutProgress.Cause.PULL, "ImagePullBackOff: i/o timeout"));
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
    void aDigestThatFailedAndThenRunsIsQuarantinedNoMore() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        registry.tags.put(APP, D2);
        loop.advance(INTERVAL);
        cluster.followed
                .get(id)
                .complete(new RolloutOutcome.Failed(RolloutProgress.Cause.CONTAINERS, "CrashLoopBackOff"));
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
    void theDigestsOfAWorkloadThatIsGoneAreForgottenInTheEnd() throws Exception {
        WorkloadId stays = cluster.deployment("a", D1, APP);
        WorkloadId goes = cluster.deployment("b", D1, APP);
        start();
        loop.advance(INTERVAL);
        cluster.delete(goes);
        assertThat(remembered()).containsExactlyInAnyOrder(stays.toString(), goes.toString());
        loop.advance(Duration.ofMinutes(30));
        assertThat(remembered()).contains(goes.toString());
        loop.advance(Duration.ofHours(7));
        assertThat(remembered()).containsExactly(stays.toString());
    }

    private List<String> remembered() throws Exception {
        return store.remembered().keySet().stream()
                .map(DigestStore.TrackedContainer::workload)
                .toList();
    }

    private static void create(Path folder) throws IOException {
        Files.createDirectory(folder);
    }

    @Test
    void aHintIsLookedAtAtOnceAndABurstIsOneLookMore() {
        cluster.deployment("a", D1, APP);
        cluster.deployment("b", D1, OTHER);
        Engine engine = start();
        Hints hints = engine.hints();
        registry.asked.clear();
        PushedTag app = new PushedTag("team/app", "latest");
        assertThat(hints.pushed(List.of(app, app, new PushedTag("team/app", "dev"), new PushedTag("x", "latest"))))
                .isEqualTo(1);
        loop.advance(Duration.ofMillis(100));
        assertThat(registry.asked).containsExactly(APP);
        for (int i = 0; i < 100; i++) {
            assertThat(hints.pushed(List.of(app))).isEqualTo(1);
        }
        loop.advance(Duration.ofMillis(200));
        assertThat(registry.asked).containsExactly(APP);
        registry.tags.put(APP, D2);
        loop.advance(Duration.ofMillis(50));
        assertThat(registry.asked).containsExactly(APP, APP);
        assertThat(cluster.patches).hasSize(1);
        loop.advance(Duration.ofSeconds(5));
        assertThat(registry.asked).containsExactly(APP, APP);
    }

    @Test
    void hintsThatDoNotStopKeepNobodyFromLooking() {
        cluster.deployment("a", D1, APP);
        Hints hints = start().hints();
        registry.asked.clear();
        for (int i = 0; i < 200; i++) {
            hints.pushed(List.of(new PushedTag("team/app", "latest")));
            loop.advance(Duration.ofMillis(10));
        }
        assertThat(registry.asked).hasSizeBetween(7, 9);
    }

    @Test
    void aHintDoesNotBelieveAndDoesNotPatchWhatHasNotMoved() {
        cluster.deployment("a", D1, APP);
        Hints hints = start().hints();
        hints.pushed(List.of(new PushedTag("team/app", "latest")));
        loop.advance(Duration.ofSeconds(3));
        assertThat(cluster.patches).isEmpty();
    }

    @Test
    void aHintThatComesBeforeTheRegistryTellsTheNewDigestIsFollowedUp() {
        cluster.deployment("a", D1, APP);
        Hints hints = start().hints();
        registry.asked.clear();
        hints.pushed(List.of(new PushedTag("team/app", "latest")));
        loop.advance(Duration.ofMillis(200));
        registry.tags.put(APP, D2);
        loop.advance(Duration.ofMillis(200));
        assertThat(cluster.patches).hasSize(1);
        loop.advance(Duration.ofSeconds(5));
        assertThat(registry.asked).as("it moved: that is enough").hasSize(2);
    }

    @Test
    void aHintForARegistryThatBacksOffWaitsUntilItIsBack() {
        cluster.deployment("a", D1, APP);
        Hints hints = start().hints();
        registry.down.add("r.example");
        loop.advance(INTERVAL);
        registry.asked.clear();
        hints.pushed(List.of(new PushedTag("team/app", "latest")));
        loop.advance(Duration.ofSeconds(5));
        assertThat(registry.asked).as("it backs off for 20 s").isEmpty();
        registry.down.clear();
        registry.tags.put(APP, D2);
        loop.advance(Duration.ofSeconds(15));
        assertThat(cluster.patches).hasSize(1);
    }
}
