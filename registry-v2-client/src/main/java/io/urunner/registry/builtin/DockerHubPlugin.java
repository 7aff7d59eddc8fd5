package io.urunner.registry.builtin;

import io.urunner.registry.Repository;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;

/**
 * Docker Hub (type {@code dockerhub}): a Docker ID with an access token, an organisation with its token, or anonymous
 * access within the limits for everybody.
 */
public final class DockerHubPlugin implements CredentialPlugin<PasswordSettings> {
    /** Called by {@link java.util.ServiceLoader}. */
    public DockerHubPlugin() {}

    @Override
    public String type() {
        return "dockerhub";
    }

    @Override
    public Class<PasswordSettings> settingsType() {
        return PasswordSettings.class;
    }

    @Override
    public boolean recognises(String registry) {
        return Repository.canonicalRegistry(registry).equals(Repository.DOCKER_HUB);
    }

    @Override
    public CredentialProvider create(PasswordSettings settings, PluginContext context) {
        return StaticProvider.ofUser("Docker Hub", settings.user().orElse(""), settings.pass());
    }
}
