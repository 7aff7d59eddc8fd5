package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How callers name hosts. */
class HostTest {
    @ParameterizedTest
    @CsvSource({
        "https://reg/, reg",
        "http://reg.example:5000, reg.example:5000",
        "HTTPS://Reg.Example/v2/, Reg.Example",
        "reg.example/, reg.example",
        "reg.example/team, reg.example",
        "reg.example?x, reg.example",
        "' reg.example', reg.example",
        "https://user:topsecret@reg.example/, reg.example",
        "'https://[::1]:5000/', '[::1]:5000'"
    })
    void saysWhatToWriteInsteadOfAUrl(String url, String host) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RegistryClient.builder().host(url, HostOptions.DEFAULTS))
                .withMessageEndingWith("write \"" + host + "\"")
                .withMessageNotContaining("topsecret");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostOptions.DEFAULTS.withTrustedHosts(Set.of(url)))
                .withMessageEndingWith("write \"" + host + "\"");
        try (RegistryClient client = RegistryClient.builder().build()) {
            assertThatIllegalArgumentException().isThrownBy(() -> client.ping(url));
            assertThatIllegalArgumentException().isThrownBy(() -> client.catalog(url));
            assertThatIllegalArgumentException().isThrownBy(() -> client.rateLimit(url));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "https://", "a b", "reg:port", "reg:70000", "[::1"})
    void refusesWhatIsNoHost(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RegistryClient.builder().host(text, HostOptions.DEFAULTS))
                .withMessageContaining("write host[:port]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"reg", "localhost:5000", "Reg.Example", "docker.io", "[::1]:5000", "127.0.0.1"})
    void takesHosts(String text) {
        assertThat(Host.authority(text)).isEqualTo(text);
    }
}
