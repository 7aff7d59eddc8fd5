package io.urunner.kube;

import java.util.List;
import java.util.Optional;

/**
 * A pod of a workload, reduced to what a rollout is judged by.
 *
 * @param name its name
 * @param uid its uid
 * @param ofCurrentRevision whether it was made from the workload's template as it is now (false while that is not known)
 * @param terminating whether its deletion was asked for
 * @param phase {@code Pending}, {@code Running}, {@code Succeeded}, {@code Failed} or {@code Unknown}
 * @param ready whether its condition {@code Ready} is true
 * @param unschedulable the scheduler's message if it finds no node for the pod
 * @param containers the statuses of its containers and init containers, ephemeral ones left out
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
     * Whether what this pod runs says anything of the workload as it is now: of the current revision, and neither
     * terminating nor over.
     *
     * @return true if it counts
     */
    public boolean counts() {
        return ofCurrentRevision && !terminating && !phase.equals("Succeeded") && !phase.equals("Failed");
    }

    /**
     * Why it does not run.
     *
     * @return what is in the way of one of its containers, or that no node takes it; empty if nothing is
     */
    public Optional<String> trouble() {
        return containers.stream()
                .filter(container -> container.trouble().isPresent())
                .findFirst()
                .map(container -> "pod " + name + ", container " + container.name() + ": "
                        + container.trouble().orElseThrow())
                .or(() -> unschedulable.map(message -> "pod " + name + ": no node takes it: " + message));
    }

    /**
     * The status of one container.
     *
     * @param name the container's name
     * @param imageId what the runtime reports as running, in its own words, empty before the image is there
     * @param ready whether the container is ready
     * @param restarts how often it was restarted
     * @param trouble why it does not run, for example {@code ImagePullBackOff} or {@code CrashLoopBackOff}, with the
     *     runtime's message behind a colon
     */
    public record ContainerStatus(String name, String imageId, boolean ready, int restarts, Optional<String> trouble) {}
}
