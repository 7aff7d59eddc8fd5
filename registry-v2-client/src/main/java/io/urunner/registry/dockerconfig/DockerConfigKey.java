package io.urunner.registry.dockerconfig;

import io.urunner.registry.Repository;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A key of {@code auths} or {@code credHelpers}: which repositories it is for, and how well it fits.
 *
 * <p>Docker, Podman and Jib agree on exact names, on URLs of a host, and on URLs with any path: {@code
 * https://reg.example/artifactory/api/docker/repo} is a key for {@code reg.example}. They differ on paths without a
 * scheme: to Podman, which writes them, {@code reg.example/team} is for the repositories below {@code team}; to Docker
 * and Jib it is another spelling of the host. Podman's reading is followed: the credential of one team should not be
 * shown for the images of another.
 *
 * @param written the key as it is written
 * @param url whether it has a scheme
 * @param host the canonical name of the host, in lower case, with its port
 * @param path the path without leading and trailing slashes, or the empty text if there is none or it is the root of the
 *     API
 */
record DockerConfigKey(String written, boolean url, String host, String path) {
    /** What Docker calls Docker Hub in its configuration, and for its helpers. */
    static final String DOCKER_HUB_SERVER = "https://index.docker.io/v1/";

    /** How well a key fits, the best first. */
    private enum Fit {
        NAMESPACE,
        EXACT,
        BARE_HOST,
        HTTPS_HOST,
        URL_OF_HOST,
        URL_ABOVE_REPOSITORY,
        URL_BESIDE_REPOSITORY
    }

    private record Ranked<T>(Fit fit, int length, String written, T value) {}

    static DockerConfigKey of(String key) {
        int scheme = key.indexOf("://");
        String rest = scheme < 0 ? key : key.substring(scheme + 3);
        int end = firstOf(rest, scheme < 0 ? "/" : "/?#");
        String host = rest.substring(0, end);
        if (scheme >= 0) {
            host = PullSecretKey.withoutUser(host);
        }
        String path = rest.substring(end);
        path = stripped(path.substring(0, firstOf(path, "?#")));
        boolean root = path.equals("v1") || path.equals("v2");
        return new DockerConfigKey(key, scheme >= 0, canonical(host), root ? "" : path);
    }

    private static int firstOf(String text, String characters) {
        int i = 0;
        while (i < text.length() && characters.indexOf(text.charAt(i)) < 0) {
            i++;
        }
        return i;
    }

    private static String stripped(String path) {
        int start = 0;
        int end = path.length();
        while (start < end && path.charAt(start) == '/') {
            start++;
        }
        while (end > start && path.charAt(end - 1) == '/') {
            end--;
        }
        return path.substring(start, end);
    }

    private static String canonical(String host) {
        return Repository.canonicalRegistry(host.toLowerCase(Locale.ROOT));
    }

    /** The name of a registry in Docker's configuration, and for its helpers. */
    static String server(String registry) {
        String host = canonical(registry);
        return host.equals(Repository.DOCKER_HUB) ? DOCKER_HUB_SERVER : host;
    }

    /**
     * Returns the value whose key fits a repository best. Of the same fit the longest path counts, and of the same
     * length the first in alphabetical order; the order in the file does not matter.
     *
     * @param values the values by key as written
     * @param registry the registry as references name it
     * @param repository the repository
     * @return the value, or empty if no key is for the repository
     */
    static <T> Optional<T> best(Map<String, T> values, String registry, String repository) {
        String host = canonical(registry);
        return values.entrySet().stream()
                .flatMap(entry -> of(entry.getKey()).rank(host, registry, repository, entry.getValue()).stream())
                .min(Comparator.<Ranked<T>, Fit>comparing(Ranked::fit)
                        .thenComparing(Ranked::length, Comparator.reverseOrder())
                        .thenComparing(Ranked::written))
                .map(Ranked::value);
    }

    private <T> Optional<Ranked<T>> rank(String registryHost, String registry, String repository, T value) {
        return host.equals(registryHost)
                ? fit(registry, repository).map(fit -> new Ranked<>(fit, path.length(), written, value))
                : Optional.empty();
    }

    private Optional<Fit> fit(String registry, String repository) {
        if (path.isEmpty()) {
            return Optional.of(fitOfHost(registry));
        }
        boolean above = repository.equals(path) || repository.startsWith(path + "/");
        if (url) {
            return Optional.of(above ? Fit.URL_ABOVE_REPOSITORY : Fit.URL_BESIDE_REPOSITORY);
        }
        return above ? Optional.of(Fit.NAMESPACE) : Optional.empty();
    }

    private Fit fitOfHost(String registry) {
        boolean hub = host.equals(Repository.DOCKER_HUB);
        if (written.equals(server(registry)) || (!hub && written.equals(registry))) {
            return Fit.EXACT;
        } else if (!url) {
            return Fit.BARE_HOST;
        }
        return written.regionMatches(true, 0, "https://", 0, 8) ? Fit.HTTPS_HOST : Fit.URL_OF_HOST;
    }
}
