package io.urunner.agent.plan;

import io.urunner.kube.Container;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.Restart;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.registry.ImageReference;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What an operator does by hand: a rollback, which pins images and holds the workload, or its end. A pure function of the
 * workload, so that repeating a request changes nothing more.
 *
 * @param workload the workload as it was when planned
 * @param restart what the patch says
 * @param changes the containers that get another digest, or already got it if the request is repeated
 */
public record Intervention(Workload workload, Restart restart, List<Decision.Change> changes) {
    public Intervention {
        changes = List.copyOf(changes);
    }

    /**
     * A container whose tag can be rolled back.
     *
     * @param container the container as it is
     * @param original its image's text, without our pin
     * @param reference the tag that it follows
     * @param acted the digest that was last acted on
     * @param rejected the digest that a rollback replaced; empty if it was not rolled back
     * @param failed the digest whose rollout failed here, if one did
     * @param failure how it failed
     * @param pinIsBack whether its image is a pin of ours that somebody has since put back
     */
    public record Followed(
            Container container,
            String original,
            ImageReference reference,
            Optional<String> acted,
            Optional<String> rejected,
            Optional<String> failed,
            Optional<String> failure,
            boolean pinIsBack) {
        /**
         * Returns the digest that its template brings, as far as the workload shows.
         *
         * @return the digest; empty if it was never acted on
         */
        public Optional<String> present() {
            return container.image().equals(original)
                    ? acted
                    : Pin.pinned(container).map(ImageDigest::digest);
        }

        /**
         * Whether ending a hold gives its image the original text again.
         *
         * @return true if it was rolled back, or if a pin of ours is back
         */
        public boolean isToBeResumed() {
            return rejected.isPresent() || pinIsBack;
        }
    }

    /**
     * The target of a rollback.
     *
     * @param digest the digest to pin
     * @param tagNow the digest that the tag has now, which is rejected
     */
    public record Target(String digest, String tagNow) {}

    /**
     * Returns the containers that follow a tag, including those that we pinned.
     *
     * @param workload the workload
     * @return the containers, in the template's order
     */
    public static List<Followed> followed(Workload workload) {
        List<Followed> followed = new ArrayList<>();
        boolean held = hold(workload).isPresent();
        for (Container container : workload.containers()) {
            String original =
                    Pin.originalText(workload, States.of(workload), container).orElse(container.image());
            ImageReference reference;
            try {
                reference = ImageReference.parse(original);
            } catch (IllegalArgumentException e) {
                continue; // no tag that could have had another digest
            }
            if (reference.digest().isEmpty()) {
                ContainerState state = States.of(States.of(workload), container.name(), reference.toString());
                followed.add(new Followed(
                        container,
                        original,
                        reference,
                        state.acted(),
                        held && state.originalImage().isPresent() ? state.rejected() : Optional.empty(),
                        state.failed(),
                        state.failure(),
                        !held
                                && Pin.broughtBack(workload, States.of(workload), container)
                                        .isPresent()));
            }
        }
        return followed;
    }

    /**
     * Returns the containers that follow no tag, but may be meant by somebody who names no container.
     *
     * @param workload the workload
     * @param registry the registry of those that follow a tag
     * @return the names of those whose images are of the same registry
     */
    public static List<String> unfollowed(Workload workload, String registry) {
        Set<String> followed =
                followed(workload).stream().map(each -> each.container().name()).collect(Collectors.toSet());
        return workload.containers().stream()
                .filter(each -> !followed.contains(each.name()) && isOf(registry, each.image()))
                .map(Container::name)
                .toList();
    }

