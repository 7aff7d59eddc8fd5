package io.urunner.kube;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Follows one rollout to its end: a state machine that is shown snapshots of the workload, together with the time, and does
 * not know where they come from. How long to wait is up to whoever shows them. Not thread-safe.
 */
public final class FollowedRollout {
    /** For how long a failure must last before it counts: a pull may work the next time. */
    public static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String digests;
    private final long generation;
    private final Duration patience;
    private RolloutProgress progress = new RolloutProgress.Running("the change has not been seen yet");
    private OptionalLong failingSince = OptionalLong.empty();

    /**
     * A rollout of which nothing has been seen yet.
     *
     * @param digests what its patch wrote on the template
     * @param generation the generation of the workload after the patch: older snapshots say nothing
     * @param patience for how long a failure must last before it counts
     */
    public FollowedRollout(DigestsAnnotation digests, long generation, Duration patience) {
        this.digests = digests.toString();
        this.generation = generation;
        this.patience = patience;
    }

    /**
     * Looks at a snapshot. May be shown the same one again, as time goes by.
     *
     * @param found the workload; empty if it is not there, or not watched any more
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
     * How it fails, whether that has lasted or not.
     *
     * @return the failure that was seen last; empty if it was not failing then
     */
    public Optional<RolloutOutcome> failure() {
        return progress instanceof RolloutProgress.Failed failed
                ? Optional.of(new RolloutOutcome.Failed(failed.cause(), failed.reason()))
                : Optional.empty();
    }

    /**
     * What it waits for, or how it fails: as it was seen last.
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
     * In how long it must be looked at again, though nothing changes: a failure counts then.
     *
     * @param now elapsed time in nanoseconds
     * @return how long, not negative; empty if it is not failing
     */
    public Optional<Duration> countsIn(long now) {
        return failingSince.isEmpty()
                ? Optional.empty()
                : Optional.of(Duration.ofNanos(Math.max(0, patience.toNanos() - (now - failingSince.getAsLong()))));
    }
}
