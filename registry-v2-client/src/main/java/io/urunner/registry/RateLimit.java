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
 * @param window how long a window is
 * @param resetAt when the current window ends
 * @param toldAt when it was told
 */
public record RateLimit(
        OptionalLong limit,
        OptionalLong remaining,
        Optional<Duration> window,
        Optional<Instant> resetAt,
        Instant toldAt) {}
