package io.urunner.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.doctor.Finding;
import io.urunner.agent.explain.Explanation;
import io.urunner.agent.explain.Explanation.Entry;
import io.urunner.agent.explain.ExplanationJson;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.run.AgentStatus;
import io.urunner.agent.run.AgentStatus.WorkloadStatus;
import io.urunner.store.DigestStore.RolloutRecord;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Collectors;

/** What {@code explain} and {@code doctor} print. */
public final class Answers {
    private static final String NONE = "-";
    /** What succeeded is told by what runs. */
    private static final String SUCCEEDED = new Outcome.Succeeded("").name();

    private static final int SHORT_DIGEST = "sha256:".length() + 12;

    private Answers() {}

    /**
     * An explanation, as text or as JSON.
     *
     * @param explanation the explanation
     * @param json whether as JSON
     * @return what is printed
     */
    public static Answer explanation(Explanation explanation, boolean json) {
        AgentStatus status = explanation.status();
        int code = explanation.found() && status.synced() ? ExitCode.OK : ExitCode.HINDERED;
        if (json) {
            return new Answer(Output.pretty(ExplanationJson.of(explanation)), code);
        }
        StringWriter text = new StringWriter();
        PrintWriter out = Terminal.on(text);
        out.println(explanation.source());
        if (!status.acts()) {
            status.election().ifPresent(election -> out.println(standby(election)));
        }
        status.problems().forEach(problem -> out.println("not seen: " + problem.message()));
        explanation.history().ifPresent(trouble -> out.println("no history: " + trouble));
        out.println();
        explanation
                .untracked()
                .ifPresent(untracked -> out.println(untracked.workload() + " is not tracked: " + untracked.reason()));
        if (!explanation.workloads().isEmpty()) {
            table(explanation).print(out);
        } else if (!status.synced()) {
            out.println("the cluster has not been seen: 'urunner history' tells what the database knows");
        } else if (explanation.untracked().isEmpty() && status.problems().isEmpty()) {
            out.println("nothing is tracked: label a namespace (kubectl label namespace NAME urunner=enable)");
        }
        return new Answer(text.toString(), code);
    }

    private static String standby(AgentStatus.Election election) {
        return election.leader()
                .filter(leader -> !leader.equals(election.identity()))
                .map(leader -> "standby: " + leader + " acts and knows the rollouts (in its cluster: kubectl exec "
                        + leader.replaceFirst("_[^_]*$", "") + " -- urunner explain); this one tells what it sees")
                .orElse("standby: nobody is elected now, nothing is rolled out");
    }

    private static Table table(Explanation explanation) {
        Table table = new Table(
                "WORKLOAD",
                "CONTAINER",
                "IMAGE",
                "CREDENTIAL",
                "TAG NOW",
                "RUNNING",
                "LAST ROLLOUT",
                "NEXT LOOK",
                "DECISION",
                "REASON");
        Instant now = explanation.status().at();
        boolean goesOn = explanation.status().goesOn();
        for (Entry entry : explanation.workloads()) {
            AgentStatus.WorkloadStatus workload = entry.status();
            String decision = workload.decision().map(Decision::words).orElse("not decided yet");
            String reason = workload.decision().map(Decision::reason).orElse("");
            for (Verdict container : workload.containers()) {
                boolean watched = container.kind() != Verdict.Kind.NOT_WATCHED;
                table.row(
                        workload.id().toString(),
                        container.container(),
                        container.reference().orElse(NONE),
                        entry.credentials().getOrDefault(container.container(), NONE),
                        container.digest().map(Answers::brief).orElse(NONE),
                        running(workload, container.container()),
                        entry.lastRollout().map(Answers::rollout).orElse(NONE),
                        watched
                                ? workload.nextLook()
                                        .map(next -> until(now, next))
                                        .orElse(goesOn ? "now" : NONE)
                                : "when it changes",
                        watched ? decision : container.kind().words(),
                        watched ? reason : container.words());
            }
            if (workload.containers().isEmpty()) {
                table.row(workload.id().toString(), NONE, NONE, NONE, NONE, NONE, NONE, "soon", decision, reason);
            }
        }
        return table;
    }

    private static String running(WorkloadStatus workload, String container) {
        SortedMap<String, Integer> pods = workload.running().getOrDefault(container, Collections.emptySortedMap());
        return pods.isEmpty()
                ? NONE
                : pods.entrySet().stream()
                        .map(entry -> brief(entry.getKey()) + " (" + entry.getValue() + ")")
                        .collect(Collectors.joining(", "));
    }

    private static String brief(String digest) {
        return digest.substring(0, Math.min(SHORT_DIGEST, digest.length()));
    }

    private static String rollout(RolloutRecord rollout) {
        return rollout.requested().truncatedTo(ChronoUnit.SECONDS) + " "
                + rollout.outcome().orElse("running")
                + rollout.message()
                        .filter(message -> !rollout.outcome().equals(Optional.of(SUCCEEDED)))
                        .map(message -> " (" + message + ")")
                        .orElse("");
    }

    private static String until(Instant now, Instant next) {
        return next.isAfter(now)
                ? "in " + Math.max(1, Duration.between(now, next).toSeconds()) + " s"
                : "now";
    }

    /**
     * The findings of the doctor, as text or as JSON.
     *
     * @param source who looked
     * @param findings the findings
     * @param json whether as JSON
     * @return what is printed; the exit code is 1 if something is wrong
     */
    public static Answer findings(String source, List<Finding> findings, boolean json) {
        boolean wrong = findings.stream().anyMatch(finding -> finding.result() == Finding.Result.WRONG);
        int code = wrong ? ExitCode.HINDERED : ExitCode.OK;
        if (json) {
            return new Answer(Output.pretty(json(source, findings, !wrong)), code);
        }
        StringWriter text = new StringWriter();
        PrintWriter out = Terminal.on(text);
        out.println(source);
        out.println();
        Table table = new Table("CHECK", "RESULT", "FINDING");
        for (Finding finding : findings) {
            table.row(finding.check(), finding.result().words(), finding.words());
            if (!finding.remedy().isEmpty()) {
                table.row("", "", "-> " + finding.remedy());
            }
        }
        table.print(out);
        return new Answer(text.toString(), code);
    }

    private static JsonNode json(String source, List<Finding> findings, boolean well) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("source", source).put("well", well);
        ArrayNode list = json.putArray("findings");
        for (Finding finding : findings) {
            list.addObject()
                    .put("check", finding.check())
                    .put("result", finding.result().words().toLowerCase(Locale.ROOT))
                    .put("finding", finding.words())
                    .put("remedy", finding.remedy());
        }
        return json;
    }
}
