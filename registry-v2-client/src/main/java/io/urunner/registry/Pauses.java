package io.urunner.registry;

import io.urunner.registry.CredentialLedger.Claim;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import okhttp3.Response;

/** Until when registries asked us to be quiet, each for the credentials with which it did. Thread-safe. */
final class Pauses {
    private static final int MOST = 10_000;

    /** A window says how long it is, not when it ends: it may end sooner, so somebody looks after an hour. */
    private static final Duration LONGEST_GUESS = Duration.ofHours(1);

    private final InstantSource clock;
    private final Map<Claim, Instant> pauses = LruMap.of(MOST);

    Pauses(InstantSource clock) {
        this.clock = clock;
    }

    /**
     * Stops a request that would come too early.
     *
     * @throws TransientFailure with the rest of the pause
     */
    void check(Claim asker) throws TransientFailure {
        Instant until = pauses.get(asker);
        if (until == null) {
            return;
        }
        Instant now = clock.instant();
        if (now.isBefore(until)) {
            throw new TransientFailure(asker.judge(), 429, List.of(), Optional.of(Duration.between(now, until)));
        }
        pauses.remove(asker, until);
    }

    void note(Claim asker, Optional<Duration> asked) {
        asked.ifPresent(wait -> pauses.put(asker, clock.instant().plus(wait)));
    }

    Optional<Duration> asked(Response response) {
        return asked(response, clock.instant());
    }

    /** How long an answer asks us to wait: by {@code Retry-After}, otherwise by its window of requests. */
    static Optional<Duration> asked(Response response, Instant now) {
        Optional<Duration> retryAfter = RateLimitHeaders.retryAfter(response.headers(), now);
        if (retryAfter.isPresent() || response.code() != 429) {
            return retryAfter;
        }
        RateLimit limit = RateLimitHeaders.parse(response::header, now).orElse(null);
        if (limit == null || limit.remaining().orElse(0) > 0) {
            return Optional.empty();
        }
        if (limit.resetAt().isPresent()) {
            return Optional.of(Duration.between(now, limit.resetAt().get()));
        }
        return limit.window().map(window -> window.compareTo(LONGEST_GUESS) < 0 ? window : LONGEST_GUESS);
    }
}
