package io.urunner.kube;

import java.util.Optional;

/**
 * How far the controllers have got with a workload's template.
 *
 * @param desired the number of wanted pods ({@code spec.replicas}; for a DaemonSet {@code desiredNumberScheduled})
 * @param observed whether the controller has seen the workload as it is now ({@code observedGeneration})
 * @param paused whether rollouts are paused
 * @param onDelete whether pods are replaced only when somebody deletes them (strategy {@code OnDelete})
 * @param partition the partition of a StatefulSet, 0 without one: pods with a smaller ordinal keep the old template
 * @param total the number of pods, of any revision
 * @param updated the number of pods of the current revision
 * @param ready the number of ready pods, of any revision
 * @param available the number of available pods, of any revision
 * @param deadlineExceeded the controller's message if the rollout passed its progress deadline
 * @param creationFailure the controller's message if pods cannot be created, for example because of a quota
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
     * Whether the controllers are done with the current template: they have seen it, every wanted pod is of the current
     * revision and available, and no pod of an older one is left.
     *
     * @return true if nothing remains to be done
     */
    public boolean complete() {
        int pods = Math.max(0, desired - partition);
        return observed && updated >= pods && available >= desired && total <= Math.max(updated, desired);
    }
}
