package io.urunner.agent.plan;

import io.urunner.kube.Workload;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * All that a decision about one workload rests on. Immutable.
 *
 * @param workload the workload as it was seen
 * @param seen when that snapshot, its pods included, was taken: an answer of the registry that was asked for earlier
 *     cannot contradict these pods
 * @param policy the policy, with what is wrong in the workload's annotations
 * @param containers per container of the template what is known; a container that is missing counts as not asked yet
 * @param quarantined the digests that must not be rolled out in its namespace, see {@link Quarantine#of}
 * @param missingPermission which permission the API server said is missing to change this workload, in words
 * @param now the time
 */
public record Facts(
        Workload workload,
        Instant seen,
        Policy.Reading policy,
        Map<String, ContainerFacts> containers,
        Map<ImageDigest, Quarantine> quarantined,
        Optional<String> missingPermission,
        Instant now) {
    public Facts {
        containers = Map.copyOf(containers);
        quarantined = Map.copyOf(quarantined);
    }
}
