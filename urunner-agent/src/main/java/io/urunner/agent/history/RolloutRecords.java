package io.urunner.agent.history;

import io.urunner.agent.Rollout;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Outcome;
import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore.Change;
import io.urunner.store.DigestStore.RolloutRecord;
import java.time.Instant;
import java.util.Optional;

/** Rollouts as the store keeps them. */
public final class RolloutRecords {
    /** In a record without an end: the rollout is followed, the same as without any word. */
    public static final String RUNNING = "running";

    private static final String NOT_FOLLOWED = "not followed";

    private RolloutRecords() {}

    /** The record of a rollout while it runs. */
    public static RolloutRecord running(Rollout rollout) {
        return record(rollout, Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** The record of a rollout that nobody follows for now. */
    static RolloutRecord notFollowed(Rollout rollout) {
        return record(rollout, Optional.empty(), Optional.of(NOT_FOLLOWED), Optional.empty());
    }

    /** The record of a rollout that is followed again. */
    static RolloutRecord followedAgain(Rollout rollout) {
        return record(rollout, Optional.empty(), Optional.of(RUNNING), Optional.empty());
    }

    /** The record of a rollout that has ended. */
    public static RolloutRecord ended(Rollout rollout, Instant when, Outcome outcome) {
        return record(
                rollout,
                Optional.of(when),
                Optional.of(outcome.name()),
                Optional.of(outcome.words()).filter(text -> !text.isEmpty()));
    }

    private static RolloutRecord record(
            Rollout rollout, Optional<Instant> finished, Optional<String> outcome, Optional<String> message) {
        return new RolloutRecord(
                rollout.id(),
                rollout.workload().toString(),
                rollout.why(),
                rollout.changes().stream()
                        .map(change -> new Change(change.container(), change.reference(), change.from(), change.to()))
                        .toList(),
                rollout.requested(),
                finished,
                outcome,
                message);
    }

    /**
     * Reads a rollout.
     *
     * @throws IllegalArgumentException if it is not one of ours
     */
    static Rollout read(RolloutRecord record) {
        return new Rollout(
                record.id(),
                WorkloadId.parse(record.workload()),
                record.why(),
                record.changes().stream()
                        .map(change ->
                                new Decision.Change(change.container(), change.reference(), change.from(), change.to()))
                        .toList(),
                record.requested());
    }
}
