package io.urunner.agent.plan;

import io.urunner.agent.plan.State.Kind;
import io.urunner.kube.Pod;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.RolloutStatus;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Says how a workload is: a pure function of what is seen of it, its plan and the time. What its pods say comes before what
 * would be done next.
 */
public final class StateRules {
    /** A pull that fails may work the next time. */
    private static final Duration TROUBLE_LASTS = Duration.ofSeconds(20);

    private final Workload workload;
    private final RolloutStatus rollout;
    private final WorkloadState written;
    private final Plan plan;
    private final Sight sight;

    /**
     * What was seen over time.
     *
     * @param rollingOut whether a rollout that we started is followed
     * @param troubleSince since when its pods are in trouble, as far as this agent saw it
     * @param incompleteSince since when not all that are wanted are available, as far as this agent saw it
     * @param patience how long a rollout may take
     * @param before the state before, if there was one
     * @param now the time
     */
    public record Sight(
            boolean rollingOut,
            Optional<Instant> troubleSince,
            Optional<Instant> incompleteSince,
            Duration patience,
            Optional<State> before,
            Instant now) {}

    private StateRules(Workload workload, Plan plan, Sight sight) {
        this.workload = workload;
        this.plan = plan;
        this.sight = sight;
        rollout = workload.rollout();
        written = States.of(workload);
    }

    /**
     * The state of a workload.
     *
     * @param workload the workload
     * @param plan its plan
     * @param sight what was seen over time
     * @return the state; its time of beginning is the earliest that is known
     */
    public static State state(Workload workload, Plan plan, Sight sight) {
        State now = new StateRules(workload, plan, sight).state();
        Optional<Instant> since = Stream.concat(
                        now.since().stream(), sight.before().filter(now::isLike).flatMap(State::since).stream())
                .min(Comparator.naturalOrder());
        return now.since(since.or(() -> Optional.of(sight.now())));
    }

    /**
     * When the state becomes another one by time alone.
     *
     * @param workload the workload
     * @param plan its plan
     * @param sight what was seen over time
     * @return the time, in the future; empty if it does not
     */
    public static Optional<Instant> changesAt(Workload workload, Plan plan, Sight sight) {
        StateRules rules = new StateRules(workload, plan, sight);
        if (rules.isThrough() || sight.rollingOut()) {
            return Optional.empty();
        }
        return Stream.concat(
                        sight.troubleSince().map(since -> since.plus(TROUBLE_LASTS)).stream(),
                        rules.incompleteSince().map(since -> since.plus(sight.patience())).stream())
                .filter(sight.now()::isBefore)
                .min(Comparator.naturalOrder());
    }

    private State state() {
        Decision decision = plan.decision();
        if (decision instanceof Decision.NotWatched) {
            return well(Kind.NOT_WATCHED, "", decision.reason());
        }
        return broken().or(this::stillOld)
                .or(this::blocked)
                .or(this::waiting)
                .or(this::partlyOld)
                .or(this::rollingOut)
                .or(this::undecided)
                .orElseGet(() -> well(Kind.UP_TO_DATE, "", decision.reason()));
    }

    /** Whether the controllers are through with the template, or are not to go on with it. */
    private boolean isThrough() {
        return ContainerRules.noPodsWanted(workload)
                || rollout.paused()
                || RolloutProgress.of(workload) instanceof RolloutProgress.Complete;
    }

    /** The pods of the template do not become available. */
    private Optional<State> broken() {
        if (isThrough()) {
            return Optional.empty();
        }
        Optional<String> podsSay = RolloutProgress.of(workload) instanceof RolloutProgress.Failed failed
                        && !sight.rollingOut()
                        && hasPassed(sight.troubleSince(), TROUBLE_LASTS)
                ? Optional.of(failed.reason())
                : Optional.empty();
        Optional<ContainerState> failure = written.containers().values().stream()
                .filter(container ->
                        container.failed().isPresent() && container.failed().equals(container.acted()))
                .findFirst();
        Optional<String> reason = podsSay.or(() -> failure.flatMap(ContainerState::failure))
                .or(() -> !sight.rollingOut() && hasPassed(incompleteSince(), sight.patience())
                        ? Optional.of(rollout.available() + " of " + rollout.desired() + " pods are available after "
                                + Brief.duration(sight.patience()))
                        : Optional.empty());
        return reason.map(words -> broken(words, failure.flatMap(ContainerState::actedAt)));
    }

    private State broken(String words, Optional<Instant> since) {
        boolean mixed = workload.id().kind() != WorkloadKind.DEPLOYMENT && old() > 0;
        String reason = old() == 0
                ? words
                : mixed ? share() + ", because the new ones do not become available: " + words : words + "; " + share();
        return new State(
                mixed ? Kind.PARTLY_OLD : Kind.FAILED,
                mixed ? "the rollout failed" : "",
                reason,
                since.or(sight::troubleSince).or(this::incompleteSince),
                Optional.empty(),
                true);
    }

