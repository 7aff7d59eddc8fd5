package io.urunner.registry.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.urunner.registry.builtin.DockerHubPlugin;
import io.urunner.registry.builtin.GenericPlugin;
import io.urunner.registry.builtin.PasswordSettings;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CredentialPluginsTest {
    private static final PluginContext CONTEXT = new PluginContext("registry.example", InstantSource.system());

    @Test
    void discoversThePluginsOfTheLibrary() {
        assertThat(CredentialPlugins.discover().types()).contains("acr", "dockerhub", "generic", "ghcr", "google");
    }

    @Test
    void usesOnlyThePluginsPassedIn() {
        assertThat(CredentialPlugins.of(new GenericPlugin()).types()).containsExactly("generic");
        assertThat(CredentialPlugins.of().types()).isEmpty();
    }

    @Test
    void namesTheKnownTypesWhenOneIsUnknown() {
        CredentialPlugins plugins = CredentialPlugins.of(new GenericPlugin(), new DockerHubPlugin());

        assertThatIllegalArgumentException()
                .isThrownBy(() -> plugins.get("habor"))
                .withMessage("no credential plugin has the type 'habor'; the known types are dockerhub, generic");
    }

    @Test
    void rejectsTwoPluginsOfOneType() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CredentialPlugins.of(new GenericPlugin(), new Named("generic")))
                .withMessageContainingAll(
                        "two credential plugins", "'generic'", GenericPlugin.class.getName(), Named.class.getName());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Harbor", "my-registry", "1st", "_x", "a b", "a.b"})
    void rejectsATypeOutsideOfTheGrammar(String type) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CredentialPlugins.of(new Named(type)))
                .withMessageContaining("'" + type + "'");
    }

    @Test
    void rejectsSettingsOfAnotherPlugin() {
        CredentialPlugins plugins = CredentialPlugins.of(new GenericPlugin(), new Named("other"));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> plugins.create("generic", new Named.Settings(), CONTEXT))
                .withMessageContainingAll("generic", PasswordSettings.class.getName());
        assertThat(plugins.create("generic", PasswordSettings.ANONYMOUS, CONTEXT)
                        .describe("registry.example", "app"))
                .isEqualTo("anonymous at registry.example");
    }

    @Test
    void failsIfAPluginOfAFolderCannotBeLoaded(@TempDir Path folder) throws IOException {
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.writeString(services.resolve(CredentialPlugin.class.getName()), "com.example.Missing\n");

        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {folder.toUri().toURL()}, CredentialPlugin.class.getClassLoader())) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> CredentialPlugins.discover(loader))
                    .withMessageContaining("com.example.Missing");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "docker.io, dockerhub",
        "registry-1.docker.io, dockerhub",
        "index.docker.io, dockerhub",
        "registry.hub.docker.com, dockerhub",
        "DOCKER.IO, dockerhub",
        "docker.io.evil.example, ",
        "GHCR.io, ghcr",
        "Team.azurecr.IO, acr",
        "ghcr.io, ghcr",
        "europe-west1-docker.pkg.dev, google",
        "gcr.io, google",
        "eu.gcr.io, google",
        "team.azurecr.io, acr",
        "team-abc123.azurecr.cn, acr",
        "ghcr.io.evil.example, ",
        "evilghcr.io, ",
        "x.team.azurecr.io, ",
        "quay.io, ",
        "localhost:5000, "
    })
    void recognisesARegistryByItsWholeName(String registry, String type) {
        assertThat(CredentialPlugins.discover().recognise(registry).map(CredentialPlugin::type))
                .isEqualTo(Optional.ofNullable(type));
    }

    private record Named(String type) implements CredentialPlugin<Named.Settings> {
        record Settings() {}

        @Override
        public Class<Settings> settingsType() {
            return Settings.class;
        }

        @Override
        public CredentialProvider create(Settings settings, PluginContext context) {
            throw new UnsupportedOperationException();
        }
    }
}
