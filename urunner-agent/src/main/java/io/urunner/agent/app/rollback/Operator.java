package io.urunner.agent.app.rollback;

import io.urunner.agent.Rollout;
import io.urunner.agent.history.RolloutRecords;
import io.urunner.agent.plan.Brief;
import io.urunner.agent.plan.Content;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.Intervention;
import io.urunner.agent.plan.Intervention.Followed;
import io.urunner.agent.plan.Intervention.Target;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.Standing;
import io.urunner.agent.plan.Verification;
import io.urunner.agent.tags.ImageReader;
import io.urunner.agent.text.Phrases;
import io.urunner.agent.text.Printable;
import io.urunner.agent.text.Remedies;
import io.urunner.kube.KubeEvents;
import io.urunner.kube.KubeException;
import io.urunner.kube.PatchResult;
import io.urunner.kube.Restart;
import io.urunner.kube.Restarter;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TrackedContainer;
import io.urunner.store.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Rolls workloads back, and resumes them. A request is checked before anything is changed; then there is one patch,
 * whose rollout is followed to its end. After an interruption, the same request continues where the last one stopped.
 * For one thread.
 */
public final class Operator {
    private static final int CONFLICTS = 5;
    private static final int RECENT = 20;
    private static final int LONGEST_CAUSE = 512;
    private static final int NAMED = 3;
    private static final int ASKED_FOR = 10;
    private static final String RESUMED = "resumed by ";

    private final Surroundings with;
    private final Histories histories;
    private final Person person;
    private final Consumer<String> tell;

    /**
     * Who acts, and why, for the people who find the workload held.
     *
     * @param name the person's name
     * @param reason why, if given
     */
    public record Person(String name, Optional<String> reason) {
        /** For people, for example {@code anna because it crashes}. */
        @Override
        public String toString() {
            return name + reason.map(why -> " because " + why).orElse("");
        }
    }

    /**
     * An operator.
     *
     * @param with its surroundings
     * @param person who acts
     * @param tell receives what happens, in lines for people
     */
    public Operator(Surroundings with, Person person, Consumer<String> tell) {
        this.with = with;
        this.person = person;
        this.tell = tell;
        Set<String> warnings = new HashSet<>();
        histories = new Histories(with, warning -> {
            if (warnings.add(warning)) {
                tell.accept(warning);
            }
        });
    }

    /**
     * A request for a rollback.
     *
     * @param container the container; empty if the workload follows only one tag
     * @param to the digest to go back to
     * @param untilNextPush whether the hold ends by itself when the tag moves
     * @param force whether to accept a digest that failed here
     * @param dryRun whether only to say what would be done
     * @param timeout how long to follow the rollout
     */
    public record Request(
            Optional<String> container,
            Goal to,
            boolean untilNextPush,
            boolean force,
            boolean dryRun,
            Duration timeout) {}

    /**
     * The result of a request.
     *
     * @param words what was done, or would be done, in a sentence
     * @param changed whether the workload was changed
     * @param patch the patch that would be sent, as JSON; only for a dry run, and if there is something to send
     * @param outcome how the rollout ended; empty if nothing was rolled out
     */
    public record Result(String words, boolean changed, Optional<String> patch, Optional<Outcome> outcome) {}

    /**
     * Takes a workload back to a digest that its tag had, and holds it there.
     *
     * @param id the workload
     * @param request the request
     * @return the result
     * @throws RefusedException if it cannot be carried out; nothing was changed then
     * @throws KubeException if the API server refused or could not be reached
     * @throws InterruptedException if the thread is interrupted
     */
    public Result rollback(WorkloadId id, Request request)
            throws RefusedException, KubeException, InterruptedException {
        return change(id, request.dryRun(), request.timeout(), (workload, note) -> {
            if (workload.rollout().paused()) {
                throw RefusedException.hindered(
                        id + " is paused, so nothing would be rolled out: continue it with 'kubectl rollout resume'");
            }
            Map<String, Target> targets = new HashMap<>();
            for (Followed container : chosen(workload, request.container())) {
                targets.put(container.container().name(), target(workload, container, request, note));
            }
            return Intervention.rollback(
                    workload, targets, person.name(), person.reason(), request.untilNextPush(), with.now());
        });
    }

