package io.urunner.agent.app.cli;

import io.urunner.agent.AgentStatus;
import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.app.doctor.Finding;
import io.urunner.agent.app.explain.Explanation;
import io.urunner.agent.app.explain.Explanation.Entry;
import io.urunner.agent.history.RolloutRecords;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.text.Phrases;
import io.urunner.agent.text.Printable;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.store.DigestStore.RolloutRecord;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Collectors;

/** What {@code explain} and {@code doctor} print. */
public final class Answers {
    private static final String NONE = "-";
    /** The message of a success repeats what runs. */
    private static final String SUCCEEDED = new Outcome.Succeeded("").name();

    private static final int SHORT_DIGEST = "sha256:".length() + 12;
    /** The maximum number of lines per workload in a list. */
    private static final int MOST_LINES = 6;

    private Answers() {}

    /**
     * Prints an explanation.
     *
     * @param explanation the explanation
     * @param view which part, and in which form
     * @return what is printed
     */
    public static Answer explanation(Explanation explanation, View view) {
        AgentStatus status = explanation.status();
        List<Entry> chosen = view.of(explanation.workloads());
        int code = explanation.untracked().isEmpty() && status.synced() ? ExitCode.OK : ExitCode.HINDERED;
        if (view.form().structured()) {
            return new Answer(view.form().print(ExplanationJson.of(explanation, chosen)), code);
        }
        StringWriter text = new StringWriter();
        PrintWriter out = Terminal.on(text);
        wrapped(out, explanation.source(), view.form());
        if (!status.acts()) {
            status.election().ifPresent(election -> wrapped(out, standby(election), view.form()));
        }
        status.problems().forEach(problem -> wrapped(out, "not seen: " + problem.message(), view.form()));
        explanation.history().ifPresent(trouble -> wrapped(out, "no history: " + trouble, view.form()));
        out.println();
        explanation.untracked().ifPresent(untracked -> untracked(out, untracked, view.form()));
        if (!chosen.isEmpty() && view.workload().isPresent()) {
            chosen.forEach(entry -> describe(out, entry, explanation, view.form()));
        } else if (!chosen.isEmpty()) {
            (view.form().wide() ? wide(chosen, status) : table(chosen, status)).print(out, view.form());
            out.println();
            wrapped(out, summary(chosen, explanation), view.form());
        } else if (!status.synced()) {
            wrapped(out, "not synced with the cluster: 'urunner history' shows what is in the database", view.form());
        } else if (explanation.untracked().isEmpty() && !explanation.workloads().isEmpty()) {
            out.println("none of " + Phrases.count(explanation.workloads().size(), "workload") + " matches");
        } else if (explanation.untracked().isEmpty() && status.problems().isEmpty()) {
            wrapped(
                    out,
                    "nothing is tracked: label a namespace (kubectl label --overwrite namespace NAME urunner=enable)",
                    view.form());
        }
        return new Answer(text.toString(), code);
    }

    private static void wrapped(PrintWriter out, String line, Form form) {
        String shown = Printable.line(line);
        TextWidth.wrap(shown, form.wide() ? Integer.MAX_VALUE : form.width(), Integer.MAX_VALUE)
                .forEach(each -> Table.print(out, each));
    }

    /** A name alone is a namespace; suggests workloads of that name. */
    private static void untracked(PrintWriter out, Explanation.Untracked untracked, Form form) {
        untracked.meant().stream().limit(MOST_LINES).forEach(id -> wrapped(out, "did you mean " + id + "?", form));
        wrapped(
                out,
                untracked
                                .workload()
                                .map(id -> id + " is not tracked: ")
                                .orElse("nothing is tracked in the namespace " + untracked.namespace() + ": ")
                        + untracked.reason(),
                form);
    }

    private static String standby(AgentStatus.Election election) {
        return election.leader()
                .filter(leader -> !leader.equals(election.identity()))
                .map(leader -> "standby: " + leader + " acts and knows the rollouts (in its cluster: kubectl exec "
                        + leader.replaceFirst("_[^_]*$", "") + " -- urunner explain); this one shows what it sees")
                .orElse("standby: nobody is elected now, nothing is rolled out");
    }

    /** What matters: workload, state, since when and why. */
    private static Table table(List<Entry> entries, AgentStatus status) {
        Table table = new Table(MOST_LINES, List.of("WORKLOAD", "STATE", "SINCE", "REASON"));
        for (Entry entry : entries) {
            State state = entry.status().state();
            table.row(
                    entry.status().id().toString(),
                    state.words(),
                    state.since().map(since -> Phrases.when(status.at(), since)).orElse(NONE),
                    state.reason()
                            + state.until()
                                    .map(until -> until(status.at(), until, state.reason()))
                                    .orElse(""));
        }
        return table;
    }

