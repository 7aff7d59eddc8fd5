package io.urunner.registry;

import org.jspecify.annotations.Nullable;

/** The credentials are valid, but do not allow this (403, or a token of insufficient scope). */
public final class DeniedException extends RegistryException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the error.
     *
     * @param request what was being done
     * @param reason what went wrong, and what can be done about it
     * @param cause the cause, or null
     */
    public DeniedException(FailedRequest request, String reason, @Nullable Throwable cause) {
        super(request, reason, cause);
    }

    @Override
    public boolean isTransient() {
        return false;
    }
}
