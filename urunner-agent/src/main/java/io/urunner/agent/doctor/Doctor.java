package io.urunner.agent.doctor;

import io.urunner.agent.config.Settings;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.run.AgentStatus;
import io.urunner.agent.run.AgentStatus.WorkloadStatus;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.WatchScope;
import io.urunner.registry.DeniedException;
import io.urunner.registry.ImageReference;
import io.urunner.registry.NotFoundException;
import io.urunner.registry.RateLimitedException;
import io.urunner.registry.RegistryException;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.UnauthorizedException;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.store.DigestStore;
import io.urunner.store.StoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.net.ssl.SSLException;

/**
 * Checks an agent's surroundings: registries, permissions, namespaces, the history, the last pass. Thread-safe; waits for
 * the registries and the API server.
 */
public final class Doctor {
    /** So many workloads that are not well are told one by one. */
    private static final int TOLD = 20;

    private final Settings settings;
    private final WatchScope scope;
    private final Optional<String> leaseNamespace;
    private final KubeAccess access;
    private final RegistryCheck registries;
    private final Function<String, CredentialProvider> credentials;
    private final DigestStore history;

    /** Asks a registry whether it answers. */
    @FunctionalInterface
    public interface RegistryCheck {
        /**
         * Asks it; waits for the answer.
         *
         * @param registry the registry, one of those in the settings
         * @param reference what to ask for; empty for the root of its API
         * @throws RegistryException if it does not answer as it should, or may not be asked now
         * @throws InterruptedException if the thread is interrupted
         */
        void check(RegistryPrefix registry, Optional<ImageReference> reference)
                throws RegistryException, InterruptedException;
    }

    /**
     * A doctor; it opens and closes nothing.
     *
     * @param settings what is in force
     * @param scope which namespaces are watched
     * @param leaseNamespace where the Lease of the election is; empty without one
     * @param access to the cluster
     * @param registries asks the registries
     * @param credentials by namespace, those that the registries are asked with for it, for their names
     * @param history the history database
     */
    public Doctor(
            Settings settings,
            WatchScope scope,
            Optional<String> leaseNamespace,
            KubeAccess access,
            RegistryCheck registries,
            Function<String, CredentialProvider> credentials,
            DigestStore history) {
        this.settings = settings;
        this.scope = scope;
        this.leaseNamespace = leaseNamespace;
        this.access = access;
        this.registries = registries;
        this.credentials = credentials;
        this.history = history;
    }

    /**
     * Checks everything but the configuration.
     *
     * @param status how it stands with the agent
     * @param namespaces the labelled namespaces that are watched
     * @param running whether the status is that of a running agent, rather than of one look
     * @return the findings
     * @throws InterruptedException if the thread is interrupted
     */
    public List<Finding> examine(AgentStatus status, Collection<String> namespaces, boolean running)
            throws InterruptedException {
        List<Finding> findings = new ArrayList<>();
        for (Settings.Registry registry : settings.registries()) {
            findings.add(registry(registry, status));
        }
        Optional<Permissions.Lease> lease = leaseNamespace.map(namespace ->
                new Permissions.Lease(namespace, settings.kubernetes().lease()));
        findings.addAll(new Permissions(access, scope, namespaces)
                .check(settings.kubernetes().pullSecrets(), lease));
        for (WatchProblem problem : status.problems()) {
            findings.add(Finding.wrong(
                    "cluster",
                    problem.message(),
                    problem.permission()
                            ? "grant it in the role of the agent's account"
                            : "see that it can be reached"));
        }
        findings.add(
                namespaces.isEmpty()
                        ? Finding.wrong(
                                "namespaces",
                                "no namespace is labelled urunner=enable",
                                "kubectl label namespace NAME urunner=enable")
                        : Finding.ok("namespaces", namespaces.size() + " labelled: " + String.join(", ", namespaces)));
        findings.add(history(status, running));
        findings.addAll(workloads(status));
        findings.add(due(status));
        status.election()
                .flatMap(AgentStatus.Election::problem)
                .ifPresent(problem -> findings.add(Finding.wrong(
                        "election", problem, "grant get, create and update of leases in the Lease's namespace")));
        findings.add(running ? lastPass(status) : Finding.note("last pass", "no agent was found running here", ""));
        return findings;
    }

    private Finding registry(Settings.Registry registry, AgentStatus status) throws InterruptedException {
        String check = "registry " + registry.host();
        Optional<ImageReference> tracked = status.workloads().stream()
                .flatMap(workload -> workload.containers().stream())
                .flatMap(container -> container.reference().stream())
                .map(ImageReference::parse)
                .filter(registry.host()::matches)
                .findFirst();
        String credential = tracked.map(image ->
                        credentials.apply(namespace(image, status)).describe(image.registry(), image.repository()))
                .orElse("");
        try {
            registries.check(registry.host(), tracked);
            return Finding.ok(
                    check,
                    tracked.map(image -> "answers for " + image + ", read with " + credential)
                            .orElse("answers; no tracked workload has an image of it, so no repository was tried"));
        } catch (RegistryException e) {
            return Finding.wrong(check, String.valueOf(e.getMessage()), remedy(e, credential));
        }
    }