    private Optional<Instant> incompleteSince() {
        Optional<Instant> acted = written.lastAct()
                .filter(at ->
                        !States.digests(workload).digests().isEmpty() && !States.isOfAWrongClock(at, sight.now()));
        return sight.incompleteSince()
                .map(seen -> acted.filter(at -> at.isBefore(seen)).orElse(seen));
    }

    private boolean hasPassed(Optional<Instant> since, Duration time) {
        return since.filter(at -> !at.plus(time).isAfter(sight.now())).isPresent();
    }

    private Optional<State> stillOld() {
        return plan.decision() instanceof Decision.UpToDate done
                        && done.diagnosis().isPresent()
                ? Optional.of(new State(Kind.STILL_OLD, "", done.reason(), written.lastAct(), Optional.empty(), true))
                : Optional.empty();
    }

    private Optional<State> blocked() {
        if (!(plan.decision() instanceof Decision.Blocked blocked)) {
            return Optional.empty();
        }
        if (blocked.cause() == Blockage.HOLD) {
            return Optional.of(new State(
                    Kind.HELD,
                    "",
                    blocked.reason(),
                    written.hold().map(WorkloadState.Hold::since),
                    Optional.empty(),
                    false));
        }
        return Optional.of(new State(
                Kind.BLOCKED,
                blocked.cause().words(),
                blocked.reason(),
                Optional.empty(),
                Optional.empty(),
                blocked.cause().isTrouble()));
    }

    private Optional<State> waiting() {
        if (plan.decision() instanceof Decision.Restart restart) {
            return Optional.of(well(Kind.WAITING, "to be rolled out", restart.reason()));
        }
        if (!(plan.decision() instanceof Decision.Deferred deferred)
                || deferred.cause().isPassing()) {
            return Optional.empty();
        }
        return Optional.of(new State(
                Kind.WAITING,
                deferred.cause().words(),
                deferred.reason(),
                deferred.since(),
                deferred.until(),
                deferred.cause().isTrouble()));
    }

    /** Some pods are of an older template, and nothing replaces them: that is how it was set. */
    private Optional<State> partlyOld() {
        if (old() == 0 || sight.rollingOut()) {
            return Optional.empty();
        }
        if (rollout.partition() > 0) {
            return Optional.of(
                    well(Kind.PARTLY_OLD, "partition", share() + ", below the partition " + rollout.partition()));
        }
        if (rollout.onDelete()) {
            return Optional.of(well(
                    Kind.PARTLY_OLD, "OnDelete", share() + " until somebody deletes them: its strategy is OnDelete"));
        }
        return rollout.paused()
                ? Optional.of(well(Kind.PARTLY_OLD, "paused", share() + ", and the Deployment is paused"))
                : Optional.empty();
    }

    private Optional<State> rollingOut() {
        return sight.rollingOut() || plan.decision() instanceof Decision.InProgress || !rollout.observed()
                ? Optional.of(well(Kind.ROLLING_OUT, "", words()))
                : Optional.empty();
    }

    private String words() {
        if (plan.decision() instanceof Decision.InProgress coming) {
            return coming.reason();
        }
        return RolloutProgress.of(workload) instanceof RolloutProgress.Running running
                ? running.what()
                : plan.decision().reason();
    }

    /** What is decided in a moment changes nothing. */
    private Optional<State> undecided() {
        return plan.decision() instanceof Decision.UpToDate
                ? Optional.empty()
                : sight.before()
                        .filter(before -> before.kind() == Kind.UP_TO_DATE)
                        .or(() -> Optional.of(
                                well(Kind.UNKNOWN, "", plan.decision().reason())));
    }

    /** How many pods are of an older template and run another image than those of the current one. */
    private long old() {
        return live().filter(pod -> !pod.ofCurrentRevision() && runsOtherThanNew(pod))
                .count();
    }

    private Stream<Pod> live() {
        return workload.pods().stream().filter(Running::isLive);
    }

    private boolean runsOtherThanNew(Pod pod) {
        return plan.verdicts().stream()
                .filter(verdict -> verdict.reference().isPresent())
                .anyMatch(verdict -> Running.digest(pod, verdict.container())
                        .filter(digest -> !verdict.running().contains(digest)
                                && !verdict.digest().equals(Optional.of(digest)))
                        .isPresent());
    }

    private String share() {
        return old() + " of " + live().count() + " pods " + (old() == 1 ? "runs" : "run") + " the old image";
    }

    private static State well(Kind kind, String cause, String reason) {
        return new State(kind, cause, reason, Optional.empty(), Optional.empty(), false);
    }
}
