package io.urunner.registry.gitlab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.net.URI;
import java.time.InstantSource;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GitLabPluginTest {
    private static final SecretSource TOKEN = SecretSource.of(Secret.of("glpat-1"));

    @Test
    void sendsTheTokenAsUserAndPasswordUnlessAUserIsSet() throws CredentialException {
        assertThat(provider(Optional.empty(), Optional.empty()).credentials("registry.gitlab.com", "g/a"))
                .containsExactly(new Credential.Basic("glpat-1", Secret.of("glpat-1")));
        assertThat(provider(Optional.of("gitlab+deploy-token-7"), Optional.empty())
                        .credentials("registry.gitlab.com", "g/a"))
                .containsExactly(new Credential.Basic("gitlab+deploy-token-7", Secret.of("glpat-1")));
    }

    @Test
    void followsTheChallengeUnlessAnAuthUrlIsSet() {
        assertThat(provider(Optional.empty(), Optional.empty()).hints("registry.gitlab.com"))
                .isEqualTo(AuthHints.NONE);
    }

    @ParameterizedTest
    @CsvSource({
        "gitlab.example.com, https://gitlab.example.com/jwt/auth",
        "https://gitlab.example.com, https://gitlab.example.com/jwt/auth",
        "https://gitlab.example.com/, https://gitlab.example.com/jwt/auth",
        "gitlab.example.com:8443, https://gitlab.example.com:8443/jwt/auth",
        "10.0.0.5:8080, https://10.0.0.5:8080/jwt/auth",
        "http://127.0.0.1:8080, http://127.0.0.1:8080/jwt/auth",
        "https://example.com/gitlab, https://example.com/gitlab/jwt/auth"
    })
    void asksForTokensBelowTheAuthUrl(String authUrl, URI endpoint) {
        assertThat(provider(Optional.empty(), Optional.of(authUrl)).hints("registry.example.com"))
                .isEqualTo(AuthHints.askForTokensAt(endpoint));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "https://",
                "ftp://gitlab.example.com",
                "https://a b",
                "https://u:hunter2@gitlab.example.com",
                "https://u:hunter2 hunter2@gitlab.example.com"
            })
    void rejectsATextThatIsNotTheUrlOfAGitlab(String authUrl) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GitLabSettings(Optional.empty(), TOKEN, Optional.of(authUrl)))
                .withMessageContaining("'authUrl'")
                .withMessageContaining("https://gitlab.example.com")
                .withMessageNotContaining("hunter2");
    }

    @Test
    void refusesAUserNameThatBasicCannotCarry() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GitLabSettings(Optional.of("a:b"), TOKEN, Optional.empty()))
                .withMessageContaining("'user'");
    }

    private static CredentialProvider provider(Optional<String> user, Optional<String> authUrl) {
        return new GitLabPlugin()
                .create(
                        new GitLabSettings(user, TOKEN, authUrl),
                        new PluginContext("registry.gitlab.com", InstantSource.system()));
    }
}
