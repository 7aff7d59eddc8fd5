package io.urunner.registry;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What content is and how to identify it ("Content Descriptors", OCI image specification). Immutable.
 *
 * @param mediaType the content's media type
 * @param digest the content's digest
 * @param size the content's size in bytes
 * @param platform the platform of an entry of an index, if stated
 * @param artifactType the type of the artifact that a manifest describes, if stated
 * @param annotations the author's annotations
 */
public record Descriptor(
        String mediaType,
        Digest digest,
        long size,
        Optional<Platform> platform,
        Optional<String> artifactType,
        Map<String, String> annotations) {
    /** The type of an attestation in an entry of an index; images do not have it. */
    private static final String REFERENCE_TYPE = "vnd.docker.reference.type";

    /**
     * Creates a descriptor from its parts.
     *
     * @throws IllegalArgumentException if the media type is empty or too long, or the size is negative
     */
    public Descriptor {
        Objects.requireNonNull(digest, "digest");
        if (mediaType.isBlank()) {
            throw new IllegalArgumentException("a descriptor needs a media type");
        }
        if (size < 0) {
            throw new IllegalArgumentException("a descriptor's size must not be negative: " + size);
        }
        if (mediaType.length() > MediaType.LONGEST) {
            throw new IllegalArgumentException("the media type is too long: " + ReferenceGrammar.quote(mediaType));
        }
        annotations = Map.copyOf(annotations);
    }

    /**
     * Creates a descriptor with only the required parts.
     *
     * @param mediaType the content's media type
     * @param digest the content's digest
     * @param size the content's size in bytes
     */
    public Descriptor(String mediaType, Digest digest, long size) {
        this(mediaType, digest, size, Optional.empty(), Optional.empty(), Map.of());
    }

    /**
     * Whether this entry of an index is an attestation (provenance, bill of materials) rather than an image.
     *
     * @return true if it is
     */
    public boolean isAttestation() {
        return (platform.isPresent() && platform.get().isUnknown()) || annotations.containsKey(REFERENCE_TYPE);
    }
}
