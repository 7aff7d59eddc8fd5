package io.urunner.agent.app.doctor;

import io.urunner.agent.AgentStatus;
import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.RegistryProbe;
import io.urunner.agent.RegistryProbe.Image;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.WatchScope;
import io.urunner.registry.RegistryException;
import io.urunner.store.DigestStore;
import io.urunner.store.StoreException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Checks an agent's environment: registries, permissions, namespaces, the history, the last pass. Thread-safe; waits for
 * the registries and the API server.
 */
public final class Doctor {
    /** At most this many workloads are reported one by one. */
    private static final int TOLD = 20;

    /** Why there may be more. */
    static final String UNSEEN = "not everything in the cluster has been seen";

    /** Causes with findings of their own: permission, registry, image. */
    private static final Map<String, String> ELSEWHERE = Map.of(
            Blockage.PERMISSION.words(), "see the finding 'permission'",
            Deferral.RATE_LIMITED.words(), "see the finding 'registry'",
            Deferral.REGISTRY_UNREACHABLE.words(), "see the finding 'registry'",
            Deferral.NO_CREDENTIAL.words(), "see the finding 'registry' or 'image'; 'urunner explain' shows each",
            Deferral.CREDENTIAL_REJECTED.words(), "see the finding 'registry' or 'image'; 'urunner explain' shows each",
            Deferral.ACCESS_DENIED.words(), "see the finding 'registry' or 'image'; 'urunner explain' shows each",
            Deferral.TAG_NOT_FOUND.words(), "see the finding 'image'; 'urunner explain' shows each");

    private final Settings settings;
    private final WatchScope scope;
    private final Optional<String> leaseNamespace;
    private final KubeAccess access;
    private final RegistryCheck registries;
    private final Credentials credentials;
    private final DigestStore history;
    private final Vantage vantage;

    /** Probes registries. */
    @FunctionalInterface
    public interface RegistryCheck {
        /**
         * Asks them; waits for the answers.
         *
         * @param probes what to ask of registries in the settings
         * @return for each, in the same order, how it failed, or why it is not asked now; empty if it was answered
         * @throws InterruptedException if the thread is interrupted
         */
        List<Optional<RegistryException>> check(List<RegistryProbe> probes) throws InterruptedException;
    }

    /** Describes the credentials that are used for registries. */
    public interface Credentials {
        /**
         * Names them.
         *
         * @param image the image and its namespace
         * @return their names, without a secret
         */
        String describe(Image image);

        /**
         * Says how the registry is reached, if not directly.
         *
         * @param image the image and its namespace
         * @return words such as {@code from the mirror https://mirror.example, through the proxy
         *     http://proxy.example:3128}, without a login; or nothing
         */
        default String route(Image image) {
            return "";
        }

        /**
         * Says why mirrors of the registry had no answer.
         *
         * @param image the image and its namespace
         * @return the reasons; empty if the first mirror answered, or there is none
         */
        default Optional<String> mirrorProblem(Image image) {
            return Optional.empty();
        }

        /**
         * What is wrong with the pull secrets, if those are used.
         *
         * @param image the image and its namespace
         * @return sentences without a secret; empty if nothing is wrong
         */
        List<String> problems(Image image);
    }

    /**
     * A doctor; it opens and closes nothing.
     *
     * @param settings the settings in force
     * @param scope which namespaces are watched
     * @param leaseNamespace where the Lease of the election is; empty without one
     * @param access to the cluster
     * @param registries asks the registries
     * @param credentials the credentials that are used for the registries
     * @param history the history database
     * @param vantage from where a command looks if no agent runs
     */
    public Doctor(
            Settings settings,
            WatchScope scope,
            Optional<String> leaseNamespace,
            KubeAccess access,
            RegistryCheck registries,
            Credentials credentials,
            DigestStore history,
            Vantage vantage) {
        this.settings = settings;
        this.scope = scope;
        this.leaseNamespace = leaseNamespace;
        this.access = access;
        this.registries = registries;
        this.credentials = credentials;
        this.history = history;
        this.vantage = vantage;
    }

