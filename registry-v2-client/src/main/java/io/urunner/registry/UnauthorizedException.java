package io.urunner.registry;

import org.jspecify.annotations.Nullable;

/** The registry, or something in front of it, requires credentials and there are none, or rejected them (401). */
public final class UnauthorizedException extends RegistryException {
    /**
     * Creates the error.
     *
     * @param request what was being done
     * @param reason what went wrong, and what can be done about it
     * @param cause the cause, or null
     */
    public UnauthorizedException(FailedRequest request, String reason, @Nullable Throwable cause) {
        this(request, reason, cause, false);
    }

    UnauthorizedException(FailedRequest request, String reason, @Nullable Throwable cause, boolean mayPass) {
        super(request, reason, cause, mayPass);
    }
}
