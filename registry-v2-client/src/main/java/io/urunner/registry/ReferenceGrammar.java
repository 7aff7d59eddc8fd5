package io.urunner.registry;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.HttpUrl;
import org.jspecify.annotations.Nullable;

/**
 * The grammar of Docker's references (distribution/reference), scanned by hand: one pass, no backtracking, no
 * recursion, for any input. The checks return the reason why a text is not valid, or null.
 */
final class ReferenceGrammar {
    static final int MAX_REPOSITORY_LENGTH = 255;
    static final int MAX_TAG_LENGTH = 128;
    private static final int MAX_HOST_LENGTH = 253;
    private static final int MAX_LABEL_LENGTH = 63;

    /** How much of a wrong text an error message repeats. */
    private static final int MAX_QUOTE = 120;

    /** The user before a password. A text with digits or a longer one may be a token in the place of the user. */
    private static final Pattern USER = Pattern.compile("(?:https?://)?([a-zA-Z]{1,16}:)");

    private ReferenceGrammar() {}

    /**
     * Docker's rule for the first segment of a name: only these are hosts, everything else is part of a repository name
     * on Docker Hub.
     */
    static boolean looksLikeHost(String segment) {
        if (segment.equals("localhost")) {
            return true;
        }
        for (int i = 0; i < segment.length(); i++) {
            char c = segment.charAt(i);
            if (c == '.' || c == ':' || Character.isUpperCase(c)) {
                return true;
            }
        }
        return false;
    }

    /** {@code host[:port]}; the host is a name, an IPv4 address or an IPv6 address in brackets. */
    static @Nullable String wrongRegistry(String registry) {
        int portAt;
        if (registry.startsWith("[")) {
            int end = registry.indexOf(']');
            if (end < 0) {
                return "the IPv6 address lacks its closing bracket";
            }
            String reason = wrongIpv6(registry.substring(0, end + 1));
            if (reason != null) {
                return reason;
            }
            portAt = end + 1;
            if (portAt < registry.length() && registry.charAt(portAt) != ':') {
                return "only a port may follow the IPv6 address";
            }
        } else {
            int colon = registry.indexOf(':');
            portAt = colon < 0 ? registry.length() : colon;
            String reason = wrongHostName(registry.substring(0, portAt));
            if (reason != null) {
                return reason;
            }
        }
        return portAt == registry.length() ? null : wrongPort(registry.substring(portAt + 1));
    }

    /** Whether no client can make a URL of it: a label that is not Punycode, or an IPv6 address that is not valid. */
    private static boolean isNoAddress(String host) {
        return HttpUrl.parse("https://" + host + "/") == null;
    }

    private static @Nullable String wrongIpv6(String bracketed) {
        for (int i = 1; i < bracketed.length() - 1; i++) {
            char c = bracketed.charAt(i);
            if (c > 'f' || (c != ':' && Character.digit(c, 16) < 0)) {
                return "an IPv6 address may contain only hexadecimal digits and colons, without a zone";
            }
        }
        return isNoAddress(bracketed) ? "not an IPv6 address" : null;
    }

    private static @Nullable String wrongHostName(String host) {
        char previous = '.';
        int label = 0;
        for (int i = 0; i < host.length(); i++) {
            char c = host.charAt(i);
            boolean inner = c == '-' || c == '.';
            if (!inner && !isLetterOrDigit(c)) {
                return "a host name may contain only letters, digits, hyphens and dots";
            }
            if (inner && !isLetterOrDigit(previous) && !(c == '-' && previous == '-')) {
                return "every label of a host name must start and end with a letter or digit";
            }
            previous = c;
            label = c == '.' ? 0 : label + 1;
            if (i == MAX_HOST_LENGTH || label > MAX_LABEL_LENGTH) {
                return "a host name may have at most " + MAX_HOST_LENGTH
                        + " characters, and each of its labels at most " + MAX_LABEL_LENGTH;
            }
        }
        if (!isLetterOrDigit(previous)) {
            return host.isEmpty()
                    ? "the host is empty"
                    : "every label of a host name must start and end with a letter or digit";
        }
        return host.toLowerCase(Locale.ROOT).contains("xn--") && isNoAddress(host)
                ? "a label of a host name that begins with xn-- must be Punycode"
                : null;
    }

