package io.urunner.agent.plan;

import io.urunner.agent.text.Phrases;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Decides which of the planned rollouts may start now: within the budget, and behind the canary of their image. Single
 * use, for one round of decisions; not thread-safe.
 *
 * <p>Within a namespace the workloads' annotations count, so a restart of the agent forgets nothing. From other namespaces
 * only our own rollouts count, each for a limited time: what somebody writes on a workload, or how long a rollout takes,
 * never holds up others forever.
 */
public final class Admission {
    /** How many of the workloads that use up the budget are named. */
    private static final int NAMED = 3;

    private final Limits limits;
    private final List<Slot> shared = new ArrayList<>();
    private final Collection<Slot> slots;
    private final Function<String, Collection<Standing>> fleet;
    private final Experience experience;
    private final Instant now;
    private final Map<String, Namespace> namespaces = new HashMap<>();

    /**
     * Creates the admission for one round.
     *
     * @param limits the limits
     * @param slots the rollouts that are under way, as far as we know ourselves
     * @param fleet by namespace, the watched workloads as they are now
     * @param experience what our rollouts have shown
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
     * @param inCluster how many at once in the cluster; empty for any number
     * @param inNamespace how many at once in a namespace; empty for any number
     * @param canary whether one of the workloads that share an image goes first
     * @param patience how long a rollout that does not end is followed, and counts as running
     */
    public record Limits(OptionalInt inCluster, OptionalInt inNamespace, boolean canary, Duration patience) {
        /** No limits; the patience is longer than the default progress deadline of a Deployment. */
        public static final Limits NONE =
                new Limits(OptionalInt.empty(), OptionalInt.empty(), false, Duration.ofMinutes(15));

        public Limits {
            if (inCluster.orElse(1) < 1 || inNamespace.orElse(1) < 1) {
                throw new IllegalArgumentException("a budget must allow at least one rollout");
            }
        }
    }

    /**
     * A rollout that is under way.
     *
     * @param workload the workload
     * @param images the images that it brings
     * @param until the latest time until which other namespaces wait for it; empty if they never do
     * @param ends the latest time until which its own namespace waits for it
     */
    public record Slot(WorkloadId workload, Set<ImageDigest> images, Optional<Instant> until, Instant ends) {
        public Slot {
            images = Set.copyOf(images);
        }
    }

    /** The workload that goes first, and until when others wait for it in any case; empty if it is not healthy. */
    private record Canary(WorkloadId workload, Optional<Instant> until) {}

    /** The rollouts that are under way in one namespace, and what was tried there. */
    private static final class Namespace {
        /** The workloads whose rollout is under way, and until when it counts at the latest. */
        private final Map<WorkloadId, Instant> running = new HashMap<>();
        /** By {@code reference@digest}, the workloads rolled out for it, in order, and until when others wait for them. */
        private final Map<String, Map<WorkloadId, Instant>> tried = new HashMap<>();

        private final Map<WorkloadId, Standing> known = new HashMap<>();

        void starts(WorkloadId workload, Collection<ImageDigest> images, Instant ends) {
            running.put(workload, ends);
            images.forEach(image -> tried(text(image), workload, ends));
        }

        void tried(String image, WorkloadId workload, Instant until) {
            tried.computeIfAbsent(image, added -> new LinkedHashMap<>()).put(workload, until);
        }

        boolean isProven(ImageDigest image) {
            return tried.getOrDefault(text(image), Map.of()).keySet().stream()
                    .anyMatch(id -> !running.containsKey(id) && is(id, standing -> standing.isHealthyOn(image)));
        }

        /**
         * The workload that already has the digest, if none that has it is healthy. One that does not show it in time,
         * because somebody holds or paused it, is no longer waited for: another one goes first.
         */
        Optional<Canary> canary(ImageDigest image, Instant now) {
            return isProven(image)
                    ? Optional.empty()
                    : tried.getOrDefault(text(image), Map.of()).entrySet().stream()
                            .filter(each -> each.getValue().isAfter(now) || is(each.getKey(), Standing::isUnwell))
                            .map(each -> new Canary(
                                    each.getKey(),
                                    Optional.of(each.getValue())
                                            .filter(until -> until.isAfter(now))
                                            .map(Brief::end)))
                            .findFirst();
        }

