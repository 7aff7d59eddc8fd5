package io.urunner.registry;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import okhttp3.Authenticator;
import okhttp3.CookieJar;
import okhttp3.Dns;
import okhttp3.HttpUrl;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** The hosts that a client uses, each with its options. Thread-safe. */
final class Hosts {
    private static final int MOST = 1000;

    /** The longest wait that is believed, in seconds. */
    private static final String LONGEST_WAIT = "" + RateLimitHeaders.LONGEST.toSeconds();

    private final Map<String, HostOptions> options;
    private final HostOptions defaults;
    private final OkHttpClient base;
    private final LruMap<Map.Entry<String, HostOptions>, Host> hosts = new LruMap<>(MOST);

    /** The hosts to which registries led, kept apart so that they do not displace those that users named. */
    private final LruMap<List<Object>, Host> companions = new LruMap<>(MOST);

    /**
     * Creates hosts on top of an HTTP client.
     *
     * @param base the client; its handling of redirects, authentication, cookies and failures is disabled, because
     *     all of these have one place here
     */
    Hosts(Map<String, HostOptions> options, HostOptions defaults, OkHttpClient base) {
        this.options = new HashMap<>();
        for (Map.Entry<String, HostOptions> entry : options.entrySet()) {
            this.options.put(Repository.apiHost(entry.getKey().toLowerCase(Locale.ROOT)), entry.getValue());
        }
        this.defaults = defaults;
        List<HostOptions> all = new ArrayList<>(options.values());
        all.add(defaults);
        for (HostOptions each : all) {
            for (Mirror mirror : each.mirrors()) {
                if (mirror.isPlain()) {
                    HostOptions own = this.options.getOrDefault(mirror.host(), defaults);
                    this.options.put(mirror.host(), own.withPlainHttp());
                }
            }
        }
        this.base = base.newBuilder()
                .followRedirects(false)
                .followSslRedirects(false)
                .authenticator(Authenticator.NONE)
                .cookieJar(CookieJar.NO_COOKIES)
                .cache(null)
                .retryOnConnectionFailure(false)
                .addNetworkInterceptor(Hosts::dissuade)
                .build();
    }

    /**
     * OkHttp itself repeats a request that is answered by 503 with {@code Retry-After: 0}, and fails if the number is too
     * large for an int.
     */
    private static Response dissuade(Interceptor.Chain chain) throws IOException {
        Response response = chain.proceed(chain.request());
        String wait = response.header("Retry-After", "").strip();
        if (response.code() != 503 || !wait.matches("0+|[0-9]{9,}")) {
            return response;
        }
        Response.Builder changed = response.newBuilder().removeHeader("Retry-After");
        return (wait.matches("0+") ? changed : changed.header("Retry-After", LONGEST_WAIT)).build();
    }

    /** The host that serves a registry's API. */
    Host of(String registry) {
        String apiHost = Repository.apiHost(registry.toLowerCase(Locale.ROOT));
        HostOptions reached = options.getOrDefault(apiHost, defaults);
        Map.Entry<String, HostOptions> key = Map.entry(apiHost, reached);
        Host known = hosts.get(key);
        if (known != null) {
            return known;
        }
        String address = reached.address().orElse(apiHost).toLowerCase(Locale.ROOT);
        Host host = new Host(apiHost, address, reached, client(reached, base.dns()));
        HttpUrl name = HttpUrl.parse("https://" + apiHost + "/");
        return hosts.putIfAbsent(key, address.equals(apiHost) || name == null ? host : host.trusting(name));
    }

    /** Returns why a URL that was given on behalf of a registry is not followed, or null if it is. */
    @Nullable String objection(Host registry, HttpUrl url, HttpUrl origin) {
        boolean plain = options.getOrDefault(Addresses.authority(url), defaults).plainHttp();
        return Addresses.objection(url, origin, registry.trusts(url), plain);
    }

    /**
     * The host of a URL from a registry. Its own options apply, not those of the registry; without any, the defaults
     * apply, with the registry's proxy and concurrency. The registry's authorities are also valid for hosts that it is
     * trusted to lead to; a client certificate is presented to no other host.
     */
    Host companion(Host registry, HttpUrl url) {
        String authority = Addresses.authority(url);
        HttpUrl root = HttpUrl.parse(url.scheme() + "://" + registry.authority() + "/");
        if (root != null && Addresses.sameOrigin(root, url)) {
            return registry;
        }
        boolean trusted = registry.trusts(url);
        HostOptions own = options.get(authority);
        HostOptions known = own != null ? own : registry.options().forCompanion(defaults, trusted);
        HostOptions reached = trusted ? known : known.withoutClientCertificate();
        Dns dns = trusted ? base.dns() : Addresses.guard(base.dns(), url.host());
        List<Object> key = List.of(authority, reached, trusted);
        Host companion = companions.get(key);
        return companion != null
                ? companion
                : companions.putIfAbsent(key, new Host(authority, reached, client(reached, dns)));
    }

    private OkHttpClient client(HostOptions reached, Dns dns) {
        if (reached.proxy().isEmpty()
                && reached.authorities().isEmpty()
                && reached.clientCertificate().isEmpty()
                && !reached.insecureTls()
                && dns == base.dns()) {
            return base;
        }
        OkHttpClient.Builder builder = base.newBuilder().dns(dns);
        if (reached.proxy().isPresent()) {
            builder.proxy(reached.proxy().get());
        }
        Tls.configure(builder, reached);
        return builder.build();
    }
}
