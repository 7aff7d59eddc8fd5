package io.urunner.kube;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Follows rollouts to their end, on what a watch sees. Thread-safe. */
public final class RolloutFollower {
    /**
     * A follower.
     *
     * @param connection for its timers
     * @param watch what sees the workloads; must be started
     */
    public RolloutFollower(KubeConnection connection, WorkloadWatch watch) {}

    /**
     * Follows the rollout that a patch started.
     *
     * @param id which workload
     * @param digests what the patch wrote on the template
     * @param patched the patch's answer
     * @param timeout how long to wait for the end; a failure that may pass counts only then
     * @return the outcome; cancelling ends the following, the rollout goes on
     */
    public CompletableFuture<RolloutOutcome> follow(
            WorkloadId id, DigestsAnnotation digests, PatchResult.Patched patched, Duration timeout) {
        return CompletableFuture.failedFuture(new UnsupportedOperationException());
    }
}
