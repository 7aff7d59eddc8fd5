package io.urunner.registry.dockerconfig;

import java.util.Optional;

/**
 * The key of an entry of a pull secret, normalised as the kubelet does: without the scheme, user, query and fragment,
 * and without a first segment {@code /v1/} or {@code /v2/}.
 *
 * @param text host, port and path, by which the kubelet sorts
 * @param host the host, which may contain globs
 * @param port the port, or the empty text
 * @param path the path with its leading slash, or the empty text
 */
record PullSecretKey(String text, String host, String port, String path) {
    private static final int MOST_SHOWN = 200;

    /** Reads a key; empty if the kubelet would ignore it because it is not a valid URL. */
    static Optional<PullSecretKey> parse(String key) {
        String rest = key;
        if (rest.startsWith("https://")) {
            rest = rest.substring(8);
        } else if (rest.startsWith("http://")) {
            rest = rest.substring(7);
        }
        return GoUrl.parse(rest).flatMap(url -> {
            String path = url.path();
            if (path.startsWith("/v1/") || path.startsWith("/v2/")) {
                path = path.substring(3);
            }
            String text = url.host() + (path.equals("/") ? "" : path);
            // The kubelet keeps this text, and reads it once more as a URL when it compares it with an image.
            return GoUrl.parse(text).map(again -> of(text, again));
        });
    }

    /** The image's name without tag, as a key to match. */
    static PullSecretKey ofImage(String registry, String repository) {
        return of(registry + "/" + repository, new GoUrl(registry, "/" + repository));
    }

    /** Removes user and password if the key is a URL with them: they do not count, and messages do not repeat them. */
    static String withoutUser(String key) {
        return key.substring(key.lastIndexOf('@') + 1);
    }

    /** The key for a message: without user and password, on one line, and not longer than anybody reads. */
    static String shown(String key) {
        String text = withoutUser(key).replaceAll("[\\p{Cntrl}\\p{Cf}\\u2028\\u2029]", "?");
        return text.length() <= MOST_SHOWN ? text : text.substring(0, MOST_SHOWN) + "…";
    }

    private static PullSecretKey of(String text, GoUrl url) {
        String authority = url.host();
        int colon = authority.lastIndexOf(':');
        if (!hasPort(authority, colon)) {
            // If the kubelet finds no port, or cannot tell which it is, it takes everything as the host.
            return new PullSecretKey(text, authority, "", url.path());
        }
        String host = authority.substring(0, colon);
        return new PullSecretKey(
                text,
                host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
                authority.substring(colon + 1),
                url.path());
    }

    /** As Go's {@code net.SplitHostPort}: one colon outside of brackets, and brackets only around the whole host. */
    private static boolean hasPort(String authority, int colon) {
        if (colon < 0) {
            return false;
        }
        boolean bracketed = authority.startsWith("[");
        if (bracketed) {
            return authority.indexOf(']') == colon - 1 && authority.indexOf('[', 1) < 0;
        }
        return authority.indexOf(':') == colon && authority.indexOf('[') < 0 && authority.indexOf(']') < 0;
    }

    /**
     * Whether this key is for an image: the same port, the same number of labels, each matching as a glob, and a path
     * prefix.
     */
    boolean matches(PullSecretKey image) {
        String[] labels = host.split("\\.", -1);
        String[] imageLabels = image.host.split("\\.", -1);
        if (!port.equals(image.port) || labels.length != imageLabels.length || !image.path.startsWith(path)) {
            return false;
        }
        for (int i = 0; i < labels.length; i++) {
            if (!Glob.matches(labels[i], imageLabels[i])) {
                return false;
            }
        }
        return true;
    }

    /** The key by which the kubelet sorts. */
    @Override
    public String toString() {
        return text;
    }
}
