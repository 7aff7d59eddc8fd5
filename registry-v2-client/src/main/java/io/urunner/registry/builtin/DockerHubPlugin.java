package io.urunner.registry.builtin;

import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import java.util.Set;

/**
 * Docker Hub (type {@code dockerhub}): a Docker ID with an access token, an organisation with its token, or anonymous
 * access within the limits for everybody.
 */
public final class DockerHubPlugin implements CredentialPlugin<PasswordSettings> {
    private static final Set<String> NAMES = Set.of("docker.io", "index.docker.io", "registry-1.docker.io");

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
        return NAMES.contains(registry);
    }

    @Override
    public CredentialProvider create(PasswordSettings settings, PluginContext context) {
        return StaticProvider.ofUser("Docker Hub", settings.user(), settings.pass());
    }
}
