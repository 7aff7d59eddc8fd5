package io.urunner.agent;

import io.urunner.registry.ImageReference;
import java.util.Optional;

/**
 * A tag that is said to have been pushed. The registry's host is not part of it: a registry may have several names, and a
 * hint costs one question.
 *
 * @param repository the repository, for example {@code team/app}
 * @param tag the tag
 */
public record PushedTag(String repository, String tag) {
    /**
     * Returns the tag of a reference.
     *
     * @param reference the reference
     * @return the tag; empty if the reference has none
     */
    public static Optional<PushedTag> of(ImageReference reference) {
        return reference.tag().map(tag -> new PushedTag(reference.repository(), tag));
    }
}
