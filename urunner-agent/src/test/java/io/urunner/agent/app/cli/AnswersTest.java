package io.urunner.agent.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.agent.AgentStatus;
import io.urunner.agent.TestAgentStatus;
import io.urunner.agent.TestWorkloadStatus;
import io.urunner.agent.app.doctor.Finding;
import io.urunner.agent.app.explain.Explanation;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.TestVerdict;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.text.NastyStrings;
import io.urunner.agent.text.Printable;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.Digest;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TagDigest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AnswersTest {
    private static final Digest D1 = Digest.parse("sha256:" + "1".repeat(64));
    private static final Instant NOW = Instant.parse("2026-11-23T10:00:00Z");
    private static final AgentStatus STATUS = TestAgentStatus.at(NOW).build();
    private static final WorkloadId WEB = WorkloadId.parse("shop/Deployment/web");

    @Test
    void aStandbyAgentNamesTheOneThatActs() {
        assertThat(text(standby(Optional.of("web-1_y-z"))))
                .contains("standby: web-1_y-z acts", "kubectl exec web-1 -- urunner explain", "nothing is tracked");
        // Its own Lease has expired, and nobody has taken it yet.
        for (Optional<String> leader : List.of(Optional.of("web-2_x"), Optional.<String>empty())) {
            assertThat(text(standby(leader))).contains("nobody is elected");
        }
        assertThat(text(TestAgentStatus.at(NOW)
                        .election("web-2_x", Optional.of("web-2_x"))
                        .build()))
                .doesNotContain("standby");
    }

    @Test
    void aClusterThatWasNotSeenIsNotMistakenForAnEmptyOne() {
        Explanation unseen = explanation(TestAgentStatus.at(NOW).notSynced().build());
        assertThat(Answers.explanation(unseen, ALL).text())
                .contains("not synced with the cluster", "urunner history")
                .doesNotContain("nothing is tracked");
        assertThat(Answers.explanation(unseen, ALL).code()).isEqualTo(ExitCode.HINDERED);
        assertThat(Answers.explanation(unseen, view(Form.Format.JSON)).code()).isEqualTo(ExitCode.HINDERED);
    }

    @Test
    void theLastRolloutIsShownWithItsReasonUnlessItSucceeded() {
        assertThat(lastRollout(Optional.of("succeeded"), Optional.of("container app runs x")))
                .contains("Last rollout:  60 min ago (2026-11-23T09:00:00Z) succeeded\n")
                .doesNotContain("container app runs x");
        assertThat(lastRollout(Optional.of("failed"), Optional.of("CrashLoopBackOff")))
                .contains("(2026-11-23T09:00:00Z) failed (CrashLoopBackOff)");
        assertThat(lastRollout(Optional.empty(), Optional.empty())).contains("(2026-11-23T09:00:00Z) running");
        assertThat(lastRollout(Optional.of("not followed"), Optional.empty()))
                .contains("(2026-11-23T09:00:00Z) not followed\n");
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
        return Answers.explanation(
                        explanation(new Explanation.Entry(
                                workload(WEB, State.NOT_PLANNED), Map.of(), Map.of(), Optional.of(last), Map.of())),
                        only(WEB, 100))
                .text();
    }

    private static AgentStatus.WorkloadStatus workload(WorkloadId id, State state) {
        TestVerdict verdict = TestVerdict.of("app", Verdict.Kind.UP_TO_DATE, "runs it")
                .reference("registry.example/app:latest")
                .digest(D1.toString())
                .running("sha256:1");
        return TestWorkloadStatus.of(id)
                .state(state)
                .containers(verdict)
                .running("app", new TreeMap<>(Map.of("sha256:1", 2, "sha256:2", 1)))
                .image("app", "registry.example/app")
                .build();
    }

    private static State state(State.Kind kind, boolean ill) {
        return new State(kind, "", kind.words() + " it is", Optional.of(NOW.minusSeconds(190)), Optional.empty(), ill);
    }

    private static Explanation fleet() {
        return explanation(
                entry("pay/Deployment/api", State.Kind.UP_TO_DATE, false),
                entry("shop/Deployment/off", State.Kind.NOT_WATCHED, false),
                entry("shop/Deployment/soon", State.Kind.WAITING, false),
                entry("shop/Deployment/web", State.Kind.FAILED, true));
    }

    private static Explanation.Entry entry(String id, State.Kind kind, boolean ill) {
        return new Explanation.Entry(
                workload(WorkloadId.parse(id), state(kind, ill)), Map.of(), Map.of(), Optional.empty(), Map.of());
    }

    @Test
    void theListShowsProblemsFirst() {
        assertThat(Answers.explanation(fleet(), ALL).text().lines().skip(2))
                .containsExactly(
                        "WORKLOAD              STATE        SINCE      REASON",
                        "shop/Deployment/web   failed       3 min ago  failed it is",
                        "shop/Deployment/soon  waiting      3 min ago  waiting it is",
                        "pay/Deployment/api    up to date   3 min ago  up to date it is",
                        "shop/Deployment/off   not watched  3 min ago  not watched it is",
                        "",
                        "4 workloads: 1 up to date, 1 failed, 1 waiting, 1 not watched");
    }

    @Test
    void aFailureIsDescribedWithTheCommandThatTakesItBack() {
        assertThat(described(WEB)).contains("'urunner rollback shop/Deployment/web' takes it back");
        assertThat(described(WorkloadId.parse("pay/Deployment/api"))).doesNotContain("Remedy");
    }

    private static String described(WorkloadId id) {
        View one = only(id, 200);
        return Answers.explanation(fleet(), one).text();
    }

    @Test
    void theWideListGivesTheReasonForEachState() {
        assertThat(Answers.explanation(fleet(), view(Form.Format.WIDE)).text().lines())
                .anySatisfy(
                        line -> assertThat(line).startsWith("WORKLOAD").containsPattern("STATE +SINCE +WHY +CONTAINER"))
                .anySatisfy(line -> assertThat(line).contains("shop/Deployment/web", "failed it is"));
    }

    @Test
    void onlyTheRequestedWorkloadsAreShown() {
        assertThat(chosen(Optional.of("shop"), Set.of(), false)).containsExactly("web", "soon", "off");
        assertThat(chosen(Optional.empty(), Set.of(State.Kind.WAITING, State.Kind.UP_TO_DATE), false))
                .containsExactly("soon", "api");
        assertThat(chosen(Optional.empty(), Set.of(), true)).containsExactly("web");
        assertThat(chosen(Optional.of("pay"), Set.of(), true)).isEmpty();
        Answer none = Answers.explanation(
                fleet(),
                new View(new Form(Form.Format.TEXT, 80), Optional.empty(), Optional.of("pay"), Set.of(), true));
        assertThat(none.text()).contains("none of 4 workloads matches");
        assertThat(none.code()).isEqualTo(ExitCode.OK);
    }

    private static List<String> chosen(Optional<String> namespace, Set<State.Kind> states, boolean problems) {
        View view = new View(new Form(Form.Format.JSON, 80), Optional.empty(), namespace, states, problems);
        try {
            return new ObjectMapper()
                    .readTree(Answers.explanation(fleet(), view).text()).findValuesAsText("workload").stream()
                            .map(id -> WorkloadId.parse(id).name())
                            .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aNamespaceWithoutTrackedWorkloadsIsExplained() {
        Answer answer = untracked(Optional.empty(), "there is no namespace web");
        assertThat(answer.code()).isEqualTo(ExitCode.HINDERED);
        assertThat(answer.text().lines().skip(2))
                .containsExactly(
                        "did you mean shop/Deployment/web?",
                        "nothing is tracked in the namespace web: there is no namespace web");
    }

    @Test
    void untrackedWorkloadsAreNotFoundForAnyReason() {
        for (String reason : List.of("there is no Deployment web", "it has the label urunner=disable")) {
            Answer answer = untracked(Optional.of(WorkloadId.parse("web/Deployment/web")), reason);
            assertThat(answer.code()).isEqualTo(ExitCode.HINDERED);
            assertThat(answer.text().lines().skip(2))
                    .containsExactly(
                            "did you mean shop/Deployment/web?", "web/Deployment/web is not tracked: " + reason);
        }
    }

    private static Answer untracked(Optional<WorkloadId> workload, String reason) {
        Explanation explanation = new Explanation(
                "the test",
                STATUS,
                List.of(),
                Optional.of(new Explanation.Untracked("web", workload, false, reason, List.of(WEB))),
                Optional.empty());
        return Answers.explanation(
                explanation, new View(new Form(Form.Format.TEXT, 200), workload, Optional.of("web"), Set.of(), false));
    }

    private static List<String> described(
            TestVerdict verdict, State.Kind kind, Decision decision, TagDigest... before) {
        AgentStatus.WorkloadStatus status = TestWorkloadStatus.of(WEB)
                .state(new State(kind, "", decision.reason(), Optional.empty(), Optional.empty(), false))
                .decision(decision)
                .containers(verdict)
                .image("app", "nginx:latest")
                .nextLook(NOW.plusSeconds(21))
                .build();
        Explanation explanation = explanation(new Explanation.Entry(
                status,
                Map.of(),
                Map.of(),
                Optional.empty(),
                Stream.of(before).collect(Collectors.toMap(last -> "app", last -> last))));
        return Answers.explanation(explanation, only(WEB, 200))
                .text()
                .lines()
                .skip(3)
                .toList();
    }

    @Test
    void aWorkloadThatIsNotWatchedIsDescribedWithItsImageAndOneReason() {
        TestVerdict verdict = TestVerdict.of(
                "app", Verdict.Kind.NOT_WATCHED, "no watched registry has docker.io/library/nginx:latest");
        String why = "container app: no watched registry has docker.io/library/nginx:latest";
        assertThat(described(verdict, State.Kind.NOT_WATCHED, new Decision.NotWatched(why)))
                .containsExactly(
                        "  State:         not watched",
                        "  Why:           " + why,
                        "  Decision:      not watched",
                        "  Last rollout:  none is known",
                        "  Next check:    when it changes",
                        "",
                        "container app",
                        "  Image:         nginx:latest",
                        "  Running:       -",
                        "  Verdict:       not watched");
    }

    @Test
    void theLastKnownDigestIsShownWhileTheRegistryDoesNotAnswer() {
        TestVerdict verdict = TestVerdict.of("app", Verdict.Kind.UNRESOLVED, "it rejects the credential")
                .reference("registry.example/app:latest")
                .cause(Deferral.CREDENTIAL_REJECTED);
        Decision decision = new Decision.Deferred(
                Deferral.CREDENTIAL_REJECTED,
                "container app: it rejects the credential",
                Optional.empty(),
                Optional.empty());
        assertThat(described(
                        verdict,
                        State.Kind.WAITING,
                        decision,
                        new TagDigest(
                                "registry.example/app:latest",
                                "sha256:0123456789abcdef",
                                Optional.empty(),
                                NOW.minusSeconds(90),
                                NOW.minusSeconds(40),
                                Optional.empty())))
                .contains(
                        "  Tag now:       sha256:0123456789ab (as of 40 s ago)",
                        "  Next check:    in 21 s (2026-11-23T10:00:21Z), if the credential has changed by then");
        assertThat(described(verdict, State.Kind.WAITING, decision)).contains("  Tag now:       not known");
    }

    @Test
    void aSingleWorkloadIsDescribedWithItsRunningDigests() {
        View view = only(WEB, 60);
        assertThat(Answers.explanation(fleet(), view).text().lines().skip(2))
                .containsExactly(
                        "shop/Deployment/web",
                        "  State:         failed",
                        "  Since:         3 min ago (2026-11-23T09:56:50Z)",
                        "  Why:           failed it is",
                        "  Remedy:        if the new image is at fault, 'urunner",
                        "                 rollback shop/Deployment/web' takes it back",
                        "                 (--dry-run shows how); or push one that",
                        "                 works",
                        "  Decision:      not decided yet",
                        "  Last rollout:  none is known",
                        "  Next check:    now",
                        "",
                        "container app",
                        "  Image:         registry.example/app:latest",
                        "  Tag now:       sha256:111111111111",
                        "  Running:       sha256:1 (2 pods), sha256:2 (1 pod)",
                        "  Verdict:       up to date: runs it");
    }

    @Test
    void aWaitHasTheSameEndEverywhere() {
        Instant until = NOW.plusSeconds(300).plusNanos(987_654_321);
        State state = new State(
                State.Kind.WAITING,
                "cooldown",
                "the cooldown is not over until 2026-11-23T10:05:00Z",
                Optional.of(NOW),
                Optional.of(until),
                false);
        AgentStatus.WorkloadStatus workload = TestWorkloadStatus.of(WEB)
                .state(state)
                .containers(TestVerdict.of("app", Verdict.Kind.STALE, "it moved")
                        .reference("registry.example/app:latest")
                        .digest(D1.toString())
                        .running("sha256:1")
                        .old("sha256:1"))
                .nextLook(until)
                .build();
        Explanation explanation = explanation(new Explanation.Entry(
                workload,
                Map.of(),
                Map.of("app", "through the proxy http://p.example:3128"),
                Optional.empty(),
                Map.of()));

        View one = only(WEB, 100);
        assertThat(Answers.explanation(explanation, one).text())
                .contains(
                        "  Until:         in 5 min (2026-11-23T10:05:00Z)\n",
                        "  Next check:    in 5 min (2026-11-23T10:05:00Z)\n",
                        "  Route:         through the proxy http://p.example:3128\n");
        assertThat(Answers.explanation(explanation, view(Form.Format.WIDE)).text())
                .contains("in 5 min (2026-11-23T10:05:00Z)");
        assertThat(Answers.explanation(explanation, view(Form.Format.TEXT))
                        .text()
                        .replaceAll("\\s+", " "))
                .contains("not over until 2026-11-23T10:05:00Z (in 5 min)");
    }

    @Test
    void noLastRolloutIsShownIfTheHistoryCannotBeRead() {
        Explanation known = fleet();
        Explanation unknown = new Explanation(
                known.source(), known.status(), known.workloads(), known.untracked(), Optional.of("it is in its pod"));
        View view = only(WEB, 60);
        assertThat(Answers.explanation(unknown, view).text())
                .contains("no history: it is in its pod", "Last rollout:  not known from here");
    }

    @Test
    void theDoctorShowsOnlyProblemsOnRequest() {
        List<Finding> findings = List.of(
                new Finding("namespaces", Finding.Result.OK, "all is well", ""),
                new Finding("registry", Finding.Result.WRONG, "it is away", "start it"));
        View problems = new View(new Form(Form.Format.TEXT, 80), Optional.empty(), Optional.empty(), Set.of(), true);
        assertThat(Answers.findings("the test", findings, problems).text())
                .contains("it is away", "-> start it")
                .doesNotContain("all is well");
        assertThat(Answers.findings("the test", findings.subList(0, 1), problems)
                        .text())
                .contains("nothing is wrong");
    }

    private static final View ALL = view(Form.Format.TEXT);

    private static View view(Form.Format format) {
        return new View(new Form(format, 80), Optional.empty(), Optional.empty(), Set.of(), false);
    }

    /** One workload. */
    private static View only(WorkloadId id, int width) {
        return new View(new Form(Form.Format.TEXT, width), Optional.of(id), Optional.empty(), Set.of(), false);
    }

    private static String text(AgentStatus status) {
        return Answers.explanation(explanation(status), view(Form.Format.WIDE)).text();
    }

    private static Explanation explanation(Explanation.Entry... workloads) {
        return new Explanation("the test", STATUS, List.of(workloads), Optional.empty(), Optional.empty());
    }

    private static Explanation explanation(AgentStatus status) {
        return new Explanation("the test", status, List.of(), Optional.empty(), Optional.empty());
    }

    private static AgentStatus standby(Optional<String> leader) {
        return TestAgentStatus.at(NOW).acts(false).election("web-2_x", leader).build();
    }

    static List<String> nasty() {
        return NastyStrings.all();
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void explanationsOfForeignTextsAreSanitised(String text) throws Exception {
        RolloutRecord last = new RolloutRecord(
                "shop/Deployment/web",
                "1",
                text,
                List.of(),
                NOW,
                Optional.of(NOW),
                Optional.of("failed"),
                Optional.of(text));
        TestVerdict verdict =
                TestVerdict.of(text, Verdict.Kind.STALE, text).running(text).old(text);
        AgentStatus.WorkloadStatus workload = TestWorkloadStatus.of(WEB)
                .state(new State(State.Kind.BLOCKED, text, text, Optional.empty(), Optional.empty(), true))
                .decision(new Decision.Blocked(Blockage.POLICY, text))
                .containers(verdict)
                .running(text, new TreeMap<>(Map.of(text, 1)))
                .image(text, text)
                .build();
        Explanation explanation = new Explanation(
                text,
                TestAgentStatus.at(NOW).election("web-2_x", Optional.of(text)).build(),
                List.of(new Explanation.Entry(
                        workload, Map.of(text, text), Map.of(text, text), Optional.of(last), Map.of())),
                Optional.of(new Explanation.Untracked(text, Optional.of(WEB), true, text, List.of())),
                Optional.of(text));
        List<Finding> findings = List.of(new Finding(text, Finding.Result.WRONG, text, text));

        assertThat(Answers.explanation(explanation, view(Form.Format.WIDE))
                        .text()
                        .lines())
                .hasSize(8)
                .allSatisfy(line -> NastyStrings.assertHarmless(line, 20_000));
        assertThat(Answers.findings(text, findings, view(Form.Format.WIDE))
                        .text()
                        .lines())
                .hasSize(5)
                .allSatisfy(line -> NastyStrings.assertHarmless(line, 20_000));
        View one = only(WEB, 80);
        for (View view : List.of(ALL, one)) {
            assertThat(Answers.explanation(explanation, view).text().lines())
                    .allSatisfy(line -> NastyStrings.assertHarmless(line, 400));
        }
        assertHarmlessJson(
                Answers.explanation(explanation, view(Form.Format.JSON)).text());
        assertHarmlessJson(
                Answers.findings(text, findings, view(Form.Format.JSON)).text());
        assertThat(Answers.explanation(explanation, view(Form.Format.YAML))
                        .text()
                        .lines())
                .allSatisfy(NastyStrings::assertHarmless);
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
