package io.urunner.kube;

/** How a followed rollout ended. */
public sealed interface RolloutOutcome {
    /** Every wanted pod is of the followed template and available. */
    record Succeeded() implements RolloutOutcome {}

    /**
     * It failed.
     *
     * @param cause the kind of cause
     * @param reason what the pods or the controllers report
     */
    record Failed(RolloutProgress.Cause cause, String reason) implements RolloutOutcome {}

    /**
     * It did not end in time.
     *
     * @param what what it was waiting for
     */
    record TimedOut(String what) implements RolloutOutcome {}

    /** The template no longer says what was rolled out: somebody changed it, or rolled it back. */
    record Superseded() implements RolloutOutcome {}

    /** The workload is no longer watched: it or its namespace was deleted or disabled. */
    record Gone() implements RolloutOutcome {}
}
