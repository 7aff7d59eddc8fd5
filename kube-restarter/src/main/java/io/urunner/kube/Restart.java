package io.urunner.kube;

import java.time.Instant;
import java.util.Map;

/**
 * What one act changes on a workload.
 *
 * @param digests what the pod template says from now on: it is what starts the rollout
 * @param state what the workload says from now on
 * @param restartedAt the value of {@code kubectl.kubernetes.io/restartedAt}; use the same one when an act is repeated
 * @param images new images per container or init container, to pin or unpin; empty for a plain restart
 */
public record Restart(DigestsAnnotation digests, WorkloadState state, Instant restartedAt, Map<String, String> images) {
    public Restart {
        images = Map.copyOf(images);
    }

    /**
     * A restart that leaves the images as they are.
     *
     * @param digests what the pod template says from now on
     * @param state what the workload says from now on
     * @param restartedAt when
     */
    public Restart(DigestsAnnotation digests, WorkloadState state, Instant restartedAt) {
        this(digests, state, restartedAt, Map.of());
    }
}
