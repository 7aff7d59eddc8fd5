package io.urunner.agent.plan;

import io.urunner.agent.plan.Answer.Resolved;
import io.urunner.agent.plan.Verdict.Kind;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.Container;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.registry.Digest;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Determines whether one container of a workload is stale. The rules are in the order in which they are applied; the first
 * that matches decides. The letters: D is the registry's digest, E(D) what it stands for, R what runs, A what the template
 * says that we acted on, P what the store remembers.
 */
final class ContainerRules {
    private final Workload workload;
    private final Container container;
    private final ContainerFacts.Tracked facts;
    private final ContainerState state;
    private final Policy policy;
    private final Instant seen;
    private final Instant now;

    private final String reference;
    private final Running running;
    private final Optional<String> acted;
    private final Optional<String> remembered;
    private final Optional<String> opponent;
    private final boolean pinIsBack;

    ContainerRules(
            Workload workload,
            Container container,
            ContainerFacts.Tracked facts,
            ContainerState state,
            Policy policy,
            Instant seen,
            Instant now) {
        this.workload = workload;
        this.container = container;
        this.facts = facts;
        this.state = state;
        this.policy = policy;
        this.seen = seen;
        this.now = now;
        reference = facts.reference().toString();
        running = Running.of(workload, container.name());
        acted = States.digests(workload).digest(container.name(), reference);
        // what the workload itself remembers replaces a store that was lost
        remembered = facts.remembered().or(state::acted);
        opponent = Pin.opponent(workload, container, state, policy);
        pinIsBack = Pin.isBack(workload, container, state, policy);
    }

    Verdict verdict() {
        if (pinIsBack) {
            return pinBroughtBack();
        }
        if (noPodsWanted(workload)) { // rule 1
            return verdict(Kind.UP_TO_DATE, "no pods are wanted; new ones will pull whatever the tag points to then");
        }
        if (facts.answer() instanceof Answer.Failed failed) {
            return unresolved(
                    failed.reason(),
                    failed.words() + ", since " + Phrases.time(failed.since())
                            + failed.until()
                                    .map(until -> ", asked again at " + Phrases.time(until))
                                    .orElse(""));
        }
        if (!(facts.answer() instanceof Resolved answer)) {
            return unresolved(Deferral.NOT_ASKED_YET, "the registry has not been asked for " + reference + " yet");
        }
        if (mustBeConfirmed(answer)) {
            return unresolved(
                    Deferral.UNCONFIRMED,
                    reference + " has " + Brief.digest(answer.digest())
                            + " again, which it had before: it counts when a second pass sees it, too");
        }
        if (askedBeforeTheAct(answer)) {
            return unresolved(
                    Deferral.ANSWER_TOO_OLD,
                    "the last answer, " + image(answer)
                            + ", is older than the rollout of another digest: the next answer decides");
        }
        return running.digests().isEmpty() ? withoutEvidence(answer) : withEvidence(answer);
    }

    private Verdict withEvidence(Resolved answer) {
        return switch (compare(answer.digest().toString())) {
            case CURRENT -> // rule 2
                verdict(Kind.UP_TO_DATE, "runs " + Brief.digest(answer.digest()));
            case UNREAD ->
                unresolved(
                        Deferral.CONTENT_UNREAD,
                        "what runs is compared with the content of " + image(answer) + ", which has not been read yet");
            case UNKNOWN ->
                actedFor(answer) && opponent.isEmpty()
                        ? verdict(Kind.UP_TO_DATE, "was rolled out for " + Brief.digest(answer.digest()))
                        : unresolved(
                                Deferral.CONTENT_UNKNOWN,
                                "whether " + Brief.digests(running.digests()) + " belongs to " + image(answer)
                                        + " is not known: " + unavailable());
            case OLD -> old(answer);
        };
    }

    /** Pods of the current revision run something other than D. */
    private Verdict old(Resolved answer) {
        if (opponent.isPresent()) {
            return pinTakenBack(opponent.get());
        }
        if (actedFor(answer)) { // rule 3
            return afterTheAct(answer);
        }
        if (takenBack(answer)) { // rule 4
            return rejected(answer);
        }
        if (acted.isPresent()) { // rule 5
            return moved(acted, answer);
        }
        if (rolloutInProgress()) { // rule 6
            return inProgress();
        }
        if (policy.firstSight() == Policy.FirstSight.ADOPT) { // rule 7
            return byMemory(answer);
        }
        return answeredBeforeThePods(answer)
                ? askAgain(answer)
                : stale(
                        answer,
                        "the pods run " + Brief.digests(others(answer.digest().toString())));
    }

