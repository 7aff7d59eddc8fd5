package io.urunner.agent.rollouts;

import io.urunner.agent.AgentListener;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.loop.Progress;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.loop.Turns;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.text.Phrases;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.KubeException;
import io.urunner.kube.PatchResult;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes workloads: one patch of a workload at a time, beside the loop, the namespaces in turn. What was changed meanwhile
 * is read again with GET; what fails is tried again later, with growing pauses. On the loop.
 */
public final class Patches {
    private static final Logger LOG = LoggerFactory.getLogger(Patches.class);

    /** Patches at once. */
    public static final int AT_ONCE = 16;

    /** So many of them at most are one namespace's. */
    private static final int OF_A_NAMESPACE = 12;

    /** So often in a row is planned anew after a conflict, before the next change of the workload is waited for. */
    private static final int CONFLICTS = 5;

    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(4);
    /** So often the same is written for the same push; after that it is undone by somebody who goes on doing so. */
    private static final int UNDONE = 2;

    private static final int LONGEST_UNDONE = 14;
    private static final Duration PERMISSION_RETRY = Duration.ofMinutes(1);

    /** Why a patch was not taken, which says when it is tried again. */
    private enum Failure {
        /** A permission is missing: somebody grants it, sooner or later. */
        FORBIDDEN,
        /** The cluster does not want it, and will not want it in a second either. */
        REFUSED,
        /** The API server did not answer, or has too much to do. */
        PASSING
    }

    private final Cluster cluster;
    private final Loop loop;
    private final InstantSource clock;
    private final Executor workers;
    private final StateLog problems;
    private final BooleanSupplier mayAct;
    private final Events events;
    private final AgentListener listener;
    private final Turns<Tracked> waiting = new Turns<>(Integer.MAX_VALUE);
    private final Map<Tracked, Runnable> tasks = new HashMap<>();
    private final Map<String, Integer> sent = new HashMap<>();
    private int atOnce;
    private boolean stopped;
    private final Progress progress;

    /** Told on the loop. */
    public interface Events {
        /** A workload was patched; what the watch told of it meanwhile was not looked at. */
        void patched(Tracked one);

        /** A workload was read again after a conflict; empty if it is gone. */
        void read(Tracked one, Optional<Workload> fresh);

        /** A patch failed, or the pause after that is over. */
        void touched(Tracked one);

        /** A patch is over, however it ended. */
        void settled();

        /** A workload was to be changed over and over. */
        void runaway();
    }

    /** A patch to send; blocks until the API server answers. */
    interface Patch {
        PatchResult send() throws KubeException;
    }

    /** Told on the loop when the API server took the patch. */
    interface Done {
        void patched(PatchResult.Patched patched);
    }

    /** What the API server said, and what it has now where that was read. */
    private record Reply(PatchResult result, Optional<Workload> fresh) {}

    /** {@code workers} wait for the API server; {@code mayAct} is asked again right before a patch is sent. */
    public Patches(
            Cluster cluster,
            Loop loop,
            InstantSource clock,
            Executor workers,
            StateLog problems,
            BooleanSupplier mayAct,
            AgentListener listener,
            Events events) {
        this.cluster = cluster;
        this.loop = loop;
        this.clock = clock;
        this.workers = workers;
        this.problems = problems;
        this.mayAct = mayAct;
        this.listener = listener;
        this.events = events;
        progress = new Progress(loop::nanos);
    }

    /** By the loop's time, which nobody sets: no pause outlasts a clock that is set back. */
    private Instant now() {
        return Instant.EPOCH.plusNanos(loop.nanos());
    }

    /** Whether none is under way. */
    public boolean quiet() {
        return progress.quiet();
    }

    /** For how long patches are under way, and none ended. */
    public Duration standsStill() {
        return progress.standsStill();
    }

    /**
     * How long is left until a workload may be changed: after a failure it is left alone for a while, and so it is when it
     * was changed so often that something undoes at once what we do.
     */
    Optional<Duration> pause(Tracked one, String reason) {
        Instant now = now();
        Optional<Instant> again = one.requestsAgain(now);
        again.ifPresent(until -> {
            String id = one.workload().id().toString();
            boolean first = problems.problem(
                    id,
                    "changed over and over",
                    "was changed over and over; it is left alone until "
                            + Phrases.time(clock.instant().plus(Duration.between(now, until))));
            if (first) {
                events.runaway();
            }
        });
        return Stream.concat(again.stream(), Stream.of(one.notBefore, one.notBefore(reason)))
                .filter(now::isBefore)
                .max(Instant::compareTo)
                .map(until -> Duration.between(now, until));
    }

    /**
     * Sends a patch when it is its turn.
     *
     * @param starting the rollout that it starts, if it does
     * @param reason what the patch says and why: a second one with the same reason means that the first was undone
     */
    void send(Tracked one, Optional<Decision.Restart> starting, String reason, Patch patch, Done done) {
        one.acting = true;
        one.starting = starting;
        one.requested(now());
        progress.begun();
        tasks.put(one, () -> send(one, reason, patch, done));
        waiting.add(one, List.of(namespace(one)));
        sendNext();
    }

