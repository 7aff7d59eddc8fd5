package io.urunner.registry;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a tag or a digest points to on a registry: the manifest of one image or artifact, or an index of several. Its
 * bytes are kept exactly as they came, because the digest is computed from them. Immutable; equal if the bytes are.
 */
public abstract sealed class ManifestOrIndex permits Manifest, Index, OtherManifest {
    /** The largest manifest that is read, in bytes: the limit that registries themselves apply. */
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
     * @param contentType the {@code Content-Type} that came with them, or the empty text; what the content itself
     *     states takes precedence, because some registries do not send the type
     * @return the manifest or index
     * @throws MalformedManifestException if the content is neither, contradicts itself, or has Docker's schema 1
     */
    public static ManifestOrIndex parse(byte[] content, String contentType) {
        return ManifestJson.parse(content.clone(), contentType, Digest.of(content));
    }

    /**
     * Reads a manifest or an index and verifies its digest.
     *
     * @param content the bytes as the registry sent them, at most {@link #MAX_SIZE}
     * @param contentType the {@code Content-Type} they came with, or the empty text
     * @param digest the digest that was requested, or that the registry named
     * @return the manifest or index
     * @throws MalformedManifestException if the digest does not match, or as for {@link #parse(byte[], String)}
     */
    public static ManifestOrIndex parse(byte[] content, String contentType, Digest digest) {
        return ManifestJson.verified(content.clone(), contentType, digest);
    }

    /**
     * Reads what an index lists, and verifies its digest. Unlike with {@link #parse(byte[], String, Digest)}, it may be
     * a manifest of a type that we do not know, which is neither a {@link Manifest} nor an {@link Index} and can only be
     * copied. It must state {@code schemaVersion} 2 or its own type; otherwise it is no manifest but a blob.
     *
     * @param content the bytes, at most {@link #MAX_SIZE}
     * @param contentType the {@code Content-Type} they came with, or the empty text
     * @param entry the entry of the index
     * @return what the entry refers to
     * @throws MalformedManifestException if the content is no manifest, or its digest is not that of the entry
     */
    public static ManifestOrIndex parse(byte[] content, String contentType, Descriptor entry) {
        return ManifestJson.entry(content.clone(), contentType, entry);
    }

    /**
     * Returns the bytes.
     *
     * @return a copy
     */
    public final byte[] content() {
        return content.clone();
    }

    /**
     * Returns how others refer to this content: its media type, digest and size.
     *
     * @return the descriptor
     */
    public final Descriptor descriptor() {
        return descriptor;
    }

    /**
     * Returns what this refers to, for example the image that a signature signs.
     *
     * @return the subject, if any
     */
    public final Optional<Descriptor> subject() {
        return subject;
    }

    /**
     * Returns what this consists of: the entries of an index, or the configuration and the layers of an image. The
     * subject is not among them.
     *
     * @return the descriptors, in the order of the content
     */
    public abstract List<Descriptor> parts();

    /**
     * Returns the type of this artifact.
     *
     * @return the type, if stated
     */
    public Optional<String> artifactType() {
        return descriptor().artifactType();
    }

    /**
     * Returns the author's annotations.
     *
     * @return the annotations
     */
    public final Map<String, String> annotations() {
        return descriptor().annotations();
    }

    /**
     * Returns the media type.
     *
     * @return one of {@link MediaType#MANIFESTS}; another only if an entry of an index was read whose type is unknown
     */
    public final String mediaType() {
        return descriptor().mediaType();
    }

    /**
     * Returns the digest of the bytes.
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
