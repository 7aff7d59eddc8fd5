package io.urunner.agent.app.explain;

import io.urunner.agent.AgentStatus;
import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.app.explain.Explanation.Entry;
import io.urunner.agent.app.explain.Explanation.Untracked;
import io.urunner.agent.plan.Verdict;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeException;
import io.urunner.kube.WatchScope;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.ImageReference;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TagDigest;
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
    private final Function<ImageReference, String> routes;
    private final DigestStore history;
    private final Optional<String> hidden;

    /**
     * An explainer; it opens and closes nothing.
     *
     * @param scope which namespaces are watched
     * @param access to the cluster, for what is not watched
     * @param credentials by namespace, the credentials used for its registries, of which only the names are shown
     * @param routes by image how it was reached, if not directly
     * @param history the rollouts
     * @param hidden why the history is not available here; empty if it is
     */
    public Explainer(
            WatchScope scope,
            KubeAccess access,
            Function<String, CredentialProvider> credentials,
            Function<ImageReference, String> routes,
            DigestStore history,
            Optional<String> hidden) {
        this.scope = scope;
        this.access = access;
        this.credentials = credentials;
        this.routes = routes;
        this.history = history;
        this.hidden = hidden;
    }

    /**
     * Explains one workload, those of a namespace, or all that are tracked.
     *
     * @param source who reports the status, for people
     * @param status the agent's status
     * @param asked the workload; empty for all
     * @param namespace the namespace; empty for all
     * @return the explanation, not filtered by namespace
     */
    public Explanation explain(
            String source, AgentStatus status, Optional<WorkloadId> asked, Optional<String> namespace) {
        List<Entry> entries = new ArrayList<>();
        Optional<String> trouble = hidden;
        for (WorkloadStatus workload : status.workloads()) {
            if (asked.isEmpty() || asked.get().equals(workload.id())) {
                Optional<RolloutRecord> last = Optional.empty();
                Map<String, TagDigest> before = Map.of();
                try {
                    if (trouble.isEmpty()) {
                        last = history.rollouts(workload.id().toString(), 1).stream()
                                .findFirst();
                        before = asked.isPresent() ? before(workload) : before;
                    }
                } catch (StoreException e) {
                    trouble = Optional.ofNullable(e.getMessage());
                }
                entries.add(new Entry(workload, credentials(workload), routes(workload), last, before));
            }
        }
        Optional<Untracked> untracked = Optional.empty();
        if (asked.isPresent()) {
            untracked = asked.filter(id -> entries.isEmpty()).map(id -> untracked(id, status));
        } else if (status.synced()) {
            untracked = namespace
                    .filter(name -> status.workloads().stream()
                            .noneMatch(workload -> workload.id().namespace().equals(name)))
                    .map(name -> untracked(name, status));
        }
        return new Explanation(source, status, entries, untracked, trouble);
    }

    /** The last digests of tags that are not known now. */
    private Map<String, TagDigest> before(WorkloadStatus workload) throws StoreException {
        Map<String, TagDigest> before = new HashMap<>();
        for (Verdict container : workload.containers()) {
            if (container.reference().isPresent() && container.digest().isEmpty()) {
                history.digests(container.reference().get().toString(), 1)
                        .forEach(last -> before.put(container.container(), last));
            }
        }
        return before;
    }

    private Map<String, String> credentials(WorkloadStatus workload) {
        CredentialProvider used = credentials.apply(workload.id().namespace());
        Map<String, String> names = new HashMap<>();
        for (Verdict container : workload.containers()) {
            container
                    .reference()
                    .ifPresent(image ->
                            names.put(container.container(), used.describe(image.registry(), image.repository())));
        }
        return names;
    }

    private Map<String, String> routes(WorkloadStatus workload) {
        Map<String, String> words = new HashMap<>();
        for (Verdict container : workload.containers()) {
            container
                    .reference()
                    .map(routes)
                    .filter(route -> !route.isEmpty())
                    .ifPresent(route -> words.put(container.container(), route));
        }
        return words;
    }

    private Untracked untracked(String namespace, AgentStatus status) {
        List<WorkloadId> meant = named(namespace, status);
        try {
            return unwatched(namespace)
                    .map(why -> new Untracked(namespace, Optional.empty(), why.exists(), why.words(), meant))
                    .orElseGet(() -> new Untracked(
                            namespace,
                            Optional.empty(),
                            true,
                            "it has no workload, or each has the label urunner=disable",
                            meant));
        } catch (KubeException e) {
            return new Untracked(
                    namespace,
                    Optional.empty(),
                    true,
                    "cannot read whether it has the label urunner=enable: " + e.getMessage(),
                    meant);
        }
    }

    private Untracked untracked(WorkloadId id, AgentStatus status) {
        try {
            Optional<Unwatched> unwatched = unwatched(id.namespace());
            if (unwatched.isPresent() && !unwatched.get().exists()) {
                return missing(id, unwatched.get().words(), status);
            }
            if (isOurs(id.namespace())) {
                Optional<Map<String, String>> own = access.labels(id);
                if (own.isEmpty()) {
                    return missing(
                            id,
                            "there is no " + id.kind().kind() + " " + id.name() + " in the namespace " + id.namespace(),
                            status);
                }
                if (unwatched.isEmpty() && own.get().getOrDefault(LABEL, "").equals("disable")) {
                    return there(
                            id,
                            "it has the label urunner=disable; to track it: kubectl -n " + id.namespace() + " label "
                                    + id.kind().resource() + " " + id.name() + " urunner-");
                }
            }
            if (unwatched.isPresent()) {
                return there(id, unwatched.get().words());
            }
        } catch (KubeException e) {
            return there(id, "it cannot be read: " + e.getMessage());
        }
        return status.problems().stream()
                .filter(problem -> problem.namespace().isEmpty()
                        || problem.namespace().get().equals(id.namespace()))
                .findFirst()
                .map(problem -> there(id, "it cannot be watched: " + problem.message()))
                .orElseGet(() -> there(id, "it has not been seen yet: try again in a moment"));
    }

    private static Untracked there(WorkloadId id, String reason) {
        return new Untracked(id.namespace(), Optional.of(id), true, reason, List.of());
    }

    private Untracked missing(WorkloadId id, String reason, AgentStatus status) {
        return new Untracked(id.namespace(), Optional.of(id), false, reason, named(id.name(), status));
    }

    /** Why a namespace is not watched. */
    private record Unwatched(boolean exists, String words) {}

    private Optional<Unwatched> unwatched(String namespace) throws KubeException {
        if (!isOurs(namespace)) {
            return Optional.of(new Unwatched(
                    true, "the namespace " + namespace + " is not among those of URUNNER_CONF_NAMESPACES"));
        }
        Optional<Map<String, String>> labels = access.labels(namespace);
        if (labels.isEmpty()) {
            return Optional.of(new Unwatched(false, "there is no namespace " + namespace));
        }
        String enabled = labels.get().getOrDefault(LABEL, "");
        return enabled.equals("enable")
                ? Optional.empty()
                : Optional.of(new Unwatched(
                        true,
                        "the namespace " + namespace
                                + (enabled.isEmpty()
                                        ? " has no label urunner=enable"
                                        : " has the label urunner=" + enabled + ", not urunner=enable")
                                + ": kubectl label --overwrite namespace " + namespace + " urunner=enable"));
    }

    private boolean isOurs(String namespace) {
        return scope.namespaces().isEmpty() || scope.namespaces().contains(namespace);
    }

    /** The workloads with this name; only tracked ones if they cannot be listed. */
    private List<WorkloadId> named(String name, AgentStatus status) {
        try {
            List<WorkloadId> found = new ArrayList<>();
            for (String namespace : scope.namespaces()) {
                found.addAll(access.workloads(Optional.of(namespace), name));
            }
            return scope.namespaces().isEmpty() ? access.workloads(Optional.empty(), name) : found;
        } catch (KubeException e) {
            return status.workloads().stream()
                    .map(WorkloadStatus::id)
                    .filter(id -> id.name().equals(name))
                    .toList();
        }
    }
}
