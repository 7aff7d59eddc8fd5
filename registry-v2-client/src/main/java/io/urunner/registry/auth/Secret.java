package io.urunner.registry.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A secret text. It never prints itself: {@link #toString()} is constant, so a secret cannot get into a log or an error
 * as part of another object. It is a source of itself. Immutable and thread-safe.
 */
public final class Secret implements SecretSource {
    private final String value;

    private Secret(String value) {
        this.value = value;
    }

    /**
     * Wraps a secret text.
     *
     * @param value the text, not empty
     * @return the secret
     * @throws IllegalArgumentException if the text is empty
     */
    public static Secret of(String value) {
        Objects.requireNonNull(value, "value");
        if (value.isEmpty()) {
            throw new IllegalArgumentException("a secret must not be empty");
        }
        return new Secret(value);
    }

    /**
     * Returns the text itself, for the one place that sends it.
     *
     * @return the text
     */
    public String reveal() {
        return value;
    }

    @Override
    public Secret read() {
        return this;
    }

    /** Compares in a time that does not depend on where two secrets of the same length differ. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Secret that
                && MessageDigest.isEqual(
                        value.getBytes(StandardCharsets.UTF_8), that.value.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    /** The same text for every secret. */
    @Override
    public String toString() {
        return "[secret]";
    }
}