    /** No pod of the current revision says what it runs. */
    private Verdict withoutEvidence(Resolved answer) {
        if (opponent.isPresent()) {
            return pinTakenBack(opponent.get());
        }
        if (actedFor(answer)) { // rule 3
            return workload.rollout().complete()
                    ? verdict(Kind.UP_TO_DATE, "was rolled out for " + Brief.digest(answer.digest()))
                    : inProgress();
        }
        if (takenBack(answer)) { // rule 4
            return rejected(answer);
        }
        if (!workload.rollout().observed()) {
            // Any change of an annotation hides what runs for a moment.
            return inProgress();
        }
        if (acted.isPresent()) { // rule 5
            return moved(acted, answer);
        }
        if (rolloutInProgress()) { // rule 6
            return inProgress();
        }
        return byMemory(answer); // rule 8
    }

    static boolean noPodsWanted(Workload workload) {
        return workload.rollout().desired() == 0
                && (workload.id().kind().hasReplicas() || workload.rollout().observed());
    }

    private boolean mustBeConfirmed(Resolved answer) {
        return !answer.counts()
                || (answer.passes() < 2
                        && state.replaced().contains(answer.digest().toString()));
    }

    /**
     * Whether somebody, such as another agent by mistake, acted on another digest after the registry gave this answer.
     * Clocks may differ a little; a time far in the future comes from a wrong clock and says nothing.
     */
    private boolean askedBeforeTheAct(Resolved answer) {
        return !state.acted().equals(Optional.of(answer.digest().toString()))
                && state.actedAt()
                        .filter(at -> at.isAfter(answer.asked()) && !States.isOfAWrongClock(at, now))
                        .isPresent();
    }

    private boolean actedFor(Resolved answer) {
        return acted.isPresent() && acted.get().equals(answer.digest().toString());
    }

    private Verdict afterTheAct(Resolved answer) {
        if (!(facts.content() instanceof Content.Known)) {
            return verdict(Kind.UP_TO_DATE, "was rolled out for " + Brief.digest(answer.digest()));
        }
        Set<String> old = others(answer.digest().toString());
        Set<String> strangers = new TreeSet<>(old);
        strangers.removeAll(state.replaced());
        boolean cameBack = !strangers.isEmpty() || movedSinceTheAct(answer);
        if (cameBack && container.pullPolicy().equals("Always")) {
            return answeredBeforeThePods(answer)
                    ? askAgain(answer)
                    : stale(answer, "the tag left and came back, and the pods run " + Brief.digests(old));
        }
        if (!workload.rollout().complete()) {
            return inProgress();
        }
        if (Pin.wanted(policy, container) && state.originalImage().isEmpty()) {
            return stale(answer, "the restart did not bring it, so it is pinned");
        }
        return verdict(
                Kind.STILL_OLD,
                "was restarted for " + Brief.digest(answer.digest()) + ", and the pods still report "
                        + Brief.digests(old) + ": " + StillOld.causeAndRemedy(container));
    }

    /**
     * Whether the template does not say that we acted for D, although we did, and D has not moved: an undo, a Helm rollback, a
     * self-heal.
     */
    private boolean takenBack(Resolved answer) {
        Optional<String> digest = Optional.of(answer.digest().toString());
        return (state.acted().equals(digest) || state.rejected().equals(digest)) && !movedSinceTheAct(answer);
    }

    /** A pin does not last here, so it is not retried: neither for this digest nor for the next one. */
    private Verdict pinTakenBack(String manager) {
        return rolloutInProgress()
                ? inProgress()
                : verdict(
                        Kind.REJECTED,
                        manager + " put the tag back where " + reference
                                + " was pinned to its digest, so nodes that have the tag run the old image; it is not pinned"
                                + " again: let " + manager + " leave the image alone and run 'urunner resume "
                                + workload.id() + "', or set imagePullPolicy: Always");
    }

    /** The template names a digest: new pods do not pull the tag, whatever it points to. */
    private Verdict pinBroughtBack() {
        String manager = Pin.isRejected(state) ? state.rejectedBy().orElseThrow() : States.lastManager(workload);
        return verdict(
                Kind.REJECTED,
                manager + " put back a pin of ours, " + Pin.pinned(container).orElseThrow()
                        + ", so no push is rolled out: 'urunner resume " + workload.id() + "' follows " + reference
                        + " again");
    }

    private boolean movedSinceTheAct(Resolved answer) {
        return answer.otherSeen().isPresent()
                && state.actedAt().isPresent()
                && answer.otherSeen().get().isAfter(state.actedAt().get());
    }

