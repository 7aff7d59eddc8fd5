package io.urunner.registry;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What content is and how to identify it ("Content Descriptors", OCI image specification). Everything that an index or a
 * manifest states in a descriptor is kept, so that it is not lost when the descriptor is written into another one.
 * Immutable.
 *
 * @param mediaType the content's media type
 * @param digest the content's digest; its algorithm may be one that we cannot {@linkplain Digest#isVerifiable verify}
 * @param size the content's size in bytes
 * @param platform the platform of an entry of an index, if stated
 * @param artifactType the type of the artifact that a manifest describes, if stated
 * @param annotations the author's annotations
 * @param urls where the content can also be had, often none. The client does not follow them
 * @param data the content itself in Base64, if it is embedded. It is not verified
 * @param otherFields all other fields, as JSON texts by their names, often none
 */
public record Descriptor(
        String mediaType,
        Digest digest,
        long size,
        Optional<Platform> platform,
        Optional<String> artifactType,
        Map<String, String> annotations,
        List<String> urls,
        Optional<String> data,
        Map<String, String> otherFields) {
    /** The type of an attestation in an entry of an index; images do not have it. */
    private static final String REFERENCE_TYPE = "vnd.docker.reference.type";

    /**
     * Creates a descriptor from its parts.
     *
     * @throws IllegalArgumentException if the media type is empty or too long, the size is negative, or one of the
     *     other fields is not JSON or has a parameter of its own
     */
    public Descriptor {
        Objects.requireNonNull(digest, "digest");
        Objects.requireNonNull(platform, "platform");
        Objects.requireNonNull(artifactType, "artifactType");
        Objects.requireNonNull(data, "data");
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
        urls = List.copyOf(urls);
        otherFields = ManifestJson.checkedOthers(otherFields, ManifestJson.DESCRIPTOR_FIELDS);
    }

    /**
     * Creates a descriptor with what most descriptors state.
     *
     * @param mediaType the content's media type
     * @param digest the content's digest
     * @param size the content's size in bytes
     * @param platform the platform of an entry of an index, if stated
     * @param artifactType the type of the artifact that a manifest describes, if stated
     * @param annotations the author's annotations
     */
    public Descriptor(
            String mediaType,
            Digest digest,
            long size,
            Optional<Platform> platform,
            Optional<String> artifactType,
            Map<String, String> annotations) {
        this(mediaType, digest, size, platform, artifactType, annotations, List.of(), Optional.empty(), Map.of());
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
     * Describes content.
     *
     * @param mediaType the content's media type
     * @param content the content
     * @return its descriptor, with a SHA-256 digest and without the content itself
     */
    public static Descriptor of(String mediaType, byte[] content) {
        return new Descriptor(mediaType, Digest.of(content), content.length);
    }

    /**
     * Returns the same descriptor, as an entry for a platform.
     *
     * @param newPlatform the platform
     * @return the descriptor
     */
    public Descriptor withPlatform(Platform newPlatform) {
        return new Descriptor(
                mediaType, digest, size, Optional.of(newPlatform), artifactType, annotations, urls, data, otherFields);
    }

    /**
     * Returns the same descriptor, with further annotations.
     *
     * @param more the annotations to add; they replace those of the same names
     * @return the descriptor
     */
    public Descriptor withAnnotations(Map<String, String> more) {
        Map<String, String> all = new TreeMap<>(annotations);
        all.putAll(more);
        return new Descriptor(mediaType, digest, size, platform, artifactType, all, urls, data, otherFields);
    }

    /**
     * Returns the media type, the digest and the size, without anything else.
     *
     * @return the descriptor of the same content
     */
    public Descriptor withoutDetails() {
        return new Descriptor(mediaType, digest, size);
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
