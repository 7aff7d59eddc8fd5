package io.urunner.registry;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A reference to an image, in canonical form, by Docker's grammar and normalisation (distribution/reference): {@code
 * nginx} is {@code docker.io/library/nginx:latest}. The first segment is a host only if it contains a dot, a port or an
 * upper-case letter, or is {@code localhost}. Immutable.
 *
 * <p>A reference has a tag, a digest, or both. If the text has neither, the tag is {@code latest}, because that is what
 * Docker and Kubernetes pull. If it has only a digest, there is no tag. If it has both, the digest decides what is
 * pulled, and the tag is only a label.
 *
 * @param registry {@code host[:port]}
 * @param repository the name on the registry, for example {@code library/nginx}
 * @param tag the tag, if any
 * @param digest the digest, if any
 */
public record ImageReference(String registry, String repository, Optional<String> tag, Optional<Digest> digest) {
    private static final String DEFAULT_TAG = "latest";

    /**
     * Creates a reference from its parts, normalised as {@link Repository} does.
     *
     * @throws IllegalArgumentException with the reason, if a part is wrong or there is neither tag nor digest
     */
    public ImageReference {
        var named = new Repository(registry, repository);
        registry = named.registry();
        repository = named.name();
        String reason = tag.isPresent() ? ReferenceGrammar.wrongTag(tag.get()) : null;
        if (tag.isEmpty() && digest.isEmpty()) {
            reason = "it has neither a tag nor a digest";
        }
        if (reason != null) {
            throw new IllegalArgumentException("not a reference in " + named + ": " + reason);
        }
    }

    /**
     * Reads a reference.
     *
     * @param text {@code [host[:port]/]path[:tag][@digest]}
     * @return the reference
     * @throws IllegalArgumentException with the reason, if the text is anything else
     */
    public static ImageReference parse(String text) {
        try {
            return read(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "not an image reference: " + ReferenceGrammar.quote(text) + ": " + e.getMessage(), e);
        }
    }

    private static ImageReference read(String text) {
        String obvious = obviousMistake(text);
        if (obvious != null) {
            throw new IllegalArgumentException(obvious);
        }
        int slash = text.indexOf('/');
        String registry = Repository.DOCKER_HUB;
        String rest = text;
        if (slash >= 0 && (slash == 0 || ReferenceGrammar.looksLikeHost(text.substring(0, slash)))) {
            registry = text.substring(0, slash);
            rest = text.substring(slash + 1);
        }
        Optional<Digest> digest = Optional.empty();
        int at = rest.indexOf('@');
        if (at >= 0) {
            digest = Optional.of(Digest.parse(rest.substring(at + 1)));
            rest = rest.substring(0, at);
        }
        Optional<String> tag = digest.isPresent() ? Optional.empty() : Optional.of(DEFAULT_TAG);
        int colon = rest.indexOf(':');
        if (colon >= 0) {
            tag = Optional.of(rest.substring(colon + 1));
            rest = rest.substring(0, colon);
        }
        return new ImageReference(registry, rest, tag, digest);
    }

    private static @Nullable String obviousMistake(String text) {
        if (text.isEmpty()) {
            return "it is empty";
        }
        if (text.contains("://")) {
            return "a reference has no scheme; write it without https:// or http://";
        }
        if (text.matches("[0-9a-f]{64}")) {
            return "64 hexadecimal digits are an image ID, not a name";
        }
        return null;
    }

    /**
     * Returns the repository of this image.
     *
     * @return the repository
     */
    public Repository toRepository() {
        return new Repository(registry, repository);
    }

    /**
     * Returns what a request for the manifest names: the digest if there is one, otherwise the tag.
     *
     * @return a tag, or a digest as text
     */
    public String tagOrDigest() {
        return digest.isPresent() ? digest.get().toString() : tag.orElseThrow();
    }

    /**
     * Returns the same repository with this tag and without a digest.
     *
     * @param newTag the tag
     * @return the reference
     * @throws IllegalArgumentException with the reason, if it is not a tag
     */
    public ImageReference withTag(String newTag) {
        return new ImageReference(registry, repository, Optional.of(newTag), Optional.empty());
    }

    /**
     * Returns the same repository and tag, pinned to a digest.
     *
     * @param newDigest the digest
     * @return the reference
     */
    public ImageReference withDigest(Digest newDigest) {
        return new ImageReference(registry, repository, tag, Optional.of(newDigest));
    }

    /**
     * Returns the same repository and tag without the digest: what a pinned image followed before it was pinned.
     *
     * @return the reference, or empty if there is no tag
     */
    public Optional<ImageReference> withoutDigest() {
        return tag.isEmpty() ? Optional.empty() : Optional.of(withTag(tag.get()));
    }

    /** The canonical text, {@code registry/repository[:tag][@digest]}; {@link #parse} reads it back. */
    @Override
    public String toString() {
        return registry + "/" + repository + (tag.isPresent() ? ":" + tag.get() : "")
                + (digest.isPresent() ? "@" + digest.get() : "");
    }
}
