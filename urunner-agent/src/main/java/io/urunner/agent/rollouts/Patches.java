package io.urunner.agent.rollouts;

import io.urunner.agent.AgentListener;
import io.urunner.agent.Rollout;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Context;
import io.urunner.agent.loop.Progress;
import io.urunner.agent.loop.Turns;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.text.Phrases;
import io.urunner.agent.workloads.Attempts.Failure;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.Fleet;
import io.urunner.agent.workloads.PlanQueue;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.KubeException;
import io.urunner.kube.PatchResult;
import io.urunner.kube.Restart;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes workloads: one patch per workload at a time, off the loop, namespaces taking turns. A workload that was changed
 * meanwhile is read again with GET; what fails is retried later, with growing pauses. On the loop.
 */
public final class Patches {
    private static final Logger LOG = LoggerFactory.getLogger(Patches.class);

    /** How many patches are sent at once. */
    public static final int AT_ONCE = 16;

    /** How many of them at most belong to one namespace. */
    private static final int OF_A_NAMESPACE = 12;

    private static final Duration WATCH_CATCHES_UP = Duration.ofSeconds(1);

    private final Context context;
    private final Cluster cluster;
    private final Executor workers;
    private final Fleet fleet;
    private final PlanQueue queue;
    private final Memory memory;
    private final Rollouts rollouts;
    private final Turns<Tracked> waiting = new Turns<>(Integer.MAX_VALUE);
    private final Map<Tracked, Runnable> tasks = new HashMap<>();
    private final Map<String, Integer> sent = new HashMap<>();
    private int atOnce;
    private boolean stopped;
    private final Progress progress;

    /** A patch to send; blocks until the API server answers. */
    private interface Patch {
        PatchResult send() throws KubeException;
    }

    /** The API server's answer, and the workload as it is now if it was read. */
    private record Reply(PatchResult result, Optional<Workload> fresh) {}

    /** {@code workers} wait for the API server; {@code rollouts} takes over what is started. */
    public Patches(
            Context context,
            Cluster cluster,
            Executor workers,
            Fleet fleet,
            PlanQueue queue,
            Memory memory,
            Rollouts rollouts) {
        this.context = context;
        this.cluster = cluster;
        this.workers = workers;
        this.fleet = fleet;
        this.queue = queue;
        this.memory = memory;
        this.rollouts = rollouts;
        progress = new Progress(context.loop()::nanos);
    }

    /** The loop's time, which nobody can set: setting the clock back does not prolong a pause. */
    private Instant now() {
        return Instant.EPOCH.plusNanos(context.loop().nanos());
    }

    /** Whether none is under way. */
    public boolean quiet() {
        return progress.quiet();
    }

    /** How long patches have been under way without one ending. */
    public Duration standsStill() {
        return progress.standsStill();
    }

    /**
     * Returns how long to wait until a workload may be changed: it is left alone for a while after a failure, or after so many
     * changes that something must be undoing them at once.
     */
    Optional<Duration> pause(Tracked one, String reason) {
        Instant now = now();
        one.attempts().tooManyUntil(now).ifPresent(until -> {
            boolean first = context.problems()
                    .problem(
                            one.workload().id().toString(),
                            "changed over and over",
                            "was changed over and over; it is left alone until "
                                    + Phrases.time(context.now().plus(Duration.between(now, until))));
            if (first) {
                runaway();
            }
        });
        return one.attempts().pausedUntil(reason, now).map(until -> Duration.between(now, until));
    }

    private void runaway() {
        context.listener().stopped(AgentListener.Runaway.PATCH);
    }

    /**
     * Rolls a workload out when it is its turn, and follows the rollout.
     *
     * @param plan the plan, whose digests are remembered once the patch is accepted
     * @param decision what it decided
     * @param reason what the patch says and why: a second one with the same reason means that the first was undone
     */
    void restart(Tracked one, Plan plan, Decision.Restart decision, String reason) {
        Workload planned = one.workload();
        Restart patch = decision.patch();
        Rollout rollout = Rollout.of(planned.id(), decision);
        rollouts.starting(rollout);
        send(one, Optional.of(decision), reason, () -> cluster.restart(planned, patch), patched -> {
            one.remember(plan, memory);
            one.restarted(decision);
            rollouts.started(planned, rollout, patch.digests(), patched);
        });
    }

    /** Writes the state of a workload when it is its turn. */
    void write(Tracked one, WorkloadState state, String reason) {
        Workload planned = one.workload();
        send(one, Optional.empty(), reason, () -> cluster.remember(planned, state), patched -> {});
    }

    /** Writes on a workload that its rollout failed, when it is its turn. */
    void quarantine(Tracked one, WorkloadState state, String reason) {
        Workload planned = one.workload();
        send(
                one,
                Optional.empty(),
                reason,
                () -> cluster.remember(planned, state),
                patched -> rollouts.quarantined(planned.id()));
    }

    /** {@code accepted} is called on the loop. */
    private void send(
            Tracked one,
            Optional<Decision.Restart> starting,
            String reason,
            Patch patch,
            Consumer<PatchResult.Patched> accepted) {
        one.attempts().sent(starting, now());
        progress.begun();
        tasks.put(one, () -> send(one, reason, patch, accepted));
        waiting.add(one, List.of(namespace(one)));
        sendNext();
    }

    private static String namespace(Tracked one) {
        return one.workload().id().namespace();
    }

