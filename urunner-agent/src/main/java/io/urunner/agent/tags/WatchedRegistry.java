package io.urunner.agent.tags;

import io.urunner.agent.PullSecretSource;
import io.urunner.agent.RegistryOptions;
import io.urunner.agent.loop.Pace;
import io.urunner.registry.Descriptor;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.RegistryPrefix;
import io.urunner.store.DigestStore.ImageLabels;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A registry to watch.
 *
 * @param prefix which images belong to it
 * @param source what answers for it
 * @param interval the time between two passes
 * @param concurrency how many questions are in flight at most
 */
public record WatchedRegistry(RegistryPrefix prefix, Source source, Duration interval, int concurrency) {
    public WatchedRegistry {
        if (interval.isNegative() || interval.isZero() || concurrency < 1) {
            throw new IllegalArgumentException("the interval must be positive, and the concurrency at least 1");
        }
    }

    /**
     * Starts to describe a registry behind a client, which is asked with the client's credentials.
     *
     * @param prefix which images belong to it
     * @param client the client; the caller closes it
     * @param clock the time
     * @return a builder; by default the registry is asked every 30 seconds, eight questions at once, without a budget, and
     *     without pull secrets
     */
    public static Builder builder(RegistryPrefix prefix, RegistryClient client, InstantSource clock) {
        return new Builder(prefix, client, clock);
    }

    /** Describes a registry behind a client. Not thread-safe. */
    public static final class Builder {
        private final RegistryPrefix prefix;
        private final RegistryClient client;
        private final InstantSource clock;
        private Duration interval = Duration.ofSeconds(30);
        private int concurrency = 8;
        private Optional<RegistryOptions.Budget> budget = Optional.empty();
        private Function<String, Optional<PullSecretSource>> pullSecrets = namespace -> Optional.empty();

        private Builder(RegistryPrefix prefix, RegistryClient client, InstantSource clock) {
            this.prefix = prefix;
            this.client = client;
            this.clock = clock;
        }

        /**
         * Sets the time between two passes.
         *
         * @param time the time, greater than zero
         * @return this builder
         */
        public Builder interval(Duration time) {
            interval = time;
            return this;
        }

        /**
         * Sets how many questions are in flight at most.
         *
         * @param questions how many, 1 or more
         * @return this builder
         */
        public Builder concurrency(int questions) {
            concurrency = questions;
            return this;
        }

        /**
         * Sets how many requests are sent at most.
         *
         * @param limit the limit; empty for none
         * @return this builder
         */
        public Builder budget(Optional<RegistryOptions.Budget> limit) {
            budget = limit;
            return this;
        }

        /**
         * Sets the credentials for one namespace only, used if the registry does not answer everybody.
         *
         * @param source by namespace, its pull secrets; empty if none are read
         * @return this builder
         */
        public Builder pullSecrets(Function<String, Optional<PullSecretSource>> source) {
            pullSecrets = source;
            return this;
        }

        /**
         * Creates the registry.
         *
         * @return the registry
         * @throws IllegalArgumentException if the interval is not positive, or no question may be in flight
         */
        public WatchedRegistry build() {
            Source source = new ClientSource(client, prefix.registry(), clock, budget, pullSecrets);
            return new WatchedRegistry(prefix, source, interval, concurrency);
        }
    }

    /** What the agent asks a registry. Thread-safe; blocks until there is an answer or a deadline has passed. */
    public interface Source {
        /**
         * Resolves a tag, with one request.
         *
         * @param reference the reference
         * @return the digest of its manifest or index, and the media type
         * @throws RegistryException if the registry does not answer
         * @throws InterruptedException if the thread is interrupted
         */
        Descriptor resolve(ImageReference reference) throws RegistryException, InterruptedException;

        /**
         * Reads what a manifest or an index refers to, with one request.
         *
         * @param image the image, by its digest
         * @return what it refers to
         * @throws RegistryException if the registry does not answer
         * @throws InterruptedException if the thread is interrupted
         */
        Links manifest(ImageReference image) throws RegistryException, InterruptedException;

        /**
         * Whether there is any credential for a reference.
         *
         * @param reference the reference
         * @return false if it is asked for anonymously
         */
        boolean hasCredential(ImageReference reference);

        /**
         * Returns what is wrong with the pull secrets for a reference, if it is asked with pull secrets.
         *
         * @param reference the reference
         * @return sentences for people, without a secret; empty if nothing is wrong
         */
        default List<String> problems(ImageReference reference) {
            return List.of();
        }

        /**
         * Reads an image's labels, with one request.
         *
         * @param image the image
         * @param config its configuration
         * @return the labels; empty if this is not the configuration of an image
         * @throws RegistryException if the registry does not answer
         * @throws InterruptedException if the thread is interrupted
         */
        default Optional<ImageLabels> labels(ImageReference image, Descriptor config)
                throws RegistryException, InterruptedException {
            return Optional.empty();
        }

        /** Checks with one request whether the registry answers. */
        default void ping() throws RegistryException, InterruptedException {}

        /**
         * Returns the limit that the registry last reported.
         *
         * @return what is left of it; empty if it reports none
         */
        Optional<Allowance> allowance();

        /**
         * Returns our own limit for everything that is sent to the registry, with any credentials.
         *
         * @return what is left of it; empty if there is none
         */
        default Optional<Allowance> budget() {
            return Optional.empty();
        }

        /**
         * Returns the source for one namespace only, with its pull secrets.
         *
         * @param namespace the namespace
         * @return the source; empty if no pull secrets are read, or none are needed because credentials are configured
         */
        default Optional<Source> of(String namespace) {
            return Optional.empty();
        }
    }

    /**
     * What a limit still allows.
     *
     * @param remaining the requests that are left until the reset
     * @param resets when the limit is reset
     * @param reserved how many of those are reserved for the questions that become due
     */
    public record Allowance(long remaining, Instant resets, long reserved) {
        /** The longest time until a reset that is believed. */
        private static final Duration LONGEST = Duration.ofDays(7);

        /**
         * Creates a limit of which nothing is reserved.
         *
         * @param remaining the requests that are left until the reset
         * @param resets when the limit is reset
         */
        public Allowance(long remaining, Instant resets) {
            this(remaining, resets, 0);
        }

        /** The requests that are left now. */
        long left(Instant now) {
            return resets.isAfter(now) ? remaining : Long.MAX_VALUE;
        }

        boolean isUsedUp(Instant now) {
            return left(now) <= 0;
        }

        /** How many of them may be spent on questions that are asked early. */
        long spare(Instant now) {
            return resets.isAfter(now) ? Math.max(0, remaining - reserved) : Long.MAX_VALUE;
        }

        /** How long until the reset. */
        Duration rest(Instant now) {
            return Pace.max(Duration.ZERO, Pace.min(LONGEST, Duration.between(now, resets)));
        }

        /**
         * Returns what a pass over these references leaves, so that the rest of the limit lasts until the reset. What was
         * never asked may use one {@code part}th of what is left at once, unless it is reserved.
         */
        long floor(int references, int neverAsked, int part, Duration interval, Instant now) {
            long left = left(now);
            double passes = Math.max(1, (double) rest(now).toMillis() / interval.toMillis());
            if (left >= references * passes) {
                return Math.max(0, left - references);
            }
            long share = Math.max(1, (long) (left / passes));
            long quota = Math.max(share, Math.min(neverAsked, Math.min(left / part, spare(now))));
            return Math.max(0, left - quota);
        }

        /** How long to wait from one request to the next, so that the rest lasts until the reset. */
        Duration spacing(Instant now) {
            return rest(now).dividedBy(Math.max(1, remaining));
        }
    }
}
