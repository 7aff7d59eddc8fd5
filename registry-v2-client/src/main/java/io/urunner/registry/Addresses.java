package io.urunner.registry;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.List;
import okhttp3.Dns;
import okhttp3.HttpUrl;
import org.jspecify.annotations.Nullable;

/**
 * Where a registry may lead us: the rules for realms, redirects and upload locations, which come from a remote party.
 * The addresses of a name are checked when it is resolved for a connection ({@link #guard}).
 */
final class Addresses {
    private static final String PRIVATE =
            "it is a private address that is not the registry's own; if this is intended, add it to the registry's trusted"
                    + " hosts: trustedHosts (HostOptions.withTrustedHosts)";

    private static final String PLAIN =
            "it is plain http, which is allowed only for the registry's own host; if this is intended, allow it for that"
                    + " host: plainHttp (HostOptions.withPlainHttp)";

    /**
     * What is not on the public Internet, as prefix and length: this network, private (RFC 1918), shared (RFC 6598),
     * loopback, link-local, protocol assignments, 6to4 relays, benchmarks, multicast and reserved. Clouds serve
     * metadata in some of these ranges, and Azure also at one address outside of them.
     */
    private static final int[] PRIVATE_V4 = {
        0x00000000,
        8,
        0x0a000000,
        8,
        0x64400000,
        10,
        0x7f000000,
        8,
        0xa9fe0000,
        16,
        0xac100000,
        12,
        0xc0000000,
        24,
        0xc0586300,
        24,
        0xc0a80000,
        16,
        0xc6120000,
        15,
        0xe0000000,
        3,
        0xa83f8110,
        32
    };

    private Addresses() {}

    /**
     * Resolves like another resolver, but no name to a private address: the address that was checked is the one used.
     */
    static Dns guard(Dns dns, String name) {
        return hostname -> {
            List<InetAddress> found = dns.lookup(hostname);
            for (InetAddress address : found) {
                // Other names are those of proxies, which resolve this name themselves.
                if (hostname.equals(name) && isPrivate(address)) {
                    UnknownHostException refused = new UnknownHostException(name);
                    refused.initCause(
                            new Violation("the registry leads to " + name + ", which is not followed: " + PRIVATE));
                    throw refused;
                }
            }
            return found;
        };
    }

    /**
     * Returns why a URL from a registry is not followed, or null if it is.
     *
     * @param url the URL
     * @param origin the URL that led to it
     * @param trusted whether its host is the registry's own or listed as trusted
     * @param plain whether the options of its host allow plain http
     */
    @Nullable static String objection(HttpUrl url, HttpUrl origin, boolean trusted, boolean plain) {
        boolean known = trusted || url.host().equals(origin.host());
        if (!url.isHttps() && origin.isHttps()) {
            return "it is plain http, but the registry uses https";
        } else if (!url.isHttps() && !known && !plain) {
            return PLAIN;
        }
        return !known && isPrivate(url.host()) ? PRIVATE : null;
    }

    /**
     * The token server that a challenge names. Behind a proxy that adds TLS, many a registry believes that it speaks
     * plain http, and names itself so: its own host is asked the way that it was reached.
     *
     * @param named the URL in the challenge
     * @param origin the URL that was challenged, or the root of its host
     */
    static HttpUrl realm(HttpUrl named, HttpUrl origin) {
        HttpUrl.Builder realm = named.newBuilder().username("").password("").fragment(null);
        if (!named.isHttps() && origin.isHttps() && named.host().equals(origin.host())) {
            boolean standard = named.port() == HttpUrl.defaultPort("http");
            realm.scheme("https").port(standard ? origin.port() : named.port());
        }
        return realm.build();
    }

    static boolean sameOrigin(HttpUrl one, HttpUrl other) {
        return one.scheme().equals(other.scheme()) && one.host().equals(other.host()) && one.port() == other.port();
    }

    /** The host, and the port unless it is the default of the scheme. */
    static String authority(HttpUrl url) {
        String host = url.host().indexOf(':') >= 0 ? "[" + url.host() + "]" : url.host();
        return url.port() == HttpUrl.defaultPort(url.scheme()) ? host : host + ":" + url.port();
    }

    /** Whether a registry is on this machine, so that it needs no TLS. */
    static boolean isLoopback(String host) {
        if (host.matches("(?i)(.*\\.)?localhost\\.?")) {
            return true;
        }
        InetAddress literal = literal(host);
        return literal != null && literal.isLoopbackAddress();
    }

    /** Whether a host is an address, not a name, that is not on the public Internet. */
    private static boolean isPrivate(String host) {
        InetAddress literal = literal(host);
        return isLoopback(host) || (literal == null ? looksNumeric(host) : isPrivate(literal));
    }

    /**
     * Whether an address is not on the public Internet. In IPv6 that is everything outside of 2000::/3, and inside of
     * it protocol assignments (including Teredo) and 6to4: one that embeds an IPv4 address counts as private.
     */
    static boolean isPrivate(InetAddress address) {
        ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
        int first = bytes.getInt();
        if (bytes.hasRemaining()) {
            return first >>> 29 != 1 || first >>> 16 == 0x2002 || first >>> 9 == 0x20010000 >>> 9;
        }
        for (int i = 0; i < PRIVATE_V4.length; i += 2) {
            if ((first ^ PRIVATE_V4[i]) >>> (Integer.SIZE - PRIVATE_V4[i + 1]) == 0) {
                return true;
            }
        }
        return false;
    }

    /** The address that a host is, or null if it is a name; nothing is looked up. */
    @Nullable static InetAddress literal(String host) {
        // Some read a number with a leading zero as octal.
        boolean v4 = host.matches("(0|[1-9][0-9]{0,2})(\\.(0|[1-9][0-9]{0,2})){3}");
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

    /** Whether the system's resolver or a proxy might read the host as a number: 127.1, 0x7f000001, 2130706433. */
    private static boolean looksNumeric(String host) {
        return host.matches("(?i)(.*\\.)?([0-9]+|0x[0-9a-f]*)\\.*");
    }
}
