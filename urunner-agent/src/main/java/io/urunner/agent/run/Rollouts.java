package io.urunner.agent.run;

import io.urunner.agent.plan.Decision;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.PatchResult;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore.RolloutRecord;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The rollouts that are under way, each followed to its end. On the loop. */
final class Rollouts {
    private static final Logger LOG = LoggerFactory.getLogger(Rollouts.class);

    /** Longer than the progress deadline that Kubernetes gives a Deployment. */
    private static final Duration LONGEST = Duration.ofMinutes(20);

    private final Cluster cluster;
    private final Loop loop;
    private final InstantSource clock;
    private final Memory memory;
    private final AgentListener listener;
    private final Consumer<WorkloadId> touch;
    private final Runnable flushSoon;
    private final Map<WorkloadId, Followed> followed = new HashMap<>();

    private static final class Followed {
        private final Rollout rollout;
        private final CompletableFuture<RolloutOutcome> outcome;
        private boolean succeeded;

        Followed(Rollout rollout, CompletableFuture<RolloutOutcome> outcome) {
            this.rollout = rollout;
            this.outcome = outcome;
        }
    }

    Rollouts(
            Cluster cluster,
            Loop loop,
            InstantSource clock,
            Memory memory,
            AgentListener listener,
            Consumer<WorkloadId> touch,
            Runnable flushSoon) {
        this.cluster = cluster;
        this.loop = loop;
        this.clock = clock;
        this.memory = memory;
        this.listener = listener;
        this.touch = touch;
        this.flushSoon = flushSoon;
    }

    /** A patch was taken. */
    void started(Workload workload, Rollout rollout, DigestsAnnotation digests, PatchResult.Patched patched) {
        LOG.info("{}: rollout started: {}", rollout.workload(), rollout.why());
        memory.rollout(rollout.running());
        listener.rolloutStarted(workload, rollout);
        follow(rollout, digests, patched);
    }

    /** Rollouts that were under way when the agent ended: those whose template still says so are followed on. */
    void resume(List<RolloutRecord> unfinished) {
        for (RolloutRecord record : unfinished) {
            WorkloadId id;
            try {
                id = WorkloadId.parse(record.workload());
            } catch (IllegalArgumentException e) {
                LOG.warn("a remembered rollout is left out: {}", e.getMessage());
                continue;
            }
            Rollout rollout = Rollout.of(id, record);
            Optional<Workload> workload = cluster.find(id);
            Optional<DigestsAnnotation> digests = workload.flatMap(found ->
                            Optional.ofNullable(found.templateAnnotations().get(Workload.DIGESTS)))
                    .flatMap(DigestsAnnotation::parse);
            boolean still = digests.isPresent()
                    && rollout.changes().stream()
                            .allMatch(change -> digests.get()
                                    .digest(change.container(), change.reference())
                                    .equals(Optional.of(change.to())));
            if (still && !followed.containsKey(id)) {
                follow(
                        rollout,
                        digests.get(),
                        new PatchResult.Patched(
                                workload.get().resourceVersion(), workload.get().generation()));
            } else {
                memory.rollout(rollout.ended(clock.instant(), Rollout.End.SUPERSEDED, ""));
            }
        }
    }

    private void follow(Rollout rollout, DigestsAnnotation digests, PatchResult.Patched patched) {
        CompletableFuture<RolloutOutcome> outcome = cluster.follow(rollout.workload(), digests, patched, LONGEST);
        Followed now = new Followed(rollout, outcome);
        Followed before = followed.put(rollout.workload(), now);
        if (before != null) {
            before.outcome.cancel(false);
            end(before, Rollout.End.SUPERSEDED, "another rollout followed");
        }
        CompletableFuture<RolloutOutcome> unused = outcome.whenComplete((end, failure) -> loop.execute(() -> {
            if (followed.get(rollout.workload()) == now && end != null) {
                over(now, end);
            } else if (failure != null && !outcome.isCancelled()) {
                LOG.error("the rollout of {} is followed no more; this is a defect", rollout.workload(), failure);
            }
        }));
    }

    private void over(Followed one, RolloutOutcome outcome) {
        if (outcome instanceof RolloutOutcome.Succeeded) {
            // Whether the new pods run what they were restarted for is the planner's to say.
            one.succeeded = true;
            touch.accept(one.rollout.workload());
            return;
        }
        followed.remove(one.rollout.workload());
        if (outcome instanceof RolloutOutcome.Failed failed) {
            end(one, Rollout.End.FAILED, failed.reason());
        } else if (outcome instanceof RolloutOutcome.TimedOut late) {
            end(one, Rollout.End.TIMED_OUT, late.what());
        } else if (outcome instanceof RolloutOutcome.Superseded) {
            end(one, Rollout.End.SUPERSEDED, "the template was changed meanwhile");
        } else {
            end(one, Rollout.End.GONE, "the workload is no longer watched");
        }
    }

    /** A workload whose rollout succeeded was planned again: its new pods have been compared. */
    void planned(Workload workload, Decision decision) {
        Followed one = followed.get(workload.id());
        if (one != null
                && one.succeeded
                && !(decision instanceof Decision.NeedsExpansion)
                && !(decision instanceof Decision.InProgress)) {
            followed.remove(workload.id());
            Optional<String> diagnosis =
                    decision instanceof Decision.UpToDate done ? done.diagnosis() : Optional.empty();
            if (diagnosis.isPresent()) {
                end(one, Rollout.End.STILL_OLD, diagnosis.get());
            } else {
                end(one, Rollout.End.SUCCEEDED, "");
            }
        }
    }

    private void end(Followed one, Rollout.End end, String message) {
        Rollout rollout = one.rollout;
        switch (end) {
            case SUCCEEDED, SUPERSEDED, GONE -> LOG.info("{}: rollout {}", rollout.workload(), end.words());
            case STILL_OLD, FAILED, TIMED_OUT ->
                LOG.warn("{}: rollout {}: {}", rollout.workload(), end.words(), message);
        }
        memory.rollout(rollout.ended(clock.instant(), end, message));
        flushSoon.run();
        listener.rolloutEnded(rollout, end, message);
    }

    /** Whether one of this workload is under way. */
    boolean running(WorkloadId id) {
        return followed.containsKey(id);
    }

    /** Follows no more; the rollouts go on. */
    void stop() {
        followed.values().forEach(one -> one.outcome.cancel(false));
    }
}
