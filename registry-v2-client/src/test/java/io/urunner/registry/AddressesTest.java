package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import okhttp3.HttpUrl;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressesTest {
    @ParameterizedTest(name = "{0} leads to {1}, trusted {2}: {3}")
    @CsvSource(
            nullValues = "-",
            value = {
                "https://reg.example/, https://auth.example/token, -, -",
                "https://reg.example/, https://reg.example/token, -, -",
                "https://reg.example/, https://reg.example:8443/token, -, -",
                "https://reg.example/, http://reg.example/token, -, plain http",
                "https://reg.example/, http://auth.example/token, -, plain http",
                "https://reg.example/, http://auth.example/token, auth.example, plain http",
                "http://reg.example/, http://auth.example/token, -, -",
                "http://reg.example/, https://auth.example/token, -, -",
                "https://reg.example/, https://10.0.0.1/token, -, private",
                "https://reg.example/, https://10.0.0.1/token, 10.0.0.1, -",
                "https://reg.example/, https://10.0.0.1:8443/token, 10.0.0.1, -",
                "https://reg.example/, https://10.0.0.1:8443/token, 10.0.0.1:8443, -",
                "https://reg.example/, https://10.0.0.1:8443/token, 10.0.0.1:443, private",
                "https://reg.example/, https://10.0.0.1/token, 10.0.0.1:443, -",
                "https://10.0.0.1/, https://10.0.0.1:5001/token, -, -",
                "https://10.0.0.1/, https://10.0.0.2/token, -, private",
                "http://127.0.0.1:5000/, http://127.0.0.1:5001/token, -, -",
                "http://127.0.0.1:5000/, http://localhost:5001/token, -, private",
                "https://reg.example/, https://localhost/token, -, private",
                "https://reg.example/, https://app.localhost/token, -, private",
                "https://reg.example/, https://127.0.0.1/token, -, private",
                "https://reg.example/, https://127.9.9.9/token, -, private",
                "https://reg.example/, https://0.0.0.0/token, -, private",
                "https://reg.example/, https://169.254.169.254/latest/meta-data, -, private",
                "https://reg.example/, https://172.16.0.1/, -, private",
                "https://reg.example/, https://172.32.0.1/, -, -",
                "https://reg.example/, https://192.168.1.1/, -, private",
                "https://reg.example/, https://100.64.0.1/, -, private",
                "https://reg.example/, https://100.128.0.1/, -, -",
                "https://reg.example/, https://8.8.8.8/, -, -",
                "https://reg.example/, https://[::1]/, -, private",
                "https://reg.example/, https://[fe80::1]/, -, private",
                "https://reg.example/, https://[fd00::1]/, -, private",
                "https://reg.example/, https://[::ffff:10.0.0.1]/, -, private",
                "https://reg.example/, https://[2001:4860:4860::8888]/, -, -",
                "https://reg.example/, https://127.1/, -, private",
                "https://reg.example/, https://2130706433/, -, private",
                "https://reg.example/, https://0x7f000001/, -, private",
                "https://reg.example/, https://0177.0.0.1/, -, private",
                "https://reg.example/, https://auth.10.example/, -, -",
            })
    void leadsOnlyWhereItMay(String origin, String url, String trusted, String objection) {
        String actual = Addresses.objection(
                HttpUrl.get(url), HttpUrl.get(origin), trusted == null ? Set.of() : Set.of(trusted));
        if (objection == null) {
            assertThat(actual).isNull();
        } else {
            assertThat(actual).contains(objection);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "localhost, true",
        "LOCALHOST, true",
        "a.localhost, true",
        "127.0.0.1, true",
        "127.1.2.3, true",
        "::1, true",
        "localhost.example, false",
        "127.0.0.1.example, false",
        "10.0.0.1, false",
        "reg.example, false",
    })
    void knowsThisMachine(String host, boolean loopback) {
        assertThat(Addresses.isLoopback(host)).isEqualTo(loopback);
    }
}
