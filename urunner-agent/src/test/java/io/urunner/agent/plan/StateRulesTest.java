package io.urunner.agent.plan;

import static io.urunner.agent.plan.Given.D1;
import static io.urunner.agent.plan.Given.D2;
import static io.urunner.agent.plan.Given.D3;
import static io.urunner.agent.plan.Given.NOW;
import static io.urunner.agent.plan.Given.REF;
import static io.urunner.agent.plan.Given.workload;
import static io.urunner.kube.testing.TestRolloutStatus.wanted;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.State.Kind;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.kube.testing.TestContainerState;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class StateRulesTest {
    private static final Duration PATIENCE = Duration.ofMinutes(15);
    private static final String CRASH = "CrashLoopBackOff: back-off 10s restarting failed container";

    private static State state(Given given) {
        return look(given).state();
    }

    private static Look look(Given given) {
        return new Look(given);
    }

    /** What the agent sees of a workload over time; by default, it has never been complete, and nothing is wrong. */
    private static final class Look {
        private final Given given;
        private boolean rollingOut;
        private Optional<Trouble> trouble = Optional.empty();
        private Optional<Instant> incompleteSince = Optional.empty();
        private boolean wasComplete;
        private Optional<String> problem = Optional.empty();
        private Optional<State> before = Optional.empty();

        Look(Given given) {
            this.given = given;
        }

        Look rollingOut() {
            rollingOut = true;
            return this;
        }

        Look troubledFor(int seconds) {
            return troubled(Trouble.seen(Optional.empty(), given.build(), NOW.minusSeconds(seconds))
                    .flatMap(first -> Trouble.seen(Optional.of(first), given.build(), NOW)));
        }

        Look troubled(Optional<Trouble> seen) {
            trouble = seen;
            return this;
        }

        Look incompleteFor(int seconds) {
            incompleteSince = ago(seconds);
            return this;
        }

        Look onceComplete() {
            wasComplete = true;
            return this;
        }

        Look problem(String words) {
            problem = Optional.of(words);
            return this;
        }

        Look after(State state) {
            before = Optional.of(state);
            return this;
        }

        State state() {
            return StateRules.state(given.build(), given.plan(), sight());
        }

        Optional<Instant> changesAt() {
            return StateRules.changesAt(given.build(), given.plan(), sight());
        }

        private StateRules.Sight sight() {
            return new StateRules.Sight(
                    rollingOut, trouble, incompleteSince, wasComplete, problem, PATIENCE, before, NOW);
        }
    }

    private static Optional<Instant> ago(int seconds) {
        return Optional.of(NOW.minusSeconds(seconds));
    }

    /** We rolled D2 out. */
    private static Given acted() {
        return workload().tagIs(D2).content(D2).actedOn(D2).stateActed(D2, D1);
    }

    private static Given failed() {
        return acted().state(
                        "app",
                        TestContainerState.of(REF)
                                .acted(D2)
                                .at(NOW.minusSeconds(600))
                                .replaced(D1)
                                .failed(D2, "pod web-1, container app: " + CRASH));
    }

    @Test
    void podsThatRunWhatTheTagSaysAreUpToDate() {
        State state = state(workload().tagIs(D1).runs(D1));
        assertThat(state.kind()).isEqualTo(Kind.UP_TO_DATE);
        assertThat(state.ill()).isFalse();
    }

    @Test
    void aCrashingRolloutHasFailedEvenIfThereIsNothingMoreToDo() {
        Given given = acted().oldPod(D1).newPod(D2, CRASH).rollout(wanted(1).total(2));
        assertThat(given.plan().decision()).isInstanceOf(Decision.UpToDate.class);

        State state = look(given).troubledFor(30).incompleteFor(60).state();
        assertThat(state.kind()).isEqualTo(Kind.FAILED);
        assertThat(state.ill()).isTrue();
        assertThat(state.reason()).contains("pod web-1, container app: " + CRASH, "1 of 2 pods runs the old image");
        assertThat(state.since()).isEqualTo(ago(30));
    }

    @Test
    void troubleCountsWhenItLasts() {
        Given given = acted().newPod(D2, CRASH).rollout(wanted(1).ready(0));
        Look look = look(given).troubledFor(5).incompleteFor(5);
        assertThat(look.state().ill()).isFalse();
        assertThat(look.changesAt()).hasValue(NOW.plusSeconds(15));
    }

    @Test
    void whileOurRolloutIsFollowedItIsRollingOut() {
        Given given = acted().newPod(D2, CRASH).rollout(wanted(1).ready(0));
        assertThat(look(given)
                        .rollingOut()
                        .troubledFor(30)
                        .incompleteFor(60)
                        .state()
                        .kind())
                .isEqualTo(Kind.ROLLING_OUT);
    }

    @Test
    void aFailureWrittenOnTheWorkloadSurvivesARestartOfTheAgent() {
        Given given = failed().oldPod(D1)
                .newPod(D2, "CrashLoopBackOff")
                .rollout(wanted(1).total(2));
        State state = look(given).troubledFor(1).incompleteFor(1).state();
        assertThat(state.kind()).isEqualTo(Kind.FAILED);
        assertThat(state.reason()).contains(CRASH);
        assertThat(state.since()).isEqualTo(ago(600));
        assertThat(state(failed().runs(D2)).kind()).as("recovered").isEqualTo(Kind.UP_TO_DATE);
    }

    @Test
    void podsThatNeverBecomeReadyHaveFailedWhenPatienceEnds() {
        Given given = acted().newPod(D2).rollout(wanted(1).ready(0));
        assertThat(look(given).incompleteFor(60).state().ill()).isFalse();
        State state = look(given).incompleteFor(901).state();
        assertThat(state.kind()).isEqualTo(Kind.FAILED);
        assertThat(state.reason()).contains("0 of 1 pod are available after 15m");
    }

    @Test
    void anOldRolloutGetsNoSecondPatience() {
        Given given = failedToStart(NOW.minusSeconds(1_000));
        assertThat(look(given).incompleteFor(61).state().kind()).isEqualTo(Kind.FAILED);
        assertThat(look(failedToStart(NOW.minusSeconds(100)))
                        .incompleteFor(61)
                        .state()
                        .kind())
                .isEqualTo(Kind.ROLLING_OUT);
    }

    @Test
    void aPodThatMovesToAnotherNodeLongAfterARolloutIsNotAFailure() {
        Given given = failedToStart(NOW.minusSeconds(100_000));
        assertThat(look(given).incompleteFor(600).onceComplete().state().kind()).isEqualTo(Kind.ROLLING_OUT);
        assertThat(look(given).incompleteFor(30).state().kind())
                .as("nor for an agent that moves with it")
                .isEqualTo(Kind.ROLLING_OUT);
        Look late = look(given).incompleteFor(901).onceComplete();
        assertThat(late.state().kind()).isEqualTo(Kind.FAILED);
        assertThat(late.state().since()).isEqualTo(ago(901));
        assertThat(look(given).incompleteFor(30).changesAt()).hasValue(NOW.plusSeconds(30));
    }

    @Test
    void aCrashLoopHasNotRecoveredWhileTheContainerIsUp() {
        Given up = acted().restarts(3).runs(D2);
        Optional<Trouble> first = Trouble.seen(
                Optional.empty(),
                acted().newPod(D2, CRASH).rollout(wanted(1).ready(0)).build(),
                NOW.minusSeconds(50));
        Optional<Trouble> second = Trouble.seen(first, up.build(), NOW.minusSeconds(10));
        Look look = look(up).troubled(second).onceComplete();
        State state = look.state();
        assertThat(state.kind()).isEqualTo(Kind.FAILED);
        assertThat(state.reason())
                .contains(CRASH, "it has been up since", "recovered if that lasts until " + NOW.plusSeconds(110));
        assertThat(look.changesAt()).hasValue(NOW.plusSeconds(110));

        assertThat(Trouble.seen(second, acted().runs(D2).build(), NOW))
                .as("new pods")
                .isEmpty();
        assertThat(Trouble.seen(second, up.build(), NOW.plusSeconds(111)))
                .as("long ago")
                .isEmpty();
        Optional<Trouble> once = Trouble.seen(first, up.build(), NOW.minusSeconds(45));
        assertThat(look(up).troubled(once).onceComplete().state().kind())
                .as("one crash")
                .isEqualTo(Kind.UP_TO_DATE);
    }

    @Test
    void aRolloutBySomebodyElseIsRollingOut() {
        Given given = workload()
                .tagIs(D2)
                .oldPod(D1)
                .newPod(D2, "ContainerCreating")
                .rollout(wanted(1).total(2));
        assertThat(given.plan().decision()).isInstanceOf(Decision.UpToDate.class);
        assertThat(state(given).kind()).isEqualTo(Kind.ROLLING_OUT);
    }

    @Test
    void aDeploymentPausedWhileItCrashesHasFailed() {
        Given given = acted().oldPod(D1)
                .oldPod(D1)
                .newPod(D2, CRASH)
                .rollout(wanted(2).paused().total(3).updated(1));
        State state = look(given).troubledFor(30).incompleteFor(60).state();
        assertThat(state.kind()).isEqualTo(Kind.FAILED);
        assertThat(state.ill()).isTrue();
        assertThat(state.reason()).contains(CRASH, "2 of 3 pods run the old image");

        Given well = acted().newPod(D2).rollout(wanted(2).paused().total(3).updated(1));
        assertThat(look(well.oldPod(D1)).incompleteFor(10_000).state())
                .extracting(State::words, State::ill)
                .containsExactly("partly old: paused", false);
    }

    @Test
    void oldPodsThatCrashAndStayHaveFailed() {
        Given given = acted().kind(WorkloadKind.DAEMON_SET)
                .oldPod(D1, CRASH)
                .newPod(D2)
                .rollout(wanted(2).onDelete().total(3).updated(1).ready(1));
        assertThat(look(given).troubledFor(30).incompleteFor(30).state().ill()).isTrue();
    }

    @Test
    void waitingForPodsToBeDeletedIsNotAFailureWhenPatienceEnds() {
        Given given = acted().kind(WorkloadKind.DAEMON_SET)
                .oldPod(D1)
                .newPod(D2)
                .rollout(wanted(2).onDelete().total(3).updated(1));
        assertThat(look(given).incompleteFor(10_000).state())
                .extracting(State::words, State::ill)
                .containsExactly("partly old: OnDelete", false);
    }

    @Test
    void podsOfOneTemplateThatRunOldAndNewArePartlyOld() {
        Given restarted = acted().container("app", REF, "IfNotPresent").runs(D2, D1, D2);
        assertThat(state(restarted))
                .extracting(State::words, State::ill)
                .containsExactly("partly old: restarted", true);
        assertThat(state(restarted).reason())
                .startsWith("1 of 3 pods runs the old image: ")
                .contains("imagePullPolicy is IfNotPresent");

        Given byHand = workload()
                .kind(WorkloadKind.DAEMON_SET)
                .tagIs(D2)
                .content(D2)
                .runs(D1, D2, D1)
                .rollout(wanted(3).onDelete());
        assertThat(state(byHand).words()).isEqualTo("partly old: OnDelete");
        assertThat(state(byHand).reason())
                .isEqualTo("2 of 3 pods run the old image until somebody deletes them: its strategy is OnDelete");

        Given shadow = workload().tagIs(D2).content(D2).runs(D1, D2).annotation("shadow", "true");
        assertThat(state(shadow).reason()).endsWith("; 1 of 2 pods runs the old image");
    }

    private static Given failedToStart(Instant acted) {
        return acted().state(
                        "app", TestContainerState.of(REF).acted(D2).at(acted).replaced(D1))
                .newPod(D2)
                .rollout(wanted(1).ready(0));
    }

    @Test
    void aStatefulSetThatStoppedHalfWayIsPartlyOld() {
        Given given = acted().kind(WorkloadKind.STATEFUL_SET)
                .oldPod(D1)
                .oldPod(D1)
                .newPod(D2, CRASH)
                .rollout(wanted(3).updated(1).ready(2));
        State state = look(given).troubledFor(30).incompleteFor(60).state();
        assertThat(state.kind()).isEqualTo(Kind.PARTLY_OLD);
        assertThat(state.ill()).isTrue();
        assertThat(state.reason()).startsWith("2 of 3 pods run the old image").contains(CRASH);
    }

    @Test
    void podsBelowThePartitionArePartlyOldAsConfigured() {
        Given given = acted().kind(WorkloadKind.STATEFUL_SET)
                .oldPod(D1)
                .oldPod(D1)
                .newPod(D2)
                .rollout(wanted(3).partition(2).updated(1));
        State state = state(given);
        assertThat(state.kind()).isEqualTo(Kind.PARTLY_OLD);
        assertThat(state.words()).isEqualTo("partly old: partition");
        assertThat(state.reason()).isEqualTo("2 of 3 pods run the old image, below the partition 2");
        assertThat(state.ill()).isFalse();
    }

    @Test
    void anOlderTemplateWithTheSameImageIsNotOld() {
        Given given = workload()
                .kind(WorkloadKind.STATEFUL_SET)
                .tagIs(D2)
                .oldPod(D2)
                .newPod(D2)
                .rollout(wanted(2).partition(1).updated(1));
        assertThat(state(given).kind()).isEqualTo(Kind.UP_TO_DATE);
    }

    @Test
    void aRestartThatBroughtNothingIsStillOld() {
        State state = state(acted().container("app", REF, "IfNotPresent").runs(D1));
        assertThat(state.kind()).isEqualTo(Kind.STILL_OLD);
        assertThat(state.ill()).isTrue();
    }

    @Test
    void aHoldIsDeliberateAndACrashUnderItIsNot() {
        assertThat(state(workload().tagIs(D2).runs(D1).hold(false)))
                .extracting(State::kind, State::ill, State::since)
                .containsExactly(Kind.HELD, false, ago(600));
        Given crashing = acted().hold(false).newPod(D2, CRASH).rollout(wanted(1).ready(0));
        assertThat(look(crashing).troubledFor(30).incompleteFor(60).state().kind())
                .isEqualTo(Kind.FAILED);
    }

    @Test
    void aDisturbedHoldNeedsHelpAtOnce() {
        ContainerState pinned = TestContainerState.of(REF)
                .acted(D1)
                .at(NOW.minusSeconds(600))
                .replaced(D2)
                .rejected(D2, "admin")
                .originalImage(REF)
                .build();
        Given disturbed =
                workload().tagIs(D2).runs(D1).hold(false).state("app", pinned).changedBy("argocd");
        assertThat(state(disturbed)).extracting(State::words, State::ill).containsExactly("held: disturbed", true);
        assertThat(state(disturbed).reason()).contains("argocd put the tag back", "urunner resume");
    }

    @Test
    void aPinThatDoesNotLastNeedsHelpAndAnUndoDoesNot() {
        ContainerState opposed = TestContainerState.of(REF)
                .acted(D2)
                .at(NOW.minusSeconds(60))
                .replaced(D1)
                .rejected(D2, "argocd")
                .originalImage(REF)
                .build();
        Given pinned = workload()
                .container("app", REF, "IfNotPresent")
                .annotation("if-not-always", "pin")
                .changedBy("argocd")
                .runs(D1)
                .tagIs(D2)
                .content(D2);
        assertThat(state(pinned.state("app", opposed)))
                .extracting(State::words, State::ill)
                .containsExactly("blocked: rejected by a revert", true);
        assertThat(state(pinned.state("app", States.unpinned(opposed))))
                .extracting(State::words, State::ill)
                .containsExactly("blocked: rejected by a revert", false);
    }

    @Test
    void unwantedBlockagesNeedHelpAndIntendedOnesDoNot() {
        assertThat(state(workload().tagIs(D2).content(D2).runs(D1).annotation("cooldown", "soon")))
                .extracting(State::words, State::ill)
                .containsExactly("blocked: wrong policy annotation", true);
        assertThat(state(workload().tagIs(D2).content(D2).runs(D1).annotation("shadow", "true")))
                .extracting(State::words, State::ill)
                .containsExactly("blocked: shadow mode", false);
    }

    @Test
    void aWaitReportsItsCauseItsBeginningAndItsEnd() {
        State denied = state(workload()
                .answer(
                        "app",
                        new Answer.Failed(Deferral.ACCESS_DENIED, "denied", NOW.minusSeconds(90), Optional.empty()))
                .runs(D1));
        assertThat(denied)
                .extracting(State::words, State::ill, State::since)
                .containsExactly("waiting: access denied", true, ago(90));

        Instant reset = NOW.plusSeconds(21_600);
        State limited = state(workload()
                .answer(
                        "app",
                        new Answer.Failed(Deferral.RATE_LIMITED, "0 more", NOW.minusSeconds(9), Optional.of(reset)))
                .runs(D1));
        assertThat(limited)
                .extracting(State::words, State::since, State::until)
                .containsExactly("waiting: rate limited", ago(9), Optional.of(reset));

        State settling = state(workload().tagIs(D2).content(D2).runs(D1).annotation("settle", "5m"));
        assertThat(settling)
                .extracting(State::words, State::ill, State::until)
                .containsExactly("waiting: settle time", false, Optional.of(NOW.plusSeconds(240)));

        State cooling = state(workload()
                .tagIs(D3)
                .content(D3)
                .actedOn(D2)
                .state(
                        "app",
                        TestContainerState.of(REF)
                                .acted(D2)
                                .at(NOW.minusMillis(30_400))
                                .replaced(D1))
                .runs(D2)
                .annotation("cooldown", "60s"));
        assertThat(cooling)
                .extracting(State::words, State::until)
                .containsExactly("waiting: cooldown", Optional.of(NOW.plusSeconds(30)));
        assertThat(cooling.reason()).as("the same time").endsWith("ends at " + NOW.plusSeconds(30));
    }

    @Test
    void aWorkloadThatWeAreNotAllowedToChangeNeedsHelp() {
        Given given = workload().tagIs(D2).content(D2).runs(D1);
        assertThat(state(given))
                .extracting(State::words, State::ill)
                .containsExactly("waiting: to be rolled out", false);
        State refused = look(given)
                .onceComplete()
                .problem("cannot patch deployments: HTTP 401: Unauthorized")
                .state();
        assertThat(refused).extracting(State::words, State::ill).containsExactly("waiting: cannot be changed", true);
        assertThat(refused.reason()).endsWith("; cannot patch deployments: HTTP 401: Unauthorized");
    }

    @Test
    void theStateIsUnknownUntilTheRegistryWasAskedAndKeptWhileItIsAskedAgain() {
        assertThat(state(workload().runs(D1)).kind()).isEqualTo(Kind.UNKNOWN);
        Given asking = workload().runs(D1);
        State before = state(workload().tagIs(D1).runs(D1));
        State again = look(asking).after(before).state();
        assertThat(again.kind()).isEqualTo(Kind.UP_TO_DATE);
    }

    @Test
    void aWorkloadWithoutPodsIsHealthy() {
        assertThat(look(acted().rollout(wanted(0)))
                        .incompleteFor(10_000)
                        .state()
                        .kind())
                .isEqualTo(Kind.UP_TO_DATE);
    }
}
