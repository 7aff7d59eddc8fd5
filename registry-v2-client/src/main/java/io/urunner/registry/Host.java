package io.urunner.registry;

import java.io.IOException;
import java.net.Proxy;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;

/** One host, how to reach it, and how many requests it gets at a time. Thread-safe. */
final class Host {
    private static final int PROBE_MILLIS = 1000;

    private final String name;
    private final String authority;
    private final HttpUrl secure;
    private final HostOptions options;
    private final OkHttpClient client;
    private final Semaphore gate;

    /** The root of its URLs, or null as long as it is unknown whether a loopback host speaks TLS. */
    @Nullable private volatile HttpUrl root;

    Host(String authority, HostOptions options, OkHttpClient client) {
        this(authority, authority, options, client);
    }

    /** A host whose address differs from the name that it has in references. */
    Host(String name, String authority, HostOptions options, OkHttpClient client) {
        this(name, authority, options, client, new Semaphore(options.concurrency()));
    }

    private Host(String name, String authority, HostOptions options, OkHttpClient client, Semaphore gate) {
        this.name = name;
        this.authority = authority;
        this.options = options;
        this.client = client;
        this.gate = gate;
        HttpUrl url = HttpUrl.parse("https://" + authority + "/");
        if (url == null) {
            throw new IllegalArgumentException("not a registry host: " + authority);
        }
        secure = url;
        if (options.plainHttp()) {
            this.root = plain();
        } else if (!Addresses.isLoopback(secure.host()) || options.proxy().isPresent()) {
            this.root = secure;
        }
    }

    /**
     * A host as a caller names it.
     *
     * @throws IllegalArgumentException if it is a URL or no host at all; the message says what to write
     */
    static String authority(String text) {
        String bare =
                text.strip().replaceFirst("^[A-Za-z][A-Za-z0-9+.-]*://", "").replaceFirst("[/?#].*$", "");
        bare = bare.substring(bare.lastIndexOf('@') + 1);
        String reason = ReferenceGrammar.wrongRegistry(bare);
        if (reason != null || !bare.equals(text)) {
            throw new IllegalArgumentException("not a host: " + ReferenceGrammar.quote(text) + ": write "
                    + (reason == null ? ReferenceGrammar.quote(bare) : "host[:port], as references name it"));
        }
        return bare;
    }

    /** This host, trusted to lead to a URL. */
    Host trusting(HttpUrl url) {
        Set<String> trusted = new HashSet<>(options.trustedHosts());
        trusted.add(Addresses.authority(url));
        return new Host(name, authority, options.withTrustedHosts(trusted), client, gate);
    }

    /** Whether it may lead to a URL regardless of the address: on the same host or on a listed one. */
    boolean trusts(HttpUrl url) {
        Set<String> listed = options.trustedHosts();
        return url.host().equals(secure.host())
                || listed.contains(url.host())
                || listed.contains(Addresses.authority(url))
                || listed.contains(url.host() + ":" + url.port());
    }

    /** What it is called in references; observers know it by this. */
    String name() {
        return name;
    }

    /** Where it is reached. */
    String authority() {
        return authority;
    }

    HostOptions options() {
        return options;
    }

    /**
     * The client for a request. OkHttp asks no selector for a host that {@link java.net.URI} does not know as one, such
     * as {@code my_registry}.
     */
    OkHttpClient client(HttpUrl url) {
        return client.proxy() != null || url.uri().getHost() != null
                ? client
                : client.newBuilder().proxy(proxy(url).orElse(Proxy.NO_PROXY)).build();
    }

    Semaphore gate() {
        return gate;
    }

    /**
     * The root of this host's URLs. A loopback host without options is probed once for TLS; if it does not speak TLS,
     * plain http is used, as Docker does.
     */
    HttpUrl root() throws IOException {
        HttpUrl known = root;
        if (known != null) {
            return known;
        }
        synchronized (this) {
            if (root == null) {
                HttpUrl plain = plain();
                boolean sharesPort = secure.port() == plain.port();
                boolean tls;
                try {
                    tls = Tls.isSpokenAt(client.socketFactory(), secure.host(), secure.port(), PROBE_MILLIS);
                } catch (IOException e) {
                    if (sharesPort) {
                        throw e;
                    }
                    tls = false;
                }
                root = tls ? secure : plain;
            }
            return Objects.requireNonNull(root);
        }
    }

    /** The proxy that it is reached through. */
    Optional<Proxy> proxy() {
        HttpUrl known = root;
        return proxy(known != null ? known : plain());
    }

    private Optional<Proxy> proxy(HttpUrl url) {
        Proxy fixed = client.proxy();
        List<Proxy> chosen =
                fixed != null ? List.of(fixed) : client.proxySelector().select(url.uri());
        return chosen.isEmpty() || chosen.get(0).type() == Proxy.Type.DIRECT
                ? Optional.empty()
                : Optional.of(chosen.get(0));
    }

    /** What to call it if a request to a URL of it fails: the proxy may be at fault. */
    String described(HttpUrl url) {
        Proxy proxy = proxy(url).orElse(Proxy.NO_PROXY);
        return proxy.type() == Proxy.Type.DIRECT
                ? authority
                : authority + " (through the proxy " + ProxyAddress.shown(proxy) + ")";
    }

    /**
     * A URL from this registry, as the registry is reached. It may name itself, and be reached at another address; and
     * behind a proxy that terminates TLS, it may not know that it is asked by https.
     */
    HttpUrl asReached(HttpUrl url) throws IOException {
        boolean named = !name.equals(authority) && Addresses.authority(url).equalsIgnoreCase(name);
        if (!named && !url.host().equals(secure.host())) {
            return url;
        }
        HttpUrl own = root();
        if (named) {
            return url.newBuilder()
                    .scheme(own.scheme())
                    .host(own.host())
                    .port(own.port())
                    .build();
        }
        boolean portless = own.isHttps() && url.port() == HttpUrl.defaultPort(url.scheme());
        return url.isHttps() != own.isHttps() && (portless || url.port() == own.port())
                ? url.newBuilder().scheme(own.scheme()).port(own.port()).build()
                : url;
    }

    /**
     * Forgets whether a loopback host speaks TLS: it could not be reached, and may be another server when it comes
     * back.
     */
    void unreachable() {
        HttpUrl known = root;
        if (known != null && !options.plainHttp() && options.proxy().isEmpty() && Addresses.isLoopback(known.host())) {
            root = null;
        }
    }

    private HttpUrl plain() {
        return HttpUrl.get("http://" + authority + "/");
    }
}
