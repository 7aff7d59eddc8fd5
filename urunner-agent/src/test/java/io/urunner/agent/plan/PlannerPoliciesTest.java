package io.urunner.agent.plan;

import static io.urunner.agent.plan.Given.CHILD2;
import static io.urunner.agent.plan.Given.D1;
import static io.urunner.agent.plan.Given.D2;
import static io.urunner.agent.plan.Given.D3;
import static io.urunner.agent.plan.Given.NOW;
import static io.urunner.agent.plan.Given.REF;
import static io.urunner.agent.plan.Given.SIDECAR;
import static io.urunner.agent.plan.Given.resolved;
import static io.urunner.agent.plan.Given.workload;
import static io.urunner.kube.testing.TestRolloutStatus.wanted;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.urunner.agent.text.Phrases;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.kube.testing.TestContainerState;
import io.urunner.registry.ImageReference;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What prevents a stale workload from being rolled out, and what a rollout writes. */
class PlannerPoliciesTest {
    private static Given stale() {
        return workload().runs(D1).actedOn(D1).tagIs(D2).content(D2);
    }

    static Stream<Arguments> obstacles() {
        return Stream.of(
                arguments("nothing", stale(), "restart", "moved from sha256:111111111111 to sha256:222222222222"),
                arguments(
                        "a wrong annotation",
                        stale().annotation("cooldown", "soon"),
                        "blocked: wrong policy annotation",
                        "urunner.io/cooldown: 'soon' is not a duration"),
                arguments("a pause", stale().rollout(wanted(1).paused()), "blocked: paused", "kubectl rollout resume"),
                arguments(
                        "OnDelete",
                        stale().kind(WorkloadKind.DAEMON_SET).rollout(wanted(1).onDelete()),
                        "blocked: OnDelete",
                        "when you delete the old ones"),
                arguments(
                        "a partition that covers all",
                        stale().kind(WorkloadKind.STATEFUL_SET)
                                .rollout(wanted(2).partition(2)),
                        "blocked: partition covers all replicas",
                        "covers all 2 replicas"),
                arguments(
                        "a partition that covers some",
                        stale().kind(WorkloadKind.STATEFUL_SET)
                                .rollout(wanted(2).partition(1)),
                        "restart",
                        "moved"),
                arguments(
                        "a missing permission",
                        stale().missingPermission("patch deployments in shop"),
                        "blocked: missing permission",
                        "patch deployments in shop"),
                arguments(
                        "a quarantine",
                        stale().quarantined(D2, "shop/Deployment/api"),
                        "blocked: digest quarantined",
                        "failed at shop/Deployment/api (CrashLoopBackOff)"),
                arguments(
                        "a quarantine of another digest",
                        stale().quarantined(D3, "shop/Deployment/api"),
                        "restart",
                        "moved"),
                arguments(
                        "a quarantine that it caused itself, for a digest that it has left since",
                        stale().quarantined(D2, "shop/Deployment/web"),
                        "restart",
                        "moved"),
                arguments("a hold", stale().hold(false), "blocked: held", "by anna"),
                arguments(
                        "shadow mode",
                        stale().annotation("shadow", "true"),
                        "blocked: shadow mode",
                        "would be rolled out"),
                arguments(
                        "a settle time that is not over",
                        stale().annotation("settle", "2m"),
                        "deferred: settle time",
                        "it must stay unchanged for 2m first"),
                arguments("a settle time that is over", stale().annotation("settle", "1m"), "restart", "moved"),
                arguments(
                        "a cooldown that is not over",
                        stale().stateActed(D1).annotation("cooldown", "1h"),
                        "deferred: cooldown",
                        "the cooldown of 1h"),
                arguments(
                        "a cooldown that is over",
                        stale().stateActed(D1).annotation("cooldown", "1m"),
                        "restart",
                        "moved"),
                arguments(
                        "a cooldown before the first rollout",
                        stale().annotation("cooldown", "1h"),
                        "restart",
                        "moved"),
                arguments(
                        "a closed window",
                        stale().annotation("window", "Sat,Sun 00:00-24:00 UTC"),
                        "deferred: outside the windows",
                        "opens at 2030-01-12T00:00:00Z"),
                arguments(
                        "an open window",
                        stale().annotation("window", "Sat,Sun 00:00-24:00; Mon 11:00-13:00"),
                        "restart",
                        "moved"),
                arguments(
                        "another container that is not watched",
                        stale().container("log", "other/log:1", "Always")
                                .untracked("log", ContainerFacts.Why.NO_WATCHED_REGISTRY),
                        "restart",
                        "moved"),
                arguments(
                        "another container that cannot be resolved",
                        stale().container("proxy", SIDECAR, "Always")
                                .answer("proxy", new Answer.Failed(Deferral.TAG_NOT_FOUND, "no such tag", NOW)),
                        "deferred: tag not found",
                        "container proxy: no such tag"),
                arguments(
                        "another container whose rollout was reverted",
                        stale().container("proxy", SIDECAR, "Always")
                                .answer("proxy", resolved(D3))
                                .state("proxy", acted(SIDECAR, D3)),
                        "blocked: rejected by a revert",
                        "container proxy"),
                arguments(
                        "no container that is watched",
                        workload().untracked("app", ContainerFacts.Why.PINNED),
                        "not watched",
                        "PINNED"));
    }