    /**
     * Ends a hold, which restores the original text of the images, and lifts the quarantine of digests that failed
     * here. A pin of ours that somebody put back is removed, too.
     *
     * @param id the workload
     * @param force whether to roll out again what failed here
     * @param dryRun whether only to say what would be done
     * @param timeout how long to follow the rollout
     * @return the result
     * @throws RefusedException if it cannot be carried out; nothing was changed then
     * @throws KubeException if the API server refused or could not be reached
     * @throws InterruptedException if the thread is interrupted
     */
    public Result resume(WorkloadId id, boolean force, boolean dryRun, Duration timeout)
            throws RefusedException, KubeException, InterruptedException {
        return change(id, dryRun, timeout, (workload, note) -> {
            Map<String, String> tagNow = new HashMap<>();
            for (Followed container : Intervention.followed(workload)) {
                if (container.isToBeResumed() || (!force && container.failed().isPresent())) {
                    String now = tagNow(container.reference());
                    if (!force) {
                        refuseWhatFailed(workload, container, now);
                    }
                    if (container.isToBeResumed()) {
                        histories
                                .neverWell(workload, container, now)
                                .ifPresent(outcome -> note.accept(Brief.digest(now)
                                        + " was never seen running well here (its last rollout: " + outcome + ")"));
                        tagNow.put(container.container().name(), now);
                    }
                }
            }
            return Intervention.resume(workload, tagNow, with.now());
        });
    }

    private void refuseWhatFailed(Workload workload, Followed container, String now) throws RefusedException {
        Optional<TagHistory.Failure> failure =
                container.isToBeResumed() || container.failed().equals(Optional.of(now))
                        ? Optional.ofNullable(
                                histories.of(workload, container).failures().get(now))
                        : Optional.empty();
        if (failure.isPresent()) {
            throw RefusedException.hindered("the rollout of "
                    + new ImageDigest(container.reference().toString(), now) + " " + failure.get()
                    + ", and the tag still has it: push a fixed image, or roll this one out again with --force");
        }
    }

    private interface Planning {
        /** Plans the change; {@code note} receives remarks about it. */
        Intervention plan(Workload workload, Consumer<String> note)
                throws RefusedException, KubeException, InterruptedException;
    }

    private Result change(WorkloadId id, boolean dryRun, Duration timeout, Planning planning)
            throws RefusedException, KubeException, InterruptedException {
        for (int attempt = 1; attempt <= CONFLICTS; attempt++) {
            Workload workload = with.read(id).orElseThrow(() -> RefusedException.notThere(id, with));
            if (!workload.problems().isEmpty()) {
                throw RefusedException.hindered(id + ": " + String.join("; ", workload.problems()));
            }
            StringBuilder notes = new StringBuilder();
            Intervention planned = planning.plan(
                    histories.spelled(workload), note -> notes.append("; ").append(note));
            if (planned.isDone()) {
                String words = planned.restart()
                        .state()
                        .hold()
                        .map(hold -> "it is already held there, since " + Phrases.time(hold.since()) + " by "
                                + responsible(hold) + ": " + words(planned))
                        .orElse(id + " is not held, and has no quarantined digest");
                tell.accept(words);
                return new Result(
                        words, false, Optional.empty(), dryRun ? Optional.empty() : finish(workload, timeout));
            }
            String words = words(planned) + notes;
            Restart restart = planned.rollsOut()
                    ? planned.restart().because(Printable.line(Workload.OUR_CAUSE + cause(planned), LONGEST_CAUSE))
                    : planned.restart();
            if (dryRun) {
                String patch = planned.rollsOut()
                        ? Restarter.describe(workload, restart)
                        : Restarter.describe(workload, restart.state());
                return new Result(words, false, Optional.of(patch), Optional.empty());
            }
            PatchResult result = planned.rollsOut()
                    ? with.cluster().restart(workload, restart)
                    : with.cluster().remember(workload, restart.state());
            if (result instanceof PatchResult.Patched patched) {
                tell.accept(words);
                event(planned, words);
                return new Result(
                        words,
                        true,
                        Optional.empty(),
                        planned.rollsOut() ? Optional.of(follow(planned, patched, timeout)) : Optional.empty());
            }
            if (result instanceof PatchResult.Gone) {
                throw RefusedException.hindered(id + " was deleted in the meantime");
            }
        }
        throw RefusedException.hindered(
                id + " was changed by somebody else " + CONFLICTS + " times in a row while this command ran");
    }

