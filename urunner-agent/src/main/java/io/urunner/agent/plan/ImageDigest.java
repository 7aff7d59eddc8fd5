package io.urunner.agent.plan;

import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;

/**
 * A digest that a reference has or had, as annotations and records name it.
 *
 * @param reference the reference, in canonical form
 * @param digest the digest
 */
public record ImageDigest(String reference, String digest) {
    /**
     * Combines a digest and its reference.
     *
     * @param reference the reference
     * @param digest the digest
     * @return the two, as annotations and records name them
     */
    public static ImageDigest of(ImageReference reference, Digest digest) {
        return new ImageDigest(reference.toString(), digest.toString());
    }

    /**
     * Returns the two as one reference, by tag and digest.
     *
     * @return the reference
     * @throws IllegalArgumentException if somebody wrote something else into an annotation
     */
    public ImageReference parse() {
        return ImageReference.parse(reference).withDigest(Digest.parse(digest));
    }

    /** {@code reference@digest}, the digest shortened for people. */
    @Override
    public String toString() {
        return reference + "@" + Brief.digest(digest);
    }
}
