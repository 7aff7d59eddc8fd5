package io.urunner.agent.engine;

import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Context;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.Fleet;
import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore.Retention;
import io.urunner.store.DigestStore.TrackedContainer;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Prunes the history, and forgets the workloads that are gone. On the loop. */
final class Housekeeping {
    private static final Duration PRUNE_FIRST = Duration.ofMinutes(5);
    private static final Duration PRUNE_EVERY = Duration.ofHours(6);

    private final Context context;
    private final Cluster cluster;
    private final Fleet fleet;
    private final Memory memory;
    private final Retention retention;
    private Set<TrackedContainer> goneBefore = Set.of();

    Housekeeping(Context context, Cluster cluster, Fleet fleet, Memory memory, Retention retention) {
        this.context = context;
        this.cluster = cluster;
        this.fleet = fleet;
        this.memory = memory;
        this.retention = retention;
    }

    void start() {
        context.loop().after(PRUNE_FIRST, this::prune);
        context.loop().every(PRUNE_EVERY, this::prune);
    }

    private void prune() {
        forgetWhatIsGone();
        memory.prune(retention, digestsInUse(), context.now());
    }

    /** Forgets what was also gone the last time: a namespace that loses its label for a short while is not forgotten. */
    private void forgetWhatIsGone() {
        Set<TrackedContainer> goneNow =
                memory.containers().stream().filter(this::isGone).collect(Collectors.toSet());
        Set<TrackedContainer> forget =
                goneNow.stream().filter(goneBefore::contains).collect(Collectors.toSet());
        goneBefore = goneNow;
        if (!forget.isEmpty()) {
            memory.forget(forget);
            memory.flushSoon();
        }
    }

    /** Whether a container no longer exists; false unless everything can be seen. */
    private boolean isGone(TrackedContainer container) {
        try {
            WorkloadId id = WorkloadId.parse(container.workload());
            return cluster.problems().isEmpty()
                    && cluster.watches(id.namespace())
                    && fleet.find(id).filter(one -> one.follows(container)).isEmpty();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** The digests that pods run and templates are pinned to: some runtimes report another digest of the same image. */
    private Set<String> digestsInUse() {
        Stream<String> running = fleet.all().stream()
                .flatMap(one -> one.plan().stream())
                .flatMap(plan -> plan.verdicts().stream())
                .flatMap(verdict -> verdict.running().stream());
        Stream<String> pinned = cluster.workloads().stream()
                .flatMap(workload -> workload.containers().stream())
                .map(container -> container.image().substring(container.image().indexOf('@') + 1));
        return Stream.concat(running, pinned).collect(Collectors.toSet());
    }
}
