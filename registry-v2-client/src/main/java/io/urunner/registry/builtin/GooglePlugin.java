package io.urunner.registry.builtin;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.util.Optional;

/**
 * Google's Artifact Registry and {@code gcr.io} (type {@code google}): an OAuth access token in a file that something
 * else renews, or the key file of a service account, as it is or in Base64.
 */
public final class GooglePlugin implements CredentialPlugin<GooglePlugin.GoogleSettings> {
    private static final String HOST = "[a-z0-9-]+-docker\\.pkg\\.dev|(?:(?:us|eu|asia)\\.)?gcr\\.io";

    /**
     * The settings: one of the two, or none for anonymous access.
     *
     * @param accessToken an OAuth access token
     * @param jsonKey the text of a service account's key file, or its Base64
     */
    public record GoogleSettings(Optional<SecretSource> accessToken, Optional<SecretSource> jsonKey) {
        public GoogleSettings {
            if (accessToken.isPresent() && jsonKey.isPresent()) {
                throw new IllegalArgumentException("set either 'accessToken' or 'jsonKey', not both");
            }
        }
    }

    /** Called by {@link java.util.ServiceLoader}. */
    public GooglePlugin() {}

    @Override
    public String type() {
        return "google";
    }

    @Override
    public Class<GoogleSettings> settingsType() {
        return GoogleSettings.class;
    }

    @Override
    public boolean recognises(String registry) {
        return registry.matches(HOST);
    }

    @Override
    public CredentialProvider create(GoogleSettings settings, PluginContext context) {
        return settings.jsonKey().isPresent()
                ? new StaticProvider("Google service account key", settings.jsonKey(), GooglePlugin::key)
                : StaticProvider.ofUser("Google", "oauth2accesstoken", settings.accessToken());
    }

    private static Credential key(Secret text) {
        boolean plain = text.reveal().stripLeading().startsWith("{");
        return new Credential.Basic(plain ? "_json_key" : "_json_key_base64", text);
    }
}
