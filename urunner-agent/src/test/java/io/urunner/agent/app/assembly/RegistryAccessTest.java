package io.urunner.agent.app.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.urunner.agent.app.cli.CommandException;
import io.urunner.agent.app.config.Overrides;
import io.urunner.agent.app.config.PluginDirectory;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.config.SettingsLoader;
import io.urunner.registry.HostOptions;
import io.urunner.registry.Mirror;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a registry's settings reach the client. */
class RegistryAccessTest {
    @TempDir
    private Path folder;

    private HostOptions options(String registry) throws Exception {
        Path file = Files.writeString(folder.resolve("urunner.yaml"), "registries: [" + registry + "]");
        Settings settings = new SettingsLoader(Map.of(), directory -> new PluginDirectory().discover(directory))
                .load(new Overrides(Optional.of(file), Map.of()))
                .settings();
        return RegistryAccess.options(settings.registries().get(0));
    }

    @Test
    void withoutSettingsTheClientsDefaultsApply() throws Exception {
        assertThat(options("{host: a.example}")).isEqualTo(HostOptions.DEFAULTS);
    }

    @Test
    void everySettingReachesTheClient() throws Exception {
        HeldCertificate certificate = new HeldCertificate.Builder().build();
        Path ca = Files.writeString(folder.resolve("ca.pem"), certificate.certificatePem());
        Path key = Files.writeString(folder.resolve("key.pem"), certificate.privateKeyPkcs8Pem());

        assertThat(options("{host: a.example, plainHttp: true}")).isEqualTo(HostOptions.DEFAULTS.withPlainHttp());
        assertThat(options("{host: a.example, tls: {verify: false}}"))
                .isEqualTo(HostOptions.DEFAULTS.withInsecureTls());
        assertThat(options("{host: a.example, concurrency: 3}")).isEqualTo(HostOptions.DEFAULTS.withConcurrency(3));
        assertThat(options("{host: a.example, trustedHosts: ['gitlab.internal:8443']}")
                        .trustedHosts())
                .containsExactly("gitlab.internal:8443");
        assertThat(options("{host: a.example, address: '10.0.0.1:5000'}"))
                .isEqualTo(HostOptions.DEFAULTS.withAddress("10.0.0.1:5000"));
        assertThat(options("{host: a.example, mirrors: [{url: 'https://m.example/v2/hub'}, {url: 'http://n.example',"
                        + " tags: false}]}"))
                .isEqualTo(HostOptions.DEFAULTS.withMirrors(List.of(
                        Mirror.of("https://m.example/v2/hub"),
                        Mirror.of("http://n.example").forContentOnly())));
        assertThat(options("{host: a.example, tls: {ca: " + ca + "}}").authorities())
                .containsExactly(certificate.certificate());
        assertThat(options("{host: a.example, tls: {certificate: " + ca + ", key: " + key + "}}")
                        .clientCertificate())
                .isPresent();
    }

    @Test
    void aCertificateThatCannotBeReadIsNamed() {
        assertThatThrownBy(() -> options("{host: a.example, tls: {ca: /no/such/ca.pem}}"))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining("a.example")
                .hasMessageContaining("/no/such/ca.pem");
    }
}
