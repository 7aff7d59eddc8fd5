package io.urunner.kube;

import java.util.Optional;

/**
 * How far the controllers are with a workload's template.
 *
 * @param desired the pods that are wanted ({@code spec.replicas}; for a DaemonSet {@code desiredNumberScheduled})
 * @param observed whether the controller has seen the workload as it is now ({@code observedGeneration})
 * @param paused whether a Deployment is paused
 * @param onDelete whether new pods come only when somebody deletes the old ones (strategy {@code OnDelete})
 * @param partition the partition of a StatefulSet, 0 without one: pods with a smaller ordinal keep the old template
 * @param total the pods there are, of any revision
 * @param updated the pods of the current revision
 * @param ready the ready pods, of any revision
 * @param available the available pods, of any revision
 * @param deadlineExceeded the controller's message if a Deployment passed its progress deadline
 * @param creationFailure the controller's message if a Deployment's pods cannot be made, for example for quota
 */
public record RolloutStatus(
        int desired,
        boolean observed,
        boolean paused,
        boolean onDelete,
        int partition,
        int total,
        int updated,
        int ready,
        int available,
        Optional<String> deadlineExceeded,
        Optional<String> creationFailure) {
    /**
     * Whether the controllers are through with the current template: they have seen it, every wanted pod is of the
     * current revision and available, and none is left of an older one.
     *
     * @return true if nothing is left to do
     */
    public boolean complete() {
        int pods = Math.max(0, desired - partition);
        return observed && updated >= pods && available >= desired && total <= Math.max(updated, desired);
    }
}
