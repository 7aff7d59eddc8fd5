package io.urunner.registry.auth;

import org.jspecify.annotations.Nullable;

/** Credentials could not be had. The message says from whom and why, and never contains a secret. */
public final class CredentialException extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean isTransient;

    /**
     * An error without a cause.
     *
     * @param message what was asked of whom, and what the user can do
     * @param isTransient whether the same question may be answered later without a change by anybody
     */
    public CredentialException(String message, boolean isTransient) {
        this(message, isTransient, null);
    }

    /**
     * An error with its cause.
     *
     * @param message what was asked of whom, and what the user can do
     * @param isTransient whether the same question may be answered later without a change by anybody
     * @param cause the cause, or null
     */
    public CredentialException(String message, boolean isTransient, @Nullable Throwable cause) {
        super(message, cause);
        this.isTransient = isTransient;
    }

    /**
     * Whether the same question may be answered later without a change by anybody (an issuer that answers 5xx), in
     * contrast to one that needs a person (a rejected key).
     *
     * @return true if trying again later can help
     */
    public boolean isTransient() {
        return isTransient;
    }
}
