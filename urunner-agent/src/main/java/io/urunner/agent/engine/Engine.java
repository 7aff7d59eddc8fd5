package io.urunner.agent.engine;

import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Context;
import io.urunner.agent.plan.Admission.Limits;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Policy;
import io.urunner.agent.plan.State;
import io.urunner.agent.rollouts.Adoption;
import io.urunner.agent.rollouts.Execution;
import io.urunner.agent.rollouts.Patches;
import io.urunner.agent.rollouts.Rollouts;
import io.urunner.agent.tags.Hints;
import io.urunner.agent.tags.Question;
import io.urunner.agent.tags.Registries;
import io.urunner.agent.tags.WatchedRegistry;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.Fleet;
import io.urunner.agent.workloads.PlanQueue;
import io.urunner.agent.workloads.PodCredentials;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.store.DigestStore.Retention;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * Connects the packages of the engine: takes changes in the cluster and answers of registries, and has the workloads
 * concerned planned again. On the loop.
 */
public final class Engine implements Registries.Events {
    /** How long there may have been no acting agent when one is elected. */
    private static final Duration NOBODY_ACTED = Duration.ofMinutes(1);

    private final Context context;
    private final Cluster cluster;
    private final Memory memory;
    private final Registries registries;
    private final Hints hints;
    private final PlanQueue queue;
    private final Fleet fleet;
    private final Rollouts rollouts;
    private final Adoption adoption;
    private final Patches patches;
    private final Execution execution;
    private final Planning planning;
    private final Housekeeping housekeeping;

    private Memory.Past past = Memory.Past.NONE;
    private boolean started;
    private Optional<Instant> lastPass = Optional.empty();

    /**
     * What the engine needs from outside.
     *
     * @param context what all packages share
     * @param cluster where the workloads are
     * @param registries the watched registries
     * @param podCredentials is notified of which pull secrets the workloads have, if these are used
     * @param memory what is remembered
     * @param workers the threads that may block
     * @param rules the rules to follow
     */
    public record Parts(
            Context context,
            Cluster cluster,
            Collection<WatchedRegistry> registries,
            Optional<PodCredentials> podCredentials,
            Memory memory,
            Workers workers,
            Rules rules) {}

    /**
     * The threads that may block, off the loop.
     *
     * @param kubernetes wait for the API server
     * @param registries wait for registries
     */
    public record Workers(Executor kubernetes, Executor registries) {}

    /**
     * The rules to follow.
     *
     * @param policy what applies where a workload's annotations do not override it
     * @param limits how many rollouts may run
     * @param retention how much of the history is kept
     */
    public record Rules(Policy policy, Limits limits, Retention retention) {}

    public Engine(Parts parts) {
        context = parts.context;
        cluster = parts.cluster;
        memory = parts.memory;
        Rules rules = parts.rules;
        registries = new Registries(
                parts.registries,
                context.loop(),
                context.clock(),
                parts.workers.registries,
                memory,
                context.problems(),
                context.listener(),
                this);
        hints = new Hints(context.loop(), registries);
        queue = new PlanQueue(context.loop());
        fleet = new Fleet(
                cluster, context.clock(), registries, rules.policy, parts.podCredentials, queue, this::forget);
        rollouts = new Rollouts(context, cluster, registries, memory, fleet, queue, rules.limits);
        adoption = new Adoption(context, cluster, memory, rollouts);
        patches = new Patches(context, cluster, parts.workers.kubernetes, fleet, queue, memory, rollouts);
        execution = new Execution(context, registries, memory, queue, rollouts, adoption, patches);
        planning = new Planning(context, registries, memory, fleet, queue, rollouts, execution);
        queue.planWith(planning::run);
        housekeeping = new Housekeeping(context, cluster, fleet, memory, rules.retention);
    }

