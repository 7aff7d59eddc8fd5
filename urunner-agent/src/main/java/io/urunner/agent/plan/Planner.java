package io.urunner.agent.plan;

import io.urunner.agent.plan.Decision.Blocked;
import io.urunner.agent.plan.Decision.Deferred;
import io.urunner.agent.plan.Decision.InProgress;
import io.urunner.agent.plan.Decision.NotWatched;
import io.urunner.agent.plan.Decision.UpToDate;
import io.urunner.agent.plan.Plan.Remembered;
import io.urunner.agent.plan.Verdict.Kind;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.Container;
import io.urunner.kube.RolloutStatus;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Makes the decision for each workload: a pure function of what is seen, what the registry says, what is remembered, the
 * policies and the time. First the rules determine which containers are stale; then the workload's policies determine
 * whether something may be done about it now. At most one rollout per observed move of a tag, and the last digest always
 * arrives.
 */
public final class Planner {
    private final Facts facts;
    private final Workload workload;
    private final Policy policy;
    private final WorkloadState written;
    private final Hold hold;
    private final List<Verdict> verdicts = new ArrayList<>();

    private Planner(Facts facts) {
        this.facts = facts;
        workload = facts.workload();
        policy = facts.policy().policy();
        written = States.of(workload);
        hold = Hold.of(facts, written);
        for (Container container : workload.containers()) {
            verdicts.add(verdict(container));
        }
    }

    /**
     * Applies the rules to one workload.
     *
     * @param facts what is known
     * @return the planner for it
     */
    public static Planner of(Facts facts) {
        return new Planner(facts);
    }

    /**
     * Plans one workload.
     *
     * @param facts what is known
     * @return the plan
     */
    public static Plan plan(Facts facts) {
        return of(facts).plan();
    }

    /**
     * Returns the digests whose content decides and has not been read yet: it must be read before a plan is made.
     *
     * @return them, by tag and digest; empty if nothing that could be read is missing
     */
    public List<ImageReference> unread() {
        return facts.policy().problems().isEmpty() && !hold.holds()
                ? verdicts.stream()
                        .filter(verdict -> verdict.cause().equals(Optional.of(Deferral.CONTENT_UNREAD)))
                        .map(verdict -> verdict.reference()
                                .orElseThrow()
                                .withDigest(verdict.digest().orElseThrow()))
                        .toList()
                : List.of();
    }

    /**
     * Makes the plan.
     *
     * @return the plan
     */
    public Plan plan() {
        Decision decision = decide();
        return new Plan(workload.id(), decision, verdicts, remember(decision), stateToWrite(decision), hold.notices());
    }

    private Verdict verdict(Container container) {
        ContainerFacts known = facts.containers().get(container.name());
        if (known instanceof ContainerFacts.Tracked tracked) {
            return new ContainerRules(
                            workload,
                            container,
                            tracked,
                            state(container.name(), tracked.reference().toString()),
                            policy,
                            facts.seen(),
                            facts.now())
                    .verdict();
        }
        return known instanceof ContainerFacts.Untracked untracked
                ? untracked(container, Kind.NOT_WATCHED, Optional.empty(), untracked.words())
                : untracked(container, Kind.UNRESOLVED, Optional.of(Deferral.NOT_ASKED_YET), "not checked yet");
    }

    private static Verdict untracked(Container container, Kind kind, Optional<Deferral> cause, String words) {
        return new Verdict(
                container.name(), Optional.empty(), Optional.empty(), Set.of(), Set.of(), kind, cause, words);
    }

    private Decision decide() {
        if (!facts.policy().problems().isEmpty()) {
            return new Blocked(
                    workload.problems().isEmpty() ? Blockage.POLICY : Blockage.TOO_LARGE,
                    String.join("; ", facts.policy().problems()));
        }
        if (hold.holds()) {
            return new Blocked(Blockage.HOLD, hold.words());
        }
        if (verdicts.stream().allMatch(verdict -> verdict.kind() == Kind.NOT_WATCHED)) {
            return new NotWatched(words(Kind.NOT_WATCHED));
        }
        return any(Kind.STALE) ? actOrWait() : rest();
    }

    /** Nothing is stale. */
    private Decision rest() {
        if (any(Kind.REJECTED)) {
            return new Blocked(Blockage.REJECTED, words(Kind.REJECTED));
        }
        if (any(Kind.UNRESOLVED)) {
            return unresolved();
        }
        if (any(Kind.IN_PROGRESS)) {
            return new InProgress(words(Kind.IN_PROGRESS));
        }
        return any(Kind.STILL_OLD)
                ? new UpToDate(words(Kind.STILL_OLD), Optional.of(words(Kind.STILL_OLD)))
                : new UpToDate(words(Kind.UP_TO_DATE), Optional.empty());
    }

