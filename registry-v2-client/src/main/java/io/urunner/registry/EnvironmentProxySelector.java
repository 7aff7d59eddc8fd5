package io.urunner.registry;

import java.io.IOException;
import java.net.Authenticator;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import okhttp3.HttpUrl;
import org.jspecify.annotations.Nullable;

/**
 * Chooses proxies as the environment variables {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code ALL_PROXY} and {@code
 * NO_PROXY} say, mostly by the rules of Go's programs, such as the kubelet and containerd. The client does not
 * read the environment: pass it here, and the selector to {@link RegistryClient.Builder#proxy}. Immutable and
 * thread-safe; it sends nothing.
 *
 * <ul>
 *   <li>Of a variable in lower and in upper case, the one in lower case counts, as with curl. One without text is not
 *       set. Each is the proxy of URLs of its scheme; {@code ALL_PROXY} is for a scheme without its own. {@code
 *       HTTP_PROXY} in upper case is ignored in a CGI program (with {@code REQUEST_METHOD}): there it is what a client
 *       sent as the header {@code Proxy}.
 *   <li>A proxy is {@code [scheme://][user[:password]@]host[:port]}; the scheme is {@code http} by default, the port 80.
 *       Special characters of user and password are percent-encoded. {@code socks5} and {@code socks5h} (port 1080) are
 *       supported without a login; with both, the proxy resolves the names. TLS to the proxy itself ({@code https://})
 *       and SOCKS 4 are not supported, because neither OkHttp nor the Java runtime can do it.
 *   <li>{@code NO_PROXY} lists what is reached directly, separated by commas or blanks: {@code example.com} (it and its
 *       subdomains), {@code .example.com} or {@code *.example.com} (only its subdomains; with curl the first also
 *       means the name itself, with Go it does not), an address, a network ({@code 10.0.0.0/8}, {@code fd00::/8}), each
 *       but the network with a port if only that is meant, and {@code *} for everything. Networks match addresses, not
 *       names: nothing is looked up. An entry that is none of these matches nothing, as with curl and Go.
 *   <li>{@code localhost} and loopback addresses are reached directly.
 * </ul>
 *
 * <p>The answers of a SOCKS proxy are not subject to the client's limit on headers without content.
 */
public final class EnvironmentProxySelector extends ProxySelector {
    private final @Nullable ProxyAddress forHttps;
    private final @Nullable ProxyAddress forHttp;

    /** The entries of {@code NO_PROXY}. */
    private final List<String> exceptions;

    private EnvironmentProxySelector(
            @Nullable ProxyAddress forHttps, @Nullable ProxyAddress forHttp, String exceptions) {
        this.forHttps = forHttps;
        this.forHttp = forHttp;
        this.exceptions = List.of(exceptions.toLowerCase(Locale.ROOT).strip().split("[\\s,]+", -1));
    }

    /**
     * Reads the variables.
     *
     * @param environment the environment, such as {@link System#getenv()}
     * @return the selector; without any of the variables, everything is reached directly
     * @throws IllegalArgumentException if a proxy cannot be used; the message names the variable and the reason, and
     *     contains neither user nor password
     */
    public static EnvironmentProxySelector of(Map<String, String> environment) {
        ProxyAddress all = proxy(environment, "all_proxy");
        ProxyAddress https = proxy(environment, "https_proxy");
        ProxyAddress http = proxy(environment, "http_proxy");
        String exceptions = variable(environment, "no_proxy");
        return new EnvironmentProxySelector(
                https == null ? all : https, http == null ? all : http, environment.getOrDefault(exceptions, ""));
    }

    private static @Nullable ProxyAddress proxy(Map<String, String> environment, String name) {
        String variable = variable(environment, name);
        String text = environment.getOrDefault(variable, "").strip();
        boolean isHeader = variable.equals("HTTP_PROXY") && environment.containsKey("REQUEST_METHOD");
        return text.isEmpty() || isHeader ? null : ProxyAddress.parse(variable, text);
    }

    /** The name of a variable in the case that counts. */
    private static String variable(Map<String, String> environment, String lower) {
        return environment.getOrDefault(lower, "").isBlank() ? lower.toUpperCase(Locale.ROOT) : lower;
    }

    /**
     * Tells whether any variable names a proxy.
     *
     * @return false if everything is reached directly
     */
    public boolean namesAny() {
        return forHttps != null || forHttp != null;
    }

    /**
     * Returns the proxy for a URL.
     *
     * @param uri an http or https URL
     * @return one element: the proxy, with a host that is not resolved yet, or {@link Proxy#NO_PROXY}
     */
    @Override
    public List<Proxy> select(URI uri) {
        String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
        boolean tls = scheme.equals("https");
        ProxyAddress named = tls ? forHttps : scheme.equals("http") ? forHttp : null;
        // URI knows no host such as my_registry, which has an underscore.
        HttpUrl url = named == null ? null : HttpUrl.parse(uri.toString());
        return named == null || url == null || isDirect(url.host(), url.port())
                ? List.of(Proxy.NO_PROXY)
                : List.of(named.proxy);
    }

    /** Whether a host, with or without brackets if it is an IPv6 address, is reached directly at a port. */
    private boolean isDirect(String host, int port) {
        String name = withoutDot(bare(host.toLowerCase(Locale.ROOT)));
        InetAddress address = Addresses.literal(name);
        if (name.equals("localhost") || (address != null && address.isLoopbackAddress())) {
            return true;
        }
        for (String entry : exceptions) {
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

    /** Does nothing: there is no other proxy to try. */
    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException failure) {}

    /**
     * Returns what answers the proxies' requests for a login with the user and password of the variables, for other HTTP
     * clients. {@link RegistryClient} needs only the selector.
     *
     * @return an authenticator that answers only proxies, and only those of the variables
     */
    public Authenticator authenticator() {
        return new Authenticator() {
            @Override
            protected @Nullable PasswordAuthentication getPasswordAuthentication() {
                if (getRequestorType() != RequestorType.PROXY || getRequestingHost() == null) {
                    return null;
                }
                PasswordAuthentication login =
                        login(InetSocketAddress.createUnresolved(getRequestingHost(), getRequestingPort()));
                // Whoever gets it may clear its password.
                return login == null ? null : new PasswordAuthentication(login.getUserName(), login.getPassword());
            }
        };
    }

    /** The login for the proxy at an address, or null if it is none of the variables' or has none. */
    @Nullable PasswordAuthentication login(InetSocketAddress address) {
        PasswordAuthentication login = login(forHttps, address);
        return login != null ? login : login(forHttp, address);
    }

    private static @Nullable PasswordAuthentication login(@Nullable ProxyAddress proxy, InetSocketAddress address) {
        return proxy != null && proxy.isAt(address) ? proxy.login : null;
    }

    /**
     * Writes a proxy as a variable would name it, without user and password.
     *
     * @param proxy the proxy, not {@link Proxy#NO_PROXY}
     * @return its URL, such as {@code http://proxy.example:3128}
     */
    public static String shown(Proxy proxy) {
        return ProxyAddress.shown(proxy);
    }

    /** The proxies, without user and password. */
    @Override
    public String toString() {
        return "https: " + (forHttps == null ? "direct" : forHttps) + ", http: "
                + (forHttp == null ? "direct" : forHttp);
    }
}
