package io.urunner.agent.plan;

import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Says which of the planned rollouts may start now: within the budget, and behind the canary of their image. Single use,
 * for one round of decisions; not thread-safe.
 *
 * <p>Within a namespace the workloads' annotations count, so a restart of the agent forgets nothing. Of other namespaces
 * only our own rollouts do, and each of them for a while: what somebody writes on his workloads, or how long his rollouts
 * take, holds nobody else for ever.
 */
public final class Admission {
    private final Limits limits;
    private final List<Slot> shared = new ArrayList<>();
    private final Collection<Slot> slots;
    private final Function<String, Collection<Standing>> fleet;
    private final Experience experience;
    private final Instant now;
    private final Map<String, Namespace> namespaces = new HashMap<>();

    /**
     * An admission for one round.
     *
     * @param limits the limits
     * @param slots the rollouts that are under way, as far as we know by ourselves
     * @param fleet by namespace the workloads that are watched, as they are now
     * @param experience what our rollouts showed
     * @param now the time
     */
    public Admission(
            Limits limits,
            Collection<Slot> slots,
            Function<String, Collection<Standing>> fleet,
            Experience experience,
            Instant now) {
        this.limits = limits;
        this.slots = slots;
        this.fleet = fleet;
        this.experience = experience;
        this.now = now;
        slots.stream()
                .filter(slot -> slot.until.filter(now::isBefore).isPresent())
                .forEach(shared::add);
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
     * A rollout that is under way.
     *
     * @param workload of which workload
     * @param images what it brings
     * @param until until when other namespaces wait for it at the longest; empty if they never do
     */
    public record Slot(WorkloadId workload, Set<ImageDigest> images, Optional<Instant> until) {
        public Slot {
            images = Set.copyOf(images);
        }
    }

    /** What is under way in one namespace, and what was tried there. */
    private static final class Namespace {
        private final Set<WorkloadId> running = new HashSet<>();
        /** By {@code reference@digest} those that were rolled out for it, in the order of their ids. */
        private final Map<String, Set<WorkloadId>> tried = new HashMap<>();

        private final Map<WorkloadId, Standing> known = new HashMap<>();

        void starts(WorkloadId workload, Collection<ImageDigest> images) {
            running.add(workload);
            images.forEach(image -> tried(text(image), workload));
        }

        void tried(String image, WorkloadId workload) {
            tried.computeIfAbsent(image, added -> new LinkedHashSet<>()).add(workload);
        }

        boolean isProven(ImageDigest image) {
            return tried.getOrDefault(text(image), Set.of()).stream()
                    .anyMatch(id -> !running.contains(id)
                            && Optional.ofNullable(known.get(id))
                                    .filter(standing -> standing.isHealthyOn(image))
                                    .isPresent());
        }

        /** The workload that has the digest already, if none that has it is healthy. */
        Optional<WorkloadId> canary(ImageDigest image) {
            return isProven(image)
                    ? Optional.empty()
                    : tried.getOrDefault(text(image), Set.of()).stream().findFirst();
        }

        private static String text(ImageDigest image) {
            return image.reference() + "@" + image.digest();
        }
    }

    private Namespace namespace(String name) {
        return namespaces.computeIfAbsent(name, added -> {
            Namespace namespace = new Namespace();
            for (Standing standing : fleet.apply(name)) {
                WorkloadId id = standing.workload().id();
                namespace.known.put(id, standing);
                standing.tried().forEach(image -> namespace.tried(image, id));
                if (standing.isRollingOut(limits.patience(), now)) {
                    namespace.running.add(id);
                }
            }
            slots.stream()
                    .filter(slot -> slot.workload.namespace().equals(name))
                    .forEach(slot -> namespace.starts(slot.workload, slot.images));
            return namespace;
        });
    }

    /**
     * Goes through the plans of one round: first those of the namespace with the fewest rollouts under way, of these the
     * one whose last rollout began longest ago; within a namespace in the order of the workloads' ids.
     *
     * @param plans the plans
     * @return the same plans, with the restarts that must wait deferred
     */
    public List<Plan> admit(Collection<Plan> plans) {
        List<Plan> admitted = new ArrayList<>();
        Map<String, Deque<Plan>> restarts = new TreeMap<>();
        plans.stream().sorted(Comparator.comparing(Plan::workload)).forEach(plan -> {
            if (plan.decision() instanceof Decision.Restart) {
                restarts.computeIfAbsent(plan.workload().namespace(), added -> new ArrayDeque<>())
                        .add(plan);
            } else {
                admitted.add(plan);
            }
        });
        Comparator<String> fewest =
                Comparator.comparingInt(name -> namespace(name).running.size());
        while (!restarts.isEmpty()) {
            String next = restarts.keySet().stream()
                    .min(fewest.thenComparing(experience::lastBegun).thenComparing(Comparator.naturalOrder()))
                    .orElseThrow();
            Deque<Plan> own = Objects.requireNonNull(restarts.get(next), "it is one of the keys");
            Plan plan = own.remove();
            if (own.isEmpty()) {
                restarts.remove(next);
            }
            admitted.add(plan.decision() instanceof Decision.Restart restart ? admit(plan, restart) : plan);
        }
        return admitted;
    }

    private Plan admit(Plan plan, Decision.Restart restart) {
        WorkloadId workload = plan.workload();
        Set<ImageDigest> images = images(restart.changes());
        Optional<Decision> waits = failedElsewhere(workload, images)
                .or(() -> behindCanary(workload, images))
                .or(() -> beyondBudget(workload));
        if (waits.isPresent()) {
            return plan.with(waits.get());
        }
        namespace(workload.namespace()).starts(workload, images);
        shared.add(new Slot(workload, images, Optional.of(now.plus(experience.hold(workload.namespace())))));
        return plan;
    }

    /**
     * What a rollout brings.
     *
     * @param changes the containers whose digest moves
     * @return the images
     */
    public static Set<ImageDigest> images(Collection<Decision.Change> changes) {
        return changes.stream()
                .map(change -> new ImageDigest(change.reference(), change.to()))
                .collect(Collectors.toSet());
    }

    private Optional<Decision> failedElsewhere(WorkloadId workload, Set<ImageDigest> images) {
        for (ImageDigest image : images) {
            Optional<Instant> until = experience.failedElsewhereUntil(image, workload.namespace(), now);
            if (until.isPresent()) {
                return deferred(
                        Deferral.FAILED_ELSEWHERE,
                        image + " failed in other namespaces: it is tried here at " + until.get()
                                + ", unless the tag moves, or it works in another namespace before",
                        until);
            }
        }
        return Optional.empty();
    }

    private Optional<Decision> behindCanary(WorkloadId workload, Set<ImageDigest> images) {
        if (!limits.canary()) {
            return Optional.empty();
        }
        Namespace own = namespace(workload.namespace());
        for (ImageDigest image : images) {
            Optional<WorkloadId> first = own.canary(image);
            if (first.isPresent() && !first.get().equals(workload)) {
                return deferred(
                        Deferral.CANARY,
                        image + " goes to " + first.get() + " first, which is not healthy on it yet",
                        Optional.empty());
            }
            Optional<Instant> elsewhere = own.isProven(image) ? Optional.empty() : canaryElsewhere(workload, image);
            if (elsewhere.isPresent()) {
                return deferred(
                        Deferral.CANARY,
                        image
                                + " goes to another namespace first, where it is not healthy yet; that is waited for until "
                                + elsewhere.get(),
                        elsewhere);
            }
        }
        return Optional.empty();
    }

    private Optional<Instant> canaryElsewhere(WorkloadId workload, ImageDigest image) {
        return experience
                .triedUntil(image, now)
                .flatMap(longest -> shared.stream()
                        .filter(slot -> slot.images.contains(image)
                                && !slot.workload.namespace().equals(workload.namespace()))
                        .flatMap(slot -> slot.until.stream())
                        .map(until -> until.isBefore(longest) ? until : longest)
                        .min(Comparator.naturalOrder()));
    }

    private Optional<Decision> beyondBudget(WorkloadId workload) {
        List<Slot> others =
                shared.stream().filter(slot -> !slot.workload.equals(workload)).toList();
        long inCluster = others.stream().map(Slot::workload).distinct().count();
        if (inCluster >= limits.inCluster().orElse(Integer.MAX_VALUE)) {
            return deferred(
                    Deferral.BUDGET,
                    inCluster + " rollouts are running in the cluster, and the budget is "
                            + limits.inCluster().getAsInt(),
                    others.stream().flatMap(slot -> slot.until.stream()).min(Comparator.naturalOrder()));
        }
        long here = namespace(workload.namespace()).running.stream()
                .filter(other -> !other.equals(workload))
                .count();
        return here >= limits.inNamespace().orElse(Integer.MAX_VALUE)
                ? deferred(
                        Deferral.BUDGET,
                        here + " rollouts are running in namespace " + workload.namespace() + ", and the budget is "
                                + limits.inNamespace().getAsInt(),
                        Optional.empty())
                : Optional.empty();
    }

    private static Optional<Decision> deferred(Deferral cause, String words, Optional<Instant> until) {
        return Optional.of(new Decision.Deferred(cause, words, Optional.empty(), until));
    }

    /**
     * Whether a rollout of ours is running, as the workload itself tells it: one that failed, or does not end, makes room
     * for others.
     *
     * @param workload the workload
     * @param patience how long a rollout that does not end counts as running
     * @param now the time
     * @return true if it counts against the budget of its namespace
     */
    public static boolean isRollingOut(Workload workload, Duration patience, Instant now) {
        return Standing.of(workload).isRollingOut(patience, now);
    }
}
