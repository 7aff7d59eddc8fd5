package io.urunner.agent.run;

import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Outcome;
import io.urunner.kube.KubeEvents;
import io.urunner.kube.KubeException;
import io.urunner.kube.Workload;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/** Tells what happens to a workload with Kubernetes Events on it. On the loop; they are written elsewhere. */
final class EventWriter implements AgentListener {
    private final KubeEvents events;
    private final Cluster cluster;
    private final Executor workers;
    private final Loop loop;
    private final StateLog problems;

    EventWriter(KubeEvents events, Cluster cluster, Executor workers, Loop loop, StateLog problems) {
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
    public void decided(Workload workload, Decision decision) {
        if (decision instanceof Decision.Blocked blocked) {
            write(
                    workload,
                    KubeEvents.Type.WARNING,
                    "RolloutBlocked",
                    blocked.cause().words() + ": " + blocked.reason());
        }
    }

    private void write(Workload workload, KubeEvents.Type type, String reason, String message) {
        try {
            workers.execute(() -> {
                try {
                    events.write(workload, type, reason, message);
                    loop.execute(() -> problems.well("events"));
                } catch (KubeException e) {
                    loop.execute(() -> problems.problem(
                            "events", e.forbidden() ? "forbidden" : "not written", String.valueOf(e.getMessage())));
                }
            });
        } catch (RejectedExecutionException e) {
            // The agent ends: what happened is in the store and in the log.
            return;
        }
    }
}
