package io.urunner.registry;

import static io.urunner.registry.FakeServer.challenge;
import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.manifest;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The published cases of token servers by other clients; each table says where it is from, and where we decide otherwise. */
class PeerAuthTest {
    @AutoClose
    private final ToClose open = new ToClose();

    @ParameterizedTest
    @CsvFileSource(resources = "peers/realms.csv", delimiter = '|')
    void aTokenServerIsAskedOrNot(String registry, String realm, String asked) {
        HttpUrl origin = HttpUrl.get(registry);
        Hosts hosts = new Hosts(Map.of(), HostOptions.DEFAULTS, new OkHttpClient());
        HttpUrl named = Addresses.realm(HttpUrl.get(realm), origin);

        String objection = hosts.objection(hosts.of(Addresses.authority(origin)), named, origin);

        assertThat(objection == null).as(objection).isEqualTo(asked.equals("yes"));
        assertThat(named.isHttps() || !origin.isHttps() || objection != null)
                .as("a registry with https leads to https")
                .isTrue();
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/schemes.csv", delimiter = '|')
    void plainHttpIsUsedOnlyOnThisMachine(String registry, String scheme) {
        boolean plain =
                Addresses.isLoopback(HttpUrl.get("https://" + registry + "/").host());

        assertThat(plain).isEqualTo(scheme.equals("http"));
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/scopes.csv", delimiter = '|', quoteCharacter = '`')
    void aTokenIsRequestedForTheScopeOfTheChallenge(String challenged, String requested) throws Exception {
        FakeServer issuer = open.add(new FakeServer(request -> json("{\"token\":\"t1\"}")));
        FakeServer registry = open.add(new FakeServer(request -> request.getHeader("Authorization") == null
                ? challenge("Bearer realm=\"" + issuer.url() + "/token\",scope=\"" + challenged + "\"")
                : manifest("sha256:" + "a".repeat(64))));

        open.add(RegistryClient.builder()
                        .defaults(HostOptions.DEFAULTS.withPlainHttp())
                        .build())
                .resolve(registry.image("team/app"));

        assertThat(issuer.requests).hasSize(1);
        assertThat(Objects.requireNonNull(issuer.requests.get(0).getRequestUrl())
                        .queryParameterValues("scope"))
                .isEqualTo(List.of(requested.split(" ", -1)));
    }
}
