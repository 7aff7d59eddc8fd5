package io.urunner.agent.run;

import io.urunner.agent.plan.Admission;
import io.urunner.agent.plan.Admission.Limits;
import io.urunner.agent.plan.Answer;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.ContainerFacts;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Expansion;
import io.urunner.agent.plan.Facts;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.plan.Planner;
import io.urunner.agent.plan.Policy;
import io.urunner.agent.plan.Quarantine;
import io.urunner.agent.plan.Tracking;
import io.urunner.kube.KubeException;
import io.urunner.kube.PatchResult;
import io.urunner.kube.Restart;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import io.urunner.registry.ImageReference;
import io.urunner.store.DigestStore.Retention;
import io.urunner.store.DigestStore.RolloutRecord;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loop's logic: keeps an index of the workloads by image reference, plans a workload whenever something that its plan
 * rests on has changed and no answer that it needs is still on its way, and acts on the plan. On the loop; what waits for
 * the API server is done by others.
 */
final class Engine implements Registries.Events {
    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    /** So often in a row is planned anew after a conflict, before the next change of the workload is waited for. */
    private static final int CONFLICTS = 5;

    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(4);
    private static final Duration PERMISSION_RETRY = Duration.ofMinutes(1);
    private static final Duration PRUNE_FIRST = Duration.ofMinutes(5);
    private static final Duration PRUNE_EVERY = Duration.ofHours(6);
    private static final Duration FLUSH_LATEST = Duration.ofSeconds(5);

    private final Cluster cluster;
    private final Loop loop;
    private final InstantSource clock;
    private final Executor workers;
    private final Memory memory;
    private final StateLog problems;
    private final AgentListener listener;
    private final Policy policy;
    private final Limits limits;
    private final Retention retention;
    private final BooleanSupplier mayAct;
    private final Registries registries;
    private final Rollouts rollouts;

    private final Map<WorkloadId, Tracked> tracked = new TreeMap<>();
    private final Map<ImageReference, Set<WorkloadId>> users = new HashMap<>();
    private final Set<WorkloadId> dirty = new LinkedHashSet<>();
    /** Those that wait for the rollouts of others: whatever changes may be what they wait for. */
    private final Set<WorkloadId> waiting = new LinkedHashSet<>();

    private List<RolloutRecord> unfinished = List.of();
    private boolean started;
    private boolean planning;
    private boolean flushing;
    private int acting;
    private Optional<Map<ImageDigest, Quarantine>> quarantined = Optional.empty();
    private Optional<Instant> lastPass = Optional.empty();

    /** What the engine needs of its surroundings; {@code mayAct} says whether this agent is the one that acts. */
    record Parts(
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
            BooleanSupplier mayAct) {}

    Engine(Parts parts) {
        cluster = parts.cluster;
        loop = parts.loop;
        clock = parts.clock;
        workers = parts.kubeWorkers;
        memory = parts.memory;
        problems = parts.problems;
        listener = parts.listener;
        policy = parts.policy;
        limits = parts.limits;
        retention = parts.retention;
        mayAct = parts.mayAct;
        registries = new Registries(
                parts.registries,
                parts.loop,
                parts.clock,
                parts.registryWorkers,
                parts.memory,
                parts.problems,
                parts.listener,
                this);
        rollouts = new Rollouts(
                parts.cluster,
                parts.loop,
                parts.clock,
                parts.memory,
                parts.listener,
                registries,
                this::touch,
                this::flushSoon);
    }

    /** Takes what the watch has seen, and begins the passes. */
    void start() {
        started = true;
        cluster.workloads().forEach(workload -> changed(workload.id()));
        rollouts.resume(unfinished);
        unfinished = List.of();
        registries.start();
        loop.after(PRUNE_FIRST, this::prune);
    }

    private void prune() {
        Set<String> inUse = tracked.values().stream()
                .flatMap(one -> one.plan.stream())
                .flatMap(plan -> plan.verdicts().stream())
                .flatMap(verdict -> verdict.running().stream())
                .collect(Collectors.toSet());
        memory.prune(retention, inUse, clock.instant());
        loop.after(PRUNE_EVERY, this::prune);
    }

    /** Follows what was started before this process was, as soon as the cluster has been seen. */
    void resume(List<RolloutRecord> records) {
        if (started) {
            rollouts.resume(records);
        } else {
            unfinished = records;
        }
    }

    void stop() {
        registries.stop();
        rollouts.stop();
        tracked.values().forEach(one -> one.again.cancel());
    }

    /** A workload appeared, changed or went away. */
    void changed(WorkloadId id) {
        take(id, cluster.find(id));
    }

