package io.urunner.kube;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Follows one rollout to its end: a state machine that is fed snapshots of the workload together with the time, and does
 * not know where they come from. How long to wait is up to the caller. Not thread-safe.
 */
public final class FollowedRollout {
    /** How long a failure must last before it counts: the next pull may work. */
    public static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String digests;
    private final long generation;
    private final Duration patience;
    private RolloutProgress progress = new RolloutProgress.Running("the change has not been seen yet");
    private OptionalLong failingSince = OptionalLong.empty();

    /**
     * Creates a rollout of which nothing has been seen yet.
     *
     * @param digests what its patch wrote on the template
     * @param generation the generation of the workload after the patch: older snapshots are ignored
     * @param patience how long a failure must last before it counts
     */
    public FollowedRollout(DigestsAnnotation digests, long generation, Duration patience) {
        this.digests = digests.toString();
        this.generation = generation;
        this.patience = patience;
    }

    /**
     * Judges the rollout by a snapshot. May be called again with the same one as time passes.
     *
     * @param found the workload; empty if it does not exist, or is no longer watched
     * @param now elapsed time in nanoseconds
     * @return the outcome, if this is the end
     */
    public Optional<RolloutOutcome> look(Optional<Workload> found, long now) {
        if (found.isEmpty()) {
            return Optional.of(new RolloutOutcome.Gone());
        }
        Workload workload = found.get();
        if (workload.generation() < generation) {
            return Optional.empty();
        }
        if (!digests.equals(workload.templateAnnotations().get(Workload.DIGESTS))) {
            return Optional.of(new RolloutOutcome.Superseded());
        }
        progress = RolloutProgress.of(workload);
        if (progress instanceof RolloutProgress.Complete) {
            return Optional.of(new RolloutOutcome.Succeeded());
        }
        if (progress instanceof RolloutProgress.Running) {
            failingSince = OptionalLong.empty();
            return Optional.empty();
        }
        failingSince = OptionalLong.of(failingSince.orElse(now));
        return now - failingSince.getAsLong() >= patience.toNanos() ? failure() : Optional.empty();
    }

    /**
     * Returns the failure, whether it has lasted long enough or not.
     *
     * @return the failure in the last snapshot; empty if there was none
     */
    public Optional<RolloutOutcome> failure() {
        return progress instanceof RolloutProgress.Failed failed
                ? Optional.of(new RolloutOutcome.Failed(failed.cause(), failed.reason()))
                : Optional.empty();
    }

    /**
     * Returns what it is waiting for, or why it is failing, as of the last snapshot.
     *
     * @return the words
     */
    public String waitsFor() {
        if (progress instanceof RolloutProgress.Failed failed) {
            return failed.reason();
        }
        return progress instanceof RolloutProgress.Running running ? running.what() : "";
    }

    /**
     * Returns how soon to look again even if nothing changes: a failure counts then.
     *
     * @param now elapsed time in nanoseconds
     * @return the time left, not negative; empty if it is not failing
     */
    public Optional<Duration> countsIn(long now) {
        return failingSince.isEmpty()
                ? Optional.empty()
                : Optional.of(Duration.ofNanos(Math.max(0, patience.toNanos() - (now - failingSince.getAsLong()))));
    }
}
