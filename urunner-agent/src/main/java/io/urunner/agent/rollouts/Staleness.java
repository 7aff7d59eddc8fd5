package io.urunner.agent.rollouts;

import io.urunner.agent.plan.Plan;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.Verdict;
import io.urunner.registry.ImageReference;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Function;

/** Computes since when a workload's pods have been behind a tag that moved. */
final class Staleness {
    private Staleness() {}

    /**
     * Returns the beginning of the staleness after one more plan.
     *
     * @param before the beginning so far; empty if it was not stale
     * @param plan the plan
     * @param state how the workload is
     * @param movedAt since when a reference has had its current digest
     * @return the beginning; it stays until every container is known to run what its tag says
     */
    static Optional<Instant> since(
            Optional<Instant> before,
            Plan plan,
            State.Kind state,
            Function<ImageReference, Optional<Instant>> movedAt) {
        boolean behind = switch (state) {
            case FAILED, STILL_OLD, PARTLY_OLD, ROLLING_OUT -> true;
            case UP_TO_DATE, HELD, WAITING, BLOCKED, NOT_WATCHED, UNKNOWN -> false;
        };
        if (before.isPresent()) {
            return behind || !plan.verdicts().stream().allMatch(Staleness::isCurrent) ? before : Optional.empty();
        }
        return plan.verdicts().stream()
                .filter(verdict -> isBehind(verdict) || (behind && state != State.Kind.ROLLING_OUT))
                .flatMap(verdict -> verdict.reference().flatMap(movedAt).stream())
                .min(Instant::compareTo);
    }

    private static boolean isBehind(Verdict verdict) {
        return switch (verdict.kind()) {
            case STALE, STILL_OLD, REJECTED -> true;
            case UP_TO_DATE, IN_PROGRESS, UNRESOLVED, NOT_WATCHED -> false;
        };
    }

    private static boolean isCurrent(Verdict verdict) {
        return verdict.kind() == Verdict.Kind.UP_TO_DATE || verdict.kind() == Verdict.Kind.NOT_WATCHED;
    }
}
