package io.urunner.agent.plan;

import io.urunner.agent.plan.State.Kind;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.Container;
import io.urunner.kube.Pod;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.RolloutStatus;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.registry.Digest;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.stream.Stream;

/**
 * Determines the state of a workload: a pure function of what is seen of it, its plan and the time. What its pods say takes
 * precedence over what would be done next.
 */
public final class StateRules {
    /** After this time a pod that moved to another node is back, and so is an agent that moved with it. */
    private static final Duration A_MOVE = Duration.ofMinutes(1);

    private final Workload workload;
    private final RolloutStatus rollout;
    private final WorkloadState written;
    private final Plan plan;
    private final Sight sight;
    private final Optional<Trouble> trouble;

    /**
     * What was seen over time.
     *
     * @param rollingOut whether a rollout that we started is followed
     * @param trouble why its pods do not run, as far as this agent saw
     * @param incompleteSince since when not all wanted pods are available, as far as this agent saw
     * @param wasComplete whether this agent saw them all available before
     * @param problem what went wrong the last time it was to be changed, unless that has succeeded since
     * @param patience how long a rollout may take
     * @param before the state before, if there was one
     * @param now the time
     */
    public record Sight(
            boolean rollingOut,
            Optional<Trouble> trouble,
            Optional<Instant> incompleteSince,
            boolean wasComplete,
            Optional<String> problem,
            Duration patience,
            Optional<State> before,
            Instant now) {}

    private StateRules(Workload workload, Plan plan, Sight sight) {
        this.workload = workload;
        this.plan = plan;
        this.sight = sight;
        rollout = workload.rollout();
        written = States.of(workload);
        trouble = sight.trouble().filter(seen -> seen.counts(sight.now()));
    }

    /**
     * Returns the state of a workload.
     *
     * @param workload the workload
     * @param plan its plan
     * @param sight what was seen over time
     * @return the state; its start is the earliest known time
     */
    public static State state(Workload workload, Plan plan, Sight sight) {
        State now = new StateRules(workload, plan, sight).state();
        Optional<Instant> since = Stream.concat(
                        now.since().stream(), sight.before().filter(now::isLike).flatMap(State::since).stream())
                .min(Comparator.naturalOrder());
        return now.since(since.or(() -> Optional.of(sight.now())));
    }

