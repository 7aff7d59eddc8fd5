package io.urunner.registry;

import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A proxy as an environment variable names it. Immutable. */
final class ProxyAddress {
    private static final Pattern FORM = Pattern.compile("(?:([A-Za-z][A-Za-z0-9+.-]*)://)?([^/?#]*)(?:[/?#].*)?");
    private static final Pattern AUTHORITY =
            Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?)(?::([0-9]{0,5}))?");

    /** The proxy; its host is not resolved. */
    final Proxy proxy;

    /** User and password, or null if it demands none. */
    final @Nullable PasswordAuthentication login;

    private ProxyAddress(Proxy proxy, @Nullable PasswordAuthentication login) {
        this.proxy = proxy;
        this.login = login;
    }

    /**
     * Reads a variable.
     *
     * @throws IllegalArgumentException naming the variable and the reason, and nothing of a login
     */
    static ProxyAddress parse(String variable, String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw unusable(variable, "it is not one line of text");
        }
        String scheme = form.group(1) == null ? "http" : form.group(1).toLowerCase(Locale.ROOT);
        String authority = form.group(2);
        int at = authority.lastIndexOf('@');
        boolean socks = switch (scheme) {
            case "http" -> false;
            case "socks5", "socks5h" -> true;
            case "https" ->
                throw unusable(variable, "TLS to the proxy itself (https://) is not supported; name its http:// port");
            default -> throw unusable(variable, "its scheme is not http, socks5 or socks5h");
        };
        if (socks && at >= 0) {
            throw unusable(variable, "a SOCKS proxy with a login is not supported; use one without, or an HTTP proxy");
        }
        Matcher place = AUTHORITY.matcher(authority.substring(at + 1));
        if (!place.matches()) {
            throw unusable(
                    variable,
                    "it does not have the form http://[user:password@]host:port; write special characters of user and"
                            + " password as %40 for '@', %2F for '/', %23 for '#'");
        }
        String digits = place.group(2) == null ? "" : place.group(2);
        int port = digits.isEmpty() ? socks ? 1080 : 80 : Integer.parseInt(digits);
        if (port < 1 || port > 65535) {
            throw unusable(variable, "the port " + port + " does not exist");
        }
        String host = bare(place.group(1));
        return new ProxyAddress(
                new Proxy(socks ? Proxy.Type.SOCKS : Proxy.Type.HTTP, InetSocketAddress.createUnresolved(host, port)),
                at < 0 ? null : login(variable, authority.substring(0, at)));
    }

    private static PasswordAuthentication login(String variable, String text) {
        int colon = text.indexOf(':');
        return new PasswordAuthentication(
                decoded(variable, colon < 0 ? text : text.substring(0, colon)),
                (colon < 0 ? "" : decoded(variable, text.substring(colon + 1))).toCharArray());
    }

    /** Without percent-escapes; a plus sign is a plus sign. */
    private static String decoded(String variable, String text) {
        String result;
        try {
            result = URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw unusable(variable, "its user or password contains a '%' without two hexadecimal digits; write %25");
        }
        if (result.indexOf('\uFFFD') >= 0) {
            throw unusable(variable, "its user or password is not UTF-8");
        }
        if (result.matches("(?s).*\\p{Cc}.*")) {
            throw unusable(variable, "its user or password contains a control character");
        }
        return result;
    }

    private static IllegalArgumentException unusable(String variable, String reason) {
        return new IllegalArgumentException(
                "the proxy in the environment variable " + variable + " cannot be used: " + reason);
    }

    boolean isAt(InetSocketAddress address) {
        InetSocketAddress own = (InetSocketAddress) proxy.address();
        return own.getPort() == address.getPort()
                && own.getHostString().equalsIgnoreCase(bare(address.getHostString()));
    }

    private static String bare(String host) {
        return host.replaceAll("[\\[\\]]", "");
    }

    /** The address of a proxy for people. */
    static String shown(Proxy proxy) {
        if (!(proxy.address() instanceof InetSocketAddress address)) {
            return String.valueOf(proxy.type());
        }
        String host = address.getHostString();
        return (proxy.type() == Proxy.Type.SOCKS ? "socks5://" : "http://")
                + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
    }

    /** Without user and password. */
    @Override
    public String toString() {
        return shown(proxy) + (login != null ? " (with a login)" : "");
    }
}
