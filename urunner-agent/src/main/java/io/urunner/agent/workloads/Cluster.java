package io.urunner.agent.workloads;

import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.KubeException;
import io.urunner.kube.PatchResult;
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

/** The cluster, as the agent uses it: a port, so that the loop is tested without an API server. Thread-safe. */
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

    /** Blocks until the API server answers. */
    PatchResult restart(Workload planned, Restart restart) throws KubeException;

    /** Blocks until the API server answers. */
    PatchResult remember(Workload planned, WorkloadState state) throws KubeException;

    /** Blocks until the API server answers. */
    Optional<Workload> read(WorkloadId id) throws KubeException;

    CompletableFuture<RolloutOutcome> follow(
            WorkloadId id, DigestsAnnotation digests, PatchResult.Patched patched, Duration timeout);
}
