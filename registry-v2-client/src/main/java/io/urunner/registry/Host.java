package io.urunner.registry;

import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;

/** One host that is talked to: how, and how much at a time. Thread-safe. */
final class Host {
    private static final int PROBE_MILLIS = 1000;

    private final String authority;
    private final HostOptions options;
    private final OkHttpClient client;
    private final Semaphore gate;

    /** The root of its URLs, null while it is not known whether a loopback host speaks TLS. */
    @Nullable private volatile HttpUrl root;

    Host(String authority, HostOptions options, OkHttpClient client) {
        this.authority = authority;
        this.options = options;
        this.client = client;
        this.gate = new Semaphore(options.concurrency());
        HttpUrl secure = HttpUrl.parse("https://" + authority + "/");
        if (secure == null) {
            throw new IllegalArgumentException("not a registry host: " + authority);
        }
        if (options.plainHttp()) {
            this.root = plain();
        } else if (!Addresses.isLoopback(secure.host()) || options.proxy().isPresent()) {
            this.root = secure;
        }
    }

    String authority() {
        return authority;
    }

    HostOptions options() {
        return options;
    }

    OkHttpClient client() {
        return client;
    }

    Semaphore gate() {
        return gate;
    }

    /**
     * The root of this host's URLs. A loopback host without options is asked once whether it speaks TLS; if it does not,
     * it is spoken to in plain http, as Docker does.
     */
    HttpUrl root() throws IOException {
        HttpUrl known = root;
        if (known != null) {
            return known;
        }
        synchronized (this) {
            if (root == null) {
                HttpUrl secure = HttpUrl.get("https://" + authority + "/");
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

    /** Forgets what a loopback host speaks: it could not be reached, and may be another one when it comes back. */
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
