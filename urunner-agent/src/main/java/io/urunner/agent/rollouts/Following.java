package io.urunner.agent.rollouts;

import io.urunner.agent.Rollout;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.Workload;
import io.urunner.registry.ImageReference;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/** A rollout under way: how far it is, and what is needed to judge it. On the loop. */
final class Following {
    private Rollout rollout;
    private final long generation;
    private final CompletableFuture<RolloutOutcome> outcome;
    private final boolean old;
    private boolean shared;
    private Optional<RolloutOutcome> ended = Optional.empty();
    /** The digests whose content is awaited to judge it. */
    private Set<String> awaited = Set.of();

    private boolean impatient;

    /**
     * @param rollout which one
     * @param generation the generation that its patch created
     * @param outcome how it ends
     * @param shared whether others wait for it
     * @param old whether it was over before this agent acted: it is recorded, but is not news
     */
    Following(
            Rollout rollout, long generation, CompletableFuture<RolloutOutcome> outcome, boolean shared, boolean old) {
        this.rollout = rollout;
        this.generation = generation;
        this.outcome = outcome;
        this.shared = shared;
        this.old = old;
    }

    Rollout rollout() {
        return rollout;
    }

    boolean isOld() {
        return old;
    }

    boolean isShared() {
        return shared;
    }

    /** It was found on the workload; now our own record of it is known. */
    void isKnownAs(Rollout recorded) {
        rollout = recorded;
        shared = !recorded.isHearsay();
    }

    /** The controllers have finished it, or it was given up; it has yet to be judged. */
    void ended(RolloutOutcome how) {
        ended = Optional.of(how);
    }

    /** How it ended; empty while it is under way. */
    Optional<RolloutOutcome> ended() {
        return ended;
    }

    /** Whether this snapshot is from before its patch. */
    boolean isAfter(Workload snapshot) {
        return snapshot.generation() < generation;
    }

    /** It can be judged only with the content of these. Returns whether that is news. */
    boolean awaits(Collection<ImageDigest> content) {
        boolean first = awaited.isEmpty();
        awaited = content.stream().map(ImageDigest::reference).collect(Collectors.toSet());
        return first;
    }

    boolean awaits(ImageReference reference) {
        return awaited.contains(reference.toString());
    }

    /** The content was awaited long enough: the rollout is judged without it. */
    void awaitsNoMore() {
        impatient = true;
    }

    boolean isImpatient() {
        return impatient;
    }

    /** It is no longer followed. */
    void cancel() {
        outcome.cancel(false);
    }
}