    private static boolean isBack(Intervention planned) {
        return planned.restart().state().hold().isPresent();
    }

    /** The cause that {@code kubectl rollout history} shows for the new revision. */
    private String cause(Intervention planned) {
        String digests = planned.changes().stream()
                .map(change -> Brief.digest(change.to()))
                .distinct()
                .collect(Collectors.joining(", "));
        return isBack(planned) ? "rolled back to " + digests + " by " + person : RESUMED + person + ": " + digests;
    }

    /** Writes an Event; if that is not allowed, the hold on the workload still says the same. */
    private void event(Intervention planned, String words) {
        try {
            with.events()
                    .write(
                            planned.workload(),
                            KubeEvents.Type.NORMAL,
                            isBack(planned) ? "RolledBack" : "Resumed",
                            Printable.line((isBack(planned) ? "rolled back by " : RESUMED) + person + ": " + words));
        } catch (KubeException e) {
            tell.accept("warning: the Event could not be written: " + e.getMessage());
        }
    }

    private static String words(Intervention planned) {
        WorkloadState state = planned.restart().state();
        String changes = planned.changes().stream()
                .map(change -> "container " + change.container() + ": " + change.reference()
                        + change.from()
                                .map(from -> " from " + Brief.digest(from) + " to ")
                                .orElse(" stays at ")
                        + Brief.digest(change.to()))
                .collect(Collectors.joining("; "));
        StringBuilder words =
                new StringBuilder(changes.isEmpty() ? planned.workload().id().toString() : changes);
        if (state.hold().isPresent()) {
            WorkloadState.Hold hold = state.hold().get();
            words.append(hold.untilNextPush() ? "; held until the next push" : "; held");
            Intervention.hold(planned.workload())
                    .map(Operator::responsible)
                    .filter(before -> !before.equals(responsible(hold)))
                    .ifPresent(before -> words.append(" by ")
                            .append(responsible(hold))
                            .append(", previously by ")
                            .append(before));
        } else if (Intervention.hold(planned.workload()).isPresent()) {
            words.append("; no longer held");
        }
        planned.lifted()
                .forEach(image -> words.append("; no longer quarantined: ").append(image));
        planned.pinnedAgain()
                .forEach(image -> words.append("; no longer rejected: the pin of ")
                        .append(image)
                        .append(", which will be pinned again as long as if-not-always says so"));
        return words.toString();
    }

    private static String responsible(WorkloadState.Hold hold) {
        return new Person(hold.by(), hold.reason()).toString();
    }

    // ---- the request

