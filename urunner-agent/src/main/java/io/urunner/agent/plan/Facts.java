package io.urunner.agent.plan;

import io.urunner.kube.Workload;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that a decision about one workload is based on. Immutable.
 *
 * @param workload the workload as it was seen
 * @param seen when that snapshot, including its pods, was taken: an answer that was requested from the registry earlier
 *     cannot contradict these pods
 * @param policy the policy, with what is wrong in the workload's annotations
 * @param containers what is known of each container of the template; a missing container counts as not asked yet
 * @param quarantined the digests that must not be rolled out in its namespace, see {@link Quarantine#of}
 * @param missingPermission the permission to change this workload that is missing according to the API server, in words
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
