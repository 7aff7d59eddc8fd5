package io.urunner.registry;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a tag or a digest names on a registry: the manifest of one image or artifact, or an index of several. Its bytes are
 * kept exactly as they came, because the digest is theirs. Immutable; equal
 * if the bytes are.
 */
public abstract sealed class ManifestOrIndex permits Manifest, Index {
    /** The largest manifest that is read, in bytes: the limit that registries set themselves. */
    public static final int MAX_SIZE = 4 * 1024 * 1024;

    private final byte[] content;
    private final Descriptor descriptor;
    private final Optional<Descriptor> subject;

    ManifestOrIndex(byte[] content, Descriptor descriptor, Optional<Descriptor> subject) {
        this.content = content;
        this.descriptor = descriptor;
        this.subject = subject;
    }

    /**
     * Reads a manifest or an index.
     *
     * @param content the bytes as the registry sent them, at most {@link #MAX_SIZE}
     * @param contentType the {@code Content-Type} they came with, or the empty text; what the content says of itself counts
     *     more, as some registries do not tell the type
     * @return the manifest or index
     * @throws MalformedManifestException if the content is neither, contradicts itself, or is of Docker's schema 1
     */
    public static ManifestOrIndex parse(byte[] content, String contentType) {
        return ManifestJson.parse(content.clone(), contentType, Digest.of(content));
    }

    /**
     * Reads a manifest or an index and verifies its digest.
     *
     * @param content the bytes as the registry sent them, at most {@link #MAX_SIZE}
     * @param contentType the {@code Content-Type} they came with, or the empty text
     * @param digest the digest by which they were asked for, or that the registry named
     * @return the manifest or index
     * @throws MalformedManifestException if the content has another digest, or as {@link #parse(byte[], String)} does
     */
    public static ManifestOrIndex parse(byte[] content, String contentType, Digest digest) {
        return ManifestJson.verified(content.clone(), contentType, digest);
    }

    /**
     * The bytes.
     *
     * @return a copy
     */
    public final byte[] content() {
        return content.clone();
    }

    /**
     * What this is called elsewhere: its media type, digest and size.
     *
     * @return the descriptor
     */
    public final Descriptor descriptor() {
        return descriptor;
    }

    /**
     * What this refers to, for example the image that a signature signs.
     *
     * @return the subject, if there is one
     */
    public final Optional<Descriptor> subject() {
        return subject;
    }

    /**
     * What kind of artifact this is.
     *
     * @return the type, if it is named
     */
    public Optional<String> artifactType() {
        return descriptor().artifactType();
    }

    /**
     * What the author noted.
     *
     * @return the annotations
     */
    public final Map<String, String> annotations() {
        return descriptor().annotations();
    }

    /**
     * The media type.
     *
     * @return one of {@link MediaType#MANIFESTS}
     */
    public final String mediaType() {
        return descriptor().mediaType();
    }

    /**
     * The digest of the bytes.
     *
     * @return the digest
     */
    public final Digest digest() {
        return descriptor().digest();
    }

    @Override
    public final boolean equals(@Nullable Object other) {
        return other instanceof ManifestOrIndex that && Arrays.equals(content, that.content);
    }

    @Override
    public final int hashCode() {
        return descriptor.digest().hashCode();
    }

    @Override
    public final String toString() {
        return (this instanceof Index ? "index " : "manifest ") + descriptor.digest();
    }
}
