package io.urunner.agent.app.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.urunner.registry.auth.CredentialPlugins;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An external plugin, compiled and packed by the test. */
class PluginDirectoryTest {
    private static final String PLUGIN = """
            package elsewhere;
            import io.urunner.registry.auth.*;
            import java.util.List;
                        public final class AcmePlugin implements CredentialPlugin<AcmePlugin.Settings> {
                public record Settings(String account, SecretSource apiKey) {}
                public String type() { return "acme"; }
                public Class<Settings> settingsType() { return Settings.class; }
                public CredentialProvider create(Settings settings, PluginContext context) {
                    return new CredentialProvider() {
                        public List<Credential> credentials(String registry, String repository)
                                throws CredentialException {
                            return List.of(new Credential.Basic(settings.account(), settings.apiKey().read()));
                        }
                        public String describe(String registry, String repository) { return "acme"; }
                    };
                }
            }
            """;

    @TempDir
    Path folder;

    private final PluginDirectory plugins = new PluginDirectory();

    @Test
    void withoutADirectoryOnlyPluginsOnTheClassPathAreFound() {
        assertThat(plugins.discover(Optional.empty()).types())
                .contains("aws_ecr", "digitalocean", "dockerhub", "generic", "gitlab", "harbor");
    }

    @Test
    void aJarInTheDirectoryBringsItsPluginAndTheVariablesOfItsSettings() throws Exception {
        pack();
        try (plugins) {
            Configuration configuration = new SettingsLoader(
                            Map.of(
                                    "URUNNER_CONF_PLUGIN_DIR", folder.toString(),
                                    "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "acme",
                                    "URUNNER_SECR_ACME_ACCOUNT", "me",
                                    "URUNNER_SECR_ACME_API_KEY", "k"),
                            plugins)
                    .load(Overrides.NONE);

            assertThat(configuration.settings().registries().get(0).type()).isEqualTo("acme");
            assertThat(configuration.values())
                    .contains(new EffectiveValue(
                            "registries[0].credentials.apiKey",
                            "[secret]",
                            new Origin.Variable("URUNNER_SECR_ACME_API_KEY")));
        }
    }

    @Test
    void repeatedDiscoveryFindsTheSameClasses() throws Exception {
        pack();
        try (plugins) {
            CredentialPlugins first = plugins.discover(Optional.of(folder));
            CredentialPlugins second = plugins.discover(Optional.of(folder));
            assertThat(second.get("acme").settingsType())
                    .isSameAs(first.get("acme").settingsType());
        }
    }

    @Test
    void pluginsInUseSurviveTheDiscoveryOfAnotherDirectory(@TempDir Path other) throws Exception {
        pack();
        try (plugins) {
            CredentialPlugins first = plugins.discover(Optional.of(folder));
            plugins.discover(Optional.of(other));
            Record settings = (Record) first.get("acme")
                    .settingsType()
                    .getConstructors()[0]
                    .newInstance("me", SecretSource.of(Secret.of("k")));
            // Its classes are loaded on first use.
            assertThat(first.create("acme", settings, new PluginContext("a.example", InstantSource.system()))
                            .describe("a.example", "app"))
                    .isEqualTo("acme");
        }
    }

    @Test
    void aMissingDirectoryIsAnError() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> plugins.discover(Optional.of(folder.resolve("none"))))
                .withMessageContaining("does not exist");
    }

    private void pack() throws IOException {
        PluginJars.pack(
                folder.resolve("acme.jar"),
                PluginJars.compile(folder, Map.of("AcmePlugin", PLUGIN)),
                "elsewhere.AcmePlugin");
    }
}
