package io.urunner.agent.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RemediesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "allow plain http for this host: plainHttp (HostOptions.withPlainHttp) | allow plain http for this host: registries[].plainHttp",
                "its trusted hosts: trustedHosts (HostOptions.withTrustedHosts) | its trusted hosts: registries[].trustedHosts",
                "its authority (HostOptions.withAuthorities), or any certificate (HostOptions.withInsecureTls)"
                        + " | its authority (registries[].tls.ca), or any certificate (registries[].tls.verify: false)",
                "HTTP 404: it does not exist | HTTP 404: it does not exist",
            })
    void namesSettingsInsteadOfMethods(String message, String shown) {
        assertThat(Remedies.of(new IOException(message))).isEqualTo(shown);
    }
}
