package io.urunner.agent.rollback;

import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Expansion;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.Intervention;
import io.urunner.agent.plan.Intervention.Followed;
import io.urunner.agent.plan.Intervention.Target;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.Underway;
import io.urunner.agent.plan.Verification;
import io.urunner.agent.run.ImageContent;
import io.urunner.agent.run.Rollout;
import io.urunner.kube.KubeException;
import io.urunner.kube.PatchResult;
import io.urunner.kube.Restarter;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TrackedContainer;
import io.urunner.store.StoreException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Takes workloads back, and ends that. What is asked for is checked before anything is touched; then there is one patch,
 * whose rollout is followed to its end. Whoever is killed in between asks for the same again, and goes on where it ended.
 * For one thread.
 */
public final class Operator {
    private static final int CONFLICTS = 5;
    private static final int RECENT = 20;

    private final Surroundings with;
    private final Histories histories;
    private final String by;
    private final Consumer<String> tell;

    /**
     * An operator.
     *
     * @param with what it works with
     * @param by in whose name, for the people who find the workload held
     * @param tell told what happens, in lines for people
     */
    public Operator(Surroundings with, String by, Consumer<String> tell) {
        this.with = with;
        this.by = by;
        this.tell = tell;
        histories = new Histories(with, tell);
    }

    /**
     * What is asked for.
     *
     * @param container which container; empty if the workload follows one tag only
     * @param to to which digest
     * @param untilNextPush whether the hold ends by itself when the tag moves
     * @param dryRun whether only to show the patch
     * @param timeout how long to follow the rollout
     */
    public record Request(
            Optional<String> container, Goal to, boolean untilNextPush, boolean dryRun, Duration timeout) {}

    /**
     * Takes a workload back to a digest that its tag had, and holds it there.
     *
     * @param id which workload
     * @param request what is asked for
     * @return how the rollout ended; empty if nothing was sent
     * @throws RefusedException if it cannot be done; nothing was changed then
     * @throws KubeException if the API server refused or could not be reached
     * @throws InterruptedException if the thread is interrupted
     */
    public Optional<Outcome> rollback(WorkloadId id, Request request)
            throws RefusedException, KubeException, InterruptedException {
        return change(id, request.dryRun(), request.timeout(), workload -> {
            if (workload.rollout().paused()) {
                throw RefusedException.hindered(
                        id + " is paused, so nothing would be rolled out: kubectl rollout resume lets it go on");
            }
            Map<String, Target> targets = new HashMap<>();
            for (Followed container : chosen(workload, request.container())) {
                targets.put(container.container().name(), target(workload, container, request.to()));
            }
            return Intervention.rollback(
                    workload, targets, by, request.untilNextPush(), with.clock().instant());
        });
    }

    /**
     * Ends a hold, so that the images get their original text again, and the quarantine of digests that failed here.
     *
     * @param id which workload
     * @param dryRun whether only to show the patch
     * @param timeout how long to follow the rollout
     * @return how the rollout ended; empty if nothing was rolled out
     * @throws RefusedException if it cannot be done; nothing was changed then
     * @throws KubeException if the API server refused or could not be reached
     * @throws InterruptedException if the thread is interrupted
     */
    public Optional<Outcome> resume(WorkloadId id, boolean dryRun, Duration timeout)
            throws RefusedException, KubeException, InterruptedException {
        return change(id, dryRun, timeout, workload -> {
            Map<String, String> tagNow = new HashMap<>();
            for (Followed container : Intervention.followed(workload)) {
                if (container.rejected().isPresent()) {
                    tagNow.put(container.container().name(), tagNow(container.reference()));
                }
            }
            return Intervention.resume(workload, tagNow, with.clock().instant());
        });
    }

    private interface Planning {
        Intervention plan(Workload workload) throws RefusedException, KubeException, InterruptedException;
    }

    private Optional<Outcome> change(WorkloadId id, boolean dryRun, Duration timeout, Planning planning)
            throws RefusedException, KubeException, InterruptedException {
        for (int attempt = 1; attempt <= CONFLICTS; attempt++) {
            Workload workload = with.cluster()
                    .read(id)
                    .orElseThrow(() -> RefusedException.wronglyAsked("there is no " + id + " in this cluster"));
            if (!workload.problems().isEmpty()) {
                throw RefusedException.hindered(id + ": " + String.join("; ", workload.problems()));
            }
            Intervention planned = planning.plan(workload);
            if (planned.isDone()) {
                tell.accept(
                        planned.restart().state().hold().isPresent()
                                ? "it is held there already: " + words(planned)
                                : id + " is not held, and quarantines no digest");
                return dryRun ? Optional.empty() : finish(workload, timeout);
            }
            if (dryRun) {
                Restarter.describe(workload, planned.restart()).lines().forEach(tell);
                return Optional.empty();
            }
            PatchResult result = planned.rollsOut()
                    ? with.cluster().restart(workload, planned.restart())
                    : with.cluster().remember(workload, planned.restart().state());
            if (result instanceof PatchResult.Patched patched) {
                tell.accept(words(planned));
                return planned.rollsOut() ? Optional.of(follow(planned, patched, timeout)) : Optional.empty();
            }
            if (result instanceof PatchResult.Gone) {
                throw RefusedException.hindered(id + " was deleted meanwhile");
            }
        }
        throw RefusedException.hindered(
                id + " was changed by somebody else " + CONFLICTS + " times in a row while this was asked for");
    }