    private static List<Followed> chosen(Workload workload, Optional<String> name) throws RefusedException {
        List<Followed> all = Intervention.followed(workload);
        if (name.isPresent()) {
            List<Followed> one = all.stream()
                    .filter(each -> each.container().name().equals(name.get()))
                    .toList();
            if (one.isEmpty()) {
                throw RefusedException.wronglyAsked(workload.id() + " has no container " + name.get()
                        + " that follows a tag; it has: " + names(all));
            }
            return one;
        }
        if (all.isEmpty()) {
            throw RefusedException.wronglyAsked(workload.id() + " has no container that follows a tag");
        }
        if (all.stream().map(Followed::reference).distinct().count() > 1) {
            throw RefusedException.wronglyAsked(
                    workload.id() + " follows several tags; choose one with --container: " + names(all));
        }
        List<String> others =
                Intervention.unfollowed(workload, all.get(0).reference().registry());
        if (!others.isEmpty()) {
            throw RefusedException.wronglyAsked(workload.id() + " has images with digests of their own from the same"
                    + " registry (" + String.join(", ", others) + "), which cannot be rolled back; choose one with"
                    + " --container: " + names(all));
        }
        return all;
    }

    private static String names(List<Followed> containers) {
        return containers.stream()
                .map(each -> each.container().name() + " (" + each.reference() + ")")
                .collect(Collectors.joining(", "));
    }

    private Target target(Workload workload, Followed container, Request request, Consumer<String> note)
            throws RefusedException, KubeException, InterruptedException {
        Goal goal = request.to();
        ImageReference reference = container.reference();
        String now = tagNow(reference);
        // While it is held, steps count from the rejected digest, so that the same request has the same meaning.
        String from = container.rejected().orElse(now);
        TagHistory history = histories.of(workload, container).withNow(now, with.now());
        String digest = history.find(goal instanceof Goal.Beginning of ? history.whole(of) : goal, from)
                .orElseThrow(() -> RefusedException.hindered("the history of " + reference + " has no digest for --to "
                        + goal
                        + (goal instanceof Goal.Back && !history.failures().isEmpty()
                                ? ", not counting those that failed here"
                                : "")
                        + "; 'urunner history " + workload.id() + "' lists them"));
        TagHistory.Failure failure = history.failures().get(digest);
        boolean isThere = container.rejected().isPresent() && container.acted().equals(Optional.of(digest));
        if (failure != null && !request.force() && !isThere) {
            throw RefusedException.hindered("the rollout of " + new ImageDigest(reference.toString(), digest) + " "
                    + failure + ": choose another one, or roll back to it anyway with --force");
        }
        if (goal instanceof Goal.Back && !from.equals(now) && !container.acted().equals(Optional.of(digest))) {
            throw RefusedException.wronglyAsked("the tag has moved to " + Brief.digest(now) + " since " + workload.id()
                    + " was held: give the digest or the time instead of a number of steps");
        }
        Restorability restorability = Restorability.of(with.registry(), with.access());
        Restorability.Answer answer = restorability.check(reference, digest);
        if (!answer.restorable()) {
            throw RefusedException.hindered(
                    answer.words() + (answer.known() ? others(history, reference, digest, restorability) : ""));
        }
        if (goal instanceof Goal.Back) {
            history.passedOver(from, digest).forEach(failed -> note.accept("skipped: " + failed));
        }
        return new Target(digest, now);
    }

    /** Names digests that can be rolled back to instead. */
    private static String others(TagHistory history, ImageReference tag, String gone, Restorability restorability)
            throws InterruptedException {
        List<String> digests = history.entries().stream()
                .map(TagHistory.Entry::digest)
                .distinct()
                .filter(digest -> !digest.equals(gone) && !history.failures().containsKey(digest))
                .limit(ASKED_FOR)
                .toList();
        List<String> found = new ArrayList<>();
        for (String digest : digests) {
            if (found.size() < NAMED && restorability.check(tag, digest).restorable()) {
                found.add(Brief.digest(digest));
            }
        }
        return found.isEmpty() ? "" : "; it has " + String.join(", ", found);
    }

    private String tagNow(ImageReference reference) throws RefusedException, InterruptedException {
        try {
            return with.registry().resolve(reference).digest().toString();
        } catch (RegistryException e) {
            throw RefusedException.hindered(Remedies.of(e));
        }
    }

    // ---- the rollout

