package io.urunner.registry;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What content is and how to know it ("Content Descriptors", OCI image specification). Immutable.
 *
 * @param mediaType the content's media type
 * @param digest the content's digest
 * @param size the content's size in bytes
 * @param platform what an entry of an index runs on, if it says so
 * @param artifactType what kind of artifact a manifest holds, if it says so
 * @param annotations what its author noted
 */
public record Descriptor(
        String mediaType,
        Digest digest,
        long size,
        Optional<Platform> platform,
        Optional<String> artifactType,
        Map<String, String> annotations) {
    /** Which kind of attestation an entry of an index is; images do not have it. */
    private static final String REFERENCE_TYPE = "vnd.docker.reference.type";

    /**
     * A descriptor from its parts.
     *
     * @throws IllegalArgumentException if the media type is empty or longer than a media type may be, or the size is negative
     */
    public Descriptor {
        Objects.requireNonNull(digest, "digest");
        if (mediaType.isBlank()) {
            throw new IllegalArgumentException("a descriptor needs a media type");
        }
        if (size < 0) {
            throw new IllegalArgumentException("a descriptor's size is not negative, as is " + size);
        }
        if (mediaType.length() > MediaType.LONGEST) {
            throw new IllegalArgumentException("a media type is shorter than " + ReferenceGrammar.quote(mediaType));
        }
        annotations = Map.copyOf(annotations);
    }

    /**
     * A descriptor of what every descriptor has.
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
