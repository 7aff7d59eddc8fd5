package io.urunner.registry;

import java.util.Map;
import java.util.Optional;

/**
 * What a tag or a digest names on a registry: the manifest of one image or artifact, or an index of several. Its bytes are
 * kept exactly as they came, because the digest is theirs. Implementations are immutable.
 */
public sealed interface ManifestOrIndex permits Manifest, Index {
    /** The largest manifest that is read, in bytes: the limit that registries set themselves. */
    int MAX_SIZE = 4 * 1024 * 1024;

    /**
     * Reads a manifest or an index.
     *
     * @param content the bytes as the registry sent them, at most {@link #MAX_SIZE}
     * @param contentType the {@code Content-Type} they came with, or the empty text; what the content says of itself counts
     *     more, as some registries do not tell the type
     * @return the manifest or index
     * @throws MalformedManifestException if the content is neither, contradicts itself, or is of Docker's schema 1
     */
    static ManifestOrIndex parse(byte[] content, String contentType) {
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
    static ManifestOrIndex parse(byte[] content, String contentType, Digest digest) {
        if (!digest.matches(content)) {
            throw new MalformedManifestException(
                    "the content has the digest " + Digest.of(digest.algorithm(), content) + " instead of " + digest);
        }
        return ManifestJson.parse(content.clone(), contentType, digest);
    }

    /**
     * The bytes.
     *
     * @return a copy
     */
    byte[] content();

    /**
     * What this is called elsewhere: its media type, digest and size.
     *
     * @return the descriptor
     */
    Descriptor descriptor();

    /**
     * What this refers to, for example the image that a signature signs.
     *
     * @return the subject, if there is one
     */
    Optional<Descriptor> subject();

    /**
     * What kind of artifact this is.
     *
     * @return the type, if it is named
     */
    default Optional<String> artifactType() {
        return descriptor().artifactType();
    }

    /**
     * What the author noted.
     *
     * @return the annotations
     */
    default Map<String, String> annotations() {
        return descriptor().annotations();
    }

    /**
     * The media type.
     *
     * @return one of {@link MediaType#MANIFESTS}
     */
    default String mediaType() {
        return descriptor().mediaType();
    }

    /**
     * The digest of the bytes.
     *
     * @return the digest
     */
    default Digest digest() {
        return descriptor().digest();
    }
}
