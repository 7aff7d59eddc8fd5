package io.urunner.agent.workloads;

import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.KubeException;
import io.urunner.kube.PastTemplate;
import io.urunner.kube.PatchResult;
import io.urunner.kube.Pod;
import io.urunner.kube.Restart;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * The cluster, as the agent and the operator's commands use it: a port, so that both are tested without an API server.
 * Thread-safe. What reads or changes a workload blocks until the API server answers, and throws {@link KubeException} if
 * that one refuses or cannot be reached; it needs no watch.
 */
public interface Cluster {
    /** Begins to watch; the listener is told the id of every workload that appears, changes or goes. */
    void start(Consumer<WorkloadId> listener);

    /** Whether everything that may be seen has been seen once. */
    boolean synced();

    List<Workload> workloads();

    Optional<Workload> find(WorkloadId id);

    List<WatchProblem> problems();

    /** The namespaces that are watched now. */
    Set<String> namespaces();

    /** Whether workloads of this namespace may be seen, once it carries the label. */
    boolean watches(String namespace);

    /** Starts a rollout with one patch on the version that was planned on. */
    PatchResult restart(Workload planned, Restart restart) throws KubeException;

    /** Writes the state of a workload, without a rollout. */
    PatchResult remember(Workload planned, WorkloadState state) throws KubeException;

    /** A workload as it is now, with its pods; empty if there is none. */
    Optional<Workload> read(WorkloadId id) throws KubeException;

    /** The templates that a workload had, the oldest first. */
    List<PastTemplate> pastTemplates(WorkloadId id) throws KubeException;

    /** Deletes a pod; returns whether it was there. */
    boolean deletePod(String namespace, Pod pod) throws KubeException;

    /** Follows a rollout to its end, as the watch sees it. */
    CompletableFuture<RolloutOutcome> follow(
            WorkloadId id, DigestsAnnotation digests, PatchResult.Patched patched, Duration timeout);
}