    private void take(WorkloadId id, Optional<Workload> snapshot) {
        Tracked known = tracked.get(id);
        if (known != null
                && (snapshot.isEmpty()
                        || !snapshot.get().uid().equals(known.workload().uid()))) {
            forget(known);
        }
        snapshot.ifPresent(this::update);
    }

    private void forget(Tracked gone) {
        WorkloadId id = gone.workload().id();
        tracked.remove(id);
        dirty.remove(id);
        waiting.remove(id);
        gone.again.cancel();
        gone.references().forEach(reference -> leave(reference, id));
        quarantined = Optional.empty();
        rollouts.forget(id);
        problems.forget(id.toString()::equals);
    }

    private void update(Workload snapshot) {
        WorkloadId id = snapshot.id();
        Instant now = clock.instant();
        Tracked known = tracked.get(id);
        if (known == null) {
            known = new Tracked(snapshot, now, policy, registries::watches);
            tracked.put(id, known);
            quarantined = Optional.empty();
            known.references().forEach(reference -> join(reference, id));
        } else {
            Set<ImageReference> before = known.references();
            Map<ImageDigest, Quarantine> failed = known.quarantined();
            known.update(snapshot, now, policy, registries::watches);
            Set<ImageReference> after = known.references();
            after.stream().filter(reference -> !before.contains(reference)).forEach(reference -> join(reference, id));
            before.stream().filter(reference -> !after.contains(reference)).forEach(reference -> leave(reference, id));
            if (!failed.equals(known.quarantined())) {
                quarantined = Optional.empty();
            }
        }
        touch(id);
    }

    private void join(ImageReference reference, WorkloadId id) {
        if (users.computeIfAbsent(reference, added -> new TreeSet<>()).add(id)) {
            registries.track(reference);
        }
    }

    private void leave(ImageReference reference, WorkloadId id) {
        Set<WorkloadId> left = users.get(reference);
        if (left != null && left.remove(id) && left.isEmpty()) {
            users.remove(reference);
            registries.untrack(reference);
        }
    }

    /** Plans a workload soon: many touches of one moment are one plan. */
    private void touch(WorkloadId id) {
        dirty.add(id);
        dirty.addAll(waiting);
        waiting.clear();
        planSoon();
    }

    private void planSoon() {
        if (!planning) {
            planning = true;
            loop.execute(this::planDirty);
        }
    }

    @Override
    public void changed(ImageReference reference) {
        dirty.addAll(users.getOrDefault(reference, Set.of()));
        planSoon();
    }

    @Override
    public void passed(boolean whole) {
        if (whole) {
            lastPass = Optional.of(clock.instant());
        }
        planSoon();
        flushSoon();
    }

    private void planDirty() {
        planning = false;
        Map<Tracked, Plan> plans = new LinkedHashMap<>();
        for (WorkloadId id : new ArrayList<>(dirty)) {
            Tracked one = tracked.get(id);
            if (one == null) {
                dirty.remove(id);
            } else if (!one.acting
                    && !one.outdated()
                    && one.references().stream().noneMatch(registries::pending)) {
                dirty.remove(id);
                plans.put(one, Planner.plan(facts(one)));
            }
        }
        admitted(plans).forEach(this::carryOut);
        flushIfQuiet();
    }

    /** The plans that may be carried out now; the others wait for the rollouts of other workloads. */
    private Map<Tracked, Plan> admitted(Map<Tracked, Plan> plans) {
        if (limits.equals(Limits.NONE)
                || plans.values().stream().noneMatch(plan -> plan.decision() instanceof Decision.Restart)) {
            return plans;
        }
        Set<WorkloadId> started = tracked.values().stream()
                .filter(one -> one.acting
                        || one.outdated()
                        || rollouts.running(one.workload().id()))
                .map(one -> one.workload().id())
                .collect(Collectors.toSet());
        List<Workload> fleet = tracked.values().stream().map(Tracked::workload).toList();
        Map<Tracked, Plan> admitted = new LinkedHashMap<>();
        for (Plan plan : new Admission(limits, fleet, started, clock.instant()).admit(plans.values())) {
            admitted.put(tracked.get(plan.workload()), plan);
            if (plan.decision() instanceof Decision.Deferred deferred
                    && (deferred.cause() == Deferral.BUDGET || deferred.cause() == Deferral.CANARY)) {
                waiting.add(plan.workload());
            }
        }
        return admitted;
    }