    /**
     * Checks everything but the configuration.
     *
     * @param status the agent's status
     * @param running whether the status is that of a running agent, rather than of one look
     * @return the findings
     * @throws InterruptedException if the thread is interrupted
     */
    public List<Finding> examine(AgentStatus status, boolean running) throws InterruptedException {
        List<Finding> findings = new ArrayList<>(registries(status));
        Optional<Permissions.Lease> lease = leaseNamespace.map(namespace ->
                new Permissions.Lease(namespace, settings.kubernetes().lease()));
        Permissions permissions = new Permissions(access, scope, status.namespaces(), vantage.account());
        findings.addAll(permissions.check(settings.kubernetes().pullSecrets(), lease));
        status.problems().stream()
                .filter(problem -> !permissions.explain(problem))
                .forEach(problem -> findings.add(Finding.wrong("cluster", problem.message(), remedy(problem))));
        findings.addAll(new Labels(access, scope).check(status));
        status.lost()
                .forEach((name, at) -> findings.add(Finding.note(
                        "namespaces",
                        name + " has not been watched since " + Phrases.time(at)
                                + ": it lost the label, or was deleted",
                        "kubectl label namespace " + name + " urunner=enable, if that was not intended")));
        findings.add(vantage.history()
                .map(why -> Finding.note("history", why, ""))
                .orElseGet(() -> history(settings.store(), history, status.historyWorks(), running)));
        findings.addAll(workloads(status));
        findings.add(due(status));
        status.election()
                .flatMap(AgentStatus.Election::problem)
                .ifPresent(problem -> findings.add(Finding.wrong(
                        "election", problem, "grant get, create and update of leases in the Lease's namespace")));
        findings.add(
                running
                        ? lastPass(status)
                        : Finding.note(
                                "last pass",
                                "not known from here, because " + vantage.why(),
                                vantage.instead().orElse("")));
        return findings;
    }

    private String remedy(WatchProblem problem) {
        if (vantage.account().isPresent()) {
            return "this concerns your own access, not the agent's: "
                    + (problem.missing().isPresent() ? "ask for this permission" : "check your kubeconfig")
                    + vantage.instead().map(how -> "; " + how).orElse("");
        }
        return problem.missing().isPresent()
                ? "grant it in the role of the agent's account: rbac.create=true in the chart's values"
                : "check that it can be reached and accepts the credential of the agent's account";
    }

    private List<Finding> registries(AgentStatus status) throws InterruptedException {
        List<RegistryExamination> examinations = settings.registries().stream()
                .map(registry -> new RegistryExamination(registry, settings, status))
                .toList();
        List<Optional<RegistryException>> answers = registries.check(
                examinations.stream().flatMap(one -> one.probes().stream()).toList());
        List<Finding> findings = new ArrayList<>();
        int from = 0;
        for (RegistryExamination one : examinations) {
            int to = from + one.probes().size();
            findings.addAll(one.findings(answers.subList(from, to), credentials));
            from = to;
        }
        return findings;
    }

    static Finding history(Settings.Store settings, DigestStore history, boolean works, boolean running) {
        Path file = settings.path().toAbsolutePath();
        Path folder = file.getParent();
        if (!running && settings.url().isEmpty() && folder != null && Files.notExists(file)) {
            return noHistoryYet(file, folder);
        }
        try {
            history.check();
            if (running && !works) {
                return Finding.wrong(
                        "history",
                        "the agent's last attempt to write the database failed",
                        "see its log for the reason; rollouts continue, and their history is kept in memory until it works");
            }
            return Finding.ok("history", running ? "the database can be written" : "the database can be read");
        } catch (StoreException e) {
            return new Finding(
                    "history",
                    running ? Finding.Result.WRONG : Finding.Result.NOTE,
                    String.valueOf(e.getMessage()),
                    "rollouts continue without it; fix the database of URUNNER_CONF_SQLLIGHT_PATH or"
                            + " URUNNER_CONF_DATABASE_URL");
        }
    }

    private static Finding noHistoryYet(Path file, Path folder) {
        boolean there = Files.isDirectory(folder);
        return there && Files.isWritable(folder)
                ? Finding.note("history", "there is no file " + file + " yet: the first run creates it", "")
                : Finding.note(
                        "history",
                        "there is no file " + file + ", and none can be created, because the folder " + folder
                                + (there ? " is not writable" : " does not exist"),
                        "rollouts continue without it; fix the folder, or set another file in"
                                + " URUNNER_CONF_SQLLIGHT_PATH");
    }