    /** Something is stale: everything that a rollout would bring must be right. */
    private Decision actOrWait() {
        Optional<Blocked> blocked = blocked();
        if (blocked.isPresent()) {
            return blocked.get();
        }
        if (any(Kind.UNRESOLVED)) {
            return unresolved();
        }
        Optional<Deferred> deferred = deferred();
        if (deferred.isPresent()) {
            return deferred.get();
        }
        Decision.Restart restart = new RestartBuilder(facts, hold.state(), verdicts, words(Kind.STALE)).build();
        return policy.shadow() ? new Blocked(Blockage.SHADOW, "would be rolled out: " + restart.reason()) : restart;
    }

    private Optional<Blocked> blocked() {
        RolloutStatus rollout = workload.rollout();
        if (any(Kind.REJECTED)) {
            return blocked(Blockage.REJECTED, words(Kind.REJECTED));
        }
        for (Verdict verdict : verdicts) {
            Optional<Quarantine> quarantine = quarantine(verdict);
            if (quarantine.isPresent()) {
                return blocked(
                        Blockage.QUARANTINED,
                        image(verdict) + " failed at " + quarantine.get().workload() + " ("
                                + quarantine.get().failure() + "): it is not rolled out here until the tag moves or "
                                + "'urunner resume " + quarantine.get().workload()
                                + "' lifts it (with --force while its tag has it); new pods still pull it");
            }
        }
        if (facts.missingPermission().isPresent()) {
            return blocked(Blockage.PERMISSION, facts.missingPermission().get());
        }
        if (rollout.paused()) {
            return blocked(Blockage.PAUSED, "the Deployment is paused: resume it with kubectl rollout resume");
        }
        if (rollout.onDelete()) {
            return blocked(
                    Blockage.ON_DELETE, "its update strategy is OnDelete: new pods start when you delete the old ones");
        }
        if (rollout.partition() > 0 && rollout.partition() >= rollout.desired()) {
            return blocked(
                    Blockage.PARTITION,
                    "its partition " + rollout.partition() + " covers "
                            + (rollout.desired() == 1 ? "its only replica" : "all " + rollout.desired() + " replicas"));
        }
        return Optional.empty();
    }

    /** What failed elsewhere and does not run here yet: a rollout for another container would bring it as well. */
    private Optional<Quarantine> quarantine(Verdict verdict) {
        return facts.containers().get(verdict.container()) instanceof ContainerFacts.Tracked tracked
                        && tracked.answer() instanceof Answer.Resolved answer
                        && verdict.kind() != Kind.UNRESOLVED
                        && (verdict.running().isEmpty() || !belongs(verdict, answer, tracked.content()))
                ? Optional.ofNullable(facts.quarantined().get(image(verdict)))
                        .filter(quarantine -> !quarantine.workload().equals(workload.id()))
                : Optional.empty();
    }

    private static Optional<Blocked> blocked(Blockage cause, String words) {
        return Optional.of(new Blocked(cause, words));
    }

    private Deferred unresolved() {
        List<Verdict> unresolved = of(Kind.UNRESOLVED);
        List<Answer.Failed> failures = unresolved.stream()
                .flatMap(verdict -> failure(verdict).stream())
                .toList();
        return new Deferred(
                unresolved.get(0).cause().orElse(Deferral.NOT_ASKED_YET),
                words(Kind.UNRESOLVED),
                failures.stream().map(Answer.Failed::since).min(Comparator.naturalOrder()),
                failures.stream().flatMap(failed -> failed.until().stream()).max(Comparator.naturalOrder()));
    }

    private Optional<Answer.Failed> failure(Verdict verdict) {
        return facts.containers().get(verdict.container()) instanceof ContainerFacts.Tracked tracked
                        && tracked.answer() instanceof Answer.Failed failed
                ? Optional.of(failed)
                : Optional.empty();
    }

    private Optional<Deferred> deferred() {
        Optional<Instant> moved = of(Kind.STALE).stream()
                .map(verdict -> resolved(verdict).since())
                .filter(since -> !States.isOfAWrongClock(since, facts.now()))
                .max(Instant::compareTo);
        Instant settled = moved.map(since -> since.plus(policy.settle())).orElse(Instant.MIN);
        if (settled.isAfter(facts.now())) {
            Instant until = Brief.end(settled);
            return deferred(
                    Deferral.SETTLE,
                    "it must stay unchanged for " + Brief.duration(policy.settle()) + " first, until "
                            + Phrases.time(until),
                    moved,
                    until);
        }
        Optional<Instant> last = hold.state().lastAct().filter(at -> !States.isOfAWrongClock(at, facts.now()));
        Instant cool = last.map(at -> at.plus(policy.cooldown())).orElse(Instant.MIN);
        if (cool.isAfter(facts.now())) {
            Instant until = Brief.end(cool);
            return deferred(
                    Deferral.COOLDOWN,
                    "the cooldown of " + Brief.duration(policy.cooldown()) + " since the last rollout ends at "
                            + Phrases.time(until),
                    last,
                    until);
        }
        return Window.closedUntil(policy.windows(), facts.now())
                .flatMap(opens ->
                        deferred(Deferral.WINDOW, "the next window opens at " + Phrases.time(opens), moved, opens));
    }