    @Test
    void aWaitForARegistryReportsItsBeginningAndItsEndInWholeSeconds() {
        Instant since = Instant.parse("2030-01-07T11:58:20.123456789Z");
        Instant until = Instant.parse("2030-01-07T18:00:00.000000987Z");
        Decision decision = workload()
                .runs(D1)
                .answer("app", new Answer.Failed(Deferral.RATE_LIMITED, "used up", since, Optional.of(until)))
                .plan()
                .decision();
        assertThat(decision.reason())
                .endsWith("used up, since 2030-01-07T11:58:20Z, asked again at 2030-01-07T18:00:00Z");
        assertThat(decision).isInstanceOfSatisfying(Decision.Deferred.class, waiting -> {
            assertThat(waiting.since()).contains(since);
            assertThat(waiting.until()).contains(until);
        });
    }

    @Test
    void aTimedWaitReportsItsBeginningAndItsEnd() {
        for (Given waits : List.of(
                stale().annotation("settle", "2m"),
                stale().stateActed(D1).annotation("cooldown", "1h"),
                stale().annotation("window", "Sat,Sun 00:00-24:00 UTC"))) {
            assertThat(waits.plan().decision()).isInstanceOfSatisfying(Decision.Deferred.class, waiting -> {
                assertThat(waiting.since()).as(waiting.words()).isPresent();
                assertThat(waiting.reason())
                        .contains(Phrases.time(waiting.until().orElseThrow()));
            });
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("obstacles")
    void aStaleWorkloadIsHeldBackBy(String name, Given given, String decision, String reason) {
        Plan plan = given.plan();

        assertThat(plan.decision().words()).as(plan.decision().reason()).isEqualTo(decision);
        assertThat(plan.decision().reason()).contains(reason);
    }

    @Test
    void aQuarantinedDigestIsNotRolledOutWithAnotherContainer() {
        Given adopted = stale().container("proxy", SIDECAR, "Always")
                .answer("proxy", resolved(D3))
                .quarantined(SIDECAR, D3, "shop/Deployment/api");

        assertThat(adopted.plan().decision().words()).isEqualTo("blocked: digest quarantined");
        assertThat(adopted.plan().decision().reason()).contains("'urunner resume shop/Deployment/api' lifts it");
        Given runsIt = adopted.newPod(Map.of("app", D1, "proxy", D3));
        assertThat(runsIt.plan().decision().words()).isEqualTo("restart");
    }

    @Test
    void anActOfAWrongClockDoesNotHoldBackForever() {
        TestContainerState act = TestContainerState.of(REF).acted(D1).at(Instant.parse("9999-12-31T23:59:59Z"));

        Plan plan = stale().state("app", act).annotation("cooldown", "3650d").plan();

        assertThat(plan.decision().words()).isEqualTo("restart");
    }

    @Test
    void anEditedStateDoesNotMakeThePlannerFail() {
        ContainerState nonsense = TestContainerState.of(REF)
                .acted("none")
                .replaced("?")
                .originalImage("@@")
                .build();

        Plan plan = stale().state("app", nonsense).hold(true).plan();

        assertThat(plan.decision().words()).isEqualTo("restart");
        assertThat(plan.notices()).singleElement().asString().contains("hold");
    }

    @Test
    void aDeferralReportsItsEnd() {
        assertThat(stale().stateActed(D1).annotation("cooldown", "1h").plan().decision())
                .isInstanceOfSatisfying(
                        Decision.Deferred.class,
                        deferred -> assertThat(deferred.until()).contains(NOW.plusSeconds(3540)));
    }

    @Test
    void anUpToDateWorkloadIsNotBlocked() {
        Given paused = workload().runs(D2).tagIs(D2).rollout(wanted(1).paused());

        assertThat(paused.plan().decision().words()).isEqualTo("up to date");
    }

    @Test
    void onePatchCoversSeveralChangedContainersAndRecordsEveryResolvedOne() {
        Plan plan = stale().stateActed(D1)
                .container("proxy", SIDECAR, "Always")
                .answer("proxy", resolved(D3))
                .actedOn("proxy", SIDECAR, D3)
                .container("init", "registry.example/team/init:1", "Always")
                .answer("init", resolved(D3))
                .actedOn("init", "registry.example/team/init:1", D1)
                .state("proxy", acted(SIDECAR, D3))
                .plan();

        assertThat(plan.decision()).isInstanceOfSatisfying(Decision.Restart.class, restart -> {
            assertThat(restart.changes())
                    .containsExactly(
                            new Decision.Change("app", REF, Optional.of(D1), D2),
                            new Decision.Change("init", "registry.example/team/init:1", Optional.of(D1), D3));
            assertThat(restart.patch().digests().digests())
                    .containsOnly(
                            Map.entry("app", REF + "@" + D2),
                            Map.entry("proxy", SIDECAR + "@" + D3),
                            Map.entry("init", "registry.example/team/init:1@" + D3));
            ContainerState app = restart.patch().state().containers().get("app");
            assertThat(app.acted()).contains(D2);
            assertThat(app.actedAt()).contains(NOW);
            assertThat(app.replaced()).containsExactly(D1);
            assertThat(restart.patch().state().containers().get("proxy").actedAt())
                    .contains(NOW.minusSeconds(60));
        });
        assertThat(plan.remember().keySet()).containsExactlyInAnyOrder("app", "proxy", "init");
    }

    @Test
    void replacedDigestsAccumulateWhileTheActedDigestStays() {
        Plan plan = workload()
                .runs(D3)
                .actedOn(D2)
                .stateActed(D2, D1)
                .tagIs(D2)
                .content(D2)
                .plan();

        assertThat(plan.decision())
                .isInstanceOfSatisfying(
                        Decision.Restart.class,
                        restart -> assertThat(
                                        restart.patch().state().containers().get("app"))
                                .satisfies(
                                        app -> assertThat(app.replaced()).containsExactly(D1, D3),
                                        app -> assertThat(app.actedAt()).contains(NOW)));
    }

    @Test
    void theContentOfADigestIsNotAmongWhatItReplaced() {
        Decision.Restart restart =
                restart(workload().runs(CHILD2, D1).actedOn(D1).tagIs(D2).content(D2, CHILD2));

        assertThat(restart.patch().state().containers().get("app").replaced()).containsExactly(D1);
    }

    @Test
    void theFirstRestartUnderAnotherPullPolicyComesWithAWarning() {
        Given first = workload()
                .container("app", REF, "IfNotPresent")
                .runs(D1)
                .tagIs(D2)
                .content(D2);
        Given second = workload()
                .container("app", REF, "IfNotPresent")
                .runs(D1)
                .actedOn(D1)
                .stateActed(D1)
                .tagIs(D2)
                .content(D2);

        assertThat(restart(first).warnings())
                .singleElement()
                .asString()
                .contains("imagePullPolicy is IfNotPresent")
                .contains("urunner.io/if-not-always: pin");
        assertThat(restart(second).warnings()).isEmpty();
    }

    @Test
    void thePinWritesTagAndDigestAndKeepsTheOriginalText() {
        Decision.Restart restart = restart(workload()
                .container("app", "registry.example/team/app", "IfNotPresent")
                .annotation("if-not-always", "pin")
                .runs(D1)
                .tagIs(D2)
                .content(D2)
                .reference("app", REF));

        assertThat(restart.patch().images()).containsEntry("app", REF + "@" + D2);
        assertThat(restart.patch().state().containers().get("app").originalImage())
                .contains("registry.example/team/app");
        assertThat(restart.warnings()).isEmpty();
    }

    @Test
    void aPinnedImageFollowsItsTagAndIsPinnedAgain() {
        Given pinned = workload()
                .container("app", REF + "@" + D1, "IfNotPresent")
                .reference("app", REF)
                .state("app", pinned(D1))
                .runs(D1)
                .actedOn(D1)
                .tagIs(D2)
                .content(D2);

        assertThat(restart(pinned.annotation("if-not-always", "pin")).patch().images())
                .containsEntry("app", REF + "@" + D2);
        assertThat(restart(pinned.annotation("if-not-always", "restart"))
                        .patch()
                        .images())
                .as("without the policy the original text comes back verbatim")
                .containsEntry("app", "registry.example/team/app");
    }

    @Test
    void aHoldUntilTheNextPushEndsWhenTheTagMovesPastTheRejectedDigest() {
        Given held = workload()
                .container("app", REF + "@" + D1, "Always")
                .reference("app", REF)
                .state("app", rolledBack())
                .hold(true)
                .runs(D1)
                .actedOn(D1);

        assertThat(held.tagIs(D2).content(D2).plan().decision().words()).isEqualTo("blocked: held");
        Decision.Restart restart = restart(held.tagIs(D3).content(D3));
        assertThat(restart.patch().images()).containsEntry("app", "registry.example/team/app");
        assertThat(restart.patch().state().hold()).isEmpty();
        assertThat(restart.patch().state().containers().get("app").rejected()).isEmpty();
    }

    @Test
    void aHoldByHandStaysWhenTheTagMoves() {
        Given held = workload()
                .container("app", REF + "@" + D1, "Always")
                .reference("app", REF)
                .state("app", rolledBack())
                .hold(false)
                .runs(D1)
                .actedOn(D1)
                .tagIs(D3)
                .content(D3);

        assertThat(held.plan().decision().words()).isEqualTo("blocked: held");
        assertThat(held.plan().decision().reason()).contains("urunner resume shop/Deployment/web");
    }

    @Test
    void changingTheImageOfAPinnedContainerEndsTheHoldAndIsReported() {
        Plan plan = workload()
                .container("app", "registry.example/team/app:v7", "Always")
                .state("app", rolledBack())
                .hold(false)
                .changedBy("kubectl-set")
                .runs(D3)
                .answer("app", resolved(D3))
                .plan();

        assertThat(plan.decision().words()).isEqualTo("up to date");
        assertThat(plan.notices())
                .singleElement()
                .asString()
                .contains("kubectl-set")
                .contains("hold");
        assertThat(plan.state()).get().satisfies(state -> {
            assertThat(state.hold()).isEmpty();
            assertThat(state.containers().get("app").originalImage()).isEmpty();
        });
    }

    @Test
    void aToolThatPutsTheTagBackIsNamedAndNotFought() {
        Plan plan = workload()
                .container("app", "registry.example/team/app", "Always")
                .reference("app", REF)
                .state("app", rolledBack())
                .hold(false)
                .changedBy("argocd")
                .runs(D2)
                .tagIs(D2)
                .plan();

        assertThat(plan.decision().words()).isEqualTo("blocked: held");
        assertThat(plan.decision().reason()).contains("argocd put the tag back into container app");
        assertThat(plan.state()).isEmpty();
    }

    @Test
    void aFailedDigestThatRunsAfterAllIsNoLongerQuarantined() {
        Plan plan = workload()
                .state("app", States.failed(acted(REF, D2), Optional.of(D2), Optional.of("ImagePullBackOff")))
                .runs(D2)
                .actedOn(D2)
                .tagIs(D2)
                .plan();

        assertThat(plan.state())
                .get()
                .satisfies(state ->
                        assertThat(state.containers().get("app").failed()).isEmpty());
    }

    @Test
    void aFailedDigestIsQuarantinedUntilItsRolloutIsComplete() {
        Plan plan = workload()
                .state("app", States.failed(acted(REF, D2), Optional.of(D2), Optional.of("CrashLoopBackOff")))
                .runs(D2)
                .notComplete()
                .actedOn(D2)
                .tagIs(D2)
                .plan();

        assertThat(plan.state()).isEmpty();
    }

    @Test
    void inShadowModeNothingIsWritten() {
        Plan plan = workload()
                .annotation("shadow", "true")
                .runs(D1)
                .stateActed(D2, D1)
                .tagIs(D2)
                .content(D2)
                .plan();

        assertThat(plan.decision().words()).isEqualTo("blocked: rejected by a revert");
        assertThat(plan.state()).isEmpty();
    }

    @Test
    void contentNeededForTwoContainersIsRequestedTogether() {
        Planner planner = Planner.of(workload()
                .container("proxy", SIDECAR, "Always")
                .newPod(Map.of("app", D1, "proxy", D1))
                .answer("app", resolved(D2))
                .answer("proxy", resolved(D3))
                .facts());

        assertThat(planner.unread())
                .containsExactly(ImageReference.parse(REF + "@" + D2), ImageReference.parse(SIDECAR + "@" + D3));
        assertThat(planner.plan().decision().words()).isEqualTo("deferred: content not read yet");
    }

    private static Decision.Restart restart(Given given) {
        Decision decision = given.plan().decision();
        assertThat(decision).as(decision.reason()).isInstanceOf(Decision.Restart.class);
        return (Decision.Restart) decision;
    }

    private static ContainerState acted(String reference, String digest) {
        return TestContainerState.of(reference)
                .acted(digest)
                .at(NOW.minusSeconds(60))
                .replaced(D1)
                .build();
    }

    private static ContainerState pinned(String digest) {
        return TestContainerState.of(REF)
                .acted(digest)
                .at(NOW.minusSeconds(60))
                .originalImage("registry.example/team/app")
                .build();
    }

    private static ContainerState rolledBack() {
        return States.rejected(pinned(D1), Optional.of(D2), Optional.of("anna"));
    }
}
