package io.urunner.agent.plan;

import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Says which of the planned rollouts may start now: within the budget, and behind the canary of their image. Single use,
 * for one round of decisions; not thread-safe. It knows only what the workloads' annotations say, so a restart of the
 * agent forgets nothing.
 */
public final class Admission {
    private final Limits limits;
    /** By {@code reference@digest} those that were rolled out for it, in the order of their ids. */
    private final Map<String, Set<Workload>> acted = new HashMap<>();

    private final Set<WorkloadId> running = new HashSet<>();
    private final Map<ImageDigest, WorkloadId> canaries = new HashMap<>();

    /**
     * An admission for one round.
     *
     * @param limits the limits
     * @param fleet all workloads that are watched, as they are now
     * @param started the workloads that were patched and may not look so yet in {@code fleet}
     * @param now the time
     */
    public Admission(Limits limits, Collection<Workload> fleet, Set<WorkloadId> started, Instant now) {
        this.limits = limits;
        running.addAll(started);
        fleet.stream()
                .filter(workload -> isRollingOut(workload, limits.patience(), now))
                .forEach(workload -> running.add(workload.id()));
        if (limits.canary()) {
            fleet.stream().sorted(Comparator.comparing(Workload::id)).forEach(this::note);
        }
    }

    private void note(Workload workload) {
        Map<String, String> digests = States.digests(workload).digests();
        workload.containers().stream()
                .flatMap(container -> Optional.ofNullable(digests.get(container.name())).stream())
                .forEach(image -> acted.computeIfAbsent(image, added -> new LinkedHashSet<>())
                        .add(workload));
    }

    private Set<Workload> acted(ImageDigest image) {
        return acted.getOrDefault(image.reference() + "@" + image.digest(), Set.of());
    }

    /**
     * How many rollouts may run.
     *
     * @param inCluster at once in the cluster; empty for any number
     * @param inNamespace at once in a namespace; empty for any number
     * @param canary whether of the workloads that share an image one goes first
     * @param patience how long a rollout that does not end is followed, and counts as running
     */
    public record Limits(OptionalInt inCluster, OptionalInt inNamespace, boolean canary, Duration patience) {
        /** No limits; patience longer than the progress deadline that Kubernetes gives a Deployment. */
        public static final Limits NONE =
                new Limits(OptionalInt.empty(), OptionalInt.empty(), false, Duration.ofMinutes(15));

        public Limits {
            if (inCluster.orElse(1) < 1 || inNamespace.orElse(1) < 1) {
                throw new IllegalArgumentException("a budget lets at least one rollout run");
            }
        }
    }

    /**
     * Goes through the plans of one round, in the order of the workloads' ids.
     *
     * @param plans the plans
     * @return the same plans, with the restarts that must wait deferred
     */
    public List<Plan> admit(Collection<Plan> plans) {
        List<Plan> admitted = new ArrayList<>();
        plans.stream().sorted(Comparator.comparing(Plan::workload)).forEach(plan -> admitted.add(admit(plan)));
        return admitted;
    }

    private Plan admit(Plan plan) {
        if (!(plan.decision() instanceof Decision.Restart restart)) {
            return plan;
        }
        Optional<Decision> waits = behindCanary(plan.workload(), restart).or(() -> beyondBudget(plan.workload()));
        if (waits.isPresent()) {
            return plan.with(waits.get());
        }
        running.add(plan.workload());
        restart.changes().stream()
                .map(Admission::image)
                .filter(image -> !isProven(image))
                .forEach(image -> canaries.putIfAbsent(image, plan.workload()));
        return plan;
    }

    private Optional<Decision> behindCanary(WorkloadId workload, Decision.Restart restart) {
        if (!limits.canary()) {
            return Optional.empty();
        }
        for (Decision.Change change : restart.changes()) {
            ImageDigest image = image(change);
            Optional<WorkloadId> first =
                    Optional.ofNullable(canaries.get(image)).or(() -> unhealthyCanary(image));
            if (first.isPresent() && !first.get().equals(workload)) {
                return deferred(
                        Deferral.CANARY, image + " goes to " + first.get() + " first, which is not healthy on it yet");
            }
        }
        return Optional.empty();
    }

    /** The workload that has the digest already, if none that has it is healthy. */
    private Optional<WorkloadId> unhealthyCanary(ImageDigest image) {
        return isProven(image)
                ? Optional.empty()
                : acted(image).stream().map(Workload::id).findFirst();
    }

    private boolean isProven(ImageDigest image) {
        return acted(image).stream().anyMatch(workload -> isHealthy(workload, image));
    }

    private boolean isHealthy(Workload workload, ImageDigest image) {
        return workload.rollout().complete()
                && !running.contains(workload.id())
                && States.of(workload).containers().values().stream()
                        .noneMatch(state -> state.reference().equals(image.reference())
                                && state.failed().equals(Optional.of(image.digest())));
    }

    private Optional<Decision> beyondBudget(WorkloadId workload) {
        if (running.size() >= limits.inCluster().orElse(Integer.MAX_VALUE)) {
            return deferred(
                    Deferral.BUDGET,
                    running.size() + " rollouts are running in the cluster, and the budget is "
                            + limits.inCluster().getAsInt());
        }
        long here = running.stream()
                .filter(other -> other.namespace().equals(workload.namespace()))
                .count();
        return here >= limits.inNamespace().orElse(Integer.MAX_VALUE)
                ? deferred(
                        Deferral.BUDGET,
                        here + " rollouts are running in namespace " + workload.namespace() + ", and the budget is "
                                + limits.inNamespace().getAsInt())
                : Optional.empty();
    }

    private static Optional<Decision> deferred(Deferral cause, String words) {
        return Optional.of(new Decision.Deferred(cause, words, Optional.empty()));
    }

    /**
     * Whether a rollout of ours is running: one that failed, or does not end, makes room for others.
     *
     * @param workload the workload
     * @param patience how long a rollout that does not end counts as running
     * @param now the time
     * @return true if it counts against the budget
     */
    public static boolean isRollingOut(Workload workload, Duration patience, Instant now) {
        WorkloadState state = States.of(workload);
        boolean failed = state.containers().values().stream()
                .anyMatch(container -> container.failed().isPresent());
        Optional<Instant> acted = state.lastAct();
        return acted.isPresent()
                && acted.get().isAfter(now.minus(patience))
                && !failed
                && workload.rollout().deadlineExceeded().isEmpty()
                && !workload.rollout().complete();
    }

    private static ImageDigest image(Decision.Change change) {
        return new ImageDigest(change.reference(), change.to());
    }
}