    private void sendNext() {
        while (!stopped && atOnce < AT_ONCE) {
            Optional<Turns.Turn<Tracked>> next =
                    waiting.next(namespace -> sent.getOrDefault(namespace, 0) < OF_A_NAMESPACE, one -> true);
            if (next.isEmpty()) {
                return;
            }
            context.listener().served(AgentListener.Served.PATCH, next.get().namespace());
            Optional.ofNullable(tasks.remove(next.get().item())).ifPresent(Runnable::run);
        }
    }

    private void send(Tracked one, String reason, Patch patch, Consumer<PatchResult.Patched> accepted) {
        WorkloadId id = one.workload().id();
        atOnce++;
        sent.merge(id.namespace(), 1, Integer::sum);
        Runnable task = () -> {
            Runnable end = () -> failed(one, "a defect of the agent", Failure.REFUSED);
            try {
                if (context.mayAct()) {
                    PatchResult result = patch.send();
                    Reply reply = new Reply(
                            result, result instanceof PatchResult.Conflict ? cluster.read(id) : Optional.empty());
                    end = () -> answered(one, reason, reply, accepted);
                } else {
                    end = () -> abandoned(one);
                }
            } catch (KubeException e) {
                String words = Optional.ofNullable(e.getMessage()).orElseGet(e::toString);
                Failure failure = e.forbidden() ? Failure.FORBIDDEN : e.refused() ? Failure.REFUSED : Failure.PASSING;
                end = () -> failed(one, words, failure);
            } catch (RuntimeException | Error e) {
                end = () -> broken(one, e);
            } finally {
                Runnable told = end;
                context.loop().execute(() -> ended(id.namespace(), told));
            }
        };
        try {
            workers.execute(task);
        } catch (RuntimeException | Error e) { // such as a thread that cannot be created
            context.loop().execute(() -> ended(id.namespace(), () -> broken(one, e)));
        }
    }

    private void ended(String namespace, Runnable told) {
        atOnce--;
        sent.computeIfPresent(namespace, (name, count) -> count == 1 ? null : count - 1);
        try {
            told.run();
        } finally {
            sendNext();
        }
    }

    private void broken(Tracked one, Throwable e) {
        LOG.error("{} could not be changed; this is a defect", one.workload().id(), e);
        failed(one, "a defect of the agent: " + e, Failure.REFUSED);
    }

    /** A workload went away, or is no longer watched: what has not been sent yet is not sent. */
    public void forget(Tracked one) {
        if (waiting.remove(one)) {
            tasks.remove(one);
            over(one);
            queue.planWaiting();
        }
    }

    /** Sends nothing more; what is under way is completed. */
    public void stop() {
        stopped = true;
        waiting.clear();
        tasks.clear();
    }

    /** While the patch waited for its turn, another agent was elected. */
    private void abandoned(Tracked one) {
        over(one);
        planAgain(one);
        queue.planWaiting();
    }

    private void planAgain(Tracked one) {
        if (!one.isGone()) {
            queue.plan(one);
        }
    }

    private void answered(Tracked one, String reason, Reply reply, Consumer<PatchResult.Patched> accepted) {
        over(one);
        try {
            if (reply.result() instanceof PatchResult.Conflict) {
                conflict(one, reply.fresh());
            } else if (reply.result() instanceof PatchResult.Patched patched) {
                accepted(one, reason, patched, accepted);
            } else {
                read(one, Optional.empty());
            }
        } finally {
            queue.planWaiting();
        }
    }

    private void accepted(
            Tracked one, String reason, PatchResult.Patched patched, Consumer<PatchResult.Patched> accepted) {
        one.patched(patched.generation());
        try {
            if (one.attempts().accepted(reason, now())) {
                context.problems().well(one.workload().id().toString());
            } else {
                undone(one);
            }
            accepted.accept(patched);
        } finally {
            look(one);
        }
    }

    /** Looks at the workload now, as what the watch reported while the patch was under way was ignored. */
    private void look(Tracked one) {
        if (!one.isGone()) {
            fleet.changed(one.workload().id());
        }
    }

    private void conflict(Tracked one, Optional<Workload> fresh) {
        LOG.debug(
                "{} was changed in the meantime: it is planned again",
                one.workload().id());
        one.attempts().conflicted(now());
        read(one, fresh);
    }

    private void read(Tracked one, Optional<Workload> fresh) {
        if (!one.isGone()) {
            fleet.read(one, fresh);
            // While it was read, the watch may have reported something newer, and does not report it again.
            context.loop().after(WATCH_CATCHES_UP, () -> look(one));
        }
    }

    /** What we write does not last: it is written less and less often. */
    private void undone(Tracked one) {
        context.problems()
                .problem(
                        one.workload().id().toString(),
                        "undone",
                        "what the agent writes to it is undone at once, by a controller or an admission rule that removes"
                                + " annotations that begin with urunner.io/; the agent tries less and less often");
        runaway();
    }

    private void failed(Tracked one, String words, Failure failure) {
        over(one);
        Duration delay = one.attempts().failed(failure, words, now());
        context.loop().after(delay, () -> {
            one.attempts().mayTryAgain();
            planAgain(one);
        });
        try {
            context.problems()
                    .problem(
                            one.workload().id().toString(),
                            failure == Failure.FORBIDDEN ? "forbidden" : "not changed",
                            words);
            planAgain(one);
        } finally {
            queue.planWaiting();
        }
    }

    private void over(Tracked one) {
        one.attempts().over();
        progress.ended();
    }
}
