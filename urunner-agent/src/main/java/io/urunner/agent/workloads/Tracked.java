package io.urunner.agent.workloads;

import io.urunner.agent.loop.Loop;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.plan.Policy;
import io.urunner.agent.plan.Quarantine;
import io.urunner.agent.plan.Standing;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.StateRules;
import io.urunner.agent.plan.Tracking;
import io.urunner.agent.plan.Trouble;
import io.urunner.kube.Container;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.Workload;
import io.urunner.registry.ImageReference;
import io.urunner.store.DigestStore.TrackedContainer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** A workload that is seen, and what is going on with it. On the loop. */
public final class Tracked {
    /** So often a workload is planned on the same facts: what its plan leads to may touch it a few times. */
    private static final int PLANS = 50;

    /** So many requests about one workload go to the API server per {@link #MINUTE}. */
    private static final int REQUESTS = 30;

    private static final int REASONS = 4;
    /** What was written lasts when nobody undid it for so long. */
    private static final Duration LASTS = Duration.ofHours(1);

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final Instant found;
    private Workload workload;
    private Instant seen;
    private Policy.Reading policy;
    private Map<String, Tracking> containers = Map.of();
    private Set<ImageReference> references = Set.of();
    private Map<ImageDigest, Quarantine> quarantined = Map.of();
    private Standing standing;
    /** The generation that our own patch made: an older snapshot is from before it. */
    private long generation;

    /** What was done for one reason, which nobody should have to do twice. */
    public static final class PatchedFor {
        public int times;
        /** When it may be done once more, by the loop's time. */
        public Instant notBefore = Instant.MIN;
    }

    private List<Object> facts = List.of();
    private int plans;
    private final Map<Integer, PatchedFor> patchedFor = new LinkedHashMap<>();
    /** When the API server was asked about it, in the last minute, by the loop's time. */
    private final Deque<Instant> requests = new ArrayDeque<>();

    /** What the last patch was to start, if it was a rollout. */
    public Optional<Decision.Restart> starting = Optional.empty();

    /** Whether a patch or a read of it is under way. */
    public boolean acting;
    /** How often in a row acting on it failed. */
    public int failures;
    /** Acting failed: not again before this, by the loop's time. */
    public Instant notBefore = Instant.MIN;

    public Optional<String> missingPermission = Optional.empty();
    /** What went wrong when it was changed last. */
    public Optional<String> problem = Optional.empty();

    public Optional<Plan> plan = Optional.empty();
    /** What people were told last of what is done with it, by this agent or by the one that acts. */
    public Optional<String> told = Optional.empty();

    public Instant toldAt = Instant.MIN;
    /** The notices that people were told and that still hold. */
    public Set<String> noticed = Set.of();
    /** How it is, as it was known last. */
    public Optional<State> state = Optional.empty();
    /** Whether its rollout was followed when its state was found out last. */
    public boolean followed;
    /** Whether its pods were not what they should be, and that did not turn out well since. */
    public boolean ill;

    private Optional<Trouble> trouble = Optional.empty();
    /** Since when its pods are not all available, as far as this agent saw it, and whether it saw them all before. */
    private Optional<Instant> incompleteSince = Optional.empty();

    private boolean wasComplete;
    /** Since when its pods are behind a tag that moved. */
    public Optional<Instant> staleSince = Optional.empty();

    /** The last rollout that we started. */
    public Optional<Decision.Restart> restarted = Optional.empty();

    public Loop.Timer again = () -> {};
    /** When its state becomes another one by time alone. */
    public Loop.Timer stateChanges = () -> {};

    Tracked(Workload workload, Instant seen, Policy defaults, Predicate<ImageReference> watched) {
        this.workload = workload;
        this.seen = seen;
        found = seen;
        policy = new Policy.Reading(defaults, List.of());
        standing = Standing.of(workload);
        update(workload, seen, defaults, watched);
    }

    public Workload workload() {
        return workload;
    }

    public Instant seen() {
        return seen;
    }

    /** When it was seen first. */
    public Instant found() {
        return found;
    }

    public Policy.Reading policy() {
        return policy;
    }

    public Map<String, Tracking> containers() {
        return containers;
    }

    public Set<ImageReference> references() {
        return references;
    }

    /** The digests whose rollout failed here. */
    Map<ImageDigest, Quarantine> quarantined() {
        return quarantined;
    }

    /** What its annotations claim. */
    public Standing standing() {
        return standing;
    }

    /** The rollout whose patch is on its way, or that the snapshot at hand does not show yet. */
    public Optional<Decision.Restart> starting() {
        return acting || outdated() ? starting : Optional.empty();
    }

