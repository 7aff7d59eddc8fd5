package io.urunner.registry;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A registry or a part of it: {@code host[:port]} with an optional path prefix. It is matched in whole segments: {@code
 * reg.example/team} matches {@code reg.example/team/app}, but neither {@code reg.example/teams/app} nor {@code
 * evilreg.example/team/app}. {@code reg.example} and {@code reg.example:443} are two registries, as they are to
 * Kubernetes. Immutable.
 *
 * @param registry {@code host[:port]}, in lower case unless only an upper-case letter shows that it is a host; all
 *     names of Docker Hub become {@code docker.io}
 * @param path the path prefix without leading and trailing slashes, or the empty text for the whole registry
 */
public record RegistryPrefix(String registry, String path) {
    /**
     * Creates a prefix from its parts.
     *
     * @throws IllegalArgumentException with the reason, if a part is not valid
     */
    public RegistryPrefix {
        String reason = wrong(registry, path);
        if (reason != null) {
            throw new IllegalArgumentException(reason);
        }
        String lower = registry.toLowerCase(Locale.ROOT);
        if (Repository.isDockerHub(lower)) {
            registry = Repository.DOCKER_HUB;
        } else if (ReferenceGrammar.looksLikeHost(lower)) {
            registry = lower;
        }
    }

    /**
     * Reads a prefix. It accepts what people copy from a browser: a leading {@code https://}, trailing slashes and the
     * API's root ({@code https://index.docker.io/v1/}) are dropped.
     *
     * @param text {@code host[:port][/path]}
     * @return the prefix
     * @throws IllegalArgumentException with the reason and what to write instead
     */
    public static RegistryPrefix parse(String text) {
        String rest = text.strip();
        if (rest.regionMatches(true, 0, "http://", 0, 7)) {
            throw new IllegalArgumentException(
                    "not a registry: " + ReferenceGrammar.quote(text) + ": write it as image references do, without"
                            + " http://; plain http is a setting of the registry, not a part of its name");
        }
        boolean url = rest.regionMatches(true, 0, "https://", 0, 8);
        if (url) {
            rest = rest.substring(8);
        }
        int end = rest.length();
        while (end > 0 && rest.charAt(end - 1) == '/') {
            end--;
        }
        rest = rest.substring(0, end);
        int slash = rest.indexOf('/');
        String host = slash < 0 ? rest : rest.substring(0, slash);
        String path = slash < 0 ? "" : rest.substring(slash + 1);
        // Docker's configuration names Docker Hub also without a scheme: index.docker.io/v1/
        if ((url || Repository.isDockerHub(host)) && (path.equals("v1") || path.equals("v2"))) {
            path = "";
        }
        try {
            return new RegistryPrefix(host, path);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "not a registry: " + ReferenceGrammar.quote(text) + ": " + e.getMessage(), e);
        }
    }

    private static @Nullable String wrong(String registry, String path) {
        String reason = ReferenceGrammar.wrongRegistry(registry);
        if (reason != null) {
            return reason + " (a registry is written as host[:port] with an optional path)";
        }
        if (!ReferenceGrammar.looksLikeHost(registry)) {
            return "to Docker and Kubernetes a first segment without a dot, a port or an upper-case letter is not a host but"
                    + " a name on Docker Hub; write the host with its domain or port, or "
                    + ReferenceGrammar.quote(Repository.DOCKER_HUB + "/" + registry);
        }
        return path.isEmpty() ? null : ReferenceGrammar.wrongRepository(path);
    }

    /**
     * Whether an image is on this registry and under this path.
     *
     * @param image the image
     * @return true if it is
     */
    public boolean matches(ImageReference image) {
        return matches(image.toRepository());
    }

    /**
     * Whether a repository is on this registry and under this path. The case of the host does not matter.
     *
     * @param repository the repository
     * @return true if it is
     */
    public boolean matches(Repository repository) {
        return registry.equalsIgnoreCase(repository.registry())
                && (path.isEmpty()
                        || repository.name().equals(path)
                        || repository.name().startsWith(path + "/"));
    }

    /**
     * Whether a repository is on this registry and under this path, whose host and name need not be those of an image: a
     * mirror may have a host without a dot, or upper-case letters in its path.
     *
     * @param host the host, {@code host[:port]}
     * @param name the name of the repository
     * @return true if it is
     */
    public boolean matches(String host, String name) {
        try {
            return matches(new Repository(host, name));
        } catch (IllegalArgumentException e) {
            return registry.equalsIgnoreCase(host)
                    && (path.isEmpty() || name.equals(path) || name.startsWith(path + "/"));
        }
    }

    /** {@code host[:port][/path]}; {@link #parse} reads it back. */
    @Override
    public String toString() {
        return path.isEmpty() ? registry : registry + "/" + path;
    }
}