    private void carryOut(Tracked one, Plan plan) {
        one.again.cancel();
        Optional<Decision> before = one.plan.map(Plan::decision);
        one.plan = Optional.of(plan);
        tell(one.workload(), before, plan);
        Decision decision = plan.decision();
        if (decision instanceof Decision.NeedsExpansion needs) {
            registries.fetch(needs.needed());
        } else if (decision instanceof Decision.Restart restart) {
            restart(one, plan, restart);
        } else {
            remember(one, plan);
            plan.state().or(() -> rollouts.quarantine(one.workload())).ifPresent(state -> write(one, state));
            if (decision instanceof Decision.Deferred deferred
                    && deferred.until().isPresent()) {
                again(one, Duration.between(clock.instant(), deferred.until().get()));
            }
        }
        if (!one.acting && mayAct.getAsBoolean()) {
            rollouts.adopt(one.workload());
        }
        rollouts.look(one.workload().id());
    }

    private Facts facts(Tracked one) {
        Map<String, ContainerFacts> containers = new HashMap<>();
        one.containers().forEach((container, tracking) -> {
            if (tracking instanceof Tracking.Follows follows) {
                String reference = follows.reference().toString();
                Answer answer = registries.answer(follows.reference());
                Expansion expansion = answer instanceof Answer.Resolved resolved
                        ? registries.expansion(new ImageDigest(reference, resolved.digest()))
                        : new Expansion.NotFetched();
                containers.put(
                        container,
                        new ContainerFacts.Tracked(
                                reference, answer, expansion, memory.digest(one.key(container, reference))));
            } else if (tracking instanceof Tracking.Ignored ignored) {
                containers.put(container, ignored.untracked());
            }
        });
        if (quarantined.isEmpty()) {
            Map<ImageDigest, Quarantine> all = new HashMap<>();
            tracked.values().forEach(each -> each.quarantined().forEach(all::putIfAbsent));
            quarantined = Optional.of(all);
        }
        return new Facts(
                one.workload(),
                one.seen(),
                one.policy(),
                containers,
                quarantined.get(),
                one.missingPermission,
                clock.instant());
    }

    private void tell(Workload workload, Optional<Decision> before, Plan plan) {
        Decision decision = plan.decision();
        plan.notices().forEach(notice -> LOG.info("{}: {}", workload.id(), notice));
        if (before.map(Decision::words).equals(Optional.of(decision.words()))) {
            return;
        }
        listener.decided(workload, decision);
        String subject = workload.id().toString();
        if (decision instanceof Decision.Blocked blocked && blocked.cause() != Blockage.PERMISSION) {
            LOG.info("{}: {}: {}", subject, decision.words(), decision.reason());
        } else if (decision instanceof Decision.UpToDate done
                && done.diagnosis().isPresent()) {
            LOG.warn("{}: {}", subject, done.diagnosis().get());
        } else {
            LOG.debug("{}: {}: {}", subject, decision.words(), decision.reason());
        }
    }

    private void remember(Tracked one, Plan plan) {
        plan.remember()
                .forEach((container, image) -> memory.remember(one.key(container, image.reference()), image.digest()));
    }

    private void again(Tracked one, Duration delay) {
        one.again = loop.after(delay, () -> touch(one.workload().id()));
    }

    private void restart(Tracked one, Plan plan, Decision.Restart decision) {
        Instant now = clock.instant();
        List<ImageReference> old = one.references().stream()
                .filter(reference -> registries.answer(reference) instanceof Answer.Resolved resolved
                        && registries.tooOld(reference, resolved))
                .toList();
        if (!old.isEmpty()) {
            old.forEach(registries::look);
        } else if (one.notBefore.isAfter(now)) {
            again(one, Duration.between(now, one.notBefore));
        } else if (mayAct.getAsBoolean()) {
            decision.warnings()
                    .forEach(warning -> LOG.warn("{}: {}", one.workload().id(), warning));
            Workload planned = one.workload();
            Instant at = decision.at();
            Restart restart = new Restart(decision.digests(), decision.state(), at, decision.images());
            act(one, () -> cluster.restart(planned, restart), patched -> {
                remember(one, plan);
                one.restarted = Optional.of(decision);
                Rollout rollout = new Rollout(at.toString(), planned.id(), decision.reason(), decision.changes(), at);
                rollouts.started(planned, rollout, decision.digests(), patched);
            });
        }
    }

    private void write(Tracked one, WorkloadState state) {
        if (one.notBefore.isAfter(clock.instant())) {
            again(one, Duration.between(clock.instant(), one.notBefore));
        } else if (mayAct.getAsBoolean()) {
            Workload planned = one.workload();
            act(one, () -> cluster.remember(planned, state), patched -> {});
        }
    }

