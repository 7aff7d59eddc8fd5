package io.urunner.agent.run;

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
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

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
     * @param budget the requests per minute at most, if that is limited
     * @param credentials those that the client shows
     * @return the registry
     */
    public static WatchedRegistry of(
            RegistryPrefix prefix,
            RegistryClient client,
            InstantSource clock,
            Duration interval,
            int concurrency,
            OptionalInt budget,
            CredentialProvider credentials) {
        return new WatchedRegistry(
                prefix, new ClientSource(client, prefix.registry(), clock, budget, credentials), interval, concurrency);
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
         * What a digest stands for: itself, the digests of an index's children, attestations left out, and the digests
         * of the configurations of all.
         *
         * @param reference the reference that has the digest
         * @param digest the digest
         * @return the digests
         * @throws RegistryException if the registry does not say
         * @throws InterruptedException if the thread is interrupted
         */
        Set<Digest> content(ImageReference reference, Digest digest) throws RegistryException, InterruptedException;

        /**
         * Whether there is any credential to show for a reference.
         *
         * @param reference the reference
         * @return false if it is asked for anonymously
         */
        boolean hasCredential(ImageReference reference);

        /**
         * What an image says of itself, in a few requests.
         *
         * @param reference the reference that has the digest
         * @param digest the digest
         * @return the labels; empty if there are none
         * @throws RegistryException if the registry does not say
         * @throws InterruptedException if the thread is interrupted
         */
        default Optional<ImageLabels> labels(ImageReference reference, Digest digest)
                throws RegistryException, InterruptedException {
            return Optional.empty();
        }

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
