package io.urunner.agent.plan;

import static io.urunner.agent.plan.Given.CHILD2;
import static io.urunner.agent.plan.Given.D1;
import static io.urunner.agent.plan.Given.D2;
import static io.urunner.agent.plan.Given.D3;
import static io.urunner.agent.plan.Given.REF;
import static io.urunner.agent.plan.Given.SIDECAR;
import static io.urunner.agent.plan.Given.workload;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.RolloutProgress.Cause;
import io.urunner.kube.testing.TestContainerState;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VerificationTest {
    private static final Content UNREAD = new Content.Unread();
    private static final Content KNOWN = new Content.Known(Set.of(D2, CHILD2));

    @Test
    void itSucceededWhenThePodsRunTheDigest() {
        assertThat(judge(rolledOut().runs(D2), UNREAD))
                .isEqualTo(new Outcome.Succeeded("container app runs " + REF + "@sha256:222222222222"));
    }

    @Test
    void itSucceededWhenThePodsRunWhatTheDigestStandsFor() {
        assertThat(unread(rolledOut().runs(CHILD2), UNREAD)).containsExactly(new ImageDigest(REF, D2));
        assertThat(unread(rolledOut().runs(CHILD2), KNOWN)).isEmpty();
        assertThat(judge(rolledOut().runs(CHILD2), KNOWN)).isInstanceOf(Outcome.Succeeded.class);
    }

    @Test
    void contentThatCannotBeReadInTimeIsReportedAndIsNotAFailure() {
        Outcome outcome = judge(rolledOut().runs(CHILD2), UNREAD);

        assertThat(outcome).isInstanceOf(Outcome.Succeeded.class);
        assertThat(outcome.words()).contains("its content could not be read in time");
    }

    @Test
    void podsThatRunSomethingElseStillHaveTheOldImageAndTheCauseAndRemedyAreNamed() {
        Outcome outcome =
                judge(rolledOut().container("app", REF, "IfNotPresent").runs(D1), KNOWN);

        assertThat(outcome.name()).isEqualTo("still old image");
        assertThat(outcome.words())
                .contains("still reports sha256:111111111111")
                .contains("imagePullPolicy is IfNotPresent")
                .contains("set imagePullPolicy: Always");
    }

    @Test
    void aDigestThatNeverRanIsTheTagsNextOneOnlyIfNodesPull() {
        assertThat(judge(rolledOut().runs(D3), KNOWN)).isInstanceOf(Outcome.Succeeded.class);
        assertThat(judge(rolledOut().container("app", REF, "IfNotPresent").runs(D3), KNOWN))
                .isInstanceOf(Outcome.StillOldImage.class);
    }

    @Test
    void anImpossibleComparisonIsReportedAndIsNotAFailure() {
        Outcome outcome = judge(rolledOut().runs(D1), new Content.Unavailable("the registry answers 500"));

        assertThat(outcome).isInstanceOf(Outcome.Succeeded.class);
        assertThat(outcome.words()).contains("the registry answers 500");
    }

    @Test
    void theVerdictOfTheControllersComesFirst() {
        Given given = rolledOut().runs(D1).changedBy("helm");

        assertThat(judge(new RolloutOutcome.Failed(Cause.CONTAINERS, "CrashLoopBackOff"), given))
                .isEqualTo(new Outcome.Failed("CrashLoopBackOff", true));
        assertThat(judge(new RolloutOutcome.Failed(Cause.SCHEDULING, "no node"), given))
                .isEqualTo(new Outcome.Failed("no node", false));
        assertThat(judge(new RolloutOutcome.TimedOut("2 pods"), given))
                .isEqualTo(new Outcome.TimedOut("waited for 2 pods"));
        assertThat(judge(new RolloutOutcome.Superseded(), given).words()).contains("helm");
        assertThat(judge(
                                new RolloutOutcome.Superseded(),
                                rolledOut().runs(D1).hold(false).changedBy("urunner"))
                        .words())
                .isEqualTo("anna rolled it back in the meantime");
        assertThat(judge(new RolloutOutcome.Gone(), given)).isInstanceOf(Outcome.Superseded.class);
    }

    @Test
    void onlyTheDigestsThatTheRolloutBroughtAreQuarantined() {
        Given given = rolledOut()
                .container("proxy", SIDECAR, "Always")
                .state("proxy", TestContainerState.of(SIDECAR).acted(D3));

        assertThat(Verification.quarantine(given.build(), new Outcome.Failed("CrashLoopBackOff", true)))
                .get()
                .satisfies(state -> {
                    assertThat(state.containers().get("app").failed()).contains(D2);
                    assertThat(state.containers().get("app").failure()).contains("CrashLoopBackOff");
                    assertThat(state.containers().get("proxy").failed()).isEmpty();
                });
        assertThat(Verification.quarantine(given.build(), new Outcome.Failed("no node", false)))
                .get()
                .satisfies(state -> {
                    assertThat(state.containers().get("app").failed()).isEmpty();
                    assertThat(state.containers().get("app").failure()).contains("no node");
                    assertThat(state.containers().get("proxy").failure()).isEmpty();
                });
    }

    private static Given rolledOut() {
        return workload().actedOn(D2).stateActed(D2, D1);
    }

    private static Outcome judge(Given given, Content content) {
        return Verification.judge(new RolloutOutcome.Succeeded(), Optional.of(given.build()), image -> content);
    }

    private static List<ImageDigest> unread(Given given, Content content) {
        return Verification.unread(new RolloutOutcome.Succeeded(), Optional.of(given.build()), image -> content);
    }

    private static Outcome judge(RolloutOutcome followed, Given given) {
        return Verification.judge(followed, Optional.of(given.build()), image -> KNOWN);
    }
}
