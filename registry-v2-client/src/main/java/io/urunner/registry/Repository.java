package io.urunner.registry;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * A repository on a registry, in canonical form: every {@linkplain #canonicalRegistry name of Docker Hub} becomes {@code
 * docker.io}, and an official image of Docker Hub gets its {@code library/}. Immutable.
 *
 * @param registry {@code host[:port]}, with an IPv6 address in brackets; by Docker's rules, a host contains a dot, a
 *     port or an upper-case letter, or is {@code localhost}
 * @param name the name on the registry, for example {@code library/nginx}; at most 255 characters
 */
public record Repository(String registry, String name) {
    /** How image references name Docker Hub. */
    public static final String DOCKER_HUB = "docker.io";

    private static final String DOCKER_HUB_API = "registry-1.docker.io";
    private static final Set<String> DOCKER_HUB_NAMES =
            Set.of(DOCKER_HUB, "index.docker.io", DOCKER_HUB_API, "registry.hub.docker.com", "hub.docker.com");
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
        registry = canonicalRegistry(registry);
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
     * Returns the host that serves the API of a registry: the registry itself, except for Docker Hub, by
     * whichever name, whose API is at {@code registry-1.docker.io}.
     *
     * @param registry {@code host[:port]} as references name it
     * @return {@code host[:port]} to send requests to
     */
    public static String apiHost(String registry) {
        return isDockerHub(registry) ? DOCKER_HUB_API : registry;
    }

    /**
     * Returns the one name of a registry under which references, prefixes, credentials and options are compared: {@code
     * docker.io} for {@code index.docker.io}, {@code registry-1.docker.io}, {@code registry.hub.docker.com} and {@code
     * hub.docker.com} in upper or lower case, otherwise the registry as it is written.
     *
     * <p>Docker itself knows only the first two names, in lower case, and takes the others for other registries. They
     * are the same registry with the same accounts and limits, so a client that keeps them apart asks twice, counts
     * twice, and does not find the credential. A name with a port stays as it is: to Kubernetes, too, {@code
     * reg.example} and {@code reg.example:443} are two registries.
     *
     * @param registry {@code host[:port]}
     * @return {@code host[:port]}
     */
    public static String canonicalRegistry(String registry) {
        return isDockerHub(registry) ? DOCKER_HUB : registry;
    }

    /** Whether this is one of the names of Docker Hub. */
    static boolean isDockerHub(String host) {
        return DOCKER_HUB_NAMES.contains(host.toLowerCase(Locale.ROOT));
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
