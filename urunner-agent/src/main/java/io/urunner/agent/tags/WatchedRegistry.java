package io.urunner.agent.tags;

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
 * @param prefix which images are its
 * @param source what answers for it
 * @param interval the time between two passes
 * @param concurrency the questions in flight at most
 */
public record WatchedRegistry(RegistryPrefix prefix, Source source, Duration interval, int concurrency) {
    public WatchedRegistry {
        if (interval.isNegative() || interval.isZero() || concurrency < 1) {
            throw new IllegalArgumentException("a registry is asked at some interval, one question at a time at least");
        }
    }

    /**
     * Starts to describe a registry behind a client, which is asked with the client's credentials.
     *
     * @param prefix which images are its
     * @param client the client; stays the caller's to close
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
        private Optional<Budget> budget = Optional.empty();
        private Function<String, Optional<PullSecretSource>> pullSecrets = namespace -> Optional.empty();

        private Builder(RegistryPrefix prefix, RegistryClient client, InstantSource clock) {
            this.prefix = prefix;
            this.client = client;
            this.clock = clock;
        }

        /**
         * Sets the time between two passes.
         *
         * @param time the time, more than none
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
        public Builder budget(Optional<Budget> limit) {
            budget = limit;
            return this;
        }

        /**
         * Sets what is shown for one namespace alone, where the registry does not tell everybody.
         *
         * @param source by namespace its pull secrets; empty where none are read
         * @return this builder
         */
        public Builder pullSecrets(Function<String, Optional<PullSecretSource>> source) {
            pullSecrets = source;
            return this;
        }

        /**
         * Makes the registry.
         *
         * @return the registry
         * @throws IllegalArgumentException if the interval is not positive, or no question may be in flight
         */
        public WatchedRegistry build() {
            Source source = new ClientSource(client, prefix.registry(), clock, budget, pullSecrets);
            return new WatchedRegistry(prefix, source, interval, concurrency);
        }
    }

    /**
     * A limit of our own for the requests to a registry.
     *
     * @param perMinute so many per minute at most
     * @param sent counts what the client sends
     */
    public record Budget(int perMinute, RequestCounts sent) {
        public Budget {
            if (perMinute < 1) {
                throw new IllegalArgumentException("a budget is at least one request per minute");
            }
        }
    }

    /** What the agent asks a registry. Thread-safe; blocks until there is an answer or a deadline has passed. */
    public interface Source {
        /**
         * What a tag names, by one request.
         *
         * @param reference the reference
         * @return the digest of its manifest or index, and the media type
         * @throws RegistryException if the registry does not say
         * @throws InterruptedException if the thread is interrupted
         */
        Descriptor resolve(ImageReference reference) throws RegistryException, InterruptedException;

        /**
         * What a manifest or an index refers to, by one request.
         *
         * @param image the image, by its digest
         * @return what it refers to
         * @throws RegistryException if the registry does not say
         * @throws InterruptedException if the thread is interrupted
         */
        Links manifest(ImageReference image) throws RegistryException, InterruptedException;

        /**
         * Whether there is any credential to show for a reference.
         *
         * @param reference the reference
         * @return false if it is asked for anonymously
         */
        boolean hasCredential(ImageReference reference);

        /**
         * What is wrong with the pull secrets for a reference, if it is asked with pull secrets.
         *
         * @param reference the reference
         * @return sentences for people, without a secret; empty if all is well
         */
        default List<String> problems(ImageReference reference) {
            return List.of();
        }

        /**
         * What an image says of itself, by one request.
         *
         * @param image the image
         * @param config its configuration
         * @return the labels; empty if this is no configuration of an image
         * @throws RegistryException if the registry does not say
         * @throws InterruptedException if the thread is interrupted
         */
        default Optional<ImageLabels> labels(ImageReference image, Descriptor config)
                throws RegistryException, InterruptedException {
            return Optional.empty();
        }

        /** Whether the registry is there, by one request. */
        default void ping() throws RegistryException, InterruptedException {}

        /**
         * The limit that the registry spoke of last.
         *
         * @return what is left of it; empty if it speaks of none
         */
        Optional<Allowance> allowance();

        /**
         * Our own limit for all that is sent to the registry, with whatever credentials.
         *
         * @return what is left of it; empty if there is none
         */
        default Optional<Allowance> budget() {
            return Optional.empty();
        }

        /**
         * What answers for one namespace alone, with its pull secrets.
         *
         * @param namespace the namespace
         * @return the source; empty where no pull secrets are read, or none is needed since credentials are configured
         */
        default Optional<Source> of(String namespace) {
            return Optional.empty();
        }
    }

    /**
     * What a limit still allows.
     *
     * @param remaining the requests that are left until the reset
     * @param resets when they are counted anew
     * @param reserved how many of those are kept for the questions whose time comes
     */
    public record Allowance(long remaining, Instant resets, long reserved) {
        /** No registry is believed that its limit lasts for longer. */
        private static final Duration LONGEST = Duration.ofDays(7);

        /**
         * A limit of which nothing is reserved.
         *
         * @param remaining the requests that are left until the reset
         * @param resets when they are counted anew
         */
        public Allowance(long remaining, Instant resets) {
            this(remaining, resets, 0);
        }

        /** The requests that are left now. */
        long left(Instant now) {
            return resets.isAfter(now) ? remaining : Long.MAX_VALUE;
        }

        /** How many of them may be spent on what somebody wants to know before its time. */
        long spare(Instant now) {
            return resets.isAfter(now) ? Math.max(0, remaining - reserved) : Long.MAX_VALUE;
        }

        /** How long until they are counted anew. */
        Duration rest(Instant now) {
            return Pace.max(Duration.ZERO, Pace.min(LONGEST, Duration.between(now, resets)));
        }

        /**
         * What a pass over these references leaves, so that the rest of the limit lasts until the reset. What was never
         * asked may have one {@code part}th of what is left at once, as far as that is not reserved.
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
