package io.urunner.kube;

/** How a rollout that was followed ended. */
public sealed interface RolloutOutcome {
    /** Every wanted pod is of the followed template and available. */
    record Succeeded() implements RolloutOutcome {}

    /**
     * It failed.
     *
     * @param cause what kind of cause
     * @param reason what the pods or the controllers say
     */
    record Failed(RolloutProgress.Cause cause, String reason) implements RolloutOutcome {}

    /**
     * It was not over in time.
     *
     * @param what what it was waiting for
     */
    record TimedOut(String what) implements RolloutOutcome {}

    /** The template does not say any more what was rolled out: somebody changed it, or rolled back. */
    record Superseded() implements RolloutOutcome {}

    /** The workload is not watched any more: it or its namespace was deleted or disabled. */
    record Gone() implements RolloutOutcome {}
}