    /** Leaves out a time that is in the reason. */
    private static String until(Instant now, Instant until, String reason) {
        String time = Phrases.time(until);
        String when = Phrases.when(now, until);
        return reason.contains(time) ? " (" + when + ")" : " (until " + time + ", " + when + ")";
    }

    private static String summary(List<Entry> chosen, Explanation explanation) {
        Map<State.Kind, Integer> kinds = new EnumMap<>(State.Kind.class);
        chosen.forEach(entry -> kinds.merge(entry.status().state().kind(), 1, Integer::sum));
        int all = explanation.workloads().size();
        return (chosen.size() < all ? chosen.size() + " of " : "") + Phrases.count(all, "workload") + ": "
                + kinds.entrySet().stream()
                        .map(kind -> kind.getValue() + " " + kind.getKey().words())
                        .collect(Collectors.joining(", "));
    }

    private static Table wide(List<Entry> entries, AgentStatus status) {
        Table table = new Table(
                "WORKLOAD",
                "STATE",
                "SINCE",
                "WHY",
                "CONTAINER",
                "IMAGE",
                "CREDENTIAL",
                "TAG NOW",
                "RUNNING",
                "LAST ROLLOUT",
                "NEXT CHECK",
                "DECISION",
                "REASON");
        for (Entry entry : entries) {
            WorkloadStatus workload = entry.status();
            String id = workload.id().toString();
            String state = workload.state().words();
            String since = workload.state().since().map(Phrases::time).orElse(NONE);
            String decision = decision(workload);
            String why = workload.state().reason();
            String reason = workload.decision().map(Decision::reason).orElse("");
            for (Verdict container : workload.containers()) {
                boolean watched = container.kind() != Verdict.Kind.NOT_WATCHED;
                table.row(
                        id,
                        state,
                        since,
                        why,
                        container.container(),
                        image(workload, container, NONE),
                        entry.credentials().getOrDefault(container.container(), NONE),
                        container.digest().map(Digest::toString).orElse(NONE),
                        running(workload, container.container(), true),
                        entry.lastRollout()
                                .map(last -> rollout(last, status.at()))
                                .orElse(NONE),
                        watched ? nextLook(workload, status) : "when it changes",
                        watched ? decision : container.kind().words(),
                        watched ? reason : container.words());
            }
            if (workload.containers().isEmpty()) {
                table.row(id, state, since, why, NONE, NONE, NONE, NONE, NONE, NONE, "soon", decision, reason);
            }
        }
        return table;
    }

    private static String decision(WorkloadStatus workload) {
        return workload.decision().map(Decision::words).orElse("not decided yet");
    }

    /** The reference that a container follows, or else its image as the template names it. */
    private static String image(WorkloadStatus workload, Verdict container, String none) {
        return container
                .reference()
                .map(ImageReference::toString)
                .orElse(workload.images().getOrDefault(container.container(), none));
    }

    private static String nextLook(WorkloadStatus workload, AgentStatus status) {
        return workload.nextLook()
                .map(next -> next.isAfter(status.at()) ? moment(status.at(), next) : "now")
                .orElse(status.goesOn() ? "now" : NONE);
    }

    /** Everything about one workload. */
    private static void describe(PrintWriter out, Entry entry, Explanation explanation, Form form) {
        AgentStatus status = explanation.status();
        WorkloadStatus workload = entry.status();
        State state = workload.state();
        Instant now = status.at();
        Fields fields = new Fields(out, form);
        out.println(workload.id().toString());
        fields.put("State", state.words());
        fields.put("Since", state.since().map(since -> moment(now, since)).orElse(""));
        fields.put("Until", state.until().map(until -> moment(now, until)).orElse(""));
        fields.put("Why", state.reason());
        fields.put("Remedy", remedy(workload));
        String reason = workload.decision().map(Decision::reason).orElse("");
        boolean told = reason.isEmpty() || reason.equals(state.reason());
        fields.put("Decision", decision(workload) + (told ? "" : ": " + reason));
        fields.put(
                "Last rollout",
                entry.lastRollout()
                        .map(last -> rollout(last, now))
                        .orElse(explanation.history().isPresent() ? "not known from here" : "none is known"));
        boolean watched = workload.containers().isEmpty()
                || workload.containers().stream().anyMatch(container -> container.kind() != Verdict.Kind.NOT_WATCHED);
        String next = nextLook(workload, status);
        // A rejected credential is not sent again.
        boolean rejected = workload.containers().stream()
                .anyMatch(container -> container.cause().equals(Optional.of(Deferral.CREDENTIAL_REJECTED)));
        fields.put(
                "Next check",
                watched
                        ? next.equals(NONE) ? "" : next + (rejected ? ", if the credential has changed by then" : "")
                        : "when it changes");
        for (Verdict container : workload.containers()) {
            out.println();
            wrapped(out, "container " + container.container(), form);
            boolean followed = container.kind() != Verdict.Kind.NOT_WATCHED;
            fields.put("Image", image(workload, container, ""));
            fields.put("Credential", entry.credentials().getOrDefault(container.container(), ""));
            fields.put("Route", entry.routes().getOrDefault(container.container(), ""));
            fields.put(
                    "Tag now",
                    container
                            .digest()
                            .map(Digest::toString)
                            .map(digest -> form.wide() ? digest : brief(digest))
                            .or(() -> Optional.ofNullable(entry.before().get(container.container()))
                                    .map(last -> (form.wide() ? last.digest() : brief(last.digest())) + " (as of "
                                            + Phrases.when(now, last.lastSeen()) + ")"))
                            .orElse(followed ? "not known" : ""));
            fields.put("Running", running(workload, container.container(), form.wide()));
            boolean said =
                    (reason + "; ").contains("container " + container.container() + ": " + container.words() + "; ");
            fields.put("Verdict", container.kind().words() + (said ? "" : ": " + container.words()));
        }
    }

