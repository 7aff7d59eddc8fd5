package io.urunner.kube;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What one act changes on a workload.
 *
 * @param digests what the pod template says from now on: it is what starts the rollout
 * @param state what the workload says from now on
 * @param restartedAt the value of {@code kubectl.kubernetes.io/restartedAt}; use the same one when an act is repeated
 * @param images new images per container or init container, to pin or unpin; empty for a plain restart
 * @param cause what {@code kubectl rollout history} says of the new revision; empty to say nothing
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
     * A restart of which the history of revisions says nothing.
     *
     * @param digests what the pod template says from now on
     * @param state what the workload says from now on
     * @param restartedAt when
     * @param images new images per container or init container
     */
    public Restart(DigestsAnnotation digests, WorkloadState state, Instant restartedAt, Map<String, String> images) {
        this(digests, state, restartedAt, images, Optional.empty());
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

    /**
     * The same with a cause, for the history of revisions. Somebody else's words there are left alone.
     *
     * @param words the cause, beginning with {@value Workload#OUR_CAUSE}
     * @return the restart
     */
    public Restart because(String words) {
        return new Restart(digests, state, restartedAt, images, Optional.of(words));
    }
}
