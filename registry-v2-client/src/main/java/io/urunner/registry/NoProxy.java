package io.urunner.registry;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What is reached directly, as {@code NO_PROXY} lists it. Immutable. */
final class NoProxy {
    /** An entry; a port of -1 stands for all ports. */
    private interface Entry {
        boolean has(String host, @Nullable InetAddress address, int port);
    }

    private final List<Entry> entries = new ArrayList<>();

    NoProxy(String text) {
        for (String entry : text.toLowerCase(Locale.ROOT).split("[\\s,]+", -1)) {
            if (!entry.isEmpty()) {
                entries.add(entry(entry));
            }
        }
    }

    /** Whether a host, with or without brackets if it is an IPv6 address, is reached directly at a port. */
    boolean has(String host, int port) {
        String name = withoutDot(bare(host.toLowerCase(Locale.ROOT)));
        InetAddress address = Addresses.literal(name);
        if (name.equals("localhost") || (address != null && address.isLoopbackAddress())) {
            return true;
        }
        return entries.stream().anyMatch(entry -> entry.has(name, address, port));
    }

    private static Entry entry(String text) {
        if (text.equals("*")) {
            return (host, address, port) -> true;
        }
        int slash = text.indexOf('/');
        if (slash >= 0) {
            return network(text.substring(0, slash), text.substring(slash + 1));
        }
        String place = text;
        int port = -1;
        int colon = text.lastIndexOf(':');
        // An IPv6 address has several colons, and brackets if a port follows.
        if (colon >= 0 && (text.indexOf(':') == colon || text.charAt(Math.max(0, colon - 1)) == ']')) {
            place = text.substring(0, colon);
            port = text.substring(colon + 1).matches("[0-9]{1,5}") ? Integer.parseInt(text.substring(colon + 1)) : 0;
        }
        int only = port;
        InetAddress literal = Addresses.literal(bare(place));
        if (literal != null) {
            return (host, address, asked) -> literal.equals(address) && (only < 0 || only == asked);
        }
        String name = withoutDot(place.startsWith("*.") ? place.substring(1) : place);
        return (host, address, asked) -> address == null && covers(name, host) && (only < 0 || only == asked);
    }

    private static boolean covers(String name, String host) {
        return name.startsWith(".")
                ? name.length() > 1 && host.endsWith(name)
                : !name.isEmpty() && (host.equals(name) || host.endsWith("." + name));
    }

    private static Entry network(String base, String bits) {
        InetAddress first = Addresses.literal(bare(base));
        int length = bits.matches("[0-9]{1,3}") ? Integer.parseInt(bits) : Integer.MAX_VALUE;
        if (first == null || length > 8 * first.getAddress().length) {
            return (host, address, port) -> false;
        }
        byte[] wanted = masked(first, length);
        return (host, address, port) -> address != null
                && address.getAddress().length == wanted.length
                && Arrays.equals(masked(address, length), wanted);
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
