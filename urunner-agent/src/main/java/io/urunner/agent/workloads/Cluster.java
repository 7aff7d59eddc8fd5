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
 * Thread-safe. Methods that read or change a workload block until the API server answers, and throw {@link KubeException}
 * if it refuses or cannot be reached; they need no watch.
 */
public interface Cluster {
    /** Starts watching; the listener gets the id of every workload that appears, changes or disappears. */
    void start(Consumer<WorkloadId> listener);

    /** Whether everything that the agent is allowed to see has been seen once. */
    boolean synced();

    List<Workload> workloads();

    Optional<Workload> find(WorkloadId id);

    List<WatchProblem> problems();

    /** The namespaces that are watched now. */
    Set<String> namespaces();

    /** Whether this namespace is in scope, so that its workloads are watched once it has the label. */
    boolean watches(String namespace);

    /** Starts a rollout with one patch of the version that the plan is based on. */
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
