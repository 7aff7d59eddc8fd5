package io.urunner.registry.gitlab;

import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.CredentialPluginContract;
import io.urunner.registry.testing.FakeGitLab;
import io.urunner.registry.testing.TestNetwork;
import java.util.Optional;
import java.util.Set;

class GitLabContractTest extends CredentialPluginContract {
    private static final String TOKEN = "glpat-4711secret";

    @Override
    protected Subject subject(TestNetwork network) {
        FakeGitLab gitlab = new FakeGitLab(network, "registry.gitlab.com", "gitlab.com");
        gitlab.tokens().accessToken(TOKEN, "group/project/app");
        GitLabSettings settings =
                new GitLabSettings(Optional.empty(), SecretSource.of(Secret.of(TOKEN)), Optional.empty());
        return new Subject("gitlab", settings, gitlab, "group/project/app", Set.of(TOKEN, TOKEN + ":" + TOKEN));
    }
}