    private static @Nullable String wrongPort(String port) {
        int value = 0;
        for (int i = 0; i < port.length(); i++) {
            char c = port.charAt(i);
            if (c < '0' || c > '9') {
                return "a port must be a number";
            }
            value = Math.min(value * 10 + (c - '0'), 65_536);
        }
        return port.length() > 5 || value == 0 || value > 65_535 ? "a port must be a number from 1 to 65535" : null;
    }

    /**
     * Segments of lower-case letters and digits, separated by one dot, one or two underscores or any number of hyphens.
     */
    static @Nullable String wrongRepository(String name) {
        if (name.isEmpty()) {
            return "the repository is empty";
        }
        if (name.length() > MAX_REPOSITORY_LENGTH) {
            return "the repository is longer than " + MAX_REPOSITORY_LENGTH + " characters";
        }
        int i = 0;
        while (i < name.length()) {
            int start = i;
            while (i < name.length() && isLowerOrDigit(name.charAt(i))) {
                i++;
            }
            if (i == start) {
                return wrongSegmentStart(name, i);
            }
            if (i == name.length()) {
                return null;
            }
            int separator = separatorLength(name, i);
            if (separator == 0) {
                return wrongCharacter(name.charAt(i));
            }
            i += separator;
        }
        return "a segment of the repository must end with a letter or digit";
    }

    private static String wrongSegmentStart(String name, int at) {
        char c = name.charAt(at);
        if (c == '/') {
            return "the repository has an empty segment";
        }
        return c == '.' || c == '_' || c == '-'
                ? "a segment of the repository must start and end with a letter or digit, with only one"
                        + " dot, one or two underscores, or hyphens between them"
                : wrongCharacter(c);
    }

    private static String wrongCharacter(char c) {
        return Character.isUpperCase(c)
                ? "the repository must be lower case"
                : "the repository may contain only lower-case letters, digits, and . _ - between them";
    }

    private static int separatorLength(String name, int at) {
        char c = name.charAt(at);
        return switch (c) {
            case '/', '.' -> 1;
            case '_' -> at + 1 < name.length() && name.charAt(at + 1) == '_' ? 2 : 1;
            case '-' -> {
                int end = at;
                while (end < name.length() && name.charAt(end) == '-') {
                    end++;
                }
                yield end - at;
            }
            default -> 0;
        };
    }

    static @Nullable String wrongTag(String tag) {
        if (tag.isEmpty()) {
            return "the tag is empty";
        }
        if (tag.length() > MAX_TAG_LENGTH) {
            return "the tag is longer than " + MAX_TAG_LENGTH + " characters";
        }
        for (int i = 0; i < tag.length(); i++) {
            char c = tag.charAt(i);
            boolean first = isLetterOrDigit(c) || c == '_';
            if (!first && (i == 0 || (c != '.' && c != '-'))) {
                return i == 0
                        ? "a tag must start with a letter, a digit or an underscore"
                        : "a tag may contain only letters, digits, and . _ -";
            }
        }
        return null;
    }

    /** A text for an error message: bounded, and without characters that would break a log line. */
    static String quote(String text) {
        int start = host(text);
        var quoted = new StringBuilder("\"");
        if (start > 0) {
            Matcher user = USER.matcher(text);
            quoted.append(user.lookingAt() ? user.group(1) : "").append("[secret]@");
        }
        int end = Math.min(text.length(), start + MAX_QUOTE);
        for (int i = start; i < end; i++) {
            char c = text.charAt(i);
            quoted.append(c < ' ' || c > '~' ? '?' : c);
        }
        return quoted.append(end < text.length() ? "…\"" : "\"").toString();
    }

    /** Where a host begins after a user or a token, 0 if there is none. What precedes a digest is a name. */
    private static int host(String text) {
        int at = text.lastIndexOf('@');
        if (at >= 0 && text.substring(at).matches("(?s)@sha[0-9]+:.*")) {
            at = text.lastIndexOf('@', at - 1);
        }
        return at >= 0 && text.substring(at).matches("(?s).*[.:/].*") ? at + 1 : 0;
    }

    private static boolean isLowerOrDigit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    }

    private static boolean isLetterOrDigit(char c) {
        return isLowerOrDigit(c) || (c >= 'A' && c <= 'Z');
    }
}