    /**
     * Returns when the state changes by time alone.
     *
     * @param workload the workload
     * @param plan its plan
     * @param sight what was seen over time
     * @return the time, in the future; empty if it does not
     */
    public static Optional<Instant> changesAt(Workload workload, Plan plan, Sight sight) {
        StateRules rules = new StateRules(workload, plan, sight);
        if (ContainerRules.noPodsWanted(workload) || sight.rollingOut()) {
            return Optional.empty();
        }
        return Stream.concat(
                        rules.trouble.map(Trouble::changesAt).stream(),
                        rules.isSettled() ? Stream.empty() : rules.patienceEnds().stream())
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

    /** Whether the pods are as the controllers want them, and will not be replaced. */
    private boolean isSettled() {
        return RolloutProgress.of(workload) instanceof RolloutProgress.Complete
                || ((rollout.paused() || rollout.onDelete()) && rollout.available() >= rollout.desired());
    }

    /** The pods do not become available, or do not stay available. */
    private Optional<State> broken() {
        if (ContainerRules.noPodsWanted(workload)) {
            return Optional.empty();
        }
        Optional<ContainerState> failure = isSettled() && trouble.isEmpty()
                ? Optional.empty()
                : written.containers().values().stream()
                        .filter(container -> container.failed().isPresent()
                                && container.failed().equals(container.acted()))
                        .findFirst();
        return podsSay()
                .or(() -> failure.flatMap(ContainerState::failure))
                .or(this::incomplete)
                .map(words -> broken(words, failure.flatMap(ContainerState::actedAt)));
    }

    private Optional<String> podsSay() {
        return trouble.filter(seen -> !sight.rollingOut() && seen.lasts(sight.now()))
                .map(Trouble::told);
    }

    private Optional<String> incomplete() {
        if (isSettled()
                || sight.rollingOut()
                || patienceEnds().filter(end -> !end.isAfter(sight.now())).isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(rollout.available() + " of " + Phrases.count(rollout.desired(), "pod")
                + (rollout.available() == 1 ? " is" : " are") + " available after "
                + Brief.duration(sight.patience())
                + workload.pods().stream()
                        .filter(pod -> Running.isLive(pod) && !pod.ready())
                        .findFirst()
                        .map(pod -> ": pod " + pod.name() + " is not ready")
                        .orElse(""));
    }

    private State broken(String words, Optional<Instant> since) {
        long old = live().filter(this::isOfOldTemplate).count();
        boolean mixed = !workload.id().kind().keepsOldPods() && old > 0;
        String reason = old == 0
                ? words
                : mixed
                        ? share(old) + ", because the new ones do not become available: " + words
                        : words + "; " + share(old);
        return new State(
                mixed ? Kind.PARTLY_OLD : Kind.FAILED,
                mixed ? "the rollout failed" : "",
                reason,
                since.or(() -> trouble.map(Trouble::since)).or(this::incompleteSince),
                Optional.empty(),
                true);
    }

    /** Since when not all are available; at the first look, since our rollout if that did not make them available. */
    private Optional<Instant> incompleteSince() {
        Optional<Instant> acted = written.lastAct()
                .filter(at -> !sight.wasComplete()
                        && !States.digests(workload).digests().isEmpty()
                        && !States.isOfAWrongClock(at, sight.now()));
        return sight.incompleteSince()
                .map(seen -> acted.filter(at -> at.isBefore(seen)).orElse(seen));
    }

    private Optional<Instant> patienceEnds() {
        return Stream.concat(
                        incompleteSince().map(since -> since.plus(sight.patience())).stream(),
                        sight.incompleteSince().map(seen -> seen.plus(A_MOVE)).stream())
                .max(Comparator.naturalOrder());
    }

    private Optional<State> stillOld() {
        if (!(plan.decision() instanceof Decision.UpToDate done)
                || done.diagnosis().isEmpty()) {
            return Optional.empty();
        }
        long old = old();
        boolean partly = old > 0 && old < live().count();
        return Optional.of(new State(
                partly ? Kind.PARTLY_OLD : Kind.STILL_OLD,
                partly ? "restarted" : "",
                partly ? share(old) + ": " + done.reason() : done.reason(),
                written.lastAct(),
                Optional.empty(),
                true));
    }

    private Optional<State> blocked() {
        if (!(plan.decision() instanceof Decision.Blocked blocked)) {
            return Optional.empty();
        }
        if (blocked.cause() == Blockage.ON_DELETE && !mixed().isEmpty()) {
            return partlyOld();
        }
        if (blocked.cause() == Blockage.HOLD) {
            boolean disturbed = pinned(Pin::isTakenBack);
            return Optional.of(new State(
                    Kind.HELD,
                    disturbed ? "disturbed" : "",
                    blocked.reason(),
                    written.hold().map(WorkloadState.Hold::since),
                    Optional.empty(),
                    disturbed));
        }
        return Optional.of(new State(
                Kind.BLOCKED,
                blocked.cause().words(),
                blocked.reason() + mixed(),
                Optional.empty(),
                Optional.empty(),
                // Every pin would be in vain until somebody does something about it.
                blocked.cause().isTrouble() || pinned((container, state) -> Pin.isKnownNotToLast(state))));
    }

    private boolean pinned(BiPredicate<Container, ContainerState> so) {
        return workload.containers().stream()
                .anyMatch(container -> Optional.ofNullable(written.containers().get(container.name()))
                        .filter(state -> so.test(container, state))
                        .isPresent());
    }

    private Optional<State> waiting() {
        if (plan.decision() instanceof Decision.Restart restart) {
            return Optional.of(sight.problem()
                    .map(problem -> new State(
                            Kind.WAITING,
                            "cannot be changed",
                            restart.reason() + "; " + problem,
                            Optional.empty(),
                            Optional.empty(),
                            true))
                    .orElseGet(() -> well(Kind.WAITING, "to be rolled out", restart.reason())));
        }
        if (!(plan.decision() instanceof Decision.Deferred deferred)
                || deferred.cause().isPassing()) {
            return Optional.empty();
        }
        return Optional.of(new State(
                Kind.WAITING,
                deferred.cause().words(),
                deferred.reason() + mixed(),
                deferred.since(),
                deferred.until(),
                deferred.cause().isTrouble()));
    }

    /** Some pods run the old image, and nothing replaces them, as configured. */
    private Optional<State> partlyOld() {
        long old = old();
        if (old == 0 || sight.rollingOut()) {
            return Optional.empty();
        }
        if (rollout.partition() > 0) {
            return Optional.of(
                    well(Kind.PARTLY_OLD, "partition", share(old) + ", below the partition " + rollout.partition()));
        }
        if (rollout.onDelete()) {
            return Optional.of(well(
                    Kind.PARTLY_OLD,
                    "OnDelete",
                    share(old) + " until somebody deletes them: its strategy is OnDelete"));
        }
        return rollout.paused()
                ? Optional.of(well(Kind.PARTLY_OLD, "paused", share(old) + ", and the Deployment is paused"))
                : Optional.empty();
    }

    private Optional<State> rollingOut() {
        boolean coming = !ContainerRules.noPodsWanted(workload) && !isSettled();
        return sight.rollingOut() || plan.decision() instanceof Decision.InProgress || coming
                ? Optional.of(well(Kind.ROLLING_OUT, "", words()))
                : Optional.empty();
    }

    private String words() {
        if (plan.decision() instanceof Decision.InProgress coming) {
            return coming.reason();
        }
        RolloutProgress progress = RolloutProgress.of(workload);
        if (progress instanceof RolloutProgress.Failed failed) {
            return failed.reason();
        }
        return progress instanceof RolloutProgress.Running running
                ? running.what()
                : plan.decision().reason();
    }

    /** What will be decided in a moment changes nothing. */
    private Optional<State> undecided() {
        return plan.decision() instanceof Decision.UpToDate
                ? Optional.empty()
                : sight.before()
                        .filter(before -> before.kind() == Kind.UP_TO_DATE)
                        .or(() -> Optional.of(
                                well(Kind.UNKNOWN, "", plan.decision().reason())));
    }

    /** How many pods run another image than those of the current template, or than the tag says. */
    private long old() {
        return live().filter(pod -> isOfOldTemplate(pod) || runsOld(pod)).count();
    }

    private boolean isOfOldTemplate(Pod pod) {
        return !pod.ofCurrentRevision() && runsOtherThanNew(pod);
    }

    private boolean runsOld(Pod pod) {
        return plan.verdicts().stream()
                .anyMatch(verdict -> Running.digest(pod, verdict.container())
                        .filter(verdict.old()::contains)
                        .isPresent());
    }

    /** Says how many pods run the old image, if others already run what the tag says; else an empty string. */
    private String mixed() {
        long old = old();
        return old > 0 && old < live().count() ? "; " + share(old) : "";
    }

    private Stream<Pod> live() {
        return workload.pods().stream().filter(Running::isLive);
    }

    private boolean runsOtherThanNew(Pod pod) {
        return plan.verdicts().stream()
                .filter(verdict -> verdict.reference().isPresent())
                .anyMatch(verdict -> Running.digest(pod, verdict.container())
                        .filter(digest -> !verdict.running().contains(digest)
                                && !verdict.digest().map(Digest::toString).equals(Optional.of(digest)))
                        .isPresent());
    }

    private String share(long old) {
        return old + " of " + Phrases.count(live().count(), "pod") + (old == 1 ? " runs" : " run") + " the old image";
    }

    private static State well(Kind kind, String cause, String reason) {
        return new State(kind, cause, reason, Optional.empty(), Optional.empty(), false);
    }
}
