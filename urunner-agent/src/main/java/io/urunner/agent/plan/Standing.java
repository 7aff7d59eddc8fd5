package io.urunner.agent.plan;

import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A workload with what its annotations claim about our rollouts. Anybody who is allowed to change the workload can write
 * anything, so it counts only within its namespace. Immutable.
 *
 * @param workload the workload
 * @param state what was done with it
 * @param digests what its template was rolled out for
 */
public record Standing(Workload workload, WorkloadState state, DigestsAnnotation digests) {
    /**
     * Reads a workload's annotations.
     *
     * @param workload the workload
     * @return what they claim
     */
    public static Standing of(Workload workload) {
        return new Standing(workload, States.of(workload), States.digests(workload));
    }

    /**
     * Returns what our last rollout brought, as far as the template still says so and nobody has put the tag back where a
     * digest was pinned.
     *
     * @return the containers whose digest it brought
     */
    public List<Decision.Change> brought() {
        List<Decision.Change> changes = new ArrayList<>();
        States.brought(state).forEach((container, written) -> {
            Optional<String> from = written.replaced().size() == 1
                    ? Optional.of(written.replaced().get(0))
                    : Optional.empty();
            written.acted()
                    .filter(digest ->
                            digests.digest(container, written.reference()).equals(Optional.of(digest)))
                    .filter(digest -> !Pin.isTakenBack(workload, container, written))
                    .ifPresent(
                            digest -> changes.add(new Decision.Change(container, written.reference(), from, digest)));
        });
        return changes;
    }

    /** Whether a rollout of ours is running: one that failed, or does not end, makes room for others. */
    boolean isRollingOut(Duration patience, Instant now) {
        return lastAct(now).isAfter(now.minus(patience))
                && state.containers().values().stream()
                        .noneMatch(container -> container.failed().isPresent()
                                || container.failure().isPresent())
                && workload.rollout().deadlineExceeded().isEmpty()
                && !workload.rollout().complete();
    }

    /** When we last acted; the distant past if we never did, or if the time comes from a wrong clock. */
    Instant lastAct(Instant now) {
        return state.lastAct()
                .filter(acted -> !States.isOfAWrongClock(acted, now))
                .orElse(Instant.EPOCH);
    }

    /** {@code reference@digest} of what its containers were rolled out for; if no pods are wanted, nothing was tried. */
    Set<String> tried() {
        Set<String> tried = new HashSet<>();
        if (!ContainerRules.noPodsWanted(workload)) {
            workload.containers().forEach(container -> {
                String image = digests.digests().get(container.name());
                if (image != null) {
                    tried.add(image);
                }
            });
        }
        return tried;
    }

    /** Whether a pod of what it was rolled out for exists and is not healthy, although nobody holds or paused it. */
    boolean isUnwell() {
        return state.hold().isEmpty()
                && !workload.rollout().paused()
                && !workload.rollout().onDelete()
                && workload.pods().stream().anyMatch(pod -> pod.counts() && !pod.ready());
    }

    boolean isHealthyOn(ImageDigest image) {
        return workload.rollout().complete()
                && state.containers().values().stream()
                        .noneMatch(container -> container.reference().equals(image.reference())
                                && container
                                        .failed()
                                        .filter(image.digest()::equals)
                                        .isPresent());
    }
}
