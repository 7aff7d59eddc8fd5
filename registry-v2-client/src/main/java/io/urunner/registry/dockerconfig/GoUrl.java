package io.urunner.registry.dockerconfig;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Host and path of a URL as Go's {@code net/url} reads them, because the kubelet does: fragment and query are cut off
 * first, wherever they begin; then the user; escapes are decoded in the path, and in the host if they are not ASCII.
 */
final class GoUrl {
    private static final String PUNCTUATION_OF_HOSTS = "-_.~!$&'()*+,;=:[]<>\"";
    private static final String PUNCTUATION_OF_USERS = "-._:~!$&'()*+,;=%@";

    /** Host and port, decoded. */
    final String host;

    /** The path, decoded. */
    final String path;

    GoUrl(String host, String path) {
        this.host = host;
        this.path = path;
    }

    /**
     * Reads a URL.
     *
     * @param text the URL after its {@code https://}
     * @return its parts; empty if Go would not read it
     */
    static Optional<GoUrl> parse(String text) {
        try {
            int hash = text.indexOf('#');
            String rest = hash < 0 ? text : text.substring(0, hash);
            if (hash >= 0) {
                unescape(text.substring(hash + 1), false, false);
            }
            for (int i = 0; i < rest.length(); i++) {
                if (rest.charAt(i) < ' ' || rest.charAt(i) == 0x7f) {
                    return Optional.empty();
                }
            }
            int query = rest.indexOf('?');
            rest = query < 0 ? rest : rest.substring(0, query);
            int slash = rest.indexOf('/');
            String authority = slash < 0 ? rest : rest.substring(0, slash);
            String host = host(withoutUser(authority));
            return Optional.of(new GoUrl(host, unescape(slash < 0 ? "" : rest.substring(slash), false, false)));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** That a text is not a URL; it says nothing, for it is never shown. */
    private static IllegalArgumentException malformed() {
        return new IllegalArgumentException();
    }

    private static String withoutUser(String authority) {
        int at = authority.lastIndexOf('@');
        String user = authority.substring(0, Math.max(0, at));
        for (int i = 0; i < user.length(); i++) {
            if (!isLetterOrDigit(user.charAt(i)) && PUNCTUATION_OF_USERS.indexOf(user.charAt(i)) < 0) {
                throw malformed();
            }
        }
        unescape(user, false, false);
        return authority.substring(at + 1);
    }

    private static String host(String host) {
        boolean bracketed = host.startsWith("[");
        int end = host.lastIndexOf(bracketed ? ']' : ':');
        if (bracketed && end < 0) {
            throw malformed();
        }
        String port = end < 0 ? "" : host.substring(bracketed ? end + 1 : end);
        if (!port.isEmpty() && !port.matches(":[0-9]*")) {
            throw malformed();
        }
        int zone = bracketed ? host.substring(0, end).indexOf("%25") : -1;
        return zone < 0
                ? unescape(host, true, false)
                : unescape(host.substring(0, zone), true, false)
                        + unescape(host.substring(zone, end), true, true)
                        + unescape(host.substring(end), true, false);
    }

    private static String unescape(String text, boolean inHost, boolean inZone) {
        if (!inHost && text.indexOf('%') < 0) {
            return text;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < utf8.length; i++) {
            int c = utf8[i] & 0xff;
            if (c == '%') {
                if (i + 2 >= utf8.length) {
                    throw malformed();
                }
                int high = Character.digit(utf8[i + 1], 16);
                int low = Character.digit(utf8[i + 2], 16);
                if (high < 0 || low < 0 || (inHost && !mayBeEscaped(high << 4 | low, inZone))) {
                    throw malformed();
                }
                c = high << 4 | low;
                i += 2;
            } else if (inHost && c < 0x80 && !isOfHost(c)) {
                throw malformed();
            }
            bytes.write(c);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** In a host only what is not ASCII may be escaped, and the percent sign before the zone of an IPv6 address. */
    private static boolean mayBeEscaped(int value, boolean inZone) {
        return value == '%' || (inZone ? value == ' ' || (value < 0x80 && isOfHost(value)) : value >= 0x80);
    }

    private static boolean isOfHost(int c) {
        return isLetterOrDigit(c) || PUNCTUATION_OF_HOSTS.indexOf(c) >= 0;
    }

    private static boolean isLetterOrDigit(int c) {
        return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }
}
