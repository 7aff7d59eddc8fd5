package io.urunner.agent;

import io.urunner.agent.plan.Admission;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.Underway;
import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore.Change;
import io.urunner.store.DigestStore.RolloutRecord;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A rollout that this agent started, or found started.
 *
 * @param id unique among the workload's rollouts
 * @param workload the workload
 * @param why the reason, in words
 * @param changes the containers whose digest moved
 * @param requested when it was started
 */
public record Rollout(String id, WorkloadId workload, String why, List<Decision.Change> changes, Instant requested) {
    /** Says of a record without an end that the rollout is followed, as one does that says nothing. */
    public static final String RUNNING = "running";

    static final String NOT_FOLLOWED = "not followed";

    public Rollout {
        changes = List.copyOf(changes);
    }

    /** What it brings. */
    public Set<ImageDigest> images() {
        return Admission.images(changes);
    }

    /** Whether it is known from annotations alone, which prove nothing to other namespaces. */
    public boolean isHearsay() {
        return Underway.isHearsay(why);
    }

    public static Rollout of(WorkloadId workload, RolloutRecord record) {
        return new Rollout(
                record.id(),
                workload,
                record.why(),
                record.changes().stream()
                        .map(change ->
                                new Decision.Change(change.container(), change.reference(), change.from(), change.to()))
                        .toList(),
                record.requested());
    }

    /**
     * What the store keeps of it while it runs.
     *
     * @return the record
     */
    public RolloutRecord running() {
        return record(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** What the store keeps of it from when nobody follows it any more until somebody does again. */
    public RolloutRecord notFollowed() {
        return record(Optional.empty(), Optional.of(NOT_FOLLOWED), Optional.empty());
    }

    /** What the store keeps of it when it is followed again. */
    public RolloutRecord followedAgain() {
        return record(Optional.empty(), Optional.of(RUNNING), Optional.empty());
    }

    /**
     * What the store keeps of it when it has ended.
     *
     * @param when when it ended
     * @param outcome how
     * @return the record
     */
    public RolloutRecord ended(Instant when, Outcome outcome) {
        return record(
                Optional.of(when),
                Optional.of(outcome.name()),
                Optional.of(outcome.words()).filter(text -> !text.isEmpty()));
    }

    private RolloutRecord record(Optional<Instant> finished, Optional<String> outcome, Optional<String> message) {
        return new RolloutRecord(
                id,
                workload.toString(),
                why,
                changes.stream()
                        .map(change -> new Change(change.container(), change.reference(), change.from(), change.to()))
                        .toList(),
                requested,
                finished,
                outcome,
                message);
    }
}
