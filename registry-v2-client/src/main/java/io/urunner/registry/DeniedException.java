package io.urunner.registry;

import org.jspecify.annotations.Nullable;

/**
 * The credentials, a policy or something in front of the registry does not allow this (403, 412, 451, or a token of
 * insufficient scope).
 */
public final class DeniedException extends RegistryException {
    /**
     * Creates the error.
     *
     * @param request what was being done
     * @param reason what went wrong, and what can be done about it
     * @param cause the cause, or null
     */
    public DeniedException(FailedRequest request, String reason, @Nullable Throwable cause) {
        this(request, reason, cause, false);
    }

    DeniedException(FailedRequest request, String reason, @Nullable Throwable cause, boolean mayPass) {
        super(request, reason, cause, mayPass);
    }
}
