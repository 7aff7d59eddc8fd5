package io.urunner.agent.engine;

import io.urunner.agent.AgentListener;
import io.urunner.agent.history.Housekeeping;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.loop.Turns;
import io.urunner.agent.plan.Admission;
import io.urunner.agent.plan.Admission.Limits;
import io.urunner.agent.plan.Answer;
import io.urunner.agent.plan.ContainerFacts;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Expansion;
import io.urunner.agent.plan.Facts;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.plan.Planner;
import io.urunner.agent.plan.Policy;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.Tracking;
import io.urunner.agent.rollouts.Announcer;
import io.urunner.agent.rollouts.Execution;
import io.urunner.agent.rollouts.Patches;
import io.urunner.agent.rollouts.Rollouts;
import io.urunner.agent.tags.Hints;
import io.urunner.agent.tags.Question;
import io.urunner.agent.tags.Registries;
import io.urunner.agent.tags.WatchedRegistry;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.Fleet;
import io.urunner.agent.workloads.PodCredentials;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.ImageReference;
import io.urunner.store.DigestStore.Retention;
import io.urunner.store.DigestStore.TrackedContainer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loop's logic: keeps an index of the workloads by image reference, and plans a workload whenever something that its
 * plan rests on has changed and no answer that it needs is still on its way. What the plan says is done by {@link
 * Execution}. On the loop.
 */
public final class Engine implements Registries.Events, Patches.Events {
    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    /** What waits for the rollouts of others. */
    private static final Set<Deferral> WAITS = EnumSet.of(Deferral.BUDGET, Deferral.CANARY, Deferral.FAILED_ELSEWHERE);

    private static final Duration WATCH_CATCHES_UP = Duration.ofSeconds(1);

    /** So many plans are made before others of the loop have their turn. */
    private static final int AT_ONCE = 50;

    /** How often those that wait for others are planned anew at most. */
    private static final Duration WAKE = Duration.ofSeconds(1);

    /** How long nobody may have acted when an agent is elected. */
    private static final Duration NOBODY_ACTED = Duration.ofMinutes(1);

    /** How often those whose answer is on its way are looked at, should nobody tell that it came. */
    private static final Duration LOOK = Duration.ofSeconds(5);

    private final Cluster cluster;
    private final Loop loop;
    private final InstantSource clock;
    private final Memory memory;
    private final StateLog problems;
    private final Limits limits;
    private final BooleanSupplier mayAct;
    private final Registries registries;
    private final Hints hints;
    private final Fleet fleet;
    private final Rollouts rollouts;
    private final Patches patches;
    private final Execution execution;
    private final Housekeeping housekeeping;
    private final AgentListener listener;

    private final Turns<WorkloadId> dirty = new Turns<>(Integer.MAX_VALUE);
    /** Those to plan for which something is on its way: an answer, or the end of a patch. */
    private final Set<WorkloadId> unready = new LinkedHashSet<>();
    /** By namespace those that wait for the rollouts of others: whatever changes may be what they wait for. */
    private final Map<String, Waiting> waiting = new HashMap<>();

    private Memory.Past past = Memory.Past.NONE;
    private boolean started;
    private boolean stopped;
    private boolean planning;
    private boolean lookingAtUnready;
    private Optional<Instant> lastPass = Optional.empty();

    /** Those of a namespace that wait for the rollouts of others. */
    private static final class Waiting {
        private final Set<WorkloadId> workloads = new LinkedHashSet<>();
        private long woken = Long.MIN_VALUE;
        private boolean later;
    }

    /** What the engine needs of its surroundings; {@code mayAct} says whether this agent is the one that acts. */
    public record Parts(
            Cluster cluster,
            Collection<WatchedRegistry> registries,
            Loop loop,
            InstantSource clock,
            Executor kubeWorkers,
            Executor registryWorkers,
            Memory memory,
            StateLog problems,
            AgentListener listener,
            Policy policy,
            Limits limits,
            Retention retention,
            Optional<PodCredentials> podCredentials,
            BooleanSupplier mayAct) {}

    public Engine(Parts parts) {
        cluster = parts.cluster;
        loop = parts.loop;
        clock = parts.clock;
        memory = parts.memory;
        problems = parts.problems;
        limits = parts.limits;
        mayAct = parts.mayAct;
        listener = parts.listener;
        registries = new Registries(
                parts.registries, loop, clock, parts.registryWorkers, memory, problems, parts.listener, this);
        hints = new Hints(loop, registries);
        fleet = new Fleet(registries, parts.policy, parts.podCredentials);
        housekeeping = new Housekeeping(memory, loop, clock, parts.retention, this::digestsInUse, this::isGone);
        rollouts = new Rollouts(
                cluster,
                loop,
                clock,
                memory,
                parts.listener,
                registries,
                limits.patience(),
                problems,
                this::over,
                housekeeping::flushSoon);
        patches = new Patches(cluster, loop, clock, parts.kubeWorkers, problems, mayAct, listener, this);
        execution = new Execution(
                cluster,
                loop,
                clock,
                memory,
                mayAct,
                new Announcer(listener, problems),
                registries,
                rollouts,
                patches,
                limits.patience(),
                this::touch);
    }

