package io.urunner.registry;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a host last said about its rate limit. Hosts report parts of it; what they did not report is empty.
 *
 * @param limit how many requests are allowed per window
 * @param remaining how many are left in the current window
 * @param window how long a window is, one day at most
 * @param resetAt when the current window ends, at most a day after the host said so
 * @param toldAt when the host said so
 */
public record RateLimit(
        OptionalLong limit,
        OptionalLong remaining,
        Optional<Duration> window,
        Optional<Instant> resetAt,
        Instant toldAt) {
    /** How many requests are left now; unlimited if the host did not say, or if the window is over. */
    long leaves(Instant now) {
        boolean over = resetAt.isPresent() && !resetAt.get().isAfter(now);
        return over ? Long.MAX_VALUE : remaining.orElse(Long.MAX_VALUE);
    }
}