        private boolean is(WorkloadId id, Predicate<Standing> so) {
            return Optional.ofNullable(known.get(id)).filter(so).isPresent();
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
                Instant ends = standing.lastAct(now).plus(limits.patience());
                namespace.known.put(id, standing);
                standing.tried().forEach(image -> namespace.tried(image, id, ends));
                if (standing.isRollingOut(limits.patience(), now)) {
                    namespace.running.put(id, ends);
                }
            }
            slots.stream()
                    .filter(slot -> slot.workload.namespace().equals(name) && slot.ends.isAfter(now))
                    .forEach(slot -> namespace.starts(slot.workload, slot.images, slot.ends));
            return namespace;
        });
    }

    /**
     * Goes through the plans of one round: first those of the namespace with the fewest rollouts under way; if several have
     * as few, the one whose last rollout began longest ago; within a namespace in the order of the workloads' ids.
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
        Instant ends = now.plus(limits.patience());
        namespace(workload.namespace()).starts(workload, images, ends);
        shared.add(new Slot(workload, images, Optional.of(now.plus(experience.hold(workload.namespace()))), ends));
        return plan;
    }

    /**
     * Returns the images that a rollout brings.
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
            Optional<Instant> until = experience
                    .failedElsewhereUntil(image, workload.namespace(), now)
                    .map(Brief::end);
            if (until.isPresent()) {
                return deferred(
                        Deferral.FAILED_ELSEWHERE,
                        image + " failed in other namespaces: it is tried here at " + Phrases.time(until.get())
                                + ", unless the tag moves, or it works in another namespace first",
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
            Optional<Canary> first = own.canary(image, now);
            if (first.isPresent() && !first.get().workload.equals(workload)) {
                return deferred(
                        Deferral.CANARY,
                        image + " is rolled out to " + first.get().workload + " first, which is not healthy on it yet"
                                + first.get()
                                        .until
                                        .map(until -> "; waiting until " + Phrases.time(until))
                                        .orElse(", and is overdue: waiting until it is healthy, or the tag moves"),
                        first.get().until);
            }
            Optional<Instant> elsewhere = own.isProven(image)
                    ? Optional.empty()
                    : canaryElsewhere(workload, image).map(Brief::end);
            if (elsewhere.isPresent()) {
                return deferred(
                        Deferral.CANARY,
                        image
                                + " is rolled out to another namespace first, where it is not healthy yet; waiting until "
                                + Phrases.time(elsewhere.get()),
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
        Map<WorkloadId, Instant> inCluster = new TreeMap<>();
        shared.stream()
                .filter(slot -> !slot.workload.equals(workload))
                .forEach(slot -> inCluster.merge(slot.workload, slot.until.orElseThrow(), Admission::later));
        if (inCluster.size() >= limits.inCluster().orElse(Integer.MAX_VALUE)) {
            return overBudget(workload, inCluster, "in the cluster", limits.inCluster());
        }
        Map<WorkloadId, Instant> here = new TreeMap<>(namespace(workload.namespace()).running);
        here.remove(workload);
        return here.size() >= limits.inNamespace().orElse(Integer.MAX_VALUE)
                ? overBudget(workload, here, "in namespace " + workload.namespace(), limits.inNamespace())
                : Optional.empty();
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    /** Only workloads of the own namespace are named as using up the budget. */
    private static Optional<Decision> overBudget(
            WorkloadId workload, Map<WorkloadId, Instant> holders, String where, OptionalInt budget) {
        List<String> own = holders.keySet().stream()
                .filter(holder -> holder.namespace().equals(workload.namespace()))
                .map(WorkloadId::toString)
                .toList();
        int elsewhere = holders.size() - own.size();
        List<String> who = new ArrayList<>(own.subList(0, Math.min(own.size(), NAMED)));
        if (own.size() > NAMED) {
            who.add((own.size() - NAMED) + " more in this namespace");
        }
        if (elsewhere > 0) {
            who.add(Phrases.count(elsewhere, "in another namespace", "in other namespaces"));
        }
        Instant until = Brief.end(
                holders.values().stream().min(Comparator.naturalOrder()).orElseThrow());
        return deferred(
                Deferral.BUDGET,
                Phrases.count(holders.size(), "rollout is", "rollouts are") + " running " + where
                        + ", and the budget is " + budget.getAsInt() + ": " + String.join(", ", who)
                        + "; the first of them counts until " + Phrases.time(until) + " at the latest",
                Optional.of(until));
    }

    private static Optional<Decision> deferred(Deferral cause, String words, Optional<Instant> until) {
        return Optional.of(new Decision.Deferred(cause, words, Optional.empty(), until));
    }

    /**
     * Whether a rollout of ours is running, according to the workload itself: one that failed, or does not end, makes room
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
