package io.urunner.registry;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a host last said about the requests that it grants. Hosts tell parts of it; absent is what they did not tell.
 *
 * @param limit how many requests a window has
 * @param remaining how many are left in the current window
 * @param window how long a window is, a day at most
 * @param resetAt when the current window ends, within a day from when it was told
 * @param toldAt when it was told
 */
public record RateLimit(
        OptionalLong limit,
        OptionalLong remaining,
        Optional<Duration> window,
        Optional<Instant> resetAt,
        Instant toldAt) {
    /** How many requests are left now; without end where that was not told, or is over. */
    long leaves(Instant now) {
        boolean over = resetAt.isPresent() && !resetAt.get().isAfter(now);
        return over ? Long.MAX_VALUE : remaining.orElse(Long.MAX_VALUE);
    }
}