    private static boolean isOf(String registry, String image) {
        try {
            return ImageReference.parse(image).registry().equals(registry);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /**
     * Returns the workload with the texts that images had before they were pinned, where it no longer knows them itself.
     *
     * @param workload the workload
     * @param texts the texts by container
     * @return the workload
     */
    public static Workload spelled(Workload workload, Map<String, String> texts) {
        WorkloadState state = States.of(workload);
        for (Followed each : followed(workload)) {
            String name = each.container().name();
            String text = texts.get(name);
            if (each.pinIsBack() && text != null) {
                state = States.with(
                        state,
                        name,
                        States.pinned(States.of(state, name, each.reference().toString()), Optional.of(text)));
            }
        }
        if (state.equals(States.of(workload))) {
            return workload;
        }
        Map<String, String> annotations = new HashMap<>(workload.annotations());
        annotations.put(Workload.STATE, state.toString());
        return new Workload(
                workload.id(),
                workload.uid(),
                workload.resourceVersion(),
                workload.generation(),
                annotations,
                workload.templateAnnotations(),
                workload.containers(),
                workload.imagePullSecrets(),
                workload.serviceAccount(),
                workload.rollout(),
                workload.currentRevision(),
                workload.pods(),
                workload.templateManagers(),
                workload.problems());
    }

    /**
     * Returns the workload's hold.
     *
     * @param workload the workload
     * @return the hold; empty if it is not held
     */
    public static Optional<WorkloadState.Hold> hold(Workload workload) {
        return States.of(workload).hold();
    }

    /**
     * Pins containers to digests that their tags had, and holds the workload. Whoever changes a hold, or gives a reason for
     * it, is responsible for it from then on, with that reason; it keeps its start time.
     *
     * @param workload the workload
     * @param targets the targets by container; each must be among {@link #followed}
     * @param by who requests it
     * @param reason why, if given
     * @param untilNextPush whether the hold ends by itself when the tag moves
     * @param now the time
     * @return what to do
     */
    public static Intervention rollback(
            Workload workload,
            Map<String, Target> targets,
            String by,
            Optional<String> reason,
            boolean untilNextPush,
            Instant now) {
        WorkloadState before = States.of(workload);
        Builder next = new Builder(workload);
        boolean moved = false;
        for (Followed each : followed(workload)) {
            Target target = targets.get(each.container().name());
            if (target == null) {
                continue;
            }
            String name = each.container().name();
            String reference = each.reference().toString();
            ContainerState state = States.of(before, name, reference);
            String pin = Pin.text(each.original(), target.digest());
            boolean done = each.rejected().isPresent()
                    && each.container().image().equals(pin)
                    && state.acted().equals(Optional.of(target.digest()));
            moved |= !done;
            if (!done) {
                Optional<String> failing = failing(workload, each, target);
                next.image(each, pin);
                next.state(
                        name,
                        new ContainerState(
                                reference,
                                Optional.of(target.digest()),
                                Optional.of(now),
                                replaced(workload, each, target.digest()),
                                Optional.of(target.tagNow()),
                                Optional.of(States.said(by)),
                                failing.map(how -> target.tagNow())
                                        .or(() -> state.failed().filter(digest -> !digest.equals(target.digest()))),
                                failing.or(() -> state.failure()
                                                .filter(text -> !state.failed().equals(Optional.of(target.digest()))))
                                        .map(States::said),
                                Optional.of(each.original())));
            }
            next.change(each, target.digest(), each.present().orElse(target.tagNow()));
        }
        WorkloadState.Hold asked =
                new WorkloadState.Hold(now, States.said(by), untilNextPush, reason.map(States::said));
        boolean pinned = moved;
        WorkloadState.Hold hold =
                before.hold().map(held -> goneOn(held, asked, pinned)).orElse(asked);
        return next.build(Optional.of(hold), now);
    }

    /**
     * Ends the hold, and the quarantine of digests that failed here: rolled-back containers get their image's original text
     * back, exactly as it was written. If somebody has put another image there, that one stays.
     *
     * @param workload the workload
     * @param tagNow by container, the digest that its tag has now, for those of {@link #followed} that were rolled back
     * @param now the time
     * @return what to do
     */
    public static Intervention resume(Workload workload, Map<String, String> tagNow, Instant now) {
        WorkloadState before = States.of(workload);
        Builder next = new Builder(workload);
        before.containers().forEach((name, state) -> {
            boolean rolledBack =
                    state.originalImage().isPresent() && state.rejected().isPresent();
            next.state(
                    name,
                    States.healed(
                            rolledBack
                                    ? States.rejected(States.unpinned(state), Optional.empty(), Optional.empty())
                                    : state));
        });
        for (Followed each : followed(workload)) {
            String name = each.container().name();
            String digest = tagNow.get(name);
            if (digest != null && !each.container().image().equals(each.original())) {
                next.image(each, each.original());
                next.state(
                        name,
                        new ContainerState(
                                each.reference().toString(),
                                Optional.of(digest),
                                Optional.of(now),
                                replaced(workload, each, digest),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty()));
                next.change(each, digest, each.present().orElse(digest));
            }
        }
        return next.build(Optional.empty(), now);
    }

    /** The existing hold, if it is requested again: a reason stays with the person who gave it. */
    private static WorkloadState.Hold goneOn(WorkloadState.Hold held, WorkloadState.Hold asked, boolean moved) {
        boolean same = held.by().equals(asked.by());
        boolean changes = moved
                || held.untilNextPush() != asked.untilNextPush()
                || (asked.reason().isPresent() && !(same && held.reason().equals(asked.reason())));
        return changes
                ? new WorkloadState.Hold(
                        held.since(),
                        asked.by(),
                        asked.untilNextPush(),
                        asked.reason().or(() -> held.reason().filter(why -> same)))
                : held;
    }

    /** How the tag's current digest fails here, if it does: rolling it back does not prove that it works. */
    private static Optional<String> failing(Workload workload, Followed container, Target target) {
        return container.present().equals(Optional.of(target.tagNow()))
                        && !target.digest().equals(target.tagNow())
                        && RolloutProgress.of(workload) instanceof RolloutProgress.Failed failed
                        && failed.cause() == RolloutProgress.Cause.CONTAINERS
                ? Optional.of(failed.reason())
                : Optional.empty();
    }

    private static List<String> replaced(Workload workload, Followed container, String digest) {
        TreeSet<String> replaced =
                new TreeSet<>(Running.of(workload, container.container().name()).digests());
        container.acted().ifPresent(replaced::add);
        replaced.remove(digest);
        return List.copyOf(replaced);
    }

    /**
     * Whether the template changes, so that there is a rollout.
     *
     * @return true if it does
     */
    public boolean rollsOut() {
        return !restart.images().isEmpty();
    }

    /**
     * Returns the digests that are no longer quarantined.
     *
     * @return those that failed here, and that the workload no longer lists as failed
     */
    public List<ImageDigest> lifted() {
        List<ImageDigest> lifted = new ArrayList<>();
        States.of(workload)
                .containers()
                .forEach((name, state) -> state.failed()
                        .filter(digest -> !States.of(restart.state(), name, state.reference())
                                .failed()
                                .equals(Optional.of(digest)))
                        .ifPresent(digest -> lifted.add(new ImageDigest(state.reference(), digest))));
        return lifted;
    }

    /**
     * Returns the images whose pin was reverted, and is retried from now on.
     *
     * @return their references
     */
    public List<String> pinnedAgain() {
        return States.of(workload).containers().entrySet().stream()
                .filter(each -> Pin.isKnownNotToLast(each.getValue()))
                .filter(each -> !Pin.isKnownNotToLast(States.of(
                        restart.state(), each.getKey(), each.getValue().reference())))
                .map(each -> each.getValue().reference())
                .distinct()
                .toList();
    }

    /**
     * Whether the workload already is as requested.
     *
     * @return true if there is nothing to send
     */
    public boolean isDone() {
        return !rollsOut() && restart.state().equals(States.of(workload));
    }

    private static final class Builder {
        private final Workload workload;
        private final SortedMap<String, String> digests;
        private final SortedMap<String, ContainerState> states;
        private final Map<String, String> images = new HashMap<>();
        private final List<Decision.Change> changes = new ArrayList<>();

        Builder(Workload workload) {
            this.workload = workload;
            digests = new TreeMap<>(States.digests(workload).digests());
            states = new TreeMap<>(States.of(workload).containers());
        }

        void image(Followed container, String image) {
            if (!image.equals(container.container().image())) {
                images.put(container.container().name(), image);
            }
        }

        void state(String container, ContainerState state) {
            states.put(container, state);
        }

        void change(Followed container, String to, String from) {
            String name = container.container().name();
            if (images.containsKey(name)) {
                digests.put(name, container.reference() + "@" + to);
            }
            changes.add(new Decision.Change(
                    name,
                    container.reference().toString(),
                    Optional.of(from).filter(digest -> !digest.equals(to)),
                    to));
        }

        Intervention build(Optional<WorkloadState.Hold> hold, Instant now) {
            return new Intervention(
                    workload,
                    new Restart(new DigestsAnnotation(digests), new WorkloadState(states, hold), now, images),
                    changes);
        }
    }
}
