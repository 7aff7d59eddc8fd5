package io.urunner.registry.digitalocean;

import io.urunner.registry.auth.SecretSource;
import java.util.Objects;

/**
 * How to read from DigitalOcean's container registry.
 *
 * @param token an API token with {@code registry:read}
 */
public record DigitalOceanSettings(SecretSource token) {
    public DigitalOceanSettings {
        Objects.requireNonNull(token, "token");
    }
}
