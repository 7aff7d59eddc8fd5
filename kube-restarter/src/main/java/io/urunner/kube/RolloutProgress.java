package io.urunner.kube;

/** How far a workload is with the template it has now. */
public sealed interface RolloutProgress {
    /**
     * Not over.
     *
     * @param what what it waits for, in words
     */
    record Running(String what) implements RolloutProgress {}

    /** Every wanted pod is of the current revision and available. */
    record Complete() implements RolloutProgress {}

    /**
     * It does not get on. A rollout can leave this state by itself: a pull that fails may work the next time.
     *
     * @param cause what kind of cause
     * @param reason what the pods or the controllers say
     */
    record Failed(Cause cause, String reason) implements RolloutProgress {}

    /** Why a rollout does not get on. */
    enum Cause {
        /** The containers: what is in the image crashes, does not become ready, or there is no such image for the platform. */
        CONTAINERS,
        /** The image cannot be pulled for now: the registry is away, or does not let these nodes or pods in. */
        PULL,
        /** No node takes the pods. */
        SCHEDULING,
        /** The pods cannot be made: quota, or an admission webhook. */
        CREATION
    }

    /**
     * Judges a snapshot.
     *
     * @param workload the workload
     * @return how far it is
     */
    static RolloutProgress of(Workload workload) {
        return Progress.of(workload);
    }
}
