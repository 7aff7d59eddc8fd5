package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.Map;
import java.util.Set;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
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
                "http://reg.example/, http://auth.example/token, -, plain http",
                "http://reg.example/, http://auth.example/token, AUTH.example, -",
                "http://reg.example/, http://known.example/token, -, -",
                "https://reg.example/, http://known.example/token, -, plain http",
                "http://127.0.0.1:5000/, http://auth.example/token, -, plain http",
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
                "http://127.0.0.1:5000/, http://localhost:5001/token, -, plain http",
                "http://127.0.0.1:5000/, https://localhost:5001/token, -, private",
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
                // spellings
                "https://reg.example/, https://127.0.0.1./, -, private",
                "https://reg.example/, https://10.0.1/, -, private",
                "https://reg.example/, https://0x7f.0.0.1/, -, private",
                "https://reg.example/, https://127.0.0.0x1/, -, private",
                "https://reg.example/, https://0xA.0xb/, -, private",
                "https://reg.example/, https://012.0.0.1/, -, private",
                "https://reg.example/, https://017700000001/, -, private",
                "https://reg.example/, https://4294967297/, -, private",
                "https://reg.example/, https://１２７.0.0.1/, -, private",
                "https://reg.example/, https://127%2e0.0.1/, -, private",
                "https://reg.example/, https://LOCALHOST/, -, private",
                "https://reg.example/, https://localhost./, -, private",
                "https://reg.example/, https://app.localhost./, -, private",
                "https://reg.example/, https://nolocalhost/, -, -",
                "https://reg.example/, https://[0:0:0:0:0:0:0:1]/, -, private",
                "https://reg.example/, https://[::ffff:7f00:1]/, -, private",
            })
    void followsUrlsOnlyToAllowedHosts(String origin, String url, String trusted, String objection) {
        HostOptions options = HostOptions.DEFAULTS.withTrustedHosts(trusted == null ? Set.of() : Set.of(trusted));
        Hosts hosts =
                new Hosts(Map.of("known.example", HostOptions.DEFAULTS.withPlainHttp()), options, new OkHttpClient());
        HttpUrl from = HttpUrl.get(origin);
        String actual = hosts.objection(hosts.of(Addresses.authority(from)), HttpUrl.get(url), from);
        if (objection == null) {
            assertThat(actual).isNull();
        } else {
            assertThat(actual).contains(objection);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0, true",
        "0.255.255.255, true",
        "1.0.0.1, false",
        "9.255.255.255, false",
        "10.0.0.0, true",
        "10.255.255.255, true",
        "11.0.0.0, false",
        "100.63.255.255, false",
        "100.64.0.0, true",
        "100.100.100.200, true",
        "100.127.255.255, true",
        "100.128.0.0, false",
        "126.255.255.255, false",
        "127.0.0.1, true",
        "128.0.0.0, false",
        "168.63.129.15, false",
        "168.63.129.16, true",
        "169.253.255.255, false",
        "169.254.169.254, true",
        "169.255.0.0, false",
        "172.15.255.255, false",
        "172.16.0.0, true",
        "172.31.255.255, true",
        "172.32.0.0, false",
        "191.255.255.255, false",
        "192.0.0.192, true",
        "192.0.1.0, false",
        "192.88.99.1, true",
        "192.167.255.255, false",
        "192.168.255.255, true",
        "192.169.0.0, false",
        "198.17.255.255, false",
        "198.18.0.0, true",
        "198.19.255.255, true",
        "198.20.0.0, false",
        "203.0.113.1, false",
        "223.255.255.255, false",
        "224.0.0.1, true",
        "239.255.255.255, true",
        "240.0.0.1, true",
        "255.255.255.255, true",
        "::, true",
        "::1, true",
        "::7f00:1, true",
        "::808:808, true",
        "::ffff:10.0.0.1, true",
        "::ffff:8.8.8.8, false",
        "64:ff9b::a00:1, true",
        "64:ff9b::808:808, true",
        "64:ff9b:1::a00:1, true",
        "100::1, true",
        "1fff::1, true",
        "2000::1, false",
        "2001::1, true",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2, true",
        "2001:2::1, true",
        "2001:1ff::1, true",
        "2001:200::1, false",
        "2001:4860:4860::8888, false",
        "2002:7f00:1::, true",
        "2002:808:808::1, true",
        "2003::1, false",
        "3fff:ffff::1, false",
        "4000::1, true",
        "5f00::1, true",
        "fc00::1, true",
        "fd00:ec2::254, true",
        "fe80::1, true",
        "fec0::1, true",
        "ff02::1, true",
    })
    void recognisesPrivateAddresses(String address, boolean isPrivate) throws Exception {
        assertThat(Addresses.isPrivate(InetAddress.getByName(address))).isEqualTo(isPrivate);
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
    void recognisesLoopbackHosts(String host, boolean loopback) {
        assertThat(Addresses.isLoopback(host)).isEqualTo(loopback);
    }
}
