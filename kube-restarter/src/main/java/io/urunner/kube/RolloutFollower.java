package io.urunner.kube;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Follows rollouts to their end, on what a watch sees. Thread-safe. */
public final class RolloutFollower {
    private final KubeConnection connection;
    private final WorkloadWatch watch;
    private final Duration patience;

    /**
     * A follower to whom a failure counts after 20 s.
     *
     * @param connection for its timers
     * @param watch what sees the workloads; must be started
     */
    public RolloutFollower(KubeConnection connection, WorkloadWatch watch) {
        this(connection, watch, Duration.ofSeconds(20));
    }

    /**
     * A follower.
     *
     * @param connection for its timers
     * @param watch what sees the workloads; must be started
     * @param patience for how long a failure must last before it counts: a pull may work the next time
     */
    public RolloutFollower(KubeConnection connection, WorkloadWatch watch, Duration patience) {
        this.connection = connection;
        this.watch = watch;
        this.patience = patience;
    }

    /**
     * Follows the rollout that a patch started.
     *
     * @param id which workload
     * @param digests what the patch wrote on the template
     * @param patched the patch's answer
     * @param timeout how long to wait for the end; a failure counts then even if it did not last yet
     * @return the outcome; cancelling ends the following, the rollout goes on. It is completed on a thread of the
     *     connection's executor: what depends on it must not block
     */
    public CompletableFuture<RolloutOutcome> follow(
            WorkloadId id, DigestsAnnotation digests, PatchResult.Patched patched, Duration timeout) {
        Following following = new Following(id, digests.toString(), patched.generation());
        watch.listen(following);
        ScheduledFuture<?> timer =
                connection.executor().schedule(() -> following.timedOut(), timeout.toMillis(), TimeUnit.MILLISECONDS);
        KubeConnection.whenDone(following.outcome, (outcome, error) -> {
            timer.cancel(false);
            watch.unlisten(following);
        });
        following.look();
        return following.outcome;
    }

    private final class Following implements Consumer<WorkloadId> {
        private final WorkloadId id;
        private final String digests;
        private final long generation;
        private final CompletableFuture<RolloutOutcome> outcome = new CompletableFuture<>();
        private RolloutProgress last = new RolloutProgress.Running("the watch has not seen the change yet");
        private @Nullable ScheduledFuture<?> failing;
        private boolean seen;

        Following(WorkloadId id, String digests, long generation) {
            this.id = id;
            this.digests = digests;
            this.generation = generation;
        }

        @Override
        public void accept(WorkloadId changed) {
            if (changed.equals(id)) {
                look();
            }
        }

        private synchronized void look() {
            Optional<Workload> found = watch.find(id);
            if (found.isEmpty()) {
                // A workload of a namespace that was just labelled may not be visible yet.
                if (seen || watch.synced()) {
                    outcome.complete(new RolloutOutcome.Gone());
                }
                return;
            }
            seen = true;
            Workload workload = found.get();
            if (workload.generation() < generation) {
                return;
            }
            if (!digests.equals(workload.templateAnnotations().get(Workload.DIGESTS))) {
                outcome.complete(new RolloutOutcome.Superseded());
                return;
            }
            last = RolloutProgress.of(workload);
            if (last instanceof RolloutProgress.Complete) {
                outcome.complete(new RolloutOutcome.Succeeded());
            } else if (last instanceof RolloutProgress.Failed && failing == null) {
                failing =
                        connection.executor().schedule(this::stillFailing, patience.toMillis(), TimeUnit.MILLISECONDS);
            } else if (last instanceof RolloutProgress.Running && failing != null) {
                failing.cancel(false);
                failing = null;
            }
        }

        private synchronized void stillFailing() {
            if (last instanceof RolloutProgress.Failed failed) {
                outcome.complete(new RolloutOutcome.Failed(failed.cause(), failed.reason()));
            }
        }

        private synchronized void timedOut() {
            stillFailing();
            outcome.complete(new RolloutOutcome.TimedOut(
                    last instanceof RolloutProgress.Running running ? running.what() : "its pods"));
        }
    }
}
