package io.urunner.kube;

/** The progress of a workload with its current template. */
public sealed interface RolloutProgress {
    /**
     * Still running.
     *
     * @param what what it is waiting for, in words
     */
    record Running(String what) implements RolloutProgress {}

    /** Every wanted pod is of the current revision and available. */
    record Complete() implements RolloutProgress {}

    /**
     * It is stuck. A rollout can leave this state by itself: the next pull may work.
     *
     * @param cause the kind of cause
     * @param reason what the pods or the controllers report
     */
    record Failed(Cause cause, String reason) implements RolloutProgress {}

    /** Why a rollout is stuck. */
    enum Cause {
        /** The containers: they crash or do not become ready, or there is no such image for the platform. */
        CONTAINERS,
        /** The image cannot be pulled for now: the registry is not available, or denies access to these nodes or pods. */
        PULL,
        /** The pods cannot be scheduled. */
        SCHEDULING,
        /** The pods cannot be created, because of a quota or an admission webhook. */
        CREATION
    }

    /**
     * Judges a snapshot of a workload.
     *
     * @param workload the workload
     * @return its progress
     */
    static RolloutProgress of(Workload workload) {
        return Progress.of(workload);
    }
}
