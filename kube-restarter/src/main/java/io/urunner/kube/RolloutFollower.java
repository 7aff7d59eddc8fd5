package io.urunner.kube;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Follows rollouts to their end with the snapshots of a watch. Thread-safe. */
public final class RolloutFollower {
    private final KubeConnection connection;
    private final WorkloadWatch watch;
    private final LongSupplier ticker;
    private final Duration patience;

    /**
     * Creates a follower for which a failure counts after {@link FollowedRollout#PATIENCE}.
     *
     * @param connection for its timers
     * @param watch sees the workloads; must be started
     * @param ticker elapsed time in nanoseconds
     */
    public RolloutFollower(KubeConnection connection, WorkloadWatch watch, LongSupplier ticker) {
        this(connection, watch, ticker, FollowedRollout.PATIENCE);
    }

    /**
     * Creates a follower.
     *
     * @param connection for its timers
     * @param watch sees the workloads; must be started
     * @param ticker elapsed time in nanoseconds
     * @param patience how long a failure must last before it counts: the next pull may work
     */
    public RolloutFollower(KubeConnection connection, WorkloadWatch watch, LongSupplier ticker, Duration patience) {
        this.connection = connection;
        this.watch = watch;
        this.ticker = ticker;
        this.patience = patience;
    }

    /**
     * Follows the rollout that a patch started.
     *
     * @param id which workload
     * @param digests what the patch wrote on the template
     * @param patched the result of the patch
     * @param timeout how long to wait for the end; a failure counts then even if it has not lasted yet
     * @return the outcome; cancelling it stops following, but not the rollout. It is completed on a thread of the
     *     connection's executor: dependent stages must not block
     */
    public CompletableFuture<RolloutOutcome> follow(
            WorkloadId id, DigestsAnnotation digests, PatchResult.Patched patched, Duration timeout) {
        Following following = new Following(id, new FollowedRollout(digests, patched.generation(), patience));
        watch.listen(following);
        ScheduledFuture<?> timer =
                connection.executor().schedule(following::timedOut, timeout.toMillis(), TimeUnit.MILLISECONDS);
        KubeConnection.whenDone(following.outcome, (outcome, error) -> {
            timer.cancel(false);
            watch.unlisten(following);
            following.stop();
        });
        following.look();
        return following.outcome;
    }

    private final class Following implements Consumer<WorkloadId> {
        private final WorkloadId id;
        private final FollowedRollout rollout;
        private final CompletableFuture<RolloutOutcome> outcome = new CompletableFuture<>();
        /** Takes another look when a failure counts. */
        private @Nullable ScheduledFuture<?> again;

        private boolean seen;

        Following(WorkloadId id, FollowedRollout rollout) {
            this.id = id;
            this.rollout = rollout;
        }

        @Override
        public void accept(WorkloadId changed) {
            if (changed.equals(id)) {
                look();
            }
        }

        private synchronized void look() {
            Optional<Workload> found = watch.find(id);
            if (found.isEmpty() && !seen && !watch.synced()) {
                return; // A workload of a namespace that was just labelled may not be visible yet.
            }
            seen = true;
            long now = ticker.getAsLong();
            rollout.look(found, now).ifPresent(outcome::complete);
            stop();
            if (!outcome.isDone()) {
                again = rollout.countsIn(now)
                        .map(left ->
                                connection.executor().schedule(this::look, left.toMillis() + 1, TimeUnit.MILLISECONDS))
                        .orElse(null);
            }
        }

        private synchronized void stop() {
            if (again != null) {
                again.cancel(false);
                again = null;
            }
        }

        private synchronized void timedOut() {
            outcome.complete(rollout.failure().orElseGet(() -> new RolloutOutcome.TimedOut(rollout.waitsFor())));
        }
    }
}