    private static String words(Intervention planned) {
        WorkloadState state = planned.restart().state();
        String changes = planned.changes().stream()
                .map(change -> "container " + change.container() + ": " + change.reference() + " from "
                        + change.from().orElse("what it runs") + " to " + change.to())
                .collect(Collectors.joining("; "));
        StringBuilder words =
                new StringBuilder(changes.isEmpty() ? planned.workload().id().toString() : changes);
        if (state.hold().isPresent()) {
            words.append(state.hold().get().untilNextPush() ? "; held until the next push" : "; held");
        } else if (Intervention.hold(planned.workload()).isPresent()) {
            words.append("; no longer held");
        }
        planned.lifted()
                .forEach(image -> words.append("; no longer quarantined: ").append(image));
        return words.toString();
    }

    // ---- what is asked for

    private static List<Followed> chosen(Workload workload, Optional<String> name) throws RefusedException {
        List<Followed> all = Intervention.followed(workload);
        if (name.isPresent()) {
            List<Followed> one = all.stream()
                    .filter(each -> each.container().name().equals(name.get()))
                    .toList();
            if (one.isEmpty()) {
                throw RefusedException.wronglyAsked(workload.id() + " has no container " + name.get()
                        + " that follows a tag; there is: " + names(all));
            }
            return one;
        }
        if (all.isEmpty()) {
            throw RefusedException.wronglyAsked(workload.id() + " has no container that follows a tag");
        }
        if (all.stream().map(Followed::reference).distinct().count() > 1) {
            throw RefusedException.wronglyAsked(
                    workload.id() + " follows several tags: choose with --container one of " + names(all));
        }
        return all;
    }

    private static String names(List<Followed> containers) {
        return containers.stream()
                .map(each -> each.container().name() + " (" + each.reference() + ")")
                .collect(Collectors.joining(", "));
    }

    private Target target(Workload workload, Followed container, Goal goal)
            throws RefusedException, KubeException, InterruptedException {
        ImageReference reference = container.reference();
        String now = tagNow(reference);
        // While it is held, steps count from what was rejected: asking for the same again means the same.
        String from = container.rejected().orElse(now);
        TagHistory history =
                histories.of(workload, container).withNow(now, with.clock().instant());
        String digest = history.find(goal, from)
                .orElseThrow(() -> RefusedException.hindered("the history of " + reference + " has no digest for --to "
                        + goal + "; 'urunner history " + workload.id() + "' shows what there is"));
        if (goal instanceof Goal.Back && !from.equals(now) && !container.acted().equals(Optional.of(digest))) {
            throw RefusedException.wronglyAsked("the tag has moved to " + now + " since " + workload.id()
                    + " is held: name the digest or the time to go to instead of counting steps");
        }
        Restorability.Answer answer =
                Restorability.of(with.registry(), with.cluster()).check(reference, digest);
        if (!answer.restorable()) {
            throw RefusedException.hindered(answer.words());
        }
        return new Target(digest, now);
    }

    private String tagNow(ImageReference reference) throws RefusedException, InterruptedException {
        try {
            return with.registry().resolve(reference).digest().toString();
        } catch (RegistryException e) {
            throw RefusedException.hindered(String.valueOf(e.getMessage()));
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
                (hold == null ? "resumed by " : "rolled back by ") + by,
                planned.changes(),
                planned.restart().restartedAt());
        write(rollout.running(), remembered(id, planned.changes()));
        return follow(
                rollout,
                new Follower(with, id, tell).follow(planned.restart().digests(), patched.generation(), timeout));
    }

    /** The same was asked for before: its rollout is followed to its end, if nobody did. */
    private Optional<Outcome> finish(Workload workload, Duration timeout) throws InterruptedException {
        Optional<Underway> found = Underway.of(workload);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Underway underway = found.get();
        Rollout rollout = new Rollout(
                underway.since().toString(), workload.id(), underway.why(), underway.changes(), underway.since());
        Optional<RolloutRecord> known = record(rollout);
        if (known.flatMap(RolloutRecord::finished).isPresent()
                && workload.rollout().complete()) {
            return Optional.empty();
        }
        if (known.isEmpty()) {
            write(rollout.running(), remembered(workload.id(), underway.changes()));
        }
        return Optional.of(follow(
                rollout,
                new Follower(with, workload.id(), tell).follow(underway.digests(), workload.generation(), timeout)));
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
        write(rollout.ended(with.clock().instant(), outcome), Map.of());
        return outcome;
    }

    private Outcome judge(Follower.End end) throws InterruptedException {
        Map<ImageDigest, Expansion> known = new HashMap<>();
        while (true) {
            Outcome outcome = Verification.judge(
                    end.outcome(), end.workload(), image -> known.getOrDefault(image, new Expansion.NotFetched()));
            if (!(outcome instanceof Outcome.NeedsExpansion needs)) {
                return outcome;
            }
            for (ImageDigest image : needs.needed()) {
                known.put(image, expansion(image));
            }
        }
    }

    private Expansion expansion(ImageDigest image) throws InterruptedException {
        ImageReference reference = ImageReference.parse(image.reference());
        try {
            return new ImageContent(with.registry()).expansion(reference.withDigest(Digest.parse(image.digest())));
        } catch (RegistryException e) {
            return new Expansion.Unavailable(String.valueOf(e.getMessage()));
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