    /** One finding for each workload that needs attention; many, and those that wait for a registry, are summed up. */
    private static List<Finding> workloads(AgentStatus status) {
        List<WorkloadStatus> ill = status.workloads().stream()
                .filter(workload -> workload.state().ill())
                .sorted(Comparator.comparing(WorkloadStatus::id))
                .toList();
        if (ill.isEmpty() && !status.isWhole()) {
            return List.of(Finding.note(
                    "workloads",
                    status.workloads().isEmpty()
                            ? "none is known: " + UNSEEN
                            : status.workloads().size()
                                    + " tracked, and none of these needs attention; there may be more: " + UNSEEN,
                    ""));
        }
        if (ill.isEmpty()) {
            return List.of(Finding.ok("workloads", status.workloads().size() + " tracked, and none needs attention"));
        }
        List<Finding> findings = new ArrayList<>();
        Map<String, List<WorkloadStatus>> elsewhere = ill.stream()
                .filter(workload -> ELSEWHERE.containsKey(workload.state().cause()))
                .collect(Collectors.groupingBy(
                        workload -> workload.state().kind().words() + ": "
                                + workload.state().cause(),
                        TreeMap::new,
                        Collectors.toList()));
        elsewhere.forEach((cause, ofIt) -> findings.add(Finding.wrong(
                "workloads",
                cause + ": "
                        + list(ofIt.stream()
                                .map(workload -> workload.id().toString())
                                .toList()),
                Objects.requireNonNull(ELSEWHERE.get(ofIt.get(0).state().cause())))));
        List<WorkloadStatus> others = ill.stream()
                .filter(workload -> !ELSEWHERE.containsKey(workload.state().cause()))
                .toList();
        others.stream()
                .limit(TOLD)
                .forEach(workload -> findings.add(Finding.wrong(
                        "workload",
                        workload.id() + ": " + workload.state().words() + ": "
                                + workload.state().reason(),
                        "urunner explain " + workload.id())));
        if (others.size() > TOLD) {
            findings.add(Finding.wrong(
                    "workloads",
                    Phrases.count(others.size() - TOLD, "more needs attention", "more need attention"),
                    "'urunner explain' lists them"));
        }
        return findings;
    }

    static Finding due(AgentStatus status) {
        if (status.workloads().isEmpty() && !status.isWhole()) {
            return Finding.note("due", "not known: " + UNSEEN, "");
        }
        TreeSet<String> now = new TreeSet<>();
        TreeSet<String> shadowed = new TreeSet<>();
        TreeSet<String> waiting = new TreeSet<>();
        for (WorkloadStatus workload : status.workloads()) {
            Optional<Decision> decision = workload.decision();
            boolean stale =
                    workload.containers().stream().anyMatch(container -> container.kind() == Verdict.Kind.STALE);
            if (decision.isEmpty() || !stale) {
                continue;
            }
            if (decision.get() instanceof Decision.Blocked blocked && blocked.cause() == Blockage.SHADOW) {
                shadowed.add(workload.id().toString());
            } else if (decision.get() instanceof Decision.Restart
                    || (decision.get() instanceof Decision.Deferred deferred && deferred.cause() == Deferral.BUDGET)) {
                now.add(workload.id().toString());
            } else {
                waiting.add(workload.id() + " (" + decision.get().words()
                        + workload.state()
                                .until()
                                .map(until -> " until " + Phrases.time(until))
                                .orElse("")
                        + ")");
            }
        }
        String words = (now.isEmpty() ? "nothing would be restarted now" : "would be restarted: " + list(now))
                + (shadowed.isEmpty() ? "" : "; would be restarted without shadow mode: " + list(shadowed))
                + (waiting.isEmpty() ? "" : "; stale, but not now: " + list(waiting));
        return waiting.isEmpty() && shadowed.isEmpty() && now.isEmpty()
                ? Finding.ok("due", words)
                : Finding.note("due", words, "'urunner explain' shows why");
    }

    private static String list(Collection<String> names) {
        return names.stream().limit(20).collect(Collectors.joining(", "))
                + (names.size() > 20 ? " and " + (names.size() - 20) + " more" : "");
    }

    private Finding lastPass(AgentStatus status) {
        if (status.lastPass().isEmpty()) {
            return Finding.wrong(
                    "last pass",
                    "no pass over a registry has finished yet",
                    "wait one interval after the start; then see the finding about the registry, and the log");
        }
        Duration interval = settings.registries().stream()
                .map(registry -> registry.interval().orElse(settings.interval()))
                .min(Duration::compareTo)
                .orElse(settings.interval());
        Duration age = Duration.between(status.lastPass().get(), status.at());
        String words = Phrases.span(age) + " ago; the interval is " + Phrases.span(interval);
        return age.compareTo(interval.multipliedBy(2).plusSeconds(10)) > 0
                ? Finding.wrong("last pass", words, "see the finding about the registry, and the agent's log")
                : Finding.ok("last pass", words);
    }
}
