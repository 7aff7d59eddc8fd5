package io.urunner.agent.run;

import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Outcome;
import io.urunner.kube.KubeEvents;
import io.urunner.kube.KubeException;
import io.urunner.kube.Workload;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;

/** Tells what happens to a workload with Kubernetes Events on it. On the loop; they are written elsewhere. */
final class EventWriter implements AgentListener {
    /** Of what waits, this does not end by itself: somebody must push the tag, or give us the right. */
    private static final Set<Deferral> TO_BE_MENDED = EnumSet.of(
            Deferral.TAG_NOT_FOUND, Deferral.NO_CREDENTIAL, Deferral.CREDENTIAL_REJECTED, Deferral.ACCESS_DENIED);

    private final KubeEvents events;
    private final Cluster cluster;
    private final ExecutorService workers;
    private final Loop loop;
    private final StateLog problems;

    EventWriter(KubeEvents events, Cluster cluster, ExecutorService workers, Loop loop, StateLog problems) {
        this.events = events;
        this.cluster = cluster;
        this.workers = workers;
        this.loop = loop;
        this.problems = problems;
    }

    @Override
    public void rolloutStarted(Workload workload, Rollout rollout) {
        write(workload, KubeEvents.Type.NORMAL, "RolloutStarted", rollout.why());
    }

    @Override
    public void rolloutEnded(Rollout rollout, Outcome outcome) {
        cluster.find(rollout.workload()).ifPresent(workload -> {
            if (outcome instanceof Outcome.Succeeded) {
                write(workload, KubeEvents.Type.NORMAL, "RolloutSucceeded", outcome.words());
            } else if (outcome instanceof Outcome.StillOldImage) {
                write(workload, KubeEvents.Type.WARNING, "StillOldImage", outcome.words());
            } else if (outcome instanceof Outcome.Failed) {
                write(workload, KubeEvents.Type.WARNING, "RolloutFailed", outcome.words());
            } else if (outcome instanceof Outcome.TimedOut) {
                write(workload, KubeEvents.Type.WARNING, "RolloutTimedOut", outcome.words());
            }
        });
    }

    @Override
    public void moved(Workload workload, String reference, String from, String to) {
        write(workload, KubeEvents.Type.NORMAL, "DigestChanged", reference + " moved from " + from + " to " + to);
    }

    @Override
    public void noticed(Workload workload, Notice notice, String words) {
        switch (notice) {
            case HOLD_ENDED -> write(workload, KubeEvents.Type.NORMAL, "HoldEnded", words);
            case HOLD_DISTURBED -> write(workload, KubeEvents.Type.WARNING, "HoldDisturbed", words);
            case PULL_POLICY -> write(workload, KubeEvents.Type.WARNING, "PullPolicy", words);
        }
    }

    @Override
    public void decided(Workload workload, Decision decision) {
        if (decision instanceof Decision.Blocked blocked) {
            blocked(workload, blocked.cause().words(), blocked.reason());
        } else if (decision instanceof Decision.Deferred deferred && TO_BE_MENDED.contains(deferred.cause())) {
            blocked(workload, deferred.cause().words(), deferred.reason());
        }
    }

    private void blocked(Workload workload, String cause, String reason) {
        write(workload, KubeEvents.Type.WARNING, "RolloutBlocked", cause + ": " + reason);
    }

    private void write(Workload workload, KubeEvents.Type type, String reason, String message) {
        try {
            workers.execute(() -> {
                try {
                    events.write(workload, type, reason, message);
                    loop.execute(() -> problems.well("events"));
                } catch (KubeException e) {
                    if (Thread.currentThread().isInterrupted()) {
                        return; // the agent ends
                    }
                    loop.execute(() -> problems.problem(
                            "events", e.forbidden() ? "forbidden" : "not written", String.valueOf(e.getMessage())));
                }
            });
        } catch (RejectedExecutionException e) {
            if (!workers.isShutdown()) {
                problems.problem("events", "too many", "too many wait to be written: some are left out");
            } // else the agent ends: what happened is in the store and in the log
        }
    }
}
