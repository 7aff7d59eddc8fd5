package io.urunner.registry;

import org.jspecify.annotations.Nullable;

/** Content that is neither a manifest nor an index, or that cannot be used. The message says why. */
public final class MalformedManifestException extends IllegalArgumentException {
    /**
     * Creates an error without a cause.
     *
     * @param message why the content cannot be used
     */
    public MalformedManifestException(String message) {
        this(message, null);
    }

    /**
     * Creates an error with its cause.
     *
     * @param message why the content cannot be used
     * @param cause the cause, or null
     */
    public MalformedManifestException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
