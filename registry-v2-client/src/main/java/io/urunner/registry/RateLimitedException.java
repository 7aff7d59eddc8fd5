package io.urunner.registry;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The registry asks us to slow down (429). */
public final class RateLimitedException extends RegistryException {
    private final Instant retryAt;
    private final boolean named;

    /**
     * Creates the error.
     *
     * @param request what was being done
     * @param reason what went wrong, and what can be done about it
     * @param retryAt when to try again
     * @param named whether the registry named that time
     * @param cause the cause, or null
     */
    public RateLimitedException(
            FailedRequest request, String reason, Instant retryAt, boolean named, @Nullable Throwable cause) {
        super(request, reason, cause, true);
        this.retryAt = Objects.requireNonNull(retryAt, "retryAt");
        this.named = named;
    }

    /**
     * Returns the time before which another request is useless: what the registry said, or a guess if it said nothing.
     *
     * @return when to try again
     */
    public Instant retryAt() {
        return retryAt;
    }

    /**
     * Whether the registry named the time: a caller with its own schedule need not follow a guess.
     *
     * @return false if {@link #retryAt} is a guess
     */
    public boolean isRetryAtNamed() {
        return named;
    }
}
