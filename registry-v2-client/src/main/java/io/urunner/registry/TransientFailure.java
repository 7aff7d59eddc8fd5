package io.urunner.registry;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** An answer that may be different later, by its status. It never leaves the client. */
final class TransientFailure extends IOException {
    /** A window states its length, not its end: it may end sooner, so we try again after an hour. */
    private static final Duration LONGEST_GUESS = Duration.ofHours(1);

    private final transient Optional<Duration> retryAfter;
    private final transient List<OciError> errors;
    private final int status;

    TransientFailure(String host, int status, List<OciError> errors, Optional<Duration> retryAfter) {
        super(host + " answered " + status);
        this.status = status;
        this.errors = errors;
        this.retryAfter = retryAfter;
    }

    /** The failure that an answer reports. */
    static TransientFailure of(String host, Response response, Instant now) {
        return new TransientFailure(
                host, response.code(), ErrorAnswer.of(response).errors(), pause(response, now));
    }

    /** How long an answer asks us to wait: by {@code Retry-After}, otherwise by its rate limit window. */
    private static Optional<Duration> pause(Response response, Instant now) {
        Optional<Duration> retryAfter = RateLimitHeaders.retryAfter(response.headers(), now);
        if (retryAfter.isPresent() || response.code() != 429) {
            return retryAfter;
        }
        RateLimit limit = RateLimitHeaders.parse(response.headers(), now).orElse(null);
        if (limit == null || limit.remaining().orElse(0) > 0) {
            return Optional.empty();
        }
        if (limit.resetAt().isPresent()) {
            return Optional.of(Duration.between(now, limit.resetAt().get()));
        }
        boolean known = limit.window().isPresent() && limit.window().get().compareTo(LONGEST_GUESS) > 0;
        return known ? Optional.of(LONGEST_GUESS) : limit.window();
    }

    /**
     * The failure that an answer reports if it says that there were too many requests, or null. Some registries and
     * gateways say so with 400 or 403, and mean it: the code counts, if it is the first.
     */
    static @Nullable TransientFailure limit(String host, Response response, Instant now) {
        TransientFailure failure = response.code() < 400 ? null : of(host, response, now);
        return failure != null && failure.isLimit() ? failure : null;
    }

    /** Whether there were too many requests. */
    boolean isLimit() {
        return status == 429 || (!errors.isEmpty() && errors.get(0).code().equals("TOOMANYREQUESTS"));
    }

    int status() {
        return status;
    }

    List<OciError> errors() {
        return errors;
    }

    Optional<Duration> retryAfter() {
        return retryAfter;
    }
}
