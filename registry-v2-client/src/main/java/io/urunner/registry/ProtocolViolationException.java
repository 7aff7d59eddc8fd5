package io.urunner.registry;

import org.jspecify.annotations.Nullable;

/**
 * The answer violates the protocol: the specification does not allow it, it is not what was requested, or it is too
 * large.
 */
public final class ProtocolViolationException extends RegistryException {
    /**
     * Creates the error.
     *
     * @param request what was being done
     * @param reason what went wrong, and what can be done about it
     * @param cause the cause, or null
     */
    public ProtocolViolationException(FailedRequest request, String reason, @Nullable Throwable cause) {
        super(request, reason, cause, false);
    }
}
