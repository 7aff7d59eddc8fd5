package io.urunner.agent.run;

import io.urunner.agent.plan.Decision;
import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore.Change;
import io.urunner.store.DigestStore.RolloutRecord;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

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
    public Rollout {
        changes = List.copyOf(changes);
    }

    static Rollout of(WorkloadId workload, RolloutRecord record) {
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

    /** How a rollout ends. */
    public enum End {
        /** The new pods run what they were restarted for. */
        SUCCEEDED("succeeded"),
        /** The new pods are there, but run the old image. */
        STILL_OLD("still the old image"),
        /** The new pods do not come up. */
        FAILED("failed"),
        /** It was not over in time. */
        TIMED_OUT("timed out"),
        /** Something else was rolled out meanwhile. */
        SUPERSEDED("superseded"),
        /** The workload is no longer watched. */
        GONE("gone");

        private final String words;

        End(String words) {
            this.words = words;
        }

        /**
         * The end in a few words.
         *
         * @return the words
         */
        public String words() {
            return words;
        }
    }

    RolloutRecord running() {
        return record(Optional.empty(), Optional.empty(), Optional.empty());
    }

    RolloutRecord ended(Instant when, End end, String message) {
        return record(
                Optional.of(when),
                Optional.of(end.words()),
                Optional.of(message).filter(text -> !text.isEmpty()));
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
