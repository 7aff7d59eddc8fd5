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
     * Judges a rollout that was followed to its end.
     *
     * @param followed how it ended by the controllers and the pods
     * @param after the workload after that; empty if it is gone
     * @param expansions what a digest of a reference stands for
     * @return the outcome
     */
    public static Outcome judge(
            RolloutOutcome followed, Optional<Workload> after, Function<ImageDigest, Expansion> expansions) {
        if (followed instanceof RolloutOutcome.Failed failed) {
            return new Outcome.Failed(failed.reason(), failed.cause() == RolloutProgress.Cause.CONTAINERS);
        }
        if (followed instanceof RolloutOutcome.TimedOut late) {
            return new Outcome.TimedOut("waited for " + late.what());
        }
        if (followed instanceof RolloutOutcome.Superseded) {
            return new Outcome.Superseded(
                    after.map(workload -> States.lastManager(workload) + " changed the template meanwhile")
                            .orElse("the template was changed meanwhile"));
        }
        return followed instanceof RolloutOutcome.Succeeded && after.isPresent()
                ? compare(after.get(), expansions)
                : new Outcome.Superseded("the workload was deleted, or is not watched any more");
    }

    private static Outcome compare(Workload workload, Function<ImageDigest, Expansion> expansions) {
        List<String> brought = new ArrayList<>();
        List<String> old = new ArrayList<>();
        List<ImageDigest> needed = new ArrayList<>();
        for (Container container : workload.containers()) {
            Optional<ImageDigest> acted = acted(workload, container.name());
            if (acted.isEmpty()) {
                continue;
            }
            ImageDigest image = acted.get();
            Set<String> others =
                    new TreeSet<>(Running.of(workload, container.name()).digests());
            others.remove(image.digest());
            Expansion expansion = others.isEmpty() ? new Expansion.NotFetched() : expansions.apply(image);
            if (expansion instanceof Expansion.Known known) {
                others.removeAll(known.digests());
            }
            if (others.isEmpty()) {
                brought.add("container " + container.name() + " runs " + image);
            } else if (expansion instanceof Expansion.NotFetched) {
                needed.add(image);
            } else if (expansion instanceof Expansion.Unavailable why) {
                brought.add("container " + container.name() + " was restarted; whether " + Brief.digests(others)
                        + " belongs to " + image + " is not known: " + why.words());
            } else if (container.pullPolicy().equals("Always")
                    && Collections.disjoint(
                            others,
                            States.of(States.of(workload), container.name(), image.reference())
                                    .replaced())) {
                brought.add("container " + container.name() + " was restarted for " + image + " and reports "
                        + Brief.digests(others) + ", which did not run before: the tag moved on meanwhile,"
                        + " or the runtime reports another digest of the same content");
            } else {
                old.add("container " + container.name() + " was restarted for " + image + " and still reports "
                        + Brief.digests(others) + ": " + StillOld.causeAndRemedy(container));
            }
        }
        if (!old.isEmpty()) {
            return new Outcome.StillOldImage(String.join("; ", old));
        }
        return needed.isEmpty()
                ? new Outcome.Succeeded(String.join("; ", brought))
                : new Outcome.NeedsExpansion(needed);
    }

    private static Optional<ImageDigest> acted(Workload workload, String container) {
        return Optional.ofNullable(States.of(workload).containers().get(container))
                .flatMap(state -> States.digests(workload)
                        .digest(container, state.reference())
                        .map(digest -> new ImageDigest(state.reference(), digest)));
    }

    /**
     * What to write on a workload whose rollout failed because of its containers: the digests that this rollout brought
     * are quarantined, those that were there before are not at fault.
     *
     * @param workload the workload as it is now
     * @param failure the outcome
     * @return the state to write; empty if nothing is to be written
     */
    public static Optional<WorkloadState> quarantine(Workload workload, Outcome.Failed failure) {
        WorkloadState state = States.of(workload);
        if (!failure.quarantine()) {
            return Optional.empty();
        }
        WorkloadState next = state;
        for (Map.Entry<String, ContainerState> entry : States.brought(state).entrySet()) {
            ContainerState brought = entry.getValue();
            next = States.with(
                    next, entry.getKey(), States.failed(brought, brought.acted(), Optional.of(failure.words())));
        }
        return next.equals(state) ? Optional.empty() : Optional.of(next);
    }
}
