package io.urunner.agent.plan;

import io.urunner.kube.Container;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** Judges how a rollout of ours ended: what the controllers say, and then what the new pods report. */
public final class Verification {
    private Verification() {}

    /**
     * Returns the digests whose content decides how a rollout ended and has not been read yet: it must be read before the
     * rollout is judged.
     *
     * @param followed how it ended according to the controllers and the pods
     * @param after the workload after that; empty if it is gone
     * @param contents what a digest of a reference stands for
     * @return the digests; empty if nothing that could be read is missing
     */
    public static List<ImageDigest> unread(
            RolloutOutcome followed, Optional<Workload> after, Function<ImageDigest, Content> contents) {
        List<ImageDigest> unread = new ArrayList<>();
        Outcome outcome = judge(followed, after, image -> {
            Content content = contents.apply(image);
            if (content instanceof Content.Unread) {
                unread.add(image);
            }
            return content;
        });
        return outcome instanceof Outcome.StillOldImage ? List.of() : unread;
    }

    /**
     * Judges a rollout that was followed to its end.
     *
     * @param followed how it ended according to the controllers and the pods
     * @param after the workload after that; empty if it is gone
     * @param contents what a digest of a reference stands for; what was not {@linkplain #unread read} counts as unknown
     * @return the outcome
     */
    public static Outcome judge(
            RolloutOutcome followed, Optional<Workload> after, Function<ImageDigest, Content> contents) {
        Optional<String> putBack = after.filter(Verification::isTakenBack)
                .map(workload -> States.lastManager(workload) + " put the tag back where a digest was pinned");
        if (putBack.isPresent()) {
            return new Outcome.Superseded(putBack.get());
        }
        if (followed instanceof RolloutOutcome.Failed failed) {
            return new Outcome.Failed(failed.reason(), failed.cause() == RolloutProgress.Cause.CONTAINERS);
        }
        if (followed instanceof RolloutOutcome.TimedOut late) {
            return new Outcome.TimedOut("waited for " + late.what());
        }
        if (followed instanceof RolloutOutcome.Superseded) {
            return new Outcome.Superseded(
                    after.map(Verification::whatCameBetween).orElse("the template was changed in the meantime"));
        }
        return followed instanceof RolloutOutcome.Succeeded && after.isPresent()
                ? compare(after.get(), contents)
                : new Outcome.Superseded("the workload was deleted or is no longer watched");
    }

    private static String whatCameBetween(Workload workload) {
        return States.of(workload)
                .hold()
                .filter(held -> workload.templateManagers().stream().allMatch("urunner"::equals))
                .map(held -> held.by() + " rolled it back in the meantime")
                .orElseGet(() -> States.lastManager(workload) + " changed the template in the meantime");
    }

    /**
     * Whether somebody put the tag back where our last rollout pinned a digest: what the pods then do is not caused by that
     * digest.
     *
     * @param workload the workload
     * @return true if that rollout had no effect
     */
    public static boolean isTakenBack(Workload workload) {
        return States.brought(States.of(workload)).entrySet().stream()
                .anyMatch(each -> Pin.isTakenBack(workload, each.getKey(), each.getValue()));
    }

    /**
     * Returns how a rollout that nobody followed to its end ended, as the workload shows it now.
     *
     * @param workload the workload
     * @param asWritten whether a failure written on the workload counts, although anybody with access may have written it;
     *     otherwise only the controllers and the pods count
     * @return the end, for {@link #judge}
     */
    public static RolloutOutcome asItStands(Workload workload, boolean asWritten) {
        for (ContainerState brought : States.brought(States.of(workload)).values()) {
            if (asWritten && brought.failure().isPresent()) {
                return new RolloutOutcome.Failed(
                        brought.failed().isPresent() ? RolloutProgress.Cause.CONTAINERS : RolloutProgress.Cause.PULL,
                        brought.failure().get());
            }
        }
        RolloutProgress progress = RolloutProgress.of(workload);
        if (progress instanceof RolloutProgress.Failed failed) {
            return new RolloutOutcome.Failed(failed.cause(), failed.reason());
        }
        return progress instanceof RolloutProgress.Running running
                ? new RolloutOutcome.TimedOut(running.what())
                : new RolloutOutcome.Succeeded();
    }

    private static Outcome compare(Workload workload, Function<ImageDigest, Content> contents) {
        List<String> brought = new ArrayList<>();
        List<String> old = new ArrayList<>();
        for (Container container : workload.containers()) {
            Optional<ImageDigest> acted = acted(workload, container);
            if (acted.isEmpty()) {
                continue;
            }
            ImageDigest image = acted.get();
            Set<String> others =
                    new TreeSet<>(Running.of(workload, container.name()).digests());
            others.remove(image.digest());
            Content content = others.isEmpty() ? new Content.Unread() : contents.apply(image);
            if (content instanceof Content.Known known) {
                others.removeAll(known.digests());
            }
            if (others.isEmpty()) {
                brought.add("container " + container.name() + " runs " + image);
            } else if (!(content instanceof Content.Known)) {
                brought.add("container " + container.name() + " was restarted; whether " + Brief.digests(others)
                        + " belongs to " + image + " is not known: "
                        + (content instanceof Content.Unavailable why
                                ? why.words()
                                : "its content could not be read in time"));
            } else if (container.pullPolicy().equals("Always")
                    && Collections.disjoint(
                            others,
                            States.of(States.of(workload), container.name(), image.reference())
                                    .replaced())) {
                brought.add("container " + container.name() + " was restarted for " + image + " and reports "
                        + Brief.digests(others) + ", which did not run before: the tag moved on in the meantime,"
                        + " or the runtime reports another digest of the same content");
            } else {
                old.add("container " + container.name() + " was restarted for " + image + " and still reports "
                        + Brief.digests(others) + ": " + StillOld.causeAndRemedy(container));
            }
        }
        if (!old.isEmpty()) {
            return new Outcome.StillOldImage(String.join("; ", old));
        }
        return new Outcome.Succeeded(String.join("; ", brought));
    }

    /** If somebody puts the tag back instead of the digest, there is nothing to compare. */
    private static Optional<ImageDigest> acted(Workload workload, Container container) {
        return Optional.ofNullable(States.of(workload).containers().get(container.name()))
                .filter(state -> !Pin.isTakenBack(container, state))
                .flatMap(state -> States.digests(workload)
                        .digest(container.name(), state.reference())
                        .map(digest -> new ImageDigest(state.reference(), digest)));
    }

    /**
     * Returns what to write on a workload whose rollout failed: how it failed, so that the next agent knows that it is over.
     * If its containers are at fault, the digests that this rollout brought are quarantined as well; those that were there
     * before are not.
     *
     * @param workload the workload as it is now
     * @param failure the outcome
     * @return the state to write; empty if there is nothing to write
     */
    public static Optional<WorkloadState> quarantine(Workload workload, Outcome.Failed failure) {
        WorkloadState state = States.of(workload);
        WorkloadState next = state;
        for (Map.Entry<String, ContainerState> entry : States.brought(state).entrySet()) {
            ContainerState brought = entry.getValue();
            Optional<String> digest = failure.quarantine() ? brought.acted() : brought.failed();
            next = States.with(next, entry.getKey(), States.failed(brought, digest, Optional.of(failure.words())));
        }
        return next.equals(state) ? Optional.empty() : Optional.of(next);
    }
}
