package io.urunner.registry.gitlab;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import java.util.List;

/** GitLab's container registry, on gitlab.com or self-managed (type {@code gitlab}). */
public final class GitLabPlugin implements CredentialPlugin<GitLabSettings> {
    /** Called by {@link java.util.ServiceLoader}. */
    public GitLabPlugin() {}

    @Override
    public String type() {
        return "gitlab";
    }

    @Override
    public Class<GitLabSettings> settingsType() {
        return GitLabSettings.class;
    }

    @Override
    public boolean recognises(String registry) {
        return registry.equals("registry.gitlab.com");
    }

    @Override
    public CredentialProvider create(GitLabSettings settings, PluginContext context) {
        return new Provider(settings);
    }

    private record Provider(GitLabSettings settings) implements CredentialProvider {
        @Override
        public List<Credential> credentials(String registry, String repository) throws CredentialException {
            Secret token = settings.token().read();
            return List.of(new Credential.Basic(settings.user().orElse(token.reveal()), token));
        }

        @Override
        public AuthHints hints(String registry) {
            return settings.tokenEndpoint().map(AuthHints::askForTokensAt).orElse(AuthHints.NONE);
        }

        @Override
        public String describe(String registry, String repository) {
            return settings.user()
                    .map(user -> "GitLab token (user " + user + ")")
                    .orElse("GitLab token");
        }
    }
}
