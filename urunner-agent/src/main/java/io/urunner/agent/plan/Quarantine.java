package io.urunner.agent.plan;

import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * A digest whose rollout failed because of its containers: the other workloads of the image in the namespace keep what
 * they run, until the tag moves or an operator lifts it. It is read back from the workloads' annotations, so nothing else
 * can forget it; what is written on the workloads of one namespace does not affect another, see {@link Experience}.
 *
 * @param workload where it failed
 * @param failure how it failed, in words
 */
public record Quarantine(WorkloadId workload, String failure) {
    /**
     * Reads the quarantined digests from what was written on workloads.
     *
     * @param workloads the workloads of a namespace
     * @return the digests that must not be rolled out to its other workloads
     */
    public static Map<ImageDigest, Quarantine> of(Collection<Workload> workloads) {
        Map<ImageDigest, Quarantine> found = new HashMap<>();
        for (Workload workload : workloads) {
            States.of(workload)
                    .containers()
                    .values()
                    .forEach(state -> state.failed()
                            .ifPresent(digest -> found.merge(
                                    new ImageDigest(state.reference(), digest),
                                    new Quarantine(
                                            workload.id(), state.failure().orElse("its containers failed")),
                                    (one, other) -> one.workload.compareTo(other.workload) <= 0 ? one : other)));
        }
        return found;
    }
}
