package io.urunner.registry;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What is reached directly, as {@code NO_PROXY} lists it. Immutable. */
final class NoProxy {
    private final List<String> entries;

    NoProxy(String text) {
        entries = List.of(text.toLowerCase(Locale.ROOT).strip().split("[\\s,]+", -1));
    }

    /** Whether a host, with or without brackets if it is an IPv6 address, is reached directly at a port. */
    boolean has(String host, int port) {
        String name = withoutDot(bare(host.toLowerCase(Locale.ROOT)));
        InetAddress address = Addresses.literal(name);
        if (name.equals("localhost") || (address != null && address.isLoopbackAddress())) {
            return true;
        }
        for (String entry : entries) {
            if (has(entry, name, address, port)) {
                return true;
            }
        }
        return false;
    }

    private static boolean has(String entry, String host, @Nullable InetAddress address, int port) {
        if (entry.equals("*")) {
            return true;
        }
        int slash = entry.indexOf('/');
        if (slash >= 0) {
            return address != null && isIn(entry.substring(0, slash), entry.substring(slash + 1), address);
        }
        String place = entry;
        int colon = entry.lastIndexOf(':');
        // An IPv6 address has several colons, and brackets if a port follows.
        if (colon >= 0 && (entry.indexOf(':') == colon || entry.charAt(Math.max(0, colon - 1)) == ']')) {
            place = entry.substring(0, colon);
            String digits = entry.substring(colon + 1);
            if (!digits.matches("[0-9]{1,5}") || Integer.parseInt(digits) != port) {
                return false;
            }
        }
        InetAddress literal = Addresses.literal(bare(place));
        if (literal != null) {
            return literal.equals(address);
        }
        return address == null && covers(withoutDot(place.startsWith("*.") ? place.substring(1) : place), host);
    }

    private static boolean covers(String name, String host) {
        return name.startsWith(".")
                ? name.length() > 1 && host.endsWith(name)
                : !name.isEmpty() && (host.equals(name) || host.endsWith("." + name));
    }

    private static boolean isIn(String base, String bits, InetAddress address) {
        InetAddress first = Addresses.literal(bare(base));
        int length = bits.matches("[0-9]{1,3}") ? Integer.parseInt(bits) : Integer.MAX_VALUE;
        return first != null
                && length <= 8 * first.getAddress().length
                && Arrays.equals(masked(first, length), masked(address, length));
    }

    private static byte[] masked(InetAddress address, int length) {
        byte[] bytes = address.getAddress();
        for (int i = 0; i < bytes.length; i++) {
            int kept = Math.min(8, Math.max(0, length - 8 * i));
            bytes[i] &= (byte) (0xff << (8 - kept));
        }
        return bytes;
    }

    private static String bare(String host) {
        return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
    }

    private static String withoutDot(String name) {
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }
}
