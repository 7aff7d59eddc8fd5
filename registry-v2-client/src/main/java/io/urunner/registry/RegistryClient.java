package io.urunner.registry;

import io.urunner.registry.auth.CredentialProvider;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongSupplier;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;

/**
 * A client of registries that speak the OCI distribution API (Docker Registry v2). One client serves any number of
 * registries and threads; keep it as long as possible, because it remembers tokens, scopes and connections.
 *
 * <p>Methods block. They end within the {@linkplain Builder#deadline deadline}, and soon after the thread is interrupted.
 */
public final class RegistryClient implements AutoCloseable {
    private RegistryClient(Builder builder) {
        Objects.requireNonNull(builder, "builder");
    }

    /**
     * Starts to compose a client.
     *
     * @return a builder with everything at its default
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Asks what a reference names now, without reading it: one {@code HEAD}.
     *
     * @param image the reference; where it has a digest, that is asked for
     * @return media type, digest and size
     * @throws RegistryException if the registry does not tell
     * @throws InterruptedException if the thread is interrupted
     */
    public Descriptor resolve(ImageReference image) throws RegistryException, InterruptedException {
        return Optional.<Descriptor>empty()
                .orElseThrow(() -> new UnavailableException(
                        FailedRequest.of("resolve", image.registry()), "the transport is not there yet", null, null));
    }

    /**
     * What a host last said about the requests it grants.
     *
     * @param registry the registry as {@code host[:port]}
     * @return the limit, or empty if the host said nothing yet
     */
    public Optional<RateLimit> rateLimit(String registry) {
        return Optional.empty();
    }

    /** Closes the connections, unless the HTTP client is the caller's. Closing twice does nothing. */
    @Override
    public void close() {}

    /** Composes a client. Not thread-safe. */
    public static final class Builder {
        @Nullable CredentialProvider credentials;

        @Nullable OkHttpClient httpClient;

        HostOptions defaults = HostOptions.DEFAULTS;
        final Map<String, HostOptions> hosts = new HashMap<>();
        final List<String> accept = new ArrayList<>(MediaType.MANIFESTS);
        RegistryObserver observer = RegistryObserver.NONE;
        InstantSource clock = SystemTime.CLOCK;
        LongSupplier ticker = SystemTime.TICKER;
        Sleeper sleeper = SystemTime.SLEEPER;
        Duration connectTimeout = Duration.ofSeconds(10);
        Duration readTimeout = Duration.ofSeconds(20);
        Duration deadline = Duration.ofSeconds(30);
        int attempts = 3;
        String userAgent = "urunner-registry-client";

        private Builder() {}

        /**
         * Where credentials come from; without it everything is read anonymously.
         *
         * @param provider the provider; the client does not close it
         * @return this
         */
        public Builder credentials(CredentialProvider provider) {
            this.credentials = Objects.requireNonNull(provider, "provider");
            return this;
        }

        /**
         * How a host is reached.
         *
         * @param host {@code host[:port]}, as references name it
         * @param options its options
         * @return this
         */
        public Builder host(String host, HostOptions options) {
            hosts.put(host, Objects.requireNonNull(options, "options"));
            return this;
        }

        /**
         * How hosts are reached that have no options of their own.
         *
         * @param options the options
         * @return this
         */
        public Builder defaults(HostOptions options) {
            this.defaults = Objects.requireNonNull(options, "options");
            return this;
        }

        /**
         * Media types to accept for manifests beside the four of images and indexes, which are always accepted.
         *
         * @param mediaTypes the media types
         * @return this
         */
        public Builder accept(List<String> mediaTypes) {
            mediaTypes.stream().filter(type -> !accept.contains(type)).forEach(accept::add);
            return this;
        }

        /**
         * The HTTP client whose connections, proxies and interceptors to use. It is never closed by us.
         *
         * @param client the client
         * @return this
         */
        public Builder httpClient(OkHttpClient client) {
            this.httpClient = Objects.requireNonNull(client, "client");
            return this;
        }

        /**
         * Who is told what the client does.
         *
         * @param newObserver the observer
         * @return this
         */
        public Builder observer(RegistryObserver newObserver) {
            this.observer = Objects.requireNonNull(newObserver, "newObserver");
            return this;
        }

        /**
         * The time of day, for tokens and for credentials that were rejected.
         *
         * @param newClock the clock
         * @return this
         */
        public Builder clock(InstantSource newClock) {
            this.clock = Objects.requireNonNull(newClock, "newClock");
            return this;
        }

        /**
         * The elapsed time, for deadlines.
         *
         * @param nanoseconds counts nanoseconds
         * @return this
         */
        public Builder ticker(LongSupplier nanoseconds) {
            this.ticker = Objects.requireNonNull(nanoseconds, "nanoseconds");
            return this;
        }

        /**
         * How to wait between attempts.
         *
         * @param newSleeper waits
         * @return this
         */
        public Builder sleeper(Sleeper newSleeper) {
            this.sleeper = Objects.requireNonNull(newSleeper, "newSleeper");
            return this;
        }

        /**
         * How long connecting may take (default 10 s).
         *
         * @param timeout the bound
         * @return this
         */
        public Builder connectTimeout(Duration timeout) {
            this.connectTimeout = Objects.requireNonNull(timeout, "timeout");
            return this;
        }

        /**
         * How long a host may be silent (default 20 s).
         *
         * @param timeout the bound
         * @return this
         */
        public Builder readTimeout(Duration timeout) {
            this.readTimeout = Objects.requireNonNull(timeout, "timeout");
            return this;
        }

        /**
         * How long a call may take in all, with its token requests, waits and retries, but without the reading and writing
         * of blobs (default 30 s).
         *
         * @param budget the bound
         * @return this
         */
        public Builder deadline(Duration budget) {
            this.deadline = Objects.requireNonNull(budget, "budget");
            return this;
        }

        /**
         * How many times a request is sent at most when a registry is unreachable, busy or failing (default 3).
         *
         * @param count at least 1, which means no retries
         * @return this
         */
        public Builder attempts(int count) {
            if (count < 1) {
                throw new IllegalArgumentException("a request is sent at least once, not " + count + " times");
            }
            this.attempts = count;
            return this;
        }

        /**
         * What the client calls itself.
         *
         * @param name the value of {@code User-Agent}
         * @return this
         */
        public Builder userAgent(String name) {
            this.userAgent = Objects.requireNonNull(name, "name");
            return this;
        }

        /**
         * Creates the client. It sends nothing before it is asked.
         *
         * @return the client; the caller closes it
         */
        public RegistryClient build() {
            return new RegistryClient(this);
        }
    }
}
