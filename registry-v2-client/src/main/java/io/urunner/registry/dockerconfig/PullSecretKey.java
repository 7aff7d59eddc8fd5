package io.urunner.registry.dockerconfig;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The key of an entry of a pull secret, normalised as the kubelet does: without the scheme, and without a first segment
 * {@code /v1/} or {@code /v2/}.
 *
 * @param authority host and port as written, without a user
 * @param host the host, which may contain globs
 * @param port the port, or the empty text
 * @param path the path with its leading slash, or the empty text
 */
record PullSecretKey(String authority, String host, String port, String path) {
    /** What Go's URL parser accepts in a host: letters, digits, these characters and everything that is not ASCII. */
    private static final Pattern HOST = Pattern.compile("[a-zA-Z0-9\\x{80}-\\x{10ffff}\\-_.~!$&'()*+,;=:\\[\\]<>\"?]*");

    /** Reads a key; empty if the kubelet would ignore it because it is not a valid URL. */
    static Optional<PullSecretKey> parse(String key) {
        String rest = key;
        if (rest.startsWith("https://")) {
            rest = rest.substring(8);
        } else if (rest.startsWith("http://")) {
            rest = rest.substring(7);
        }
        int slash = rest.indexOf('/');
        String authority = slash < 0 ? rest : rest.substring(0, slash);
        authority = withoutUser(authority);
        String path = slash < 0 ? "" : cut(rest.substring(slash));
        if (path.startsWith("/v1/") || path.startsWith("/v2/")) {
            path = path.substring(3);
        }
        return wellFormed(authority) ? Optional.of(of(authority, path.equals("/") ? "" : path)) : Optional.empty();
    }

    /** The image's name without tag, as a key to match. */
    static PullSecretKey ofImage(String registry, String repository) {
        return of(registry, "/" + repository);
    }

    /** Removes user and password if the key is a URL with them: they do not count, and messages do not repeat them. */
    static String withoutUser(String key) {
        return key.substring(key.lastIndexOf('@') + 1);
    }

    private static PullSecretKey of(String authority, String path) {
        int colon = authority.lastIndexOf(':');
        boolean bracketed = authority.startsWith("[");
        boolean port = bracketed ? authority.lastIndexOf(']') < colon : colon >= 0 && authority.indexOf(':') == colon;
        if (!port) {
            // If the kubelet finds no port, or too many colons for one, it takes everything as the host.
            return new PullSecretKey(authority, authority, "", path);
        }
        String host = authority.substring(0, colon);
        return new PullSecretKey(
                authority,
                bracketed ? host.substring(1, host.length() - 1) : host,
                authority.substring(colon + 1),
                path);
    }

    /** A path without query and fragment. */
    private static String cut(String path) {
        int end = 0;
        while (end < path.length() && path.charAt(end) != '?' && path.charAt(end) != '#') {
            end++;
        }
        return path.substring(0, end);
    }

    private static boolean wellFormed(String authority) {
        boolean bracketed = authority.startsWith("[");
        int end = authority.lastIndexOf(bracketed ? ']' : ':');
        String port = end < 0 ? "" : authority.substring(bracketed ? end + 1 : end);
        return HOST.matcher(authority).matches() && (end >= 0 || !bracketed) && port.matches("(:[0-9]*)?");
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
        return authority + path;
    }
}
