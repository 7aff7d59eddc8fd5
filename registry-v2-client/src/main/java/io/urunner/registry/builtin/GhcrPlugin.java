package io.urunner.registry.builtin;

import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.SecretSource;
import java.util.Optional;

/**
 * GitHub's container registry (type {@code ghcr}): a classic personal access token with {@code read:packages} (its user
 * name is not checked), or anonymous access.
 */
public final class GhcrPlugin implements CredentialPlugin<GhcrPlugin.GhcrSettings> {
    /**
     * The settings.
     *
     * @param token the token, or empty for public packages only
     */
    public record GhcrSettings(Optional<SecretSource> token) {}

    /** Called by {@link java.util.ServiceLoader}. */
    public GhcrPlugin() {}

    @Override
    public String type() {
        return "ghcr";
    }

    @Override
    public Class<GhcrSettings> settingsType() {
        return GhcrSettings.class;
    }

    @Override
    public boolean recognises(String registry) {
        return registry.equals("ghcr.io");
    }

    @Override
    public CredentialProvider create(GhcrSettings settings, PluginContext context) {
        return StaticProvider.ofUser("GitHub", "token", settings.token());
    }
}