    /** The first namespace with a workload of this image. */
    private static String namespace(ImageReference image, AgentStatus status) {
        return status.workloads().stream()
                .filter(workload -> workload.containers().stream()
                        .anyMatch(container -> container.reference().equals(Optional.of(image.toString()))))
                .map(workload -> workload.id().namespace())
                .sorted()
                .findFirst()
                .orElse("");
    }

    private static String remedy(RegistryException e, String credential) {
        String used = credential.isEmpty() ? "" : " (in use: " + credential + ")";
        if (e instanceof UnauthorizedException) {
            return "give the agent a valid credential for this registry" + used;
        }
        if (e instanceof DeniedException) {
            return "let the credential pull this repository" + used;
        }
        if (e instanceof NotFoundException) {
            return "push the tag, or correct the workload's image; some registries say this to a credential without"
                    + " access" + used;
        }
        if (e instanceof RateLimitedException) {
            return "wait, or log in where anonymous pulls are limited" + used;
        }
        if (e.getCause() instanceof CredentialException) {
            return "correct the credential's settings, or wait until its issuer answers" + used;
        }
        if (e.getCause() instanceof SSLException) {
            return "trust the registry's own authority with registries[].tls.ca, or give the registry a certificate that is"
                    + " valid for this host; registries[].plainHttp is for one that speaks plain http";
        }
        if (e.status().isPresent()) {
            return "see that a registry answers at this address, and what its own log says";
        }
        return "see that the registry runs, that host and port are right, and that the agent's network leads there";
    }

    private Finding history(AgentStatus status, boolean running) {
        try {
            history.check();
            if (running && !status.historyWorks()) {
                return Finding.wrong(
                        "history",
                        "the agent could not write the database when it tried last",
                        "see its log for the reason; rollouts go on, and their history is kept in memory until it works");
            }
            return Finding.ok("history", running ? "the database can be written" : "the database can be read");
        } catch (StoreException e) {
            return new Finding(
                    "history",
                    running ? Finding.Result.WRONG : Finding.Result.NOTE,
                    String.valueOf(e.getMessage()),
                    "rollouts go on without it; put the database of URUNNER_CONF_SQLLIGHT_PATH or"
                            + " URUNNER_CONF_DATABASE_URL right");
        }
    }

    /** What is not well, each by itself; many are counted. */
    private static List<Finding> workloads(AgentStatus status) {
        List<WorkloadStatus> ill = status.workloads().stream()
                .filter(workload -> workload.state().ill())
                .sorted(Comparator.comparing(WorkloadStatus::id))
                .toList();
        if (ill.isEmpty()) {
            return List.of(Finding.ok("workloads", status.workloads().size() + " tracked, and none needs help"));
        }
        List<Finding> findings = new ArrayList<>();
        ill.stream()
                .limit(TOLD)
                .forEach(workload -> findings.add(Finding.wrong(
                        "workload " + workload.id(),
                        workload.state().words() + ": " + workload.state().reason(),
                        "urunner explain " + workload.id())));
        if (ill.size() > TOLD) {
            findings.add(Finding.wrong(
                    "workloads", (ill.size() - TOLD) + " more are not well", "urunner explain lists them"));
        }
        return findings;
    }

    private static Finding due(AgentStatus status) {
        TreeSet<String> now = new TreeSet<>();
        TreeSet<String> waiting = new TreeSet<>();
        for (WorkloadStatus workload : status.workloads()) {
            Optional<Decision> decision = workload.decision();
            boolean stale =
                    workload.containers().stream().anyMatch(container -> container.kind() == Verdict.Kind.STALE);
            if (decision.isEmpty() || !stale) {
                continue;
            }
            if (decision.get() instanceof Decision.Restart
                    || (decision.get() instanceof Decision.Blocked blocked && blocked.cause() == Blockage.SHADOW)
                    || (decision.get() instanceof Decision.Deferred deferred && deferred.cause() == Deferral.BUDGET)) {
                now.add(workload.id().toString());
            } else {
                waiting.add(workload.id() + " (" + decision.get().words() + ")");
            }
        }
        String words = (now.isEmpty() ? "nothing would be restarted now" : "would be restarted: " + list(now))
                + (waiting.isEmpty() ? "" : "; stale, but not now: " + list(waiting));
        return waiting.isEmpty() && now.isEmpty()
                ? Finding.ok("due", words)
                : Finding.note("due", words, "urunner explain tells why");
    }

    private static String list(Collection<String> names) {
        return names.stream().limit(20).collect(Collectors.joining(", "))
                + (names.size() > 20 ? " and " + (names.size() - 20) + " more" : "");
    }

    private Finding lastPass(AgentStatus status) {
        if (status.lastPass().isEmpty()) {
            return Finding.wrong(
                    "last pass",
                    "no pass over a registry is over yet",
                    "wait for one interval after the start; then see what the registry's finding and the log say");
        }
        Duration interval = settings.registries().stream()
                .map(registry -> registry.interval().orElse(settings.interval()))
                .min(Duration::compareTo)
                .orElse(settings.interval());
        Duration age = Duration.between(status.lastPass().get(), status.at());
        String words = age.toSeconds() + " s ago; the interval is " + interval.toSeconds() + " s";
        return age.compareTo(interval.multipliedBy(2).plusSeconds(10)) > 0
                ? Finding.wrong("last pass", words, "see what the registry's finding and the agent's log say")
                : Finding.ok("last pass", words);
    }
}
