package io.urunner.agent.rollouts;

import io.urunner.agent.AgentListener;
import io.urunner.agent.Rollout;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Progress;
import io.urunner.agent.loop.Ration;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.loop.Turns;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.State;
import io.urunner.agent.text.Printable;
import io.urunner.agent.workloads.Cluster;
import io.urunner.kube.KubeEvents;
import io.urunner.kube.KubeException;
import io.urunner.kube.Workload;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports what happens to a workload as Kubernetes Events on it. On the loop; they are written by other threads, namespaces
 * taking turns, with a limit per namespace.
 */
public final class EventWriter implements AgentListener {
    private static final Logger LOG = LoggerFactory.getLogger(EventWriter.class);

    /** Deferrals that do not end by themselves: somebody must push the tag, or grant a permission. */
    private static final Set<Deferral> TO_BE_MENDED = EnumSet.of(
            Deferral.TAG_NOT_FOUND, Deferral.NO_CREDENTIAL, Deferral.CREDENTIAL_REJECTED, Deferral.ACCESS_DENIED);

    /** Each agent saw it first at a different time, but it is the same Event. */
    private static final Pattern SINCE = Pattern.compile(", since [^;]*");

    /** How many Events per namespace are written in a minute. */
    static final int OF_A_NAMESPACE = 300;

    /** How many of them wait at most: they pile up while the API server is away. */
    private static final int WAITING = 1_000;

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final Writer events;
    private final Cluster cluster;
    private final ExecutorService workers;
    private final int atOnce;
    private final Loop loop;
    private final StateLog problems;
    private final AgentListener listener;
    private final Ration ration;
    private final Turns<Event> waiting = new Turns<>(WAITING);
    private final Progress progress;
    private int underWay;

    /** Writes an Event; blocks until the API server answers. */
    public interface Writer {
        /** With {@code once}, an Event that already exists is left as it is. */
        void write(Workload workload, KubeEvents.Type type, String reason, String message, boolean once)
                throws KubeException;
    }

    /** An Event to write; no two are equal. */
    private static final class Event {
        private final Workload workload;
        private final KubeEvents.Type type;
        private final String reason;
        private final String message;
        private final boolean once;

        Event(Workload workload, KubeEvents.Type type, String reason, String message, boolean once) {
            this.workload = workload;
            this.type = type;
            this.reason = reason;
            this.message = message;
            this.once = once;
        }
    }

    /** Writes {@code atOnce} Events at a time; {@code listener} is notified of whose they were. */
    public EventWriter(
            Writer events,
            Cluster cluster,
            ExecutorService workers,
            int atOnce,
            Loop loop,
            StateLog problems,
            AgentListener listener) {
        this.events = events;
        this.cluster = cluster;
        this.workers = workers;
        this.atOnce = atOnce;
        this.loop = loop;
        this.problems = problems;
        this.listener = listener;
        ration = new Ration(OF_A_NAMESPACE, MINUTE, loop, problems::eventsLeftOut);
        progress = new Progress(loop::nanos);
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
    public void noticed(Workload workload, Notice notice, String words, boolean maybeTold) {
        switch (notice) {
            case HOLD_ENDED -> write(workload, KubeEvents.Type.NORMAL, "HoldEnded", words, maybeTold);
            case HOLD_DISTURBED -> write(workload, KubeEvents.Type.WARNING, "HoldDisturbed", words, maybeTold);
            case PULL_POLICY -> write(workload, KubeEvents.Type.WARNING, "PullPolicy", words, maybeTold);
        }
    }

    @Override
    public void stateChanged(Workload workload, State before, State now) {
        if (now.ill()) {
            write(workload, KubeEvents.Type.WARNING, "WorkloadNotWell", now.words() + ": " + now.reason());
        } else if (now.kind() == State.Kind.UP_TO_DATE) {
            write(workload, KubeEvents.Type.NORMAL, "WorkloadWell", now.reason());
        }
    }

    @Override
    public void decided(Workload workload, Decision decision, boolean maybeTold) {
        if (decision instanceof Decision.Blocked blocked) {
            // Whoever holds a workload has said so, and why. A pin that is always taken back is reported once, not
            // with each push.
            if (blocked.cause() != Blockage.HOLD) {
                boolean once = maybeTold || blocked.cause() == Blockage.REJECTED;
                blocked(workload, blocked.cause().words(), blocked.reason(), once);
            }
        } else if (decision instanceof Decision.Deferred deferred && TO_BE_MENDED.contains(deferred.cause())) {
            blocked(
                    workload,
                    deferred.cause().words(),
                    SINCE.matcher(deferred.reason()).replaceAll(""),
                    maybeTold);
        }
    }

    private void blocked(Workload workload, String cause, String reason, boolean maybeTold) {
        write(workload, KubeEvents.Type.WARNING, "RolloutBlocked", cause + ": " + reason, maybeTold);
    }

    private void write(Workload workload, KubeEvents.Type type, String reason, String message) {
        write(workload, type, reason, message, false);
    }

    private void write(Workload workload, KubeEvents.Type type, String reason, String message, boolean once) {
        String namespace = workload.id().namespace();
        if (!ration.take(namespace)) {
            return;
        }
        if (!waiting.add(new Event(workload, type, reason, message, once), List.of(namespace))) {
            problems.problem("events", "too many", "too many Events are waiting to be written: some are dropped");
        }
        writeNext();
    }

    private void writeNext() {
        while (underWay < atOnce && !workers.isShutdown() && !waiting.isEmpty()) {
            Turns.Turn<Event> turn = waiting.next().orElseThrow();
            listener.served(Served.EVENT, turn.namespace());
            underWay++;
            progress.begun();
            boolean taken = false;
            try {
                workers.execute(() -> write(turn.item()));
                taken = true;
            } catch (RejectedExecutionException e) {
                return; // the agent is shutting down: what happened is in the store and in the log
            } finally {
                if (!taken) {
                    ended();
                }
            }
        }
    }

    private void ended() {
        underWay--;
        progress.ended();
    }

    private void write(Event event) {
        Runnable outcome = () -> problems.problem("events", "not written", "a defect of the agent");
        try {
            events.write(event.workload, event.type, event.reason, Printable.line(event.message), event.once);
            outcome = () -> problems.well("events");
        } catch (KubeException e) {
            outcome = Thread.currentThread().isInterrupted()
                    ? () -> {} // the agent is shutting down
                    : () -> problems.problem(
                            "events", e.forbidden() ? "forbidden" : "not written", String.valueOf(e.getMessage()));
        } catch (RuntimeException | Error e) {
            LOG.error("an Event on {} could not be written; this is a defect", event.workload.id(), e);
            outcome = () -> problems.problem("events", "not written", "a defect of the agent: " + e);
        } finally {
            Runnable told = outcome;
            loop.execute(() -> {
                ended();
                try {
                    told.run();
                } finally {
                    writeNext();
                }
            });
        }
    }

    /** How long Events have been waiting without one being written. */
    public Duration standsStill() {
        return progress.standsStill();
    }
}
