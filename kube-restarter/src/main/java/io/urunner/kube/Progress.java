package io.urunner.kube;

/** Judges how far a rollout is. */
final class Progress {
    private Progress() {}

    static RolloutProgress of(Workload workload) {
        return workload.rollout().complete()
                ? new RolloutProgress.Complete()
                : new RolloutProgress.Running("the controllers");
    }
}
