package io.urunner.registry;

import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The registry, its token server or an issuer of credentials cannot be reached, is too slow, or answers that it cannot
 * serve the request now (408, 425, 499, 5xx).
 */
public final class UnavailableException extends RegistryException {
    @Nullable private final Instant retryAt;

    /**
     * Creates the error.
     *
     * @param request what was being done
     * @param reason what went wrong, and what can be done about it
     * @param retryAt when to try again, or null if the registry did not say
     * @param cause the underlying failure, or null if there was none
     */
    public UnavailableException(
            FailedRequest request, String reason, @Nullable Instant retryAt, @Nullable Throwable cause) {
        super(request, reason, cause, true);
        this.retryAt = retryAt;
    }

    /**
     * Returns when to try again, if the registry said so.
     *
     * @return the time
     */
    public Optional<Instant> retryAt() {
        return Optional.ofNullable(retryAt);
    }
}
