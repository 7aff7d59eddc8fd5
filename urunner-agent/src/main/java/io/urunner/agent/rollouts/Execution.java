package io.urunner.agent.rollouts;

import io.urunner.agent.Rollout;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.plan.Answer;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.StateRules;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.tags.Registries;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.Restart;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import io.urunner.registry.ImageReference;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Does what a plan says: tells it, patches the workload, fetches what is missing, or plans again later. On the loop; what
 * waits for the API server is done by {@link Patches}.
 */
public final class Execution {
    private final Cluster cluster;
    private final Loop loop;
    private final InstantSource clock;
    private final Memory memory;
    private final BooleanSupplier mayAct;
    private final Announcer announcer;
    private final Registries registries;
    private final Rollouts rollouts;
    private final Patches patches;
    private final Consumer<WorkloadId> touch;
    private final Duration patience;

    /** {@code touch} plans a workload anew. */
    public Execution(
            Cluster cluster,
            Loop loop,
            InstantSource clock,
            Memory memory,
            BooleanSupplier mayAct,
            Announcer announcer,
            Registries registries,
            Rollouts rollouts,
            Patches patches,
            Duration patience,
            Consumer<WorkloadId> touch) {
        this.cluster = cluster;
        this.loop = loop;
        this.clock = clock;
        this.memory = memory;
        this.mayAct = mayAct;
        this.announcer = announcer;
        this.registries = registries;
        this.rollouts = rollouts;
        this.patches = patches;
        this.touch = touch;
        this.patience = patience;
    }

    /** A workload was planned: that is told, and done. */
    public void carryOut(Tracked one, Plan plan) {
        one.again.cancel();
        String namespace = one.workload().id().namespace();
        one.plan = Optional.of(plan);
        takeState(one, plan);
        one.staleSince = Staleness.since(
                one.staleSince,
                plan,
                one.state.orElseThrow().kind(),
                reference -> registries.standsSince(ImageReference.parse(reference), namespace));
        if (mayAct.getAsBoolean()) {
            announcer.planned(one, plan, () -> isOld(one, plan), clock.instant());
        } else {
            announcer.noted(one, plan, clock.instant());
        }
        Decision decision = plan.decision();
        if (decision instanceof Decision.NeedsExpansion needs) {
            registries.fetch(needs.needed(), namespace);
        } else if (decision instanceof Decision.Restart restart) {
            restart(one, plan, restart);
        } else {
            remember(one, plan);
            WorkloadId id = one.workload().id();
            plan.state()
                    .ifPresentOrElse(
                            state -> write(one, state, () -> {}),
                            () -> rollouts.quarantine(one.workload())
                                    .ifPresent(state -> write(one, state, () -> rollouts.quarantined(id))));
            if (decision instanceof Decision.Deferred deferred && deferred.cause() == Deferral.ANSWER_TOO_OLD) {
                askedBeforeSeen(one).forEach(registries::look);
            } else if (decision instanceof Decision.Deferred deferred
                    && deferred.until().isPresent()) {
                again(one, Duration.between(clock.instant(), deferred.until().get()));
            }
        }
        if (!one.acting && mayAct.getAsBoolean()) {
            rollouts.adopt(one);
        }
        rollouts.look(one.workload().id());
    }

    /** This agent acts from now on, and another one did until a while ago. */
    public void takesOver(Tracked one, Instant since) {
        announcer.takesOver(one, since);
    }

    /** Whether the workload itself, or the store, shows that it was so before this agent saw it. */
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
            case REJECTED -> plan.state().isEmpty(); // it is written already
            case QUARANTINED, PAUSED, ON_DELETE, PARTITION, SHADOW ->
                plan.verdicts().stream()
                        .filter(verdict -> verdict.kind() == Verdict.Kind.STALE)
                        .allMatch(verdict -> movedBefore(one, verdict));
            case POLICY, TOO_LARGE, PERMISSION -> false;
        };
    }

    private boolean movedBefore(Tracked one, Verdict verdict) {
        String reference = verdict.reference().orElseThrow();
        return memory.digest(one.key(verdict.container(), reference)).isPresent()
                && registries
                        .standsSince(
                                ImageReference.parse(reference),
                                one.workload().id().namespace())
                        .filter(since -> since.isBefore(one.found()))
                        .isPresent();
    }

    private void takeState(Tracked one, Plan plan) {
        Optional<State> before = one.state;
        State now = state(one, plan);
        one.state = Optional.of(now);
        one.stateChanges.cancel();
        StateRules.changesAt(one.workload(), plan, sight(one))
                .ifPresent(at -> one.stateChanges = loop.after(
                        Duration.between(clock.instant(), at),
                        () -> touch.accept(one.workload().id())));
        boolean followed = one.followed;
        WorkloadId id = one.workload().id();
        // That it failed is told, though the pods show it a moment later.
        one.followed =
                rollouts.running(id) || (followed && rollouts.endedBadly(id) && now.kind() == State.Kind.ROLLING_OUT);
        // What only a second look finds out may have been so at the first, or before.
        boolean wasBefore =
                now.since().filter(since -> !since.isAfter(one.found())).isPresent();
        if (mayAct.getAsBoolean()) {
            announcer.state(one, before, now, followed || wasBefore);
        }
    }

    /** How a workload is now. */
    public State state(Tracked one, Plan plan) {
        return StateRules.state(one.workload(), plan, sight(one));
    }

    private StateRules.Sight sight(Tracked one) {
        return one.sight(rollouts.running(one.workload().id()), patience, clock.instant());
    }

    /** The references whose answers are older than what the cluster said of the workload last. */
    private List<ImageReference> askedBeforeSeen(Tracked one) {
        String namespace = one.workload().id().namespace();
        return one.references().stream()
                .filter(reference -> registries.answer(reference, namespace) instanceof Answer.Resolved resolved
                        && resolved.asked().isBefore(one.seen()))
                .toList();
    }

    private void remember(Tracked one, Plan plan) {
        plan.remember()
                .forEach((container, image) -> memory.remember(one.key(container, image.reference()), image.digest()));
    }

    private void again(Tracked one, Duration delay) {
        one.again = loop.after(delay, () -> touch.accept(one.workload().id()));
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
        } else if (mayAct.getAsBoolean()) {
            decision.warnings().forEach(warning -> announcer.warns(one.workload(), warning));
            Workload planned = one.workload();
            Restart restart = decision.patch();
            Instant at = restart.restartedAt();
            Rollout rollout = new Rollout(at.toString(), planned.id(), decision.reason(), decision.changes(), at);
            rollouts.starting(rollout);
            patches.send(one, Optional.of(decision), reason, () -> cluster.restart(planned, restart), patched -> {
                remember(one, plan);
                one.restarted = Optional.of(decision);
                rollouts.started(planned, rollout, restart.digests(), patched);
            });
        }
    }

    /** What a patch says, and the pushes for which it says that: with the same reason it is sent only if it was undone. */
    private String reason(Tracked one, String text) {
        return one.references().stream()
                .map(reference -> registries
                        .standsSince(reference, one.workload().id().namespace())
                        .toString())
                .collect(Collectors.joining(" ", "", " " + text));
    }

    private void write(Tracked one, WorkloadState state, Runnable written) {
        String reason = reason(one, state.toString());
        Optional<Duration> pause = patches.pause(one, reason);
        if (pause.isPresent()) {
            again(one, pause.get());
        } else if (mayAct.getAsBoolean()) {
            Workload planned = one.workload();
            patches.send(
                    one, Optional.empty(), reason, () -> cluster.remember(planned, state), patched -> written.run());
        }
    }
}
