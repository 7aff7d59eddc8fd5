package io.urunner.agent.workloads;

import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.KubeConnection;
import io.urunner.kube.KubeException;
import io.urunner.kube.PastTemplate;
import io.urunner.kube.PatchResult;
import io.urunner.kube.Pod;
import io.urunner.kube.Restart;
import io.urunner.kube.Restarter;
import io.urunner.kube.RolloutFollower;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.WatchScope;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadWatch;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** The cluster behind an API server. */
public final class KubeCluster implements Cluster, AutoCloseable {
    private final WorkloadWatch watch;
    private final Restarter restarter;
    private final RolloutFollower follower;
    private final WatchScope scope;

    public KubeCluster(KubeConnection connection, WatchScope scope, LongSupplier ticker) {
        this.scope = scope;
        watch = new WorkloadWatch(connection, scope);
        restarter = new Restarter(connection);
        follower = new RolloutFollower(connection, watch, ticker);
    }

    @Override
    public void start(Consumer<WorkloadId> listener) {
        watch.listen(listener);
        watch.start();
    }

    @Override
    public boolean synced() {
        return watch.synced();
    }

    @Override
    public List<Workload> workloads() {
        return watch.workloads();
    }

    @Override
    public Optional<Workload> find(WorkloadId id) {
        return watch.find(id);
    }

    @Override
    public Set<String> namespaces() {
        return watch.namespaces();
    }

    @Override
    public List<WatchProblem> problems() {
        return watch.problems();
    }

    @Override
    public boolean watches(String namespace) {
        return scope.namespaces().isEmpty() || scope.namespaces().contains(namespace);
    }

    @Override
    public PatchResult restart(Workload planned, Restart restart) throws KubeException {
        return restarter.restart(planned, restart);
    }

    @Override
    public PatchResult remember(Workload planned, WorkloadState state) throws KubeException {
        return restarter.remember(planned, state);
    }

    @Override
    public Optional<Workload> read(WorkloadId id) throws KubeException {
        return restarter.read(id);
    }

    @Override
    public List<PastTemplate> pastTemplates(WorkloadId id) throws KubeException {
        return restarter.pastTemplates(id);
    }

    @Override
    public boolean deletePod(String namespace, Pod pod) throws KubeException {
        return restarter.deletePod(namespace, pod);
    }

    @Override
    public CompletableFuture<RolloutOutcome> follow(
            WorkloadId id, DigestsAnnotation digests, PatchResult.Patched patched, Duration timeout) {
        return follower.follow(id, digests, patched, timeout);
    }

    @Override
    public void close() {
        watch.close();
    }
}
