package io.urunner.registry.harbor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HarborPluginTest {
    private static final String HOST = "harbor.example:8443";

    @ParameterizedTest
    @ValueSource(strings = {"robot$ci", "robot$project+ci", "robot_ci", "jane"})
    void sendsTheUserAsHarborSpellsItWithTheFirstRequest(String user) throws CredentialException {
        CredentialProvider provider = provider(user, SecretSource.of(Secret.of("secret")));

        assertThat(provider.credentials(HOST, "project/app"))
                .containsExactly(new Credential.Basic(user, Secret.of("secret")));
        assertThat(provider.hints(HOST)).isEqualTo(AuthHints.sendBasicDirectly());
        assertThat(provider.describe(HOST, "project/app")).isEqualTo("Harbor user " + user);
    }

    @Test
    void readsARotatedSecretWithoutARestart(@TempDir Path folder) throws IOException, CredentialException {
        Path file = Files.writeString(folder.resolve("pass"), "old\n");
        CredentialProvider provider = provider("robot$ci", SecretSource.file(file));
        assertThat(provider.credentials(HOST, "project/app"))
                .containsExactly(new Credential.Basic("robot$ci", Secret.of("old")));

        Files.writeString(file, "new\n");
        assertThat(provider.credentials(HOST, "project/app"))
                .containsExactly(new Credential.Basic("robot$ci", Secret.of("new")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a:b"})
    void refusesAUserNameThatBasicCannotCarry(String user) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new HarborSettings(user, SecretSource.of(Secret.of("secret"))))
                .withMessageContaining("'user'");
    }

    private static CredentialProvider provider(String user, SecretSource pass) {
        return new HarborPlugin()
                .create(new HarborSettings(user, pass), new PluginContext(HOST, InstantSource.system()));
    }
}
