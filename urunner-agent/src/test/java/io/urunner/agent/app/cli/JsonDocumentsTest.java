package io.urunner.agent.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.AgentStatus;
import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.HostStatus;
import io.urunner.agent.OnceReport;
import io.urunner.agent.TestAgentStatus;
import io.urunner.agent.TestWorkloadStatus;
import io.urunner.agent.app.config.EffectiveValue;
import io.urunner.agent.app.config.Origin;
import io.urunner.agent.app.doctor.Finding;
import io.urunner.agent.app.explain.Explanation;
import io.urunner.agent.app.rollback.HistoryReport;
import io.urunner.agent.app.rollback.Operator;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.TestVerdict;
import io.urunner.agent.plan.Verdict;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TagDigest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The JSON for scripts: names, order and form of every member, with everything known and with nothing known. */
class JsonDocumentsTest {
    private static final Instant NOW = Instant.parse("2026-11-23T10:00:00.123456789Z");
    private static final WorkloadId WEB = WorkloadId.parse("shop/Deployment/web");
    private static final String NEW = "sha256:" + "2".repeat(64);
    private static final String REFERENCE = "registry.example/app:latest";
    private static final Form JSON = new Form(Form.Format.JSON, 80);
    private static final View ALL = new View(JSON, Optional.empty(), Optional.empty(), Set.of(), false);

