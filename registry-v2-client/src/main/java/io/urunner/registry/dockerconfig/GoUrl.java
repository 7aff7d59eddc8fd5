package io.urunner.registry.dockerconfig;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Host and path of a URL as Go's {@code net/url} reads them, because the kubelet does: fragment and query are cut off
 * first, wherever they begin; then the user; escapes are decoded in the path, and in the host if they are not ASCII.
 *
 * @param host host and port, decoded
 * @param path the path, decoded
 */
record GoUrl(String host, String path) {
    private static final String PUNCTUATION_OF_HOSTS = "-_.~!$&'()*+,;=:[]<>\"";
    private static final String PUNCTUATION_OF_USERS = "-._:~!$&'()*+,;=%@";

    /** Where an escape stands. */
    private enum Place {
        HOST,
        ZONE,
        ELSEWHERE
    }

    /** That a text is not a URL; it carries nothing, for it is never shown. */
    private static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed() {
            super(null, null, false, false);
        }
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
                unescape(text.substring(hash + 1), Place.ELSEWHERE);
            }
            if (rest.chars().anyMatch(c -> c < ' ' || c == 0x7f)) {
                return Optional.empty();
            }
            int query = rest.indexOf('?');
            rest = query < 0 ? rest : rest.substring(0, query);
            int slash = rest.indexOf('/');
            String authority = slash < 0 ? rest : rest.substring(0, slash);
            String host = host(withoutUser(authority));
            return Optional.of(new GoUrl(host, unescape(slash < 0 ? "" : rest.substring(slash), Place.ELSEWHERE)));
        } catch (Malformed e) {
            return Optional.empty();
        }
    }

    private static String withoutUser(String authority) throws Malformed {
        int at = authority.lastIndexOf('@');
        String user = authority.substring(0, Math.max(0, at));
        for (int i = 0; i < user.length(); i++) {
            if (!isLetterOrDigit(user.charAt(i)) && PUNCTUATION_OF_USERS.indexOf(user.charAt(i)) < 0) {
                throw new Malformed();
            }
        }
        unescape(user, Place.ELSEWHERE);
        return authority.substring(at + 1);
    }

    private static String host(String host) throws Malformed {
        boolean bracketed = host.startsWith("[");
        int end = host.lastIndexOf(bracketed ? ']' : ':');
        if (bracketed && end < 0) {
            throw new Malformed();
        }
        String port = end < 0 ? "" : host.substring(bracketed ? end + 1 : end);
        if (!port.isEmpty()
                && (port.charAt(0) != ':' || !port.substring(1).chars().allMatch(GoUrl::isDigit))) {
            throw new Malformed();
        }
        int zone = bracketed ? host.substring(0, end).indexOf("%25") : -1;
        return zone < 0
                ? unescape(host, Place.HOST)
                : unescape(host.substring(0, zone), Place.HOST)
                        + unescape(host.substring(zone, end), Place.ZONE)
                        + unescape(host.substring(end), Place.HOST);
    }

    private static String unescape(String text, Place place) throws Malformed {
        if (place == Place.ELSEWHERE && text.indexOf('%') < 0) {
            return text;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < utf8.length; i++) {
            int c = utf8[i] & 0xff;
            if (c == '%') {
                if (i + 2 >= utf8.length) {
                    throw new Malformed();
                }
                int high = Character.digit(utf8[i + 1], 16);
                int low = Character.digit(utf8[i + 2], 16);
                if (high < 0 || low < 0 || !mayBeEscaped(high << 4 | low, place)) {
                    throw new Malformed();
                }
                c = high << 4 | low;
                i += 2;
            } else if (place != Place.ELSEWHERE && c < 0x80 && !isOfHost(c)) {
                throw new Malformed();
            }
            bytes.write(c);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** In a host only what is not ASCII may be escaped, and the percent sign before the zone of an IPv6 address. */
    private static boolean mayBeEscaped(int value, Place place) {
        return switch (place) {
            case HOST -> value >= 0x80 || value == '%';
            case ZONE -> value == '%' || value == ' ' || (value < 0x80 && isOfHost(value));
            case ELSEWHERE -> true;
        };
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
