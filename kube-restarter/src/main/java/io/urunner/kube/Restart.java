package io.urunner.kube;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * The changes that one action makes to a workload.
 *
 * @param digests the new annotation of the pod template, which starts the rollout
 * @param state the new annotation of the workload
 * @param restartedAt the value of {@code kubectl.kubernetes.io/restartedAt}; use the same one when repeating an action
 * @param images new images per container or init container, to pin or unpin; empty for a plain restart
 * @param cause what {@code kubectl rollout history} shows for the new revision; empty for nothing
 */
public record Restart(
        DigestsAnnotation digests,
        WorkloadState state,
        Instant restartedAt,
        Map<String, String> images,
        Optional<String> cause) {
    public Restart {
        images = Map.copyOf(images);
    }

    /**
     * Creates a restart without a cause.
     *
     * @param digests the new annotation of the pod template
     * @param state the new annotation of the workload
     * @param restartedAt when
     * @param images new images per container or init container
     */
    public Restart(DigestsAnnotation digests, WorkloadState state, Instant restartedAt, Map<String, String> images) {
        this(digests, state, restartedAt, images, Optional.empty());
    }

    /**
     * Creates a restart that does not change the images.
     *
     * @param digests the new annotation of the pod template
     * @param state the new annotation of the workload
     * @param restartedAt when
     */
    public Restart(DigestsAnnotation digests, WorkloadState state, Instant restartedAt) {
        this(digests, state, restartedAt, Map.of());
    }

    /**
     * Returns the same restart with a cause for the revision history. A cause that somebody else wrote is not
     * overwritten.
     *
     * @param words the cause, beginning with {@value Workload#OUR_CAUSE}
     * @return the restart
     */
    public Restart because(String words) {
        return new Restart(digests, state, restartedAt, images, Optional.of(words));
    }
}
