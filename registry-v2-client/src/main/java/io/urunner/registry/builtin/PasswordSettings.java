package io.urunner.registry.builtin;

import io.urunner.registry.auth.SecretSource;
import java.util.Optional;

/**
 * A user and a password, or neither for anonymous access.
 *
 * @param user the user name
 * @param pass the password or token
 */
public record PasswordSettings(Optional<String> user, Optional<SecretSource> pass) {
    /** Neither: anonymous. */
    public static final PasswordSettings ANONYMOUS = new PasswordSettings(Optional.empty(), Optional.empty());

    public PasswordSettings {
        if (user.isPresent() != pass.isPresent()) {
            throw new IllegalArgumentException(
                    user.isPresent()
                            ? "a user needs a password: set 'pass', or omit 'user' for anonymous access"
                            : "a password needs a user: set 'user', or omit 'pass' for anonymous access");
        }
        if (user.isPresent() && (user.get().isBlank() || user.get().indexOf(':') >= 0)) {
            throw new IllegalArgumentException("'user' must not be empty and must not contain a colon");
        }
    }
}