    /** What is stale waits; {@code why} says what for. */
    private Optional<Deferred> deferred(Deferral cause, String why, Optional<Instant> since, Instant until) {
        return Optional.of(new Deferred(cause, words(Kind.STALE) + "; " + why, since, Optional.of(until)));
    }

    /** What to remember as P: what runs and belongs to D, what is seen for the first time, what is rolled out. */
    private Map<String, Remembered> remember(Decision decision) {
        boolean acts = decision instanceof Decision.Restart;
        Map<String, Remembered> remember = new HashMap<>();
        for (Verdict verdict : verdicts) {
            if (facts.containers().get(verdict.container()) instanceof ContainerFacts.Tracked tracked
                    && tracked.answer() instanceof Answer.Resolved answer
                    && (acts || isEvident(verdict, answer, tracked))
                    && !tracked.remembered().equals(Optional.of(answer.digest().toString()))) {
                remember.put(verdict.container(), new Remembered(tracked.reference(), answer.digest()));
            }
        }
        return remember;
    }

    private boolean isEvident(Verdict verdict, Answer.Resolved answer, ContainerFacts.Tracked tracked) {
        return verdict.kind() == Kind.UP_TO_DATE
                && !ContainerRules.noPodsWanted(workload)
                && (tracked.remembered().isEmpty()
                        || (!verdict.running().isEmpty() && belongs(verdict, answer, tracked.content())));
    }

    private static boolean belongs(Verdict verdict, Answer.Resolved answer, Content content) {
        return verdict.running().stream()
                .allMatch(digest -> digest.equals(answer.digest().toString())
                        || (content instanceof Content.Known known
                                && known.digests().contains(digest)));
    }

    /** The state to write: a rejection that was discovered, a hold that somebody ended, a failure that has recovered. */
    private Optional<WorkloadState> stateToWrite(Decision decision) {
        if (decision instanceof Decision.Restart
                || policy.shadow()
                || !facts.policy().problems().isEmpty()) {
            return Optional.empty();
        }
        WorkloadState next = hold.state();
        for (int i = 0; i < verdicts.size(); i++) {
            Verdict verdict = verdicts.get(i);
            Container container = workload.containers().get(i);
            ContainerState before = verdict.reference()
                    .map(reference -> state(verdict.container(), reference.toString()))
                    .orElse(null);
            Optional<String> digest = verdict.digest().map(Digest::toString);
            if (before == null) {
                continue;
            }
            Optional<String> opponent = Pin.opponent(workload, container, before, policy);
            if (Pin.isBack(workload, container, before, policy)) {
                if (!hold.holds() && !Pin.isRejected(before)) {
                    next = States.with(
                            next,
                            verdict.container(),
                            States.rejected(before, before.acted(), Optional.of(States.lastManager(workload))));
                }
            } else if (opponent.isPresent()) {
                if (!hold.holds() && !Pin.isKnownNotToLast(before)) {
                    next = States.with(next, verdict.container(), States.rejected(before, before.acted(), opponent));
                }
            } else if (verdict.kind() == Kind.REJECTED && !before.rejected().equals(digest)) {
                ContainerState undone = Pin.isTakenBack(container, before) ? States.unpinned(before) : before;
                next = States.with(
                        next,
                        verdict.container(),
                        States.rejected(undone, digest, Optional.of(States.lastManager(workload))));
            } else if ((before.failed().isPresent() || before.failure().isPresent())
                    && before.failed().or(before::acted).equals(digest)
                    && verdict.kind() == Kind.UP_TO_DATE
                    && !verdict.running().isEmpty()
                    && workload.rollout().complete()) {
                next = States.with(next, verdict.container(), States.healed(before));
            }
        }
        return next.equals(written) ? Optional.empty() : Optional.of(next);
    }

    private ContainerState state(String container, String reference) {
        return States.of(hold.state(), container, reference);
    }

    private Answer.Resolved resolved(Verdict verdict) {
        if (facts.containers().get(verdict.container()) instanceof ContainerFacts.Tracked tracked
                && tracked.answer() instanceof Answer.Resolved resolved) {
            return resolved;
        }
        throw new IllegalStateException("container " + verdict.container() + " is stale without an answer");
    }

    private boolean any(Kind kind) {
        return verdicts.stream().anyMatch(verdict -> verdict.kind() == kind);
    }

    private List<Verdict> of(Kind kind) {
        return verdicts.stream().filter(verdict -> verdict.kind() == kind).toList();
    }

    private static ImageDigest image(Verdict verdict) {
        return ImageDigest.of(
                verdict.reference().orElseThrow(), verdict.digest().orElseThrow());
    }

    private String words(Kind kind) {
        return of(kind).stream()
                .map(verdict -> "container " + verdict.container() + ": " + verdict.words())
                .collect(Collectors.joining("; "));
    }
}
