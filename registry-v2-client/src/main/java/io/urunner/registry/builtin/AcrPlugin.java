package io.urunner.registry.builtin;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.SecretSource;
import java.util.Optional;

/**
 * Azure's container registry (type {@code acr}): a user (a service principal, a repository-scoped token or the admin)
 * with a password, a refresh token of the registry, or an access token of Microsoft Entra ID (a workload identity),
 * which the client exchanges for tokens of the registry.
 */
public final class AcrPlugin implements CredentialPlugin<AcrPlugin.AcrSettings> {
    private static final String HOST = "[a-z0-9][a-z0-9-]*\\.azurecr\\.(?:io|cn|us)";

    /**
     * The settings: user and password, a refresh token, an access token, or none for anonymous access.
     *
     * @param user the user name
     * @param pass the password
     * @param refreshToken a refresh token, as {@code az acr login --expose-token} prints it; it is valid for a few
     *     hours, so something has to renew its file
     * @param accessToken an access token of Entra ID for {@code https://containerregistry.azure.net}; something has to
     *     renew its file
     * @param tenant the tenant of the access token, if the registry requires it
     */
    public record AcrSettings(
            Optional<String> user,
            Optional<SecretSource> pass,
            Optional<SecretSource> refreshToken,
            Optional<SecretSource> accessToken,
            Optional<String> tenant) {
        public AcrSettings {
            new PasswordSettings(user, pass);
            if (user.isPresent()
                    ? refreshToken.isPresent() || accessToken.isPresent()
                    : refreshToken.isPresent() && accessToken.isPresent()) {
                throw new IllegalArgumentException(
                        "set only one of 'user' and 'pass', 'refreshToken', or 'accessToken'");
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
        return registry.matches(HOST);
    }

    @Override
    public CredentialProvider create(AcrSettings settings, PluginContext context) {
        if (settings.accessToken().isPresent()) {
            String tenant = settings.tenant().orElse("");
            return new StaticProvider(
                    "Entra access token", settings.accessToken(), token -> new Credential.AccessToken(token, tenant));
        }
        return settings.refreshToken().isPresent()
                ? new StaticProvider("Azure refresh token", settings.refreshToken(), Credential.IdentityToken::new)
                : StaticProvider.ofUser("Azure", settings.user().orElse(""), settings.pass());
    }
}
