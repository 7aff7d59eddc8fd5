package io.urunner.registry;

import java.util.Map;
import okhttp3.Authenticator;
import okhttp3.CookieJar;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;

/** The hosts that a client talks to, each with its options. Thread-safe. */
final class Hosts {
    private static final int MOST = 1000;

    private final Map<String, HostOptions> options;
    private final HostOptions defaults;
    private final OkHttpClient base;
    private final Map<Map.Entry<String, HostOptions>, Host> hosts = LruMap.of(MOST);

    /**
     * Hosts over an HTTP client.
     *
     * @param base the client; what it does about redirects, authentication and cookies is switched off
     */
    Hosts(Map<String, HostOptions> options, HostOptions defaults, OkHttpClient base) {
        this.options = Map.copyOf(options);
        this.defaults = defaults;
        this.base = base.newBuilder()
                .followRedirects(false)
                .followSslRedirects(false)
                .authenticator(Authenticator.NONE)
                .cookieJar(CookieJar.NO_COOKIES)
                .cache(null)
                .build();
    }

    /** The host that serves a registry's API. */
    Host of(String registry) {
        String apiHost = Repository.apiHost(registry);
        HostOptions own = options.get(registry);
        return host(apiHost, own != null ? own : options.getOrDefault(apiHost, defaults));
    }

    /** The host of a URL that a registry gave; without options of its own it is reached as the registry is. */
    Host companion(Host registry, HttpUrl url) {
        String authority = Addresses.authority(url);
        if (isHost(registry, url)) {
            return registry;
        }
        HostOptions own = options.get(authority);
        HostOptions reached = own != null ? own : registry.options().forCompanions();
        return host(authority, reached);
    }

    private static boolean isHost(Host host, HttpUrl url) {
        HttpUrl own = HttpUrl.parse(url.scheme() + "://" + host.authority() + "/");
        return own != null && Addresses.sameOrigin(own, url);
    }

    private Host host(String authority, HostOptions reached) {
        return hosts.computeIfAbsent(
                Map.entry(authority, reached), key -> new Host(authority, reached, client(reached)));
    }

    private OkHttpClient client(HostOptions reached) {
        if (reached.proxy().isEmpty()
                && reached.authorities().isEmpty()
                && reached.clientCertificate().isEmpty()
                && !reached.insecureTls()) {
            return base;
        }
        OkHttpClient.Builder builder = base.newBuilder();
        if (reached.proxy().isPresent()) {
            builder.proxy(reached.proxy().get());
        }
        Tls.configure(builder, reached);
        return builder.build();
    }
}
