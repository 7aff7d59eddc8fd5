package io.urunner.registry.builtin;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Google's Artifact Registry and {@code gcr.io} (type {@code google}): an OAuth access token that something else keeps
 * fresh in a file, or the key file of a service account, as it is or in Base64.
 */
public final class GooglePlugin implements CredentialPlugin<GooglePlugin.GoogleSettings> {
    private static final Pattern HOST = Pattern.compile("[a-z0-9-]+-docker\\.pkg\\.dev|(?:(?:us|eu|asia)\\.)?gcr\\.io");

    /**
     * The settings: one of the two, or none to read anonymously.
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
        return HOST.matcher(registry).matches();
    }

    @Override
    public CredentialProvider create(GoogleSettings settings, PluginContext context) {
        if (settings.jsonKey().isPresent()) {
            return new KeyProvider(settings.jsonKey().get());
        }
        return new StaticProvider(
                "Google", settings.accessToken().map(token -> "oauth2accesstoken"), settings.accessToken());
    }

    private record KeyProvider(SecretSource key) implements CredentialProvider {
        @Override
        public List<Credential> credentials(String registry, String repository) throws CredentialException {
            Secret text = key.read();
            String user = text.reveal().stripLeading().startsWith("{") ? "_json_key" : "_json_key_base64";
            return List.of(new Credential.Basic(user, text));
        }

        @Override
        public String describe(String registry, String repository) {
            return "Google service account key";
        }
    }
}
