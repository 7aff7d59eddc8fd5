package io.urunner.registry.harbor;

import io.urunner.registry.auth.SecretSource;
import java.util.Objects;

/**
 * How to read from a Harbor.
 *
 * @param user the user or robot account, for example {@code robot$project+name}, spelt as Harbor shows it
 * @param pass its password or secret; with OIDC, the CLI secret
 */
public record HarborSettings(String user, SecretSource pass) {
    public HarborSettings {
        Objects.requireNonNull(pass, "pass");
        if (user.isBlank() || user.indexOf(':') >= 0) {
            throw new IllegalArgumentException("'user' must not be empty and must not contain a colon");
        }
    }
}
