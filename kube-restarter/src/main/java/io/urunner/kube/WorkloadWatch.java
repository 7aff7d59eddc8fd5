package io.urunner.kube;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Sees the workloads of the namespaces labelled {@code urunner=enable} that are not labelled {@code urunner=disable}, with
 * their pods, as they change. Watches; lists only at the start and when the API server has forgotten where a watch was.
 * Single use. Thread-safe.
 */
public final class WorkloadWatch implements AutoCloseable {
    /**
     * A watch that is not started.
     *
     * @param connection to which cluster; stays the caller's to close
     * @param scope which namespaces
     */
    public WorkloadWatch(KubeConnection connection, WatchScope scope) {}

    /**
     * Has every change told, on a thread of the connection's executor: the listener must not block. It is told the id of
     * a workload that appeared, changed (its pods count) or went away; {@link #find} says what is there now.
     *
     * @param listener whom to tell
     */
    public void listen(Consumer<WorkloadId> listener) {}

    /**
     * Starts watching; returns at once.
     *
     * @throws IllegalStateException if it was started before
     */
    public void start() {}

    /**
     * Whether everything that may be seen has been seen once: the labelled namespaces, and what is in each of them. A
     * permission that is missing does not keep this from being true, see {@link #problems}.
     *
     * @return true if {@link #workloads} is whole
     */
    public boolean synced() {
        return false;
    }

    /**
     * The namespaces that are watched now.
     *
     * @return their names
     */
    public Set<String> namespaces() {
        return Set.of();
    }

    /**
     * The workloads as they are now. One is left out until its pods and revisions have been seen too.
     *
     * @return a snapshot, ordered by id
     */
    public List<Workload> workloads() {
        return List.of();
    }

    /**
     * One workload as it is now.
     *
     * @param id which one
     * @return the snapshot; empty if there is none, or it is not watched
     */
    public Optional<Workload> find(WorkloadId id) {
        return Optional.empty();
    }

    /**
     * What cannot be seen now, and why.
     *
     * @return the problems, empty when all is well
     */
    public List<WatchProblem> problems() {
        return List.of();
    }

    /** Stops watching. Idempotent. */
    @Override
    public void close() {}
}