    private static String namespace(Tracked one) {
        return one.workload().id().namespace();
    }

    private void sendNext() {
        while (!stopped && atOnce < AT_ONCE) {
            Optional<Turns.Turn<Tracked>> next =
                    waiting.next(one -> sent.getOrDefault(namespace(one), 0) < OF_A_NAMESPACE);
            if (next.isEmpty()) {
                return;
            }
            listener.served(AgentListener.Served.PATCH, next.get().namespace());
            Optional.ofNullable(tasks.remove(next.get().item())).ifPresent(Runnable::run);
        }
    }

    private void send(Tracked one, String reason, Patch patch, Done done) {
        WorkloadId id = one.workload().id();
        atOnce++;
        sent.merge(id.namespace(), 1, Integer::sum);
        Runnable task = () -> {
            Runnable end = () -> failed(one, "a defect of the agent", Failure.REFUSED);
            try {
                if (mayAct.getAsBoolean()) {
                    PatchResult result = patch.send();
                    Reply reply = new Reply(
                            result, result instanceof PatchResult.Conflict ? cluster.read(id) : Optional.empty());
                    end = () -> answered(one, reason, reply, done);
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
                loop.execute(() -> ended(id.namespace(), told));
            }
        };
        try {
            workers.execute(task);
        } catch (RuntimeException | Error e) { // such as a thread that cannot be made
            loop.execute(() -> ended(id.namespace(), () -> broken(one, e)));
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

    /** A workload went away, or is not watched any more: what was not sent yet is not sent. */
    public void forget(Tracked one) {
        if (waiting.remove(one)) {
            tasks.remove(one);
            over(one);
            events.settled();
        }
    }

    /** Nothing is sent any more; what is under way ends. */
    public void stop() {
        stopped = true;
        waiting.clear();
        tasks.clear();
    }

    /** While the patch waited for its turn, another agent was elected. */
    private void abandoned(Tracked one) {
        over(one);
        events.touched(one);
        events.settled();
    }

    private void answered(Tracked one, String reason, Reply reply, Done done) {
        over(one);
        try {
            if (reply.result() instanceof PatchResult.Conflict) {
                conflict(one, reply.fresh());
            } else if (reply.result() instanceof PatchResult.Patched patched) {
                patched(one, reason, patched, done);
            } else {
                events.read(one, Optional.empty());
            }
        } finally {
            events.settled();
        }
    }

    private void patched(Tracked one, String reason, PatchResult.Patched patched, Done done) {
        one.failures = 0;
        one.missingPermission = Optional.empty();
        one.problem = Optional.empty();
        one.patched(patched.generation());
        Tracked.PatchedFor written = one.patchedFor(reason, now());
        try {
            if (written.times > UNDONE) {
                undone(one, written);
            } else {
                problems.well(one.workload().id().toString());
            }
            done.patched(patched);
        } finally {
            events.patched(one);
        }
    }

    private void conflict(Tracked one, Optional<Workload> fresh) {
        LOG.debug(
                "{} was changed meanwhile: it is planned again", one.workload().id());
        one.requested(now()); // it was read, too
        one.failures++;
        if (one.failures >= CONFLICTS) {
            one.notBefore = now().plus(RETRY);
        }
        events.read(one, fresh);
    }

    /** Whatever we write does not last: it is written less and less often. */
    private void undone(Tracked one, Tracked.PatchedFor written) {
        String id = one.workload().id().toString();
        // 8 s, a minute, eight minutes, an hour, four and a half: each may be a rollout.
        int shift = Math.min(3 * (written.times - UNDONE), LONGEST_UNDONE);
        written.notBefore = now().plus(RETRY.multipliedBy(1L << shift));
        problems.problem(
                id,
                "undone",
                "what was written on it is undone at once, by a controller or an admission rule that does not keep"
                        + " annotations that begin with urunner.io/; it is tried less and less often");
        events.runaway();
    }

    private void failed(Tracked one, String words, Failure failure) {
        WorkloadId id = one.workload().id();
        boolean forbidden = failure == Failure.FORBIDDEN;
        over(one);
        one.failures++;
        Duration delay = switch (failure) {
            case FORBIDDEN -> PERMISSION_RETRY;
            case REFUSED -> Pace.backOff(RETRY, one.failures);
            case PASSING -> retry(one.failures);
        };
        one.notBefore = now().plus(delay);
        one.missingPermission = forbidden ? Optional.of(words) : Optional.empty();
        one.problem = Optional.of(words);
        loop.after(delay, () -> {
            one.missingPermission = Optional.empty();
            events.touched(one);
        });
        try {
            problems.problem(id.toString(), forbidden ? "forbidden" : "not changed", words);
            events.touched(one);
        } finally {
            events.settled();
        }
    }

    private static Duration retry(int failures) {
        Duration delay = RETRY.multipliedBy(1L << Math.min(10, failures - 1));
        return delay.compareTo(LONGEST_RETRY) > 0 ? LONGEST_RETRY : delay;
    }

    private void over(Tracked one) {
        one.acting = false;
        progress.ended();
    }
}
