package io.urunner.agent.run;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.store.DigestStore.ImageLabels;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

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
     * A registry behind a client.
     *
     * @param prefix which images are its
     * @param client the client; stays the caller's to close
     * @param clock the time
     * @param interval the time between two passes
     * @param concurrency the questions in flight at most
     * @param budget how many requests are sent at most; empty if that is not limited
     * @param credentials those that the client shows
     * @return the registry
     */
    public static WatchedRegistry of(
            RegistryPrefix prefix,
            RegistryClient client,
            InstantSource clock,
            Duration interval,
            int concurrency,
            Optional<Budget> budget,
            CredentialProvider credentials) {
        ClientSource source = new ClientSource(client, prefix.registry(), clock, budget, credentials);
        return new WatchedRegistry(prefix, source, interval, concurrency);
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
         * The digest of a tag, by one request.
         *
         * @param reference the reference
         * @return the digest and what it is the digest of
         * @throws RegistryException if the registry does not say
         * @throws InterruptedException if the thread is interrupted
         */
        Answer resolve(ImageReference reference) throws RegistryException, InterruptedException;

        /**
         * What a manifest or an index leads to, by one request.
         *
         * @param image the image, by its digest
         * @return what it leads to
         * @throws RegistryException if the registry does not say
         * @throws InterruptedException if the thread is interrupted
         */
        Content manifest(ImageReference image) throws RegistryException, InterruptedException;

        /**
         * Whether there is any credential to show for a reference.
         *
         * @param reference the reference
         * @return false if it is asked for anonymously
         */
        boolean hasCredential(ImageReference reference);

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
    }

    /**
     * A digest.
     *
     * @param digest the digest
     * @param mediaType the media type of what it is the digest of
     */
    public record Answer(Digest digest, String mediaType) {}

    /**
     * What a manifest or an index leads to. A digest never names anything else.
     *
     * @param children the manifests and indexes that an index lists, attestations left out; first the one that speaks for
     *     all: that of linux/amd64, if there is one
     * @param config the configuration of an image
     */
    public record Content(List<Digest> children, Optional<Descriptor> config) {
        public Content {
            children = List.copyOf(children);
        }
    }

    /**
     * What a registry's limit still allows.
     *
     * @param remaining the questions that are left until the reset
     * @param resets when the registry counts anew
     */
    public record Allowance(long remaining, Instant resets) {
        /** The questions that are left now. */
        long left(Instant now) {
            return resets.isAfter(now) ? remaining : Long.MAX_VALUE;
        }

        /**
         * How many of the references a pass may ask, so that the rest of the limit lasts until the reset. What was never
         * asked may take half of what is left at once.
         */
        int quota(int references, int neverAsked, Duration interval, Instant now) {
            long left = left(now);
            double passes = Math.max(1, (double) Duration.between(now, resets).toMillis() / interval.toMillis());
            if (left >= references * passes) {
                return references;
            }
            long share = Math.max(1, (long) (left / passes));
            return (int) Math.min(left, Math.max(share, Math.min(neverAsked, left / 2)));
        }

        /** The one of two that leaves more time from one question to the next. */
        Allowance stricter(Allowance that, Instant now) {
            return spacing(now).compareTo(that.spacing(now)) >= 0 ? this : that;
        }

        /** How long to wait from one question to the next, so that the rest lasts until the reset. */
        Duration spacing(Instant now) {
            Duration rest = Duration.between(now, resets);
            return rest.isNegative() ? Duration.ZERO : rest.dividedBy(Math.max(1, remaining));
        }
    }
}
