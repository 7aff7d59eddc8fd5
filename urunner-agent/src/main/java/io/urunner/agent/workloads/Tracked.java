package io.urunner.agent.workloads;

import io.urunner.agent.history.Memory;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * A workload that is seen, and all that is known about what happens to it: any part that does something with it records
 * that here. On the loop.
 */
public final class Tracked {
    /** How often a workload is planned on the same facts: what its plan leads to may touch it a few times. */
    private static final int PLANS = 50;

    private final Attempts attempts = new Attempts();
    private final Told told = new Told();
    private final Instant found;
    private Workload workload;
    private Instant seen;
    private Policy.Reading policy;
    private Map<String, Tracking> containers = Map.of();
    private Set<ImageReference> references = Set.of();
    private Map<ImageDigest, Quarantine> quarantined = Map.of();
    private Standing standing;
    /** The generation that our own patch created: an older snapshot is from before it. */
    private long generation;

    private List<Object> facts = List.of();
    private int plans;
    private Optional<Plan> plan = Optional.empty();
    /** Its last known state. */
    private Optional<State> state = Optional.empty();
    /** Whether its rollout was followed when its state was last determined. */
    private boolean followed;

    private Optional<Trouble> trouble = Optional.empty();
    /** Since when not all of its pods are available, as far as this agent saw, and whether it saw them all before. */
    private Optional<Instant> incompleteSince = Optional.empty();

    private boolean wasComplete;
    private Optional<Instant> staleSince = Optional.empty();
    private Optional<Decision.Restart> restarted = Optional.empty();
    private Loop.Timer again = () -> {};
    private Loop.Timer stateChanges = () -> {};
    private boolean gone;

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

    /** When it was first seen. */
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

    /** What is known about its patches. */
    public Attempts attempts() {
        return attempts;
    }

    /** What was reported about it. */
    public Told told() {
        return told;
    }

    /** The rollout whose patch is under way, or that the current snapshot does not show yet. */
    public Optional<Decision.Restart> starting() {
        return attempts.underWay() || outdated() ? attempts.starting() : Optional.empty();
    }

    /** The last rollout that we started. */
    public Optional<Decision.Restart> restarted() {
        return restarted;
    }

    /** Our patch was accepted, and started this rollout. */
    public void restarted(Decision.Restart restart) {
        restarted = Optional.of(restart);
    }

    /** It was planned, and is planned again only when there is a reason. */
    public void planned(Plan now) {
        again.cancel();
        plan = Optional.of(now);
    }

    /** The last plan. */
    public Optional<Plan> plan() {
        return plan;
    }

    /** It is planned again when this timer fires, unless it is planned before. */
    public void plannedAgain(Loop.Timer timer) {
        again = timer;
    }

    /** It is in this state now; {@code rolloutFollowed} says whether its rollout is followed. */
    public void is(State now, boolean rolloutFollowed) {
        state = Optional.of(now);
        followed = rolloutFollowed;
        stateChanges.cancel();
    }

    /** Its state changes by time alone when this timer fires. */
    public void stateChanges(Loop.Timer timer) {
        stateChanges = timer;
    }

    /** Its state when it was last planned. */
    public Optional<State> state() {
        return state;
    }

    /** Whether its rollout was followed when it was last planned. */
    public boolean followed() {
        return followed;
    }

    /** Since when its pods have been behind a tag that moved; empty if they are not. */
    public void stale(Optional<Instant> since) {
        staleSince = since;
    }

    /** Since when its pods have been behind a tag that moved. */
    public Optional<Instant> staleSince() {
        return staleSince;
    }

    /** It went away, or is no longer watched. */
    void gone() {
        gone = true;
        rest();
    }

    /** Nothing more happens to it by time alone. */
    public void rest() {
        again.cancel();
        stateChanges.cancel();
    }

    /** Whether it went away, or is no longer watched: what was under way for it is dropped. */
    public boolean isGone() {
        return gone;
    }

    /** It was read, and this is the result: if the cluster was restored to an older state, earlier watch events are void. */
    public void read(Workload fresh) {
        if (fresh.uid().equals(workload.uid()) && fresh.generation() < workload.generation()) {
            generation = fresh.generation();
            workload = fresh;
        }
    }

    /** What was seen of it over time, to determine its state. */
    public StateRules.Sight sight(boolean rollingOut, Duration patience, Instant now) {
        return new StateRules.Sight(
                rollingOut, trouble, incompleteSince, wasComplete, attempts.problem(), patience, state, now);
    }

    /** Our patch created this generation. */
    public void patched(long newGeneration) {
        generation = Math.max(generation, newGeneration);
    }

    /** Whether the current snapshot is from before our own patch. */
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
     * It is about to be planned on these facts, which come from outside.
     *
     * @return whether that makes sense: false once it was planned on the same facts over and over
     */
    public boolean mayPlanOn(List<Object> now) {
        if (!now.equals(facts)) {
            facts = now;
            plans = 0;
        }
        plans++;
        return plans <= PLANS;
    }

    /** Whether the last requested plan is the first one too many. */
    public boolean isFirstTooMany() {
        return plans == PLANS + 1;
    }

    /** What it waits for in other workloads has changed. */
    void othersChanged() {
        plans = 0;
    }

    /** Whether one of its containers is this one, with the same reference. */
    public boolean follows(TrackedContainer container) {
        return containers.get(container.container()) instanceof Tracking.Follows follows
                && follows.reference().toString().equals(container.reference());
    }

    /** The key under which a container's digest is remembered. */
    public TrackedContainer key(String container, ImageReference reference) {
        return new TrackedContainer(workload.id().toString(), container, reference.toString());
    }

    /** Remembers the digests that a plan says are remembered from now on. */
    public void remember(Plan from, Memory memory) {
        from.remember()
                .forEach((container, image) -> memory.remember(
                        key(container, image.reference()), image.digest().toString()));
    }
}
