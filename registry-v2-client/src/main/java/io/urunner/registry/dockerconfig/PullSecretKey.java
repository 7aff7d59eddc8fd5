package io.urunner.registry.dockerconfig;

import java.util.Optional;

/**
 * The key of an entry of a pull secret, normalised as the kubelet does: without the scheme, user, query and fragment,
 * and without a first segment {@code /v1/} or {@code /v2/}.
 */
final class PullSecretKey {
    private static final int MOST_SHOWN = 200;

    /** What a pattern does not match. */
    private static final int WRONG = -1;

    private final String text;

    /** The host, which may contain globs. */
    final String host;

    /** The port, or the empty text. */
    final String port;

    /** The path with its leading slash, or the empty text. */
    final String path;

    private PullSecretKey(String text, GoUrl url) {
        this.text = text;
        this.path = url.path;
        String authority = url.host;
        int colon = authority.lastIndexOf(':');
        if (hasPort(authority, colon)) {
            boolean bracketed = authority.startsWith("[");
            this.host = bracketed ? authority.substring(1, colon - 1) : authority.substring(0, colon);
            this.port = authority.substring(colon + 1);
        } else {
            // If the kubelet finds no port, or cannot tell which it is, it takes everything as the host.
            this.host = authority;
            this.port = "";
        }
    }

    /** Reads a key; empty if the kubelet would ignore it because it is not a valid URL. */
    static Optional<PullSecretKey> parse(String key) {
        String rest = key;
        if (rest.startsWith("https://")) {
            rest = rest.substring(8);
        } else if (rest.startsWith("http://")) {
            rest = rest.substring(7);
        }
        Optional<GoUrl> url = GoUrl.parse(rest);
        if (url.isEmpty()) {
            return Optional.empty();
        }
        String path = url.get().path;
        if (path.startsWith("/v1/") || path.startsWith("/v2/")) {
            path = path.substring(3);
        }
        String text = url.get().host + (path.equals("/") ? "" : path);
        // The kubelet keeps this text, and reads it once more as a URL when it compares it with an image.
        Optional<GoUrl> again = GoUrl.parse(text);
        return again.isEmpty() ? Optional.empty() : Optional.of(new PullSecretKey(text, again.get()));
    }

    /** The image's name without tag, as a key to match. */
    static PullSecretKey ofImage(String registry, String repository) {
        return new PullSecretKey(registry + "/" + repository, new GoUrl(registry, "/" + repository));
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
            if (!isMatch(labels[i], imageLabels[i])) {
                return false;
            }
        }
        return true;
    }

    /**
     * Whether a text matches a shell glob as in Go's {@code path.Match}, for one label of a host: {@code *}, {@code ?},
     * {@code [a-z]}, {@code [^a-z]} and the backslash. A malformed pattern matches nothing. Backtracks only to the last star,
     * so the time is at most the product of the two lengths.
     */
    static boolean isMatch(String pattern, String text) {
        int p = 0;
        int t = 0;
        int afterStar = WRONG;
        int starText = 0;
        while (t < text.length() || p < pattern.length()) {
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                afterStar = ++p;
                starText = t;
                continue;
            }
            int next = p < pattern.length() && t < text.length() ? one(pattern, p, text.charAt(t)) : WRONG;
            if (next >= 0) {
                p = next;
                t++;
            } else if (afterStar >= 0 && starText < text.length()) {
                p = afterStar;
                t = ++starText;
            } else {
                return false;
            }
        }
        return true;
    }

    /** Matches one character; returns the position in the pattern after what matched, or {@link #WRONG}. */
    private static int one(String pattern, int p, char c) {
        return switch (pattern.charAt(p)) {
            case '?' -> p + 1;
            case '[' -> characterClass(pattern, p + 1, c);
            case '\\' -> p + 1 < pattern.length() && pattern.charAt(p + 1) == c ? p + 2 : WRONG;
            default -> pattern.charAt(p) == c ? p + 1 : WRONG;
        };
    }

    private static int characterClass(String pattern, int start, char c) {
        int p = start;
        boolean negated = p < pattern.length() && pattern.charAt(p) == '^';
        if (negated) {
            p++;
        }
        boolean hit = false;
        boolean first = true;
        while (first || p >= pattern.length() || pattern.charAt(p) != ']') {
            int low = member(pattern, p);
            if (low == WRONG) {
                return WRONG;
            }
            int high = low;
            if (low + 1 < pattern.length() && pattern.charAt(low + 1) == '-') {
                high = member(pattern, low + 2);
                if (high == WRONG) {
                    return WRONG;
                }
            }
            hit |= pattern.charAt(low) <= c && c <= pattern.charAt(high);
            p = high + 1;
            first = false;
        }
        return hit != negated ? p + 1 : WRONG;
    }

    /** Returns the position of the class member that starts here, after its backslash if it has one. */
    private static int member(String pattern, int p) {
        if (p >= pattern.length() || pattern.charAt(p) == '-' || pattern.charAt(p) == ']') {
            return WRONG;
        }
        int at = pattern.charAt(p) == '\\' ? p + 1 : p;
        return at < pattern.length() ? at : WRONG;
    }

    /** Host, port and path, by which the kubelet sorts. */
    @Override
    public String toString() {
        return text;
    }
}
