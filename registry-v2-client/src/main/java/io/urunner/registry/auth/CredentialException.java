package io.urunner.registry.auth;

import org.jspecify.annotations.Nullable;

/** Credentials are not available. The message says whom we asked and why it failed, and never contains a secret. */
public final class CredentialException extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean isTransient;

    /**
     * Creates an error without a cause.
     *
     * @param message what was requested from whom, and what the user can do
     * @param isTransient whether the same request may succeed later without any change
     */
    public CredentialException(String message, boolean isTransient) {
        this(message, isTransient, null);
    }

    /**
     * Creates an error with its cause.
     *
     * @param message what was requested from whom, and what the user can do
     * @param isTransient whether the same request may succeed later without any change
     * @param cause the cause, or null
     */
    public CredentialException(String message, boolean isTransient, @Nullable Throwable cause) {
        super(message, cause);
        this.isTransient = isTransient;
    }

    /**
     * Whether the same request may succeed later without any change (for example, if an issuer answered 5xx), in
     * contrast to an error that needs a person (a rejected key).
     *
     * @return true if trying again later may help
     */
    public boolean isTransient() {
        return isTransient;
    }
}