    private interface Patch {
        PatchResult send() throws KubeException;
    }

    private interface Done {
        void patched(PatchResult.Patched patched);
    }

    /** What the API server said, and what it has now where that was read. */
    private record Reply(PatchResult result, Optional<Workload> fresh) {}

    private void act(Tracked one, Patch patch, Done done) {
        WorkloadId id = one.workload().id();
        one.acting = true;
        acting++;
        workers.execute(() -> {
            try {
                PatchResult result = patch.send();
                Optional<Workload> fresh = result instanceof PatchResult.Conflict ? cluster.read(id) : Optional.empty();
                loop.execute(() -> acted(one, new Reply(result, fresh), done));
            } catch (KubeException e) {
                loop.execute(() -> failed(one, e));
            } catch (RuntimeException e) {
                LOG.error("{} could not be changed; this is a defect", id, e);
                loop.execute(() -> failed(one, "a defect of the agent: " + e, Optional.empty()));
            }
        });
    }

    private void acted(Tracked one, Reply reply, Done done) {
        WorkloadId id = one.workload().id();
        over(one);
        boolean gone = reply.result() instanceof PatchResult.Gone;
        if (reply.result() instanceof PatchResult.Patched patched) {
            one.failures = 0;
            one.missingPermission = Optional.empty();
            one.problem = Optional.empty();
            one.patched(patched.generation());
            problems.well(id.toString());
            done.patched(patched);
        } else if (reply.result() instanceof PatchResult.Conflict) {
            LOG.debug("{} was changed meanwhile: it is planned again", id);
            gone = reply.fresh().isEmpty();
            one.failures++;
            if (one.failures >= CONFLICTS) {
                one.notBefore = clock.instant().plus(RETRY);
            }
        }
        if (tracked.get(id) == one) {
            if (gone) {
                forget(one);
            } else if (reply.fresh().isPresent()) {
                take(id, reply.fresh());
            } else {
                // What the watch told meanwhile was not looked at.
                changed(id);
            }
        }
        flushIfQuiet();
    }

    private void failed(Tracked one, KubeException e) {
        String words = Optional.ofNullable(e.getMessage()).orElseGet(e::toString);
        failed(one, words, Optional.of(words).filter(any -> e.forbidden()));
    }

    private void failed(Tracked one, String words, Optional<String> missingPermission) {
        WorkloadId id = one.workload().id();
        over(one);
        one.failures++;
        Duration delay = missingPermission.isPresent()
                ? PERMISSION_RETRY
                : RETRY.multipliedBy(1L << Math.min(10, one.failures - 1));
        if (missingPermission.isEmpty() && delay.compareTo(LONGEST_RETRY) > 0) {
            delay = LONGEST_RETRY;
        }
        one.notBefore = clock.instant().plus(delay);
        one.missingPermission = missingPermission;
        one.problem = Optional.of(words);
        problems.problem(id.toString(), missingPermission.isPresent() ? "forbidden" : "not changed", words);
        if (tracked.get(id) == one) {
            touch(id);
            loop.after(delay, () -> {
                one.missingPermission = Optional.empty();
                touch(id);
            });
        }
        flushIfQuiet();
    }

    private void over(Tracked one) {
        one.acting = false;
        acting--;
    }

    /** One write per pass: when all that the pass led to is done, or takes too long. */
    private void flushSoon() {
        if (!flushing) {
            flushing = true;
            loop.after(FLUSH_LATEST, this::flush);
        }
    }

    private void flushIfQuiet() {
        if (acting == 0 && !planning) {
            flush();
        }
    }

    private void flush() {
        if (flushing) {
            flushing = false;
            memory.flush();
        }
    }

    /** Whether nothing is under way: every plan is made, and what it wanted is done. */
    boolean quiet() {
        return dirty.isEmpty() && acting == 0 && !planning && !registries.busy();
    }

    /** Asks at once again for what must be seen twice. Returns whether there is something that was not asked again yet. */
    boolean lookAgain() {
        List<ImageReference> unconfirmed = users.keySet().stream()
                .filter(reference ->
                        registries.answer(reference) instanceof Answer.Resolved resolved && !resolved.counts())
                .toList();
        unconfirmed.forEach(registries::look);
        return !unconfirmed.isEmpty();
    }

    Registries registries() {
        return registries;
    }

    Optional<Instant> lastPass() {
        return lastPass;
    }

    Collection<Tracked> all() {
        return tracked.values();
    }

    Rollouts rollouts() {
        return rollouts;
    }

    boolean mayAct() {
        return mayAct.getAsBoolean();
    }
}
