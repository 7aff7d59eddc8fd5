package io.urunner.agent.rollouts;

import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Context;
import io.urunner.agent.plan.Answer;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.StateRules;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.tags.Registries;
import io.urunner.agent.workloads.PlanQueue;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import io.urunner.registry.ImageReference;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Carries out a plan: reports it, patches the workload, or plans again later. On the loop; {@link Patches} does what waits
 * for the API server.
 */
public final class Execution {
    private final Context context;
    private final Registries registries;
    private final Memory memory;
    private final PlanQueue queue;
    private final Rollouts rollouts;
    private final Adoption adoption;
    private final Patches patches;
    private final Announcer announcer;

    public Execution(
            Context context,
            Registries registries,
            Memory memory,
            PlanQueue queue,
            Rollouts rollouts,
            Adoption adoption,
            Patches patches) {
        this.context = context;
        this.registries = registries;
        this.memory = memory;
        this.queue = queue;
        this.rollouts = rollouts;
        this.adoption = adoption;
        this.patches = patches;
        announcer = new Announcer(context);
    }

    /** A workload was planned: the plan is reported and carried out. */
    public void carryOut(Tracked one, Plan plan) {
        String namespace = one.workload().id().namespace();
        one.planned(plan);
        State state = takeState(one, plan);
        one.stale(Staleness.since(
                one.staleSince(), plan, state.kind(), reference -> registries.standsSince(reference, namespace)));
        if (context.mayAct()) {
            announcer.planned(one, plan, () -> isOld(one, plan));
        } else {
            announcer.noted(one, plan);
        }
        Decision decision = plan.decision();
        if (decision instanceof Decision.Restart restart) {
            restart(one, plan, restart);
        } else {
            one.remember(plan, memory);
            plan.state()
                    .ifPresentOrElse(
                            found -> write(one, found, patches::write),
                            () -> rollouts.quarantine(one.workload())
                                    .ifPresent(failed -> write(one, failed, patches::quarantine)));
            if (decision instanceof Decision.Deferred deferred && deferred.cause() == Deferral.ANSWER_TOO_OLD) {
                askedBeforeSeen(one).forEach(registries::look);
            } else if (decision instanceof Decision.Deferred deferred
                    && deferred.until().isPresent()) {
                again(one, Duration.between(context.now(), deferred.until().get()));
            }
        }
        if (!one.attempts().underWay() && context.mayAct()) {
            adoption.adopt(one);
        }
        rollouts.look(one.workload().id());
    }

    /** Whether no patch is under way. */
    public boolean quiet() {
        return patches.quiet();
    }

    /** This agent acts from now on; another one did until {@code since}. */
    public void takesOver(Tracked one, Instant since) {
        announcer.takesOver(one, since);
    }

    /** Whether the workload itself, or the store, shows that this was so before this agent saw it. */
    private boolean isOld(Tracked one, Plan plan) {
        if (plan.decision() instanceof Decision.UpToDate) {
            return one.standing()
                    .state()
                    .lastAct()
                    .filter(acted -> !acted.isBefore(one.found()))
                    .isEmpty();
        }
        if (!(plan.decision() instanceof Decision.Blocked blocked)) {
            return false;
        }
        return switch (blocked.cause()) {
            case HOLD -> true;
            case REJECTED -> plan.state().isEmpty(); // it is already written
            case QUARANTINED, PAUSED, ON_DELETE, PARTITION, SHADOW ->
                plan.verdicts().stream()
                        .filter(verdict -> verdict.kind() == Verdict.Kind.STALE)
                        .allMatch(verdict -> movedBefore(one, verdict));
            case POLICY, TOO_LARGE, PERMISSION -> false;
        };
    }

    private boolean movedBefore(Tracked one, Verdict verdict) {
        ImageReference reference = verdict.reference().orElseThrow();
        return memory.digest(one.key(verdict.container(), reference)).isPresent()
                && registries
                        .standsSince(reference, one.workload().id().namespace())
                        .filter(since -> since.isBefore(one.found()))
                        .isPresent();
    }

    private State takeState(Tracked one, Plan plan) {
        WorkloadId id = one.workload().id();
        Optional<State> before = one.state();
        boolean followed = one.followed();
        State now = state(one, plan);
        // The failure is reported, although the pods show it only a moment later.
        one.is(
                now,
                rollouts.running(id) || (followed && rollouts.endedBadly(id) && now.kind() == State.Kind.ROLLING_OUT));
        StateRules.changesAt(one.workload(), plan, sight(one))
                .ifPresent(at -> one.stateChanges(
                        context.loop().after(Duration.between(context.now(), at), () -> queue.plan(one))));
        // What only a second look finds may have been so at the first, or before.
        boolean wasBefore =
                now.since().filter(since -> !since.isAfter(one.found())).isPresent();
        if (context.mayAct()) {
            announcer.state(one, before, now, followed || wasBefore);
        }
        return now;
    }

    /** How a workload is now. */
    public State state(Tracked one, Plan plan) {
        return StateRules.state(one.workload(), plan, sight(one));
    }

    private StateRules.Sight sight(Tracked one) {
        return one.sight(rollouts.running(one.workload().id()), rollouts.patience(), context.now());
    }

    /** The references whose answers are older than the cluster's latest news of the workload. */
    private List<ImageReference> askedBeforeSeen(Tracked one) {
        String namespace = one.workload().id().namespace();
        return one.references().stream()
                .filter(reference -> registries.answer(reference, namespace) instanceof Answer.Resolved resolved
                        && resolved.asked().isBefore(one.seen()))
                .toList();
    }

    private void again(Tracked one, Duration delay) {
        one.plannedAgain(context.loop().after(delay, () -> queue.plan(one)));
    }

    private void restart(Tracked one, Plan plan, Decision.Restart decision) {
        String namespace = one.workload().id().namespace();
        List<ImageReference> old = one.references().stream()
                .filter(reference -> registries.answer(reference, namespace) instanceof Answer.Resolved
                        && registries.tooOld(reference, namespace))
                .toList();
        if (!old.isEmpty()) {
            old.forEach(registries::look);
            return;
        }
        String reason = reason(one, decision.patch().digests().toString());
        Optional<Duration> pause = patches.pause(one, reason);
        if (pause.isPresent()) {
            again(one, pause.get());
        } else if (context.mayAct()) {
            decision.warnings().forEach(warning -> announcer.warns(one.workload(), warning));
            patches.restart(one, plan, decision, reason);
        }
    }

    /** What a patch says, and for which pushes: it is sent again with the same reason only if it was undone. */
    private String reason(Tracked one, String text) {
        return one.references().stream()
                .map(reference -> registries
                        .standsSince(reference, one.workload().id().namespace())
                        .toString())
                .collect(Collectors.joining(" ", "", " " + text));
    }

    private interface Write {
        void send(Tracked one, WorkloadState state, String reason);
    }

    private void write(Tracked one, WorkloadState state, Write write) {
        String reason = reason(one, state.toString());
        Optional<Duration> pause = patches.pause(one, reason);
        if (pause.isPresent()) {
            again(one, pause.get());
        } else if (context.mayAct()) {
            write.send(one, state, reason);
        }
    }
}