    /** How to undo a push that does not run. */
    private static String remedy(WorkloadStatus workload) {
        State state = workload.state();
        return state.ill() && (state.kind() == State.Kind.FAILED || state.kind() == State.Kind.PARTLY_OLD)
                ? "if the new image is at fault, 'urunner rollback " + workload.id()
                        + "' takes it back (--dry-run shows how); or push one that works"
                : "";
    }

    /** Lines of names with texts. */
    private record Fields(PrintWriter out, Form form) {
        private static final int INDENT = "  Last rollout:".length();

        void put(String name, String text) {
            if (!text.isEmpty()) {
                Table.field(
                                "  " + name + ":",
                                INDENT,
                                Printable.line(text),
                                form.wide() ? Integer.MAX_VALUE : form.width(),
                                Integer.MAX_VALUE)
                        .forEach(each -> Table.print(out, each));
            }
        }
    }

    private static String moment(Instant now, Instant time) {
        return Phrases.when(now, time) + " (" + Phrases.time(time) + ")";
    }

    private static String running(WorkloadStatus workload, String container, boolean whole) {
        SortedMap<String, Integer> pods = workload.running().getOrDefault(container, Collections.emptySortedMap());
        return pods.isEmpty()
                ? NONE
                : pods.entrySet().stream()
                        .map(entry -> (whole ? entry.getKey() : brief(entry.getKey())) + " ("
                                + Phrases.count(entry.getValue(), "pod") + ")")
                        .collect(Collectors.joining(", "));
    }

    private static String brief(String digest) {
        return digest.substring(0, Math.min(SHORT_DIGEST, digest.length()));
    }

    private static String rollout(RolloutRecord rollout, Instant now) {
        return moment(now, rollout.requested()) + " " + rollout.outcome().orElse(RolloutRecords.RUNNING)
                + rollout.message()
                        .filter(message -> !rollout.outcome().equals(Optional.of(SUCCEEDED)))
                        .map(message -> " (" + message + ")")
                        .orElse("");
    }

    /**
     * Prints the findings of the doctor.
     *
     * @param source who looked
     * @param findings the findings
     * @param view which of them, and in which form: with {@link View#problems} only what is wrong
     * @return what is printed; the exit code is 1 if something is wrong
     */
    public static Answer findings(String source, List<Finding> findings, View view) {
        boolean wrong = findings.stream().anyMatch(finding -> finding.result() == Finding.Result.WRONG);
        int code = wrong ? ExitCode.HINDERED : ExitCode.OK;
        List<Finding> chosen = findings.stream()
                .filter(finding -> !view.problems() || finding.result() == Finding.Result.WRONG)
                .toList();
        if (view.form().structured()) {
            return new Answer(
                    view.form()
                            .print(new Checks(
                                    source,
                                    !wrong,
                                    chosen.stream().map(Check::new).toList())),
                    code);
        }
        StringWriter text = new StringWriter();
        PrintWriter out = Terminal.on(text);
        wrapped(out, source, view.form());
        out.println();
        if (chosen.isEmpty()) {
            out.println("nothing is wrong");
            return new Answer(text.toString(), code);
        }
        Table table = new Table("CHECK", "RESULT", "FINDING");
        for (Finding finding : chosen) {
            table.row(finding.check(), finding.result().words(), finding.words());
            if (!finding.remedy().isEmpty()) {
                table.row("", "", "-> " + finding.remedy());
            }
        }
        table.print(out, view.form());
        return new Answer(text.toString(), code);
    }

    /** The JSON of {@code doctor}. */
    private record Checks(String source, boolean well, List<Check> findings) {}

    private record Check(String check, String result, String finding, String remedy) {
        Check(Finding finding) {
            this(finding.check(), finding.result().words().toLowerCase(Locale.ROOT), finding.words(), finding.remedy());
        }
    }
}
