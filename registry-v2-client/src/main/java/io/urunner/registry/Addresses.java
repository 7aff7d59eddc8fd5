package io.urunner.registry;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Set;
import okhttp3.HttpUrl;
import org.jspecify.annotations.Nullable;

/** Where a registry may send us: the rules for realms, redirects and upload locations, which are a remote party's input. */
final class Addresses {
    private Addresses() {}

    /**
     * Why a URL that a registry gave is not followed, or null if it is.
     *
     * @param url the URL
     * @param origin the registry's own URL
     * @param trusted the hosts that somebody listed, {@code host} or {@code host:port}
     */
    @Nullable static String objection(HttpUrl url, HttpUrl origin, Set<String> trusted) {
        if (origin.isHttps() && !url.isHttps()) {
            return "it is plain http although the registry is https";
        }
        boolean known = url.host().equals(origin.host())
                || trusted.contains(url.host())
                || trusted.contains(authority(url))
                || trusted.contains(url.host() + ":" + url.port());
        if (!known && isPrivate(url.host())) {
            return "it is a private address that is not the registry's own; list it as trusted if it is right";
        }
        return null;
    }

    static boolean sameOrigin(HttpUrl one, HttpUrl other) {
        return one.scheme().equals(other.scheme()) && one.host().equals(other.host()) && one.port() == other.port();
    }

    /** The host and, unless it is the scheme's own, the port. */
    static String authority(HttpUrl url) {
        String host = url.host().indexOf(':') >= 0 ? "[" + url.host() + "]" : url.host();
        return url.port() == HttpUrl.defaultPort(url.scheme()) ? host : host + ":" + url.port();
    }

    /** Whether a registry is on this machine, so that it may do without TLS. */
    static boolean isLoopback(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        if (name.equals("localhost") || name.endsWith(".localhost")) {
            return true;
        }
        InetAddress literal = literal(host);
        return literal != null && literal.isLoopbackAddress();
    }

    /** Whether a host is an address, not a name, in a range that is not routed on the Internet. */
    static boolean isPrivate(String host) {
        if (isLoopback(host)) {
            return true;
        }
        InetAddress literal = literal(host);
        if (literal == null) {
            return looksNumeric(host);
        }
        byte[] bytes = literal.getAddress();
        boolean uniqueLocal = bytes.length == 16 && (bytes[0] & 0xfe) == 0xfc;
        boolean carrierGrade = bytes.length == 4 && bytes[0] == 100 && (bytes[1] & 0xc0) == 64;
        return literal.isAnyLocalAddress()
                || literal.isLinkLocalAddress()
                || literal.isSiteLocalAddress()
                || literal.isMulticastAddress()
                || uniqueLocal
                || carrierGrade;
    }

    @Nullable private static InetAddress literal(String host) {
        boolean v4 = host.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
        boolean v6 = host.indexOf(':') >= 0;
        if (!v4 && !v6) {
            return null;
        }
        try {
            // A literal is not looked up.
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            return null;
        }
    }

    /** Whether the system's resolver might read the host as a number: 127.1, 0x7f000001, 2130706433. */
    private static boolean looksNumeric(String host) {
        String last = host.substring(host.lastIndexOf('.') + 1);
        return last.matches("[0-9]+|0[xX][0-9a-fA-F]*");
    }
}