    private static void assertDocument(String name, String printed) throws IOException {
        try (InputStream expected = JsonDocumentsTest.class.getResourceAsStream("/documents/" + name + ".json")) {
            assertThat(expected).as(name + ".json").isNotNull();
            assertThat(printed).isEqualTo(new String(expected.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Test
    void explain() throws IOException {
        State state = new State(
                State.Kind.WAITING,
                "credential rejected",
                "it rejects the credential",
                Optional.of(NOW.minusSeconds(190)),
                Optional.of(NOW.plusSeconds(20)),
                true);
        WorkloadStatus workload = TestWorkloadStatus.of(WEB)
                .state(state)
                .decision(new Decision.Deferred(
                        Deferral.CREDENTIAL_REJECTED,
                        "container app: it rejects the credential",
                        Optional.empty(),
                        Optional.empty()))
                .containers(verdict().reference(REFERENCE).digest(NEW))
                .running("app", new TreeMap<>(Map.of("sha256:1", 2, NEW, 1)))
                .image("app", "registry.example/app")
                .nextLook(NOW.plusSeconds(21))
                .rolloutRunning()
                .staleSince(Optional.of(NOW.minusSeconds(191)))
                .build();
        RolloutRecord last = new RolloutRecord(
                "1",
                WEB.toString(),
                "moved from sha256:1",
                List.of(),
                NOW.minusSeconds(3600),
                Optional.of(NOW.minusSeconds(3500)),
                Optional.of("failed"),
                Optional.of("CrashLoopBackOff"));
        TagDigest before =
                new TagDigest(REFERENCE, "sha256:0", Optional.empty(), NOW, NOW.minusSeconds(40), Optional.empty());
        HostStatus host = new HostStatus(
                "registry.example",
                3,
                true,
                false,
                Optional.of("it rejects the credential"),
                Optional.of(NOW.minusSeconds(9)),
                Optional.of(NOW.minusSeconds(10)),
                List.of(
                        new HostStatus.Wait(Optional.of("shop"), Deferral.RATE_LIMITED, "it said so", NOW, NOW),
                        new HostStatus.Wait(Optional.empty(), Deferral.ACCESS_DENIED, "denied", NOW, NOW)),
                Optional.of(NOW.plusSeconds(5)),
                7);
        AgentStatus status = TestAgentStatus.at(NOW)
                .election("web-2_x", Optional.of("web-1_y"))
                .namespaces("shop", "blog")
                .lost("pay", NOW.minusSeconds(60))
                .lastPass(NOW.minusSeconds(3))
                .problems(List.of(new WatchProblem("pods", Optional.of("pay"), Optional.empty(), "pods are forbidden")))
                .registries(host)
                .workloads(List.of(workload))
                .build();
        Explanation explanation = new Explanation(
                "the test",
                status,
                List.of(new Explanation.Entry(
                        workload,
                        Map.of("app", "the settings"),
                        Map.of("app", "from the mirror https://m.example"),
                        Optional.of(last),
                        Map.of("app", before))),
                Optional.of(new Explanation.Untracked("web", Optional.of(WEB), false, "not there", List.of(WEB))),
                Optional.of("the database is away"));

        assertDocument("explain", Answers.explanation(explanation, ALL).text());
    }

    @Test
    void explainWithLittleKnown() throws IOException {
        WorkloadStatus workload =
                TestWorkloadStatus.of(WEB).containers(verdict()).build();
        HostStatus host = new HostStatus(
                "registry.example",
                0,
                false,
                true,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                0);
        AgentStatus status = TestAgentStatus.at(NOW)
                .acts(false)
                .notSynced()
                .historyFails()
                .registries(host)
                .workloads(List.of(workload))
                .build();
        RolloutRecord last = new RolloutRecord(
                "1", WEB.toString(), "moved", List.of(), NOW, Optional.empty(), Optional.empty(), Optional.empty());
        Explanation explanation = new Explanation(
                "the test",
                status,
                List.of(new Explanation.Entry(workload, Map.of(), Map.of(), Optional.of(last), Map.of())),
                Optional.of(new Explanation.Untracked("web", Optional.empty(), true, "no label", List.of())),
                Optional.empty());

        assertDocument("explain-little", Answers.explanation(explanation, ALL).text());
    }

    private static TestVerdict verdict() {
        return TestVerdict.of("app", Verdict.Kind.UNRESOLVED, "unclear");
    }

    @Test
    void doctor() throws IOException {
        List<Finding> findings = List.of(
                new Finding("registry a.example", Finding.Result.WRONG, "it is away", "wait"),
                new Finding("configuration", Finding.Result.OK, "is valid", ""));

        assertDocument("doctor", Answers.findings("the test", findings, ALL).text());
        assertDocument(
                "doctor-nothing", Answers.findings("the test", List.of(), ALL).text());
    }

    @Test
    void once() throws IOException {
        OnceReport report = new OnceReport(
                List.of(
                        new OnceReport.Row(
                                "shop/Deployment/web",
                                "app",
                                Optional.of(REFERENCE),
                                Optional.of(NEW),
                                "restart",
                                "moved"),
                        new OnceReport.Row(
                                "shop/Deployment/db", "pg", Optional.empty(), Optional.empty(), "none", "not watched")),
                List.of("registry.example is away"));

        assertDocument("once", JSON.print(new OnceCommand.Document(report)));
        assertDocument("once-nothing", JSON.print(new OnceCommand.Document(new OnceReport(List.of(), List.of()))));
    }

    @Test
    void config() throws IOException {
        List<EffectiveValue> values = List.of(
                new EffectiveValue("log.level", "INFO", Origin.DEFAULT),
                new EffectiveValue("interval", "1h30m", new Origin.Variable("URUNNER_CONF_FREQUENCY_CHECK_SECONDS")));

        assertDocument(
                "config",
                JSON.print(ConfigCommand.document(values, new Reach.With(CommandLines.context(), Optional.empty()))));
    }

    @Test
    void history() throws IOException {
        HistoryReport.Row known = new HistoryReport.Row(
                Optional.of(0),
                NEW,
                Optional.of(NOW.minusSeconds(60)),
                Optional.of(NOW),
                Optional.of("4f1c"),
                Optional.of("1.2"),
                Optional.of(NOW.toString()),
                Optional.of("succeeded"),
                List.of("shop/Deployment/web"),
                "yes",
                Optional.empty());
        HistoryReport.Row unknown = unlabelled(Optional.empty(), "sha256:1", "unknown", "registry.example is away");
        HistoryReport.Row unlabelled = unlabelled(Optional.of(1), "sha256:0", "no", "it was deleted");
        HistoryReport ofWorkload = new HistoryReport(
                Optional.of(WEB.toString()),
                Optional.of(new WorkloadState.Hold(NOW, "anna", true, Optional.of("it crashes"))),
                List.of(
                        new HistoryReport.Tag(Optional.of("app"), REFERENCE, List.of(known, unknown, unlabelled)),
                        new HistoryReport.Tag(Optional.of("proxy"), "registry.example/proxy:1", List.of())));
        HistoryReport held = new HistoryReport(
                Optional.of(WEB.toString()), Optional.of(new WorkloadState.Hold(NOW, "anna", false)), List.of());
        HistoryReport ofImage = new HistoryReport(
                Optional.empty(),
                Optional.empty(),
                List.of(new HistoryReport.Tag(Optional.empty(), REFERENCE, List.of(known))));

        assertDocument("history", JSON.print(ofWorkload));
        assertDocument("history-held", JSON.print(held));
        assertDocument("history-image", JSON.print(ofImage));
    }

    /** A digest of which only this is known. */
    private static HistoryReport.Row unlabelled(
            Optional<Integer> steps, String digest, String available, String problem) {
        return new HistoryReport.Row(
                steps,
                digest,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                available,
                Optional.of(problem));
    }

    @Test
    void change() throws IOException {
        Operator.Person anna = new Operator.Person("anna", Optional.of("it crashes"));
        Operator.Result done = new Operator.Result(
                "rolled back",
                true,
                Optional.of("{\"spec\":{\"replicas\":1,\"text\":\"{}\",\"none\":null}}"),
                Optional.of(new Outcome.Succeeded("it runs")));
        Operator.Result nothing = new Operator.Result("nothing to do", false, Optional.empty(), Optional.empty());

        assertDocument("change", JSON.print(new ChangeCommand.Document(WEB, anna, done)));
        assertDocument(
                "change-nothing",
                JSON.print(new ChangeCommand.Document(WEB, new Operator.Person("anna", Optional.empty()), nothing)));
    }
}
