package io.urunner.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.agent.doctor.Finding;
import io.urunner.agent.explain.Explanation;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.run.AgentStatus;
import io.urunner.agent.text.NastyStrings;
import io.urunner.agent.text.Printable;
import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore.RolloutRecord;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AnswersTest {
    private static final Instant NOW = Instant.parse("2026-11-23T10:00:00Z");
    private static final WorkloadId WEB = WorkloadId.parse("shop/Deployment/web");

    @Test
    void theAgentThatStandsByNamesTheOneThatActs() {
        assertThat(text(status(false, true, election("web-2_x", Optional.of("web-1_y-z")))))
                .contains("standby: web-1_y-z acts", "kubectl exec web-1 -- urunner explain", "nothing is tracked");
        // Its own Lease has run out, and nobody took it yet.
        for (Optional<String> leader : List.of(Optional.of("web-2_x"), Optional.<String>empty())) {
            assertThat(text(status(false, true, election("web-2_x", leader)))).contains("nobody is elected");
        }
        assertThat(text(status(true, true, election("web-2_x", Optional.of("web-2_x")))))
                .doesNotContain("standby");
    }

    @Test
    void aClusterThatWasNotSeenIsNotTakenForAnEmptyOne() {
        Explanation unseen = explanation(status(true, false, Optional.empty()));
        assertThat(Answers.explanation(unseen, false).text())
                .contains("has not been seen", "urunner history")
                .doesNotContain("nothing is tracked");
        assertThat(Answers.explanation(unseen, false).code()).isEqualTo(ExitCode.HINDERED);
        assertThat(Answers.explanation(unseen, true).code()).isEqualTo(ExitCode.HINDERED);
    }

    @Test
    void theLastRolloutIsToldWithItsReasonUnlessItWentWell() {
        assertThat(lastRollout(Optional.of("succeeded"), Optional.of("container app runs x")))
                .contains("2026-11-23T09:00:00Z succeeded  ")
                .doesNotContain("container app runs x");
        assertThat(lastRollout(Optional.of("failed"), Optional.of("CrashLoopBackOff")))
                .contains("2026-11-23T09:00:00Z failed (CrashLoopBackOff)");
        assertThat(lastRollout(Optional.empty(), Optional.empty())).contains("2026-11-23T09:00:00Z running");
    }

    private static String lastRollout(Optional<String> outcome, Optional<String> message) {
        RolloutRecord last = new RolloutRecord(
                "1",
                WEB.toString(),
                "moved",
                List.of(),
                NOW.minusSeconds(3600),
                outcome.map(ended -> NOW.minusSeconds(3500)),
                outcome,
                message);
        Verdict verdict = new Verdict(
                "app",
                Optional.of("registry.example/app:latest"),
                Optional.of("sha256:1"),
                Set.of("sha256:1"),
                Verdict.Kind.UP_TO_DATE,
                Optional.empty(),
                "runs it");
        AgentStatus.WorkloadStatus workload = new AgentStatus.WorkloadStatus(
                WEB,
                State.NOT_PLANNED,
                Optional.empty(),
                List.of(verdict),
                Map.of(),
                Optional.empty(),
                false,
                Optional.empty());
        return Answers.explanation(
                        new Explanation(
                                "the test",
                                status(true, true, Optional.empty()),
                                List.of(new Explanation.Entry(workload, Map.of(), Optional.of(last))),
                                Optional.empty(),
                                Optional.empty()),
                        false)
                .text();
    }

    private static String text(AgentStatus status) {
        return Answers.explanation(explanation(status), false).text();
    }

    private static Explanation explanation(AgentStatus status) {
        return new Explanation("the test", status, List.of(), Optional.empty(), Optional.empty());
    }

    private static Optional<AgentStatus.Election> election(String identity, Optional<String> leader) {
        return Optional.of(new AgentStatus.Election(identity, leader, Optional.empty()));
    }

    private static AgentStatus status(boolean acts, boolean synced, Optional<AgentStatus.Election> election) {
        return new AgentStatus(
                NOW, acts, election, synced, Set.of(), true, Optional.empty(), List.of(), List.of(), List.of());
    }

    static List<String> nasty() {
        return NastyStrings.all();
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void whatOthersWroteIsExplainedHarmlessly(String text) throws Exception {
        RolloutRecord last = new RolloutRecord(
                "shop/Deployment/web",
                "1",
                text,
                List.of(),
                NOW,
                Optional.of(NOW),
                Optional.of("failed"),
                Optional.of(text));
        Verdict verdict = new Verdict(
                text, Optional.of(text), Optional.of(text), Set.of(text), Verdict.Kind.STALE, Optional.empty(), text);
        AgentStatus.WorkloadStatus workload = new AgentStatus.WorkloadStatus(
                WEB,
                new State(State.Kind.BLOCKED, text, text, Optional.empty(), Optional.empty(), true),
                Optional.of(new Decision.Blocked(Blockage.POLICY, text)),
                List.of(verdict),
                Map.of(text, new TreeMap<>(Map.of(text, 1))),
                Optional.empty(),
                false,
                Optional.empty());
        Explanation explanation = new Explanation(
                text,
                status(true, true, election("web-2_x", Optional.of(text))),
                List.of(new Explanation.Entry(workload, Map.of(text, text), Optional.of(last))),
                Optional.of(new Explanation.Untracked(WEB, true, text)),
                Optional.of(text));
        List<Finding> findings = List.of(new Finding(text, Finding.Result.WRONG, text, text));

        assertThat(Answers.explanation(explanation, false).text().lines())
                .hasSize(6)
                .allSatisfy(line -> NastyStrings.assertHarmless(line, 20_000));
        assertThat(Answers.findings(text, findings, false).text().lines())
                .hasSize(5)
                .allSatisfy(line -> NastyStrings.assertHarmless(line, 20_000));
        assertHarmlessJson(Answers.explanation(explanation, true).text());
        assertHarmlessJson(Answers.findings(text, findings, true).text());
    }

    private static void assertHarmlessJson(String text) throws Exception {
        assertThat(text.lines()).allSatisfy(NastyStrings::assertHarmless);
        assertHarmless(new ObjectMapper().readTree(text));
    }

    private static void assertHarmless(JsonNode json) {
        json.fieldNames().forEachRemaining(name -> NastyStrings.assertHarmless(name, Printable.LINE));
        json.forEach(AnswersTest::assertHarmless);
        NastyStrings.assertHarmless(json.asText(), Printable.LINE);
    }
}
