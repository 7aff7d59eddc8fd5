package io.urunner.registry;

import java.util.Optional;

/**
 * A repository on a registry, in canonical form: {@code index.docker.io} becomes {@code docker.io}, and an official
 * image of Docker Hub gets its {@code library/}. Immutable.
 *
 * @param registry {@code host[:port]}, with an IPv6 address in brackets; by Docker's rules, a host contains a dot, a
 *     port or an upper-case letter, or is {@code localhost}
 * @param name the name on the registry, for example {@code library/nginx}; at most 255 characters
 */
public record Repository(String registry, String name) {
    /** How image references name Docker Hub. */
    public static final String DOCKER_HUB = "docker.io";

    private static final String LEGACY_DOCKER_HUB = "index.docker.io";
    private static final String DOCKER_HUB_API = "registry-1.docker.io";
    private static final String OFFICIAL = "library/";

    /**
     * Creates a repository from its parts.
     *
     * @throws IllegalArgumentException with the reason, if a part is wrong
     */
    public Repository {
        String reason = ReferenceGrammar.wrongRegistry(registry);
        if (reason == null && !ReferenceGrammar.looksLikeHost(registry)) {
            reason = "a registry's host contains a dot, a port or an upper-case letter, or is localhost";
        }
        if (reason != null) {
            throw new IllegalArgumentException("not a registry: " + ReferenceGrammar.quote(registry) + ": " + reason);
        }
        if (registry.equals(LEGACY_DOCKER_HUB)) {
            registry = DOCKER_HUB;
        }
        if (registry.equals(DOCKER_HUB) && name.indexOf('/') < 0 && !name.isEmpty()) {
            name = OFFICIAL + name;
        }
        reason = ReferenceGrammar.wrongRepository(name);
        if (reason != null) {
            throw new IllegalArgumentException("not a repository: " + ReferenceGrammar.quote(name) + ": " + reason);
        }
    }

    /**
     * Reads the name of a repository without tag and digest, by Docker's rules: {@code nginx} is {@code
     * docker.io/library/nginx}.
     *
     * @param text the name
     * @return the repository
     * @throws IllegalArgumentException with the reason, if the text is not a repository
     */
    public static Repository parse(String text) {
        ImageReference reference = ImageReference.parse(text);
        if (text.indexOf('@') >= 0 || text.lastIndexOf(':') > text.lastIndexOf('/')) {
            throw new IllegalArgumentException(
                    "not a repository: " + ReferenceGrammar.quote(text) + ": it has a tag or a digest");
        }
        return reference.toRepository();
    }

    /**
     * Returns the host that serves the API of a registry: the registry itself, except for Docker Hub, whose API is at
     * {@code registry-1.docker.io}.
     *
     * @param registry {@code host[:port]} as references name it
     * @return {@code host[:port]} to send requests to
     */
    public static String apiHost(String registry) {
        return isDockerHub(registry) ? DOCKER_HUB_API : registry;
    }

    /** Whether this is one of the names of Docker Hub. */
    static boolean isDockerHub(String host) {
        return host.equals(DOCKER_HUB) || host.equals(LEGACY_DOCKER_HUB) || host.equals(DOCKER_HUB_API);
    }

    /**
     * Returns the host that serves the API of this repository's registry.
     *
     * @return {@code host[:port]} to send requests to
     */
    public String apiHost() {
        return apiHost(registry);
    }

    /**
     * Returns a reference to a tag of this repository.
     *
     * @param tag the tag
     * @return the reference
     * @throws IllegalArgumentException with the reason, if it is not a valid tag
     */
    public ImageReference tag(String tag) {
        return new ImageReference(registry, name, Optional.of(tag), Optional.empty());
    }

    /**
     * Returns a reference to content of this repository, by digest.
     *
     * @param digest the digest
     * @return the reference
     */
    public ImageReference digest(Digest digest) {
        return new ImageReference(registry, name, Optional.empty(), Optional.of(digest));
    }

    /** {@code registry/name}. */
    @Override
    public String toString() {
        return registry + "/" + name;
    }
}
