package io.urunner.kube;

import java.util.List;
import java.util.Optional;

/**
 * A pod of a workload, reduced to what matters for judging a rollout.
 *
 * @param name its name
 * @param uid its uid
 * @param ofCurrentRevision whether it was created from the current template of the workload (false while that is not known)
 * @param terminating whether it is being deleted
 * @param phase {@code Pending}, {@code Running}, {@code Succeeded}, {@code Failed} or {@code Unknown}
 * @param ready whether its condition {@code Ready} is true
 * @param unschedulable the scheduler's message if the pod cannot be scheduled
 * @param containers the statuses of its containers and init containers, without ephemeral ones
 */
public record Pod(
        String name,
        String uid,
        boolean ofCurrentRevision,
        boolean terminating,
        String phase,
        boolean ready,
        Optional<String> unschedulable,
        List<ContainerStatus> containers) {
    public Pod {
        containers = List.copyOf(containers);
    }

    /**
     * Whether this pod says anything about the workload as it is now: it is of the current revision, and neither
     * terminating nor finished.
     *
     * @return true if it counts
     */
    public boolean counts() {
        return ofCurrentRevision && !terminating && !phase.equals("Succeeded") && !phase.equals("Failed");
    }

    /**
     * Returns why it is not running.
     *
     * @return why one of its containers is not running, or why it cannot be scheduled; empty if there is no such reason
     */
    public Optional<String> trouble() {
        return containers.stream()
                .filter(container -> container.trouble().isPresent())
                .findFirst()
                .map(container -> "pod " + name + ", container " + container.name() + ": "
                        + container.trouble().orElseThrow())
                .or(() -> unschedulable.map(message -> "pod " + name + ": cannot be scheduled: " + message));
    }

    /**
     * The status of one container.
     *
     * @param name the container's name
     * @param imageId what the runtime reports, unchanged; empty before the image has been pulled
     * @param ready whether the container is ready
     * @param restarts how often it has restarted
     * @param trouble why it is not running, for example {@code ImagePullBackOff} or {@code CrashLoopBackOff}, followed by a
     *     colon and the runtime's message
     */
    public record ContainerStatus(String name, String imageId, boolean ready, int restarts, Optional<String> trouble) {}
}
