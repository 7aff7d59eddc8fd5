package io.urunner.registry;

import org.jspecify.annotations.Nullable;

/**
 * The repository, tag, manifest or blob does not exist, or the registry hides it (many do if the permission is
 * missing).
 */
public final class NotFoundException extends RegistryException {
    /**
     * Creates the error.
     *
     * @param request what was being done
     * @param reason what went wrong, and what can be done about it
     * @param cause the cause, or null
     */
    public NotFoundException(FailedRequest request, String reason, @Nullable Throwable cause) {
        super(request, reason, cause, false);
    }
}