    private boolean rolloutInProgress() {
        return !workload.rollout().observed()
                || running.pods() == 0
                || running.coming() > 0
                || (running.stuck() > 0 && running.digests().isEmpty());
    }

    /** Decides by what the store remembers. */
    private Verdict byMemory(Resolved answer) {
        if (remembered.isEmpty()) {
            return verdict(
                    Kind.UP_TO_DATE,
                    "seen for the first time: " + Brief.digest(answer.digest()) + " is the starting point");
        }
        return remembered.get().equals(answer.digest().toString())
                ? verdict(Kind.UP_TO_DATE, "the tag has not moved from " + Brief.digest(answer.digest()))
                : moved(remembered, answer);
    }

    /**
     * The pods changed after the registry was asked: they may run a digest that is newer than its answer. Only the next
     * answer can tell.
     */
    private boolean answeredBeforeThePods(Resolved answer) {
        return answer.asked().isBefore(seen) && !States.isOfAWrongClock(seen, now);
    }

    private enum Comparison {
        CURRENT,
        OLD,
        UNREAD,
        UNKNOWN
    }

    private Comparison compare(String digest) {
        Set<String> others = new TreeSet<>(running.digests());
        others.remove(digest);
        if (others.isEmpty()) {
            return Comparison.CURRENT;
        }
        if (facts.content() instanceof Content.Known known) {
            return known.digests().containsAll(others) ? Comparison.CURRENT : Comparison.OLD;
        }
        if (facts.content() instanceof Content.Unread) {
            return Comparison.UNREAD;
        }
        // what we acted on or remembered for this reference before is another digest from the registry itself
        return others.stream().anyMatch(this::knownFromBefore) ? Comparison.OLD : Comparison.UNKNOWN;
    }

    private boolean knownFromBefore(String digest) {
        Optional<String> one = Optional.of(digest);
        return acted.equals(one)
                || state.acted().equals(one)
                || facts.remembered().equals(one)
                || state.replaced().contains(digest);
    }

    /** The digests that run and do not belong to D. */
    private Set<String> others(String digest) {
        Set<String> others = new TreeSet<>(running.digests());
        others.remove(digest);
        if (facts.content() instanceof Content.Known known) {
            others.removeAll(known.digests());
        }
        return others;
    }

    private Verdict moved(Optional<String> from, Resolved answer) {
        return verdict(
                Kind.STALE,
                reference + " moved from " + from.map(Brief::digest).orElse("an unknown digest") + " to "
                        + Brief.digest(answer.digest()));
    }

    private Verdict stale(Resolved answer, String what) {
        return verdict(Kind.STALE, reference + " is " + Brief.digest(answer.digest()) + " now; " + what);
    }

    private Verdict askAgain(Resolved answer) {
        return unresolved(
                Deferral.ANSWER_TOO_OLD,
                "the pods changed after " + image(answer) + " was asked for: the next answer decides");
    }

    private Verdict rejected(Resolved answer) {
        return verdict(
                Kind.REJECTED,
                "our rollout of " + image(answer) + " was reverted by "
                        + state.rejectedBy().orElseGet(() -> States.lastManager(workload))
                        + "; it is not retried until the tag moves");
    }

    private Verdict inProgress() {
        return verdict(
                Kind.IN_PROGRESS,
                "the rollout of the current template is in progress: "
                        + workload.rollout().updated() + " of "
                        + Phrases.count(workload.rollout().desired(), "pod")
                        + (workload.rollout().updated() == 1 ? " is" : " are") + " updated, "
                        + workload.rollout().available() + " available");
    }

    private String unavailable() {
        return facts.content() instanceof Content.Unavailable why ? why.words() : "not read yet";
    }

    private String image(Resolved answer) {
        return ImageDigest.of(facts.reference(), answer.digest()).toString();
    }

    private Verdict unresolved(Deferral cause, String words) {
        return verdict(Kind.UNRESOLVED, Optional.of(cause), words);
    }

    private Verdict verdict(Kind kind, String words) {
        return verdict(kind, Optional.empty(), words);
    }

    private Verdict verdict(Kind kind, Optional<Deferral> cause, String words) {
        Optional<Digest> digest =
                facts.answer() instanceof Resolved answer ? Optional.of(answer.digest()) : Optional.empty();
        boolean compared = kind == Kind.STALE || kind == Kind.STILL_OLD || kind == Kind.REJECTED;
        return new Verdict(
                container.name(),
                Optional.of(facts.reference()),
                digest,
                running.digests(),
                compared ? digest.map(Digest::toString).map(this::others).orElse(Set.of()) : Set.of(),
                kind,
                cause,
                words);
    }
}
