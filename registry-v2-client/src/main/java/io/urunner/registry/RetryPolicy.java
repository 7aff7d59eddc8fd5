package io.urunner.registry;

import java.time.Duration;
import java.util.Optional;

/** Whether and when a failed request is sent again. Immutable. */
final class RetryPolicy {
    private final int attempts;
    private final Duration base;
    private final Duration longest;

    /**
     * Creates a policy.
     *
     * @param attempts how many times a request is sent at most, at least 1
     * @param base the wait after the first failure, before jitter; it doubles with each failure
     * @param longest the longest such wait
     */
    RetryPolicy(int attempts, Duration base, Duration longest) {
        this.attempts = attempts;
        this.base = base;
        this.longest = longest;
    }

    /** How many times a request is sent at most. */
    int attempts() {
        return attempts;
    }

    /**
     * Whether a later answer may differ from one with this status: a timeout, a request that came too early, too many
     * of them, a proxy that gave up (nginx), a server error.
     */
    static boolean isTransient(int status) {
        return switch (status) {
            case 408, 425, 429, 499 -> true;
            default -> status >= 500 && status != 501 && status != 505;
        };
    }

    /**
     * The wait before the next attempt.
     *
     * @param attempt the attempt that failed, from 1
     * @param asked the wait that the server requested
     * @param remaining the time until the deadline
     * @param random a number from 0 to 1 that spreads the waits of many clients
     * @return the wait, or empty to give up because the attempts are used up or the wait would reach the deadline
     */
    Optional<Duration> delay(int attempt, Optional<Duration> asked, Duration remaining, double random) {
        if (attempt >= attempts) {
            return Optional.empty();
        }
        Duration doubled = base.multipliedBy(1L << Math.min(attempt - 1, 20));
        long half = (doubled.compareTo(longest) < 0 ? doubled : longest).toNanos() / 2;
        Duration own = Duration.ofNanos(half + Math.round(half * random));
        Duration wait = asked.isPresent() && asked.get().compareTo(own) > 0 ? asked.get() : own;
        return wait.compareTo(remaining) < 0 ? Optional.of(wait) : Optional.empty();
    }
}