    private Outcome follow(Intervention planned, PatchResult.Patched patched, Duration timeout)
            throws InterruptedException {
        WorkloadId id = planned.workload().id();
        WorkloadState.Hold hold = planned.restart().state().hold().orElse(null);
        Rollout rollout = new Rollout(
                planned.restart().restartedAt().toString(),
                id,
                (hold == null ? RESUMED : "rolled back by ") + person,
                planned.changes(),
                planned.restart().restartedAt());
        write(RolloutRecords.running(rollout), remembered(id, planned.changes()));
        return follow(
                rollout,
                new Follower(with, id, tell).follow(planned.restart().digests(), patched.generation(), timeout));
    }

    /** The same request was made before: follows its rollout to the end, if nobody did. */
    private Optional<Outcome> finish(Workload workload, Duration timeout) throws InterruptedException {
        Optional<Rollout> found = Rollout.found(workload);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Rollout rollout = found.get();
        boolean isResumed = Intervention.hold(workload).isEmpty();
        if (isResumed && !isOurResume(workload, rollout.requested().plus(timeout))) {
            return Optional.empty(); // somebody else's
        }
        Optional<RolloutRecord> known = record(rollout);
        if (known.flatMap(RolloutRecord::finished).isPresent()
                && (isResumed || workload.rollout().complete())) {
            return Optional.empty();
        }
        if (known.isEmpty()) {
            write(RolloutRecords.running(rollout), remembered(workload.id(), rollout.changes()));
        }
        return Optional.of(follow(
                rollout,
                new Follower(with, workload.id(), tell)
                        .follow(Standing.of(workload).digests(), workload.generation(), timeout)));
    }

    /** Whether the last rollout came from a resume that may not have been followed to its end. */
    private boolean isOurResume(Workload workload, Instant until) {
        return workload.annotations().getOrDefault(Workload.CHANGE_CAUSE, "").startsWith(Workload.OUR_CAUSE + RESUMED)
                && with.now().isBefore(until);
    }

    private Optional<RolloutRecord> record(Rollout rollout) {
        try {
            return with.store().rollouts(rollout.workload().toString(), RECENT).stream()
                    .filter(record -> record.id().equals(rollout.id()))
                    .findFirst();
        } catch (StoreException e) {
            return Optional.empty();
        }
    }

    private Outcome follow(Rollout rollout, Follower.End end) throws InterruptedException {
        Outcome outcome = judge(end);
        tell.accept("rollout " + outcome.name() + ": " + outcome.words());
        write(RolloutRecords.ended(rollout, with.now(), outcome), Map.of());
        return outcome;
    }

    private Outcome judge(Follower.End end) throws InterruptedException {
        Map<ImageDigest, Content> read = new HashMap<>();
        Function<ImageDigest, Content> contents = image -> read.getOrDefault(image, new Content.Unread());
        for (ImageDigest image : Verification.unread(end.outcome(), end.workload(), contents)) {
            read.put(image, content(image));
        }
        return Verification.judge(end.outcome(), end.workload(), contents);
    }

    private Content content(ImageDigest image) throws InterruptedException {
        try {
            return new ImageReader(with.registry()).content(image.parse());
        } catch (RegistryException e) {
            return new Content.Unavailable(Remedies.of(e));
        }
    }

    // ---- the store

    private static Map<TrackedContainer, String> remembered(WorkloadId id, List<Decision.Change> changes) {
        return changes.stream()
                .collect(Collectors.toMap(
                        change -> new TrackedContainer(id.toString(), change.container(), change.reference()),
                        Decision.Change::to));
    }

    private void write(RolloutRecord rollout, Map<TrackedContainer, String> remembered) {
        try {
            with.store().write(new DigestStore.Batch(List.of(), Map.of(), remembered, Set.of(), List.of(rollout)));
        } catch (StoreException e) {
            tell.accept("warning: the history could not be written: " + e.getMessage());
        }
    }
}
