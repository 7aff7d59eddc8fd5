package io.urunner.registry;

import org.jspecify.annotations.Nullable;

/** The registry requires credentials and there are none, or it rejected them (401). */
public final class UnauthorizedException extends RegistryException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the error.
     *
     * @param request what was being done
     * @param reason what went wrong, and what can be done about it
     * @param cause the cause, or null
     */
    public UnauthorizedException(FailedRequest request, String reason, @Nullable Throwable cause) {
        super(request, reason, cause);
    }

    @Override
    public boolean isTransient() {
        return false;
    }
}
