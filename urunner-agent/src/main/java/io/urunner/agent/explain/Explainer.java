package io.urunner.agent.explain;

import io.urunner.agent.explain.Explanation.Entry;
import io.urunner.agent.explain.Explanation.Untracked;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.run.AgentStatus;
import io.urunner.agent.run.AgentStatus.WorkloadStatus;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeException;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.WatchScope;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.ImageReference;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.StoreException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Explains what an agent does. Thread-safe; waits for the API server, the store and issuers of credentials. */
public final class Explainer {
    private static final String LABEL = "urunner";

    private final WatchScope scope;
    private final KubeAccess access;
    private final Function<String, CredentialProvider> credentials;
    private final DigestStore history;
    private final Optional<String> hidden;

    /**
     * An explainer; it opens and closes nothing.
     *
     * @param scope which namespaces are watched
     * @param access to the cluster, for what is not watched
     * @param credentials by namespace, those that the registries are asked with for it: only their names are told
     * @param history the rollouts
     * @param hidden why the history cannot be seen from here; empty if it can
     */
    public Explainer(
            WatchScope scope,
            KubeAccess access,
            Function<String, CredentialProvider> credentials,
            DigestStore history,
            Optional<String> hidden) {
        this.scope = scope;
        this.access = access;
        this.credentials = credentials;
        this.history = history;
        this.hidden = hidden;
    }

    /**
     * Explains one workload, or all that are tracked.
     *
     * @param source who says so, for people
     * @param status how it stands
     * @param asked the workload; empty for all
     * @return the explanation
     */
    public Explanation explain(String source, AgentStatus status, Optional<WorkloadId> asked) {
        List<Entry> entries = new ArrayList<>();
        Optional<String> trouble = hidden;
        for (WorkloadStatus workload : status.workloads()) {
            if (asked.isEmpty() || asked.get().equals(workload.id())) {
                Optional<RolloutRecord> last = Optional.empty();
                try {
                    if (trouble.isEmpty()) {
                        last = history.rollouts(workload.id().toString(), 1).stream()
                                .findFirst();
                    }
                } catch (StoreException e) {
                    trouble = Optional.ofNullable(e.getMessage());
                }
                entries.add(new Entry(workload, credentials(workload), last));
            }
        }
        Optional<Untracked> untracked =
                asked.filter(id -> entries.isEmpty()).map(id -> untracked(id, status.problems()));
        return new Explanation(source, status, entries, untracked, trouble);
    }

    private Map<String, String> credentials(WorkloadStatus workload) {
        CredentialProvider used = credentials.apply(workload.id().namespace());
        Map<String, String> names = new HashMap<>();
        for (Verdict container : workload.containers()) {
            container
                    .reference()
                    .map(ImageReference::parse)
                    .ifPresent(image ->
                            names.put(container.container(), used.describe(image.registry(), image.repository())));
        }
        return names;
    }

    private Untracked untracked(WorkloadId id, List<WatchProblem> problems) {
        String namespace = id.namespace();
        if (!scope.namespaces().isEmpty() && !scope.namespaces().contains(namespace)) {
            return new Untracked(
                    id, true, "the namespace " + namespace + " is not among those of URUNNER_CONF_NAMESPACES");
        }
        try {
            Optional<Map<String, String>> labels = access.labels(namespace);
            if (labels.isEmpty()) {
                return new Untracked(id, false, "there is no namespace " + namespace);
            }
            Optional<Map<String, String>> own = access.labels(id);
            if (own.isEmpty()) {
                return new Untracked(
                        id,
                        false,
                        "there is no " + id.kind().kind() + " " + id.name() + " in the namespace " + namespace);
            }
            String enabled = labels.get().getOrDefault(LABEL, "");
            if (!enabled.equals("enable")) {
                return new Untracked(
                        id,
                        true,
                        "the namespace " + namespace
                                + (enabled.isEmpty()
                                        ? " has no label urunner=enable"
                                        : " has the label urunner=" + enabled + ", not urunner=enable")
                                + ": kubectl label --overwrite namespace " + namespace + " urunner=enable");
            }
            if (own.get().getOrDefault(LABEL, "").equals("disable")) {
                return new Untracked(
                        id,
                        true,
                        "it has the label urunner=disable; to have it followed: kubectl -n " + namespace + " label "
                                + id.kind().resource() + " " + id.name() + " urunner-");
            }
        } catch (KubeException e) {
            return new Untracked(id, true, "what is known of it cannot be read: " + e.getMessage());
        }
        return problems.stream()
                .filter(problem -> problem.namespace().isEmpty()
                        || problem.namespace().get().equals(namespace))
                .findFirst()
                .map(problem -> new Untracked(id, true, "it cannot be watched: " + problem.message()))
                .orElseGet(() -> new Untracked(id, true, "it was not seen yet: ask again in a moment"));
    }
}