    /** Takes what the watch has seen, and starts the passes. */
    public void start() {
        started = true;
        cluster.workloads().forEach(workload -> planning.alone(workload.id(), () -> changed(workload.id())));
        context.listener().leading(mayAct());
        resume(past);
        past = Memory.Past.NONE;
        begin();
        registries.start();
        housekeeping.start();
    }

    /** Follows what was started before this process, once the cluster has been seen and this agent acts. */
    public void resume(Memory.Past before) {
        if (!started) {
            past = before;
        } else if (mayAct()) {
            adoption.resume(before);
        }
    }

    private void begin() {
        if (mayAct()) {
            adoption.begin(fleet.all());
        }
    }

    /** Called when this agent starts and stops acting: one that stands by still plans, but follows nothing. */
    public void leads(boolean now) {
        if (now) {
            // What the previous agent left is in the cluster, and in the store if they share one.
            Instant since = context.now().minus(NOBODY_ACTED);
            fleet.all().forEach(one -> execution.takesOver(one, since));
            begin();
            memory.load(this::resume, () -> queue.planAll(fleet.all()));
        } else {
            rollouts.stop();
        }
        context.listener().leading(now);
    }

    /** Stops planning. */
    public void stop() {
        queue.stop();
        registries.stop();
        rollouts.stop();
        patches.stop();
        fleet.all().forEach(Tracked::rest);
    }

    /** A workload appeared, changed or went away. */
    public void changed(WorkloadId id) {
        fleet.changed(id);
    }

    private void forget(Tracked gone) {
        WorkloadId id = gone.workload().id();
        rollouts.forget(id);
        patches.forget(gone);
        context.problems().forget(subject -> subject.equals(id.toString()) || subject.equals(Planning.subject(id)));
    }

    @Override
    public void changed(ImageReference reference) {
        queue.planAll(fleet.users(reference));
        queue.planAll(rollouts.undecided(reference));
    }

    @Override
    public void moved(Question question, Digest from, Digest to) {
        String reference = question.reference().toString();
        context.listener().moved(reference, from.toString(), to.toString());
        if (mayAct()) {
            fleet.users(question)
                    .forEach(
                            one -> context.listener().moved(one.workload(), reference, from.toString(), to.toString()));
        }
    }

    @Override
    public void passed(boolean whole) {
        if (whole) {
            lastPass = Optional.of(context.now());
        }
        queue.planUnready();
        memory.flushSoon();
    }

    @Override
    public boolean seesAll() {
        return cluster.synced() && cluster.problems().isEmpty();
    }

    /** Whether nothing is under way: every plan is made and carried out. */
    public boolean quiet() {
        return queue.quiet() && patches.quiet() && !registries.busy();
    }

    /** Asks again at once where only the next answer decides. Returns whether there was such a reference. */
    public boolean lookAgain() {
        List<ImageReference> open = fleet.all().stream()
                .flatMap(one -> one.plan().stream())
                .flatMap(plan -> plan.verdicts().stream())
                .filter(verdict -> verdict.cause()
                        .filter(cause -> cause == Deferral.UNCONFIRMED || cause == Deferral.ANSWER_TOO_OLD)
                        .isPresent())
                .flatMap(verdict -> verdict.reference().stream())
                .distinct()
                .toList();
        open.forEach(registries::look);
        return !open.isEmpty();
    }

    public Registries registries() {
        return registries;
    }

    public Hints hints() {
        return hints;
    }

    Optional<Instant> lastPass() {
        return lastPass;
    }

    Collection<Tracked> all() {
        return fleet.all();
    }

    /** The workloads to plan. */
    PlanQueue queue() {
        return queue;
    }

    Rollouts rollouts() {
        return rollouts;
    }

    /** How a workload is now; empty until it has been planned. */
    Optional<State> state(Tracked one) {
        return one.plan().map(plan -> execution.state(one, plan));
    }

    /** How long patches have been under way without one ending. */
    public Duration patchesStandStill() {
        return patches.standsStill();
    }

    boolean mayAct() {
        return context.mayAct();
    }
}