    /** Takes what the watch has seen, and begins the passes. */
    public void start() {
        started = true;
        cluster.workloads().forEach(workload -> alone(workload.id(), () -> changed(workload.id())));
        listener.leading(mayAct());
        resume(past);
        past = Memory.Past.NONE;
        begin();
        registries.start();
        housekeeping.start();
    }

    /** Whether a container is not there any more, as far as everything can be seen. */
    private boolean isGone(TrackedContainer container) {
        try {
            WorkloadId id = WorkloadId.parse(container.workload());
            return cluster.problems().isEmpty()
                    && cluster.watches(id.namespace())
                    && fleet.find(id).filter(one -> one.follows(container)).isEmpty();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** What pods run, and what templates are pinned to: some runtimes report another digest of the same image. */
    private Set<String> digestsInUse() {
        Stream<String> running = fleet.all().stream()
                .flatMap(one -> one.plan.stream())
                .flatMap(plan -> plan.verdicts().stream())
                .flatMap(verdict -> verdict.running().stream());
        Stream<String> pinned = cluster.workloads().stream()
                .flatMap(workload -> workload.containers().stream())
                .map(container -> container.image().substring(container.image().indexOf('@') + 1));
        return Stream.concat(running, pinned).collect(Collectors.toSet());
    }

    /** Follows what was started before this process was, as soon as the cluster has been seen; the one that acts does. */
    public void resume(Memory.Past before) {
        if (!started) {
            past = before;
        } else if (mayAct()) {
            rollouts.resume(before);
        }
    }

    private void begin() {
        if (mayAct()) {
            rollouts.begin(fleet.all());
        }
    }

    /** Told when this agent begins to act, and when it does not any more: it plans all the same, and follows nothing. */
    public void leads(boolean now) {
        if (now) {
            // What the one before left is in the cluster, and in the store where they share one.
            Instant since = clock.instant().minus(NOBODY_ACTED);
            fleet.all().forEach(one -> execution.takesOver(one, since));
            begin();
            memory.load(this::resume, this::touchAll);
        } else {
            rollouts.stop();
        }
        listener.leading(now);
    }

    private void touchAll() {
        fleet.all().forEach(one -> later(one.workload().id()));
        planSoon();
    }

    /** Plans a workload when it is its namespace's turn. */
    private void later(WorkloadId id) {
        unready.remove(id);
        dirty.add(id, List.of(id.namespace()));
    }

    /** Nothing is planned any more. */
    public void stop() {
        stopped = true;
        registries.stop();
        rollouts.stop();
        patches.stop();
        fleet.all().forEach(one -> {
            one.again.cancel();
            one.stateChanges.cancel();
        });
    }

    /** A workload appeared, changed or went away. */
    public void changed(WorkloadId id) {
        take(id, cluster.find(id));
    }

    private void take(WorkloadId id, Optional<Workload> snapshot) {
        fleet.find(id)
                .filter(known -> snapshot.isEmpty()
                        || !snapshot.get().uid().equals(known.workload().uid()))
                .ifPresent(this::forget);
        snapshot.ifPresent(now -> {
            fleet.update(now, clock.instant());
            touch(id);
        });
    }

    private void forget(Tracked gone) {
        WorkloadId id = gone.workload().id();
        fleet.remove(gone);
        dirty.remove(id);
        unready.remove(id);
        unwait(id);
        rollouts.forget(id);
        patches.forget(gone);
        wakeAll(); // what it held is free
        problems.forget(subject -> subject.equals(id.toString()) || subject.equals(id + " plans"));
    }

    /** Plans a workload soon: many touches of one moment are one plan. Those that wait in its namespace may go on. */
    private void touch(WorkloadId id) {
        later(id);
        wake(id.namespace());
        planSoon();
    }

    /** A rollout is over: others may begin, wherever they are. */
    private void over(WorkloadId id) {
        touch(id);
        wakeAll();
    }

    private void wakeAll() {
        List.copyOf(waiting.keySet()).forEach(this::wake);
        planSoon();
    }

    /** Once in a while: a namespace in which all waits and something changes all the time is not planned all the time. */
    private void wake(String namespace) {
        Waiting all = waiting.get(namespace);
        if (all == null || all.workloads.isEmpty()) {
            return;
        }
        long rest = all.woken == Long.MIN_VALUE ? 0 : WAKE.toNanos() - (loop.nanos() - all.woken);
        if (rest <= 0) {
            all.woken = loop.nanos();
            all.workloads.forEach(id -> {
                fleet.find(id).ifPresent(Tracked::othersChanged);
                later(id);
            });
            all.workloads.clear();
        } else if (!all.later) {
            all.later = true;
            loop.after(Duration.ofNanos(rest), () -> {
                all.later = false;
                wake(namespace);
                planSoon();
            });
        }
    }

    private void unwait(WorkloadId id) {
        waiting.computeIfPresent(id.namespace(), (name, all) -> {
            all.workloads.remove(id);
            return all.workloads.isEmpty() && fleet.all(name).isEmpty() ? null : all;
        });
    }

    private void planSoon() {
        if (!planning) {
            planning = true;
            loop.execute(this::planDirty);
        }
    }

    @Override
    public void changed(ImageReference reference) {
        fleet.users(reference).forEach(this::later);
        rollouts.undecided(reference).forEach(this::later);
        planSoon();
    }

    @Override
    public void moved(Question question, String from, String to) {
        String reference = question.reference().toString();
        listener.moved(reference, from, to);
        if (mayAct()) {
            fleet.users(question).stream()
                    .flatMap(id -> fleet.find(id).stream())
                    .forEach(one -> listener.moved(one.workload(), reference, from, to));
        }
    }

    @Override
    public void passed(boolean whole) {
        if (whole) {
            lastPass = Optional.of(clock.instant());
        }
        lookAtUnready();
        housekeeping.flushSoon();
    }

    @Override
    public boolean seesAll() {
        return cluster.synced() && cluster.problems().isEmpty();
    }

    private void planDirty() {
        planning = false;
        if (stopped) {
            return;
        }
        Map<Tracked, Plan> plans = new LinkedHashMap<>();
        for (int made = 0; made < AT_ONCE && !dirty.isEmpty(); ) {
            Turns.Turn<WorkloadId> turn = dirty.next().orElseThrow();
            Tracked one = fleet.find(turn.item()).orElse(null);
            if (one != null && isReady(one)) {
                made++;
                listener.served(AgentListener.Served.PLAN, turn.namespace());
                alone(turn.item(), () -> plan(one).ifPresent(plan -> plans.put(one, plan)));
            } else if (one != null) {
                unready.add(turn.item());
            }
        }
        admitted(plans).forEach((one, plan) -> alone(one.workload().id(), () -> execution.carryOut(one, plan)));
        if (!dirty.isEmpty()) {
            planSoon();
        } else if (!unready.isEmpty() && !lookingAtUnready) {
            lookingAtUnready = true;
            loop.after(LOOK, () -> {
                lookingAtUnready = false;
                lookAtUnready();
            });
        }
        flushIfQuiet();
    }

    private boolean isReady(Tracked one) {
        String namespace = one.workload().id().namespace();
        return !one.acting
                && !one.outdated()
                && one.references().stream().noneMatch(reference -> registries.pending(reference, namespace));
    }

    private void lookAtUnready() {
        List.copyOf(unready).forEach(this::later);
        planSoon();
    }

    /**
     * The plan of one workload; empty where it was made over and over though nothing of what it rests on changed. Then it
     * rests until something does, at the latest the next answer of the registry.
     */
    private Optional<Plan> plan(Tracked one) {
        Facts facts = facts(one);
        List<Object> fromOutside = new ArrayList<>(List.of(facts.seen(), facts.missingPermission()));
        one.references()
                .forEach(reference -> fromOutside.add(
                        registries.answer(reference, one.workload().id().namespace())));
        String subject = one.workload().id() + " plans";
        if (one.mayPlanOn(fromOutside)) {
            problems.well(subject);
            return Optional.of(Planner.plan(facts));
        }
        if (one.isFirstTooMany()) {
            problems.problem(
                    subject,
                    "planned over and over",
                    "the same plan was made over and over; this is a defect of the agent, and was stopped");
            listener.stopped(AgentListener.Runaway.PLAN);
        }
        return Optional.empty();
    }

    /** A workload at which we fail keeps no other from its plan. */
    private void alone(WorkloadId id, Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            if (!problems.mayTell(id.namespace())) {
                return;
            }
            LOG.error("{} cannot be planned; this is a defect, the others go on", id, e);
        }
    }

    /** The plans that may be carried out now; the others wait for the rollouts of other workloads. */
    private Map<Tracked, Plan> admitted(Map<Tracked, Plan> plans) {
        if (plans.values().stream().noneMatch(plan -> plan.decision() instanceof Decision.Restart)) {
            return plans;
        }
        Admission admission = new Admission(
                limits,
                slots(),
                namespace -> fleet.all(namespace).stream()
                        .filter(one -> !one.references().isEmpty())
                        .map(Tracked::standing)
                        .toList(),
                rollouts.experience(),
                clock.instant());
        Map<Tracked, Plan> admitted = new LinkedHashMap<>();
        for (Plan plan : admission.admit(plans.values())) {
            admitted.put(fleet.find(plan.workload()).orElseThrow(), plan);
            if (plan.decision() instanceof Decision.Deferred deferred && WAITS.contains(deferred.cause())) {
                waiting.computeIfAbsent(plan.workload().namespace(), added -> new Waiting())
                        .workloads
                        .add(plan.workload());
            }
        }
        return admitted;
    }

    /** The rollouts that are under way, with those whose patch is on its way or does not show yet. */
    private List<Admission.Slot> slots() {
        List<Admission.Slot> slots = new ArrayList<>(rollouts.slots());
        for (Tracked one : fleet.all()) {
            WorkloadId id = one.workload().id();
            one.starting()
                    .filter(restart -> !rollouts.running(id))
                    .ifPresent(restart -> slots.add(new Admission.Slot(
                            id,
                            Admission.images(restart.changes()),
                            Optional.of(restart.patch().restartedAt().plus(rollouts.experience().hold(id.namespace()))),
                            restart.patch().restartedAt().plus(limits.patience()))));
        }
        return slots;
    }

    private Facts facts(Tracked one) {
        Map<String, ContainerFacts> containers = new HashMap<>();
        String namespace = one.workload().id().namespace();
        one.containers().forEach((container, tracking) -> {
            if (tracking instanceof Tracking.Follows follows) {
                String reference = follows.reference().toString();
                Answer answer = registries.answer(follows.reference(), namespace);
                Expansion expansion = answer instanceof Answer.Resolved resolved
                        ? registries.expansion(new ImageDigest(reference, resolved.digest()), namespace)
                        : new Expansion.NotFetched();
                containers.put(
                        container,
                        new ContainerFacts.Tracked(
                                reference, answer, expansion, memory.digest(one.key(container, reference))));
            } else if (tracking instanceof Tracking.Ignored ignored) {
                containers.put(container, ignored.untracked());
            }
        });
        return new Facts(
                one.workload(),
                one.seen(),
                one.policy(),
                containers,
                fleet.quarantined(one.workload().id().namespace()),
                one.missingPermission,
                clock.instant());
    }

    @Override
    public void patched(Tracked one) {
        if (isTracked(one)) {
            changed(one.workload().id());
        }
    }

    @Override
    public void read(Tracked one, Optional<Workload> fresh) {
        if (isTracked(one)) {
            fresh.ifPresent(one::read);
            take(one.workload().id(), fresh);
            // While it was read, the watch may have told of something newer, and tells it no second time.
            loop.after(WATCH_CATCHES_UP, () -> patched(one));
        }
    }

    @Override
    public void touched(Tracked one) {
        if (isTracked(one)) {
            touch(one.workload().id());
        }
    }

    @Override
    public void runaway() {
        listener.stopped(AgentListener.Runaway.PATCH);
    }

    @Override
    public void settled() {
        wakeAll();
        flushIfQuiet();
    }

    private boolean isTracked(Tracked one) {
        return fleet.find(one.workload().id()).equals(Optional.of(one));
    }

    private void flushIfQuiet() {
        if (patches.quiet() && !planning) {
            housekeeping.flush();
        }
    }

    /** Whether nothing is under way: every plan is made, and what it wanted is done. */
    public boolean quiet() {
        return dirty.isEmpty() && unready.isEmpty() && patches.quiet() && !planning && !registries.busy();
    }

    /** Asks at once again where only the next answer decides. Returns whether there was such a reference. */
    public boolean lookAgain() {
        List<ImageReference> open = fleet.all().stream()
                .flatMap(one -> one.plan.stream())
                .flatMap(plan -> plan.verdicts().stream())
                .filter(verdict -> verdict.cause()
                        .filter(cause -> cause == Deferral.UNCONFIRMED || cause == Deferral.ANSWER_TOO_OLD)
                        .isPresent())
                .flatMap(verdict -> verdict.reference().stream())
                .distinct()
                .map(ImageReference::parse)
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

    Rollouts rollouts() {
        return rollouts;
    }

    /** How a workload is now; empty while it was not planned. */
    Optional<State> state(Tracked one) {
        return one.plan.map(plan -> execution.state(one, plan));
    }

    /** For how long patches are under way, and none ended. */
    public Duration patchesStandStill() {
        return patches.standsStill();
    }

    boolean mayAct() {
        return mayAct.getAsBoolean();
    }
}
