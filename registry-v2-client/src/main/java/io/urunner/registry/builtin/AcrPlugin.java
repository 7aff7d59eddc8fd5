package io.urunner.registry.builtin;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.SecretSource;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Azure's container registry (type {@code acr}): a user (a service principal, a repository-scoped token or the admin) with
 * a password, or a refresh token of the registry, which the client exchanges for access tokens.
 */
public final class AcrPlugin implements CredentialPlugin<AcrPlugin.AcrSettings> {
    private static final Pattern HOST = Pattern.compile("[a-z0-9][a-z0-9-]*\\.azurecr\\.(?:io|cn|us)");

    /**
     * The settings: user and password, a refresh token, or nothing to read anonymously.
     *
     * @param user the user name
     * @param pass the password
     * @param refreshToken a refresh token, as {@code az acr login --expose-token} prints it; it lives a few hours, so
     *     something has to keep its file fresh
     */
    public record AcrSettings(Optional<String> user, Optional<SecretSource> pass, Optional<SecretSource> refreshToken) {
        public AcrSettings {
            new PasswordSettings(user, pass);
            if (user.isPresent() && refreshToken.isPresent()) {
                throw new IllegalArgumentException("set either 'user' and 'pass' or 'refreshToken', not both");
            }
        }
    }

    /** Called by {@link java.util.ServiceLoader}. */
    public AcrPlugin() {}

    @Override
    public String type() {
        return "acr";
    }

    @Override
    public Class<AcrSettings> settingsType() {
        return AcrSettings.class;
    }

    @Override
    public boolean recognises(String registry) {
        return HOST.matcher(registry).matches();
    }

    @Override
    public CredentialProvider create(AcrSettings settings, PluginContext context) {
        if (settings.refreshToken().isPresent()) {
            return new RefreshTokenProvider(settings.refreshToken().get());
        }
        return new StaticProvider("Azure", settings.user(), settings.pass());
    }

    private record RefreshTokenProvider(SecretSource token) implements CredentialProvider {
        @Override
        public List<Credential> credentials(String registry, String repository) throws CredentialException {
            return List.of(new Credential.IdentityToken(token.read()));
        }

        @Override
        public String describe(String registry, String repository) {
            return "Azure refresh token";
        }
    }
}