    /** It was read, and says this: should the cluster have been set back, what the watch told before counts no more. */
    public void read(Workload fresh) {
        if (fresh.uid().equals(workload.uid()) && fresh.generation() < workload.generation()) {
            generation = fresh.generation();
            workload = fresh;
        }
    }

    /** What was seen of it over time, for its state. */
    public StateRules.Sight sight(boolean rollingOut, Duration patience, Instant now) {
        return new StateRules.Sight(rollingOut, trouble, incompleteSince, wasComplete, problem, patience, state, now);
    }

    /** Our patch made this generation. */
    public void patched(long newGeneration) {
        generation = Math.max(generation, newGeneration);
    }

    /** Whether the snapshot at hand is from before our own patch. */
    public boolean outdated() {
        return workload.generation() < generation;
    }

    /** Takes a snapshot, unless it is from before our own patch. */
    void update(Workload snapshot, Instant when, Policy defaults, Predicate<ImageReference> watched) {
        if (snapshot.generation() < workload.generation()) {
            return;
        }
        workload = snapshot;
        seen = when;
        boolean complete = RolloutProgress.of(snapshot) instanceof RolloutProgress.Complete;
        incompleteSince = complete ? Optional.empty() : incompleteSince.or(() -> Optional.of(when));
        wasComplete |= complete;
        trouble = Trouble.seen(trouble, snapshot, when);
        quarantined = Quarantine.of(List.of(snapshot));
        standing = Standing.of(snapshot);
        policy = defaults.override(
                snapshot.annotations(),
                snapshot.containers().stream().map(Container::name).collect(Collectors.toSet()));
        if (!snapshot.problems().isEmpty()) {
            List<String> all = new ArrayList<>(snapshot.problems());
            all.addAll(policy.problems());
            policy = new Policy.Reading(policy.policy(), all);
        }
        containers = new LinkedHashMap<>();
        references = new LinkedHashSet<>();
        for (Container container : snapshot.containers()) {
            Tracking tracking = Tracking.of(snapshot, container, policy.policy(), watched);
            containers.put(container.name(), tracking);
            if (tracking instanceof Tracking.Follows follows) {
                references.add(follows.reference());
            }
        }
    }

    /**
     * It is to be planned on these facts, which come from outside.
     *
     * @return whether that is worth it: false once it was planned on the same facts over and over
     */
    public boolean mayPlanOn(List<Object> now) {
        if (!now.equals(facts)) {
            facts = now;
            plans = 0;
        }
        plans++;
        return plans <= PLANS;
    }

    /** Whether the last plan that was wanted is the first one too many. */
    public boolean isFirstTooMany() {
        return plans == PLANS + 1;
    }

    /** What it waits for at others has changed. */
    public void othersChanged() {
        plans = 0;
    }

    /** It was patched for a reason: the last few are remembered. */
    public PatchedFor patchedFor(String reason, Instant now) {
        PatchedFor patched = patchedFor.computeIfAbsent(reason.hashCode(), added -> new PatchedFor());
        if (patchedFor.size() > REASONS) {
            patchedFor.remove(patchedFor.keySet().iterator().next());
        }
        boolean longAgo = patched.notBefore.isBefore(now.minus(LASTS));
        patched.times = longAgo ? 1 : patched.times + 1;
        patched.notBefore = now;
        return patched;
    }

    /** Before when it is not patched for this reason once more; the past if it may be. */
    public Instant notBefore(String reason) {
        return Optional.ofNullable(patchedFor.get(reason.hashCode()))
                .map(patched -> patched.notBefore)
                .orElse(notBefore);
    }

    /** The API server was asked about it. */
    public void requested(Instant now) {
        requests.add(now);
    }

    /** When the API server may be asked about it again; empty if now. */
    public Optional<Instant> requestsAgain(Instant now) {
        while (!requests.isEmpty() && !requests.peek().plus(MINUTE).isAfter(now)) {
            requests.remove();
        }
        // A patch that is refused for a conflict is followed by a read.
        return requests.size() + 2 <= REQUESTS
                ? Optional.empty()
                : Optional.of(requests.peek().plus(MINUTE));
    }

    /** Whether one of its containers is this one, and follows the same reference. */
    public boolean follows(TrackedContainer container) {
        return containers.get(container.container()) instanceof Tracking.Follows follows
                && follows.reference().toString().equals(container.reference());
    }

    /** Under which name a container's digest is remembered. */
    public TrackedContainer key(String container, String reference) {
        return new TrackedContainer(workload.id().toString(), container, reference);
    }
}
