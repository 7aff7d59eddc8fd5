package io.urunner.registry.dockerconfig;

import io.urunner.registry.Repository;
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
 */
final class DockerConfigKey {
    /** What Docker calls Docker Hub in its configuration, and for its helpers. */
    static final String DOCKER_HUB_SERVER = "https://index.docker.io/v1/";

    /** The key as it is written. */
    private final String written;

    /** Whether it has a scheme. */
    private final boolean url;

    /** The canonical name of the host, in lower case, with its port. */
    final String host;

    /** The path without leading and trailing slashes, or the empty text if there is none or it is the root of the API. */
    final String path;

    DockerConfigKey(String written) {
        int scheme = written.indexOf("://");
        String rest = scheme < 0 ? written : written.substring(scheme + 3);
        int end = firstOf(rest, scheme < 0 ? "/" : "/?#");
        String authority = rest.substring(0, end);
        String above = rest.substring(end);
        above = stripped(above.substring(0, firstOf(above, "?#")));
        this.written = written;
        this.url = scheme >= 0;
        this.host = canonical(url ? PullSecretKey.withoutUser(authority) : authority);
        this.path = above.equals("v1") || above.equals("v2") ? "" : above;
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
        DockerConfigKey best = null;
        int bestRank = Integer.MAX_VALUE;
        for (String written : values.keySet()) {
            DockerConfigKey key = new DockerConfigKey(written);
            int rank = key.host.equals(host) ? key.rank(registry, repository) : Integer.MAX_VALUE;
            if (rank < bestRank || (best != null && rank == bestRank && key.precedes(best))) {
                best = key;
                bestRank = rank;
            }
        }
        return best == null ? Optional.empty() : Optional.ofNullable(values.get(best.written));
    }

    private boolean precedes(DockerConfigKey other) {
        int longer = path.length() - other.path.length();
        return longer > 0 || (longer == 0 && written.compareTo(other.written) < 0);
    }

    /** How well this key of the right host fits: the lower, the better. */
    private int rank(String registry, String repository) {
        if (!path.isEmpty()) {
            boolean above = repository.equals(path) || repository.startsWith(path + "/");
            if (url) {
                return above ? 5 : 6; // A URL with any path.
            }
            return above ? 0 : Integer.MAX_VALUE; // A part of the registry.
        }
        boolean hub = host.equals(Repository.DOCKER_HUB);
        if (written.equals(server(registry)) || (!hub && written.equals(registry))) {
            return 1; // The exact name.
        } else if (!url) {
            return 2; // The host in another spelling.
        }
        return written.regionMatches(true, 0, "https://", 0, 8) ? 3 : 4; // A URL of the host.
    }
}
