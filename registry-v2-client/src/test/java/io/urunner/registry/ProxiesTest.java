package io.urunner.registry;

import static io.urunner.registry.FakeServer.challenge;
import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.manifest;
import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.TunnelProxy;
import java.net.Proxy;
import java.util.List;
import java.util.Map;
import okhttp3.Credentials;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests through the proxies of the environment's variables, as a proxy sees them. */
class ProxiesTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);
    private static final String LOGIN = Credentials.basic("u", "p@ss");
    private static final ImageReference IMAGE = ImageReference.parse("registry.invalid/team/app");

    private final ManualTime time = new ManualTime();

    private RegistryClient.Builder through(Map<String, String> environment) {
        return RegistryClient.builder()
                .proxy(EnvironmentProxySelector.of(environment))
                .clock(time)
                .ticker(time::nanos)
                .sleeper(time::sleep);
    }

    private final HeldCertificate served = new HeldCertificate.Builder()
            .addSubjectAlternativeName("registry.invalid")
            .build();

    /** A registry that speaks TLS. */
    private FakeServer secure() {
        FakeServer server = new FakeServer(request -> manifest(DIGEST));
        server.server.useHttps(
                new HandshakeCertificates.Builder()
                        .heldCertificate(served)
                        .build()
                        .sslSocketFactory(),
                false);
        return server;
    }

    @Test
    void sendsTheLoginWithEachPlainRequestAndToNobodyElse() throws Exception {
        try (FakeServer proxy = new FakeServer(request -> manifest(DIGEST));
                FakeServer direct = new FakeServer(request -> manifest(DIGEST));
                RegistryClient client = through(Map.of("HTTP_PROXY", "http://u:p%40ss@" + proxy.host()))
                        .defaults(HostOptions.DEFAULTS.withPlainHttp())
                        .build()) {
            client.resolve(IMAGE);
            client.resolve(IMAGE);
            client.resolve(direct.image("team/app"));

            assertThat(proxy.requests)
                    .hasSize(2)
                    .allSatisfy(request ->
                            assertThat(request.getHeader("Proxy-Authorization")).isEqualTo(LOGIN));
            assertThat(proxy.requests.get(0).getRequestLine())
                    .startsWith("HEAD http://registry.invalid/v2/team/app/manifests/latest");
            assertThat(direct.requests).hasSize(1);
            assertThat(direct.requests.get(0).getHeader("Proxy-Authorization")).isNull();
            assertThat(client.proxy("registry.invalid").map(ProxyAddress::shown))
                    .contains("http://" + proxy.host());
            assertThat(client.proxy(direct.host())).isEmpty();
        }
    }

    /** Java knows no host that contains an underscore, or whose last label begins with a digit. */
    @ParameterizedTest
    @ValueSource(strings = {"token_server", "auth.2nd", "auth-.invalid"})
    void hostsThatJavaDoesNotKnowAsSuchDoNotPassByTheProxy(String host) throws Exception {
        try (FakeServer registry = secure();
                TunnelProxy tunnel = TunnelProxy.to(registry.server.getPort());
                FakeServer plain = new FakeServer(request -> manifest(DIGEST));
                RegistryClient client = through(Map.of("HTTPS_PROXY", tunnel.at(), "HTTP_PROXY", plain.host()))
                        .defaults(HostOptions.DEFAULTS.withInsecureTls())
                        .host(
                                "plain.invalid",
                                HostOptions.DEFAULTS.withPlainHttp().withAddress(host + ":5000"))
                        .host(
                                "mirrored.invalid",
                                HostOptions.DEFAULTS.withMirrors(List.of(Mirror.of("https://" + host))))
                        .build()) {
            client.resolve(ImageReference.parse("mirrored.invalid/team/app"));
            client.resolve(ImageReference.parse("plain.invalid/team/app"));

            assertThat(tunnel.lines()).containsExactly("CONNECT " + host + ":443 HTTP/1.1");
            assertThat(plain.requests)
                    .singleElement()
                    .satisfies(request -> assertThat(request.getRequestLine())
                            .startsWith("HEAD http://" + host + ":5000/v2/team/app/"));
            assertThat(client.proxy("plain.invalid")).isPresent();
        }
    }

    @Test
    void asksTokenServersThroughTheProxyToo() throws Exception {
        try (FakeServer proxy = new FakeServer(request -> {
                    String url = String.valueOf(request.getRequestUrl());
                    return url.contains("token")
                            ? json("{\"token\": \"t\"}")
                            : request.getHeader("Authorization") == null
                                    ? challenge("Bearer realm=\"http://auth.invalid/token\",service=\"s\"")
                                    : manifest(DIGEST);
                });
                RegistryClient client = through(Map.of("all_proxy", proxy.url()))
                        .defaults(HostOptions.DEFAULTS.withPlainHttp())
                        .build()) {
            client.resolve(IMAGE);

            assertThat(proxy.requests.stream()
                            .map(request -> request.getRequestLine().split("\\?", -1)[0]))
                    .satisfiesExactly(
                            line -> assertThat(line).startsWith("HEAD http://registry.invalid/v2/"),
                            line -> assertThat(line).startsWith("GET http://auth.invalid/token"),
                            line -> assertThat(line).startsWith("HEAD http://registry.invalid/v2/"));
        }
    }

    @Test
    void showsTheLoginToTheProxyAndNotToTheHostBehindTheTunnel() throws Exception {
        try (FakeServer registry = secure();
                TunnelProxy proxy = TunnelProxy.to(registry.server.getPort());
                RegistryClient client = through(Map.of("HTTPS_PROXY", "http://u:p%40ss@" + proxy.at()))
                        .defaults(HostOptions.DEFAULTS.withAuthorities(List.of(served.certificate())))
                        .build()) {
            assertThat(client.resolve(IMAGE).digest()).hasToString(DIGEST);

            assertThat(proxy.lines()).containsExactly("CONNECT registry.invalid:443 HTTP/1.1");
            assertThat(proxy.header(0, "Proxy-Authorization")).contains(LOGIN);
            assertThat(registry.lines()).containsExactly("HEAD /v2/team/app/manifests/latest");
            assertThat(registry.requests.get(0).getHeaders().toString()).doesNotContain("Proxy-", "Basic");
        }
    }

    @Test
    void aRefusedLoginIsTriedOnceAndNotShown() throws Exception {
        try (TunnelProxy proxy = TunnelProxy.refusing(407);
                RegistryClient client = through(Map.of("HTTPS_PROXY", "http://u:p%40ss@" + proxy.at()))
                        .build()) {
            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> client.resolve(IMAGE))
                    .withMessageContaining("the proxy http://" + proxy.at() + " refuses the login (407)")
                    .withMessageContaining("HTTPS_PROXY")
                    .satisfies(failure -> assertThat(failure.getMessage()).doesNotContain("p@ss", "p%40ss"));

            assertThat(proxy.lines()).hasSize(1);
        }
    }

    @Test
    void saysThatAProxyDemandsALogin() throws Exception {
        try (TunnelProxy tunnel = TunnelProxy.refusing(407);
                FakeServer plain = new FakeServer(request -> status(407));
                RegistryClient client = through(Map.of("HTTPS_PROXY", tunnel.at(), "HTTP_PROXY", plain.host()))
                        .host("plain.invalid", HostOptions.DEFAULTS.withPlainHttp())
                        .build()) {
            for (ImageReference image : List.of(IMAGE, ImageReference.parse("plain.invalid/team/app"))) {
                assertThatExceptionOfType(UnavailableException.class)
                        .isThrownBy(() -> client.resolve(image))
                        .withMessageContaining("demands a login (407)")
                        .withMessageContaining("put user and password before its host in HTTPS_PROXY");
            }

            assertThat(tunnel.lines()).hasSize(1);
            assertThat(plain.requests).hasSize(1);
        }
    }

    @Test
    void namesTheProxyThatRefusesOrIsDown() throws Exception {
        int closed = FreePort.find();
        try (TunnelProxy refusing = TunnelProxy.refusing(403);
                RegistryClient client =
                        through(Map.of("HTTPS_PROXY", refusing.at())).build();
                RegistryClient lost =
                        through(Map.of("HTTPS_PROXY", "127.0.0.1:" + closed)).build()) {
            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> client.resolve(IMAGE))
                    .withMessageContaining("registry.invalid (through the proxy http://" + refusing.at()
                            + ") cannot be reached: the proxy refuses to connect to it, status 403");
            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> lost.resolve(IMAGE))
                    .withMessageContaining(
                            "registry.invalid (through the proxy http://127.0.0.1:" + closed + ") cannot be reached");
        }
    }

    @Test
    void theProxyOfAHostCountsMoreThanThatOfTheVariables() throws Exception {
        try (FakeServer general = new FakeServer(request -> manifest(DIGEST));
                FakeServer own = new FakeServer(request -> manifest(DIGEST));
                RegistryClient client = through(Map.of("HTTP_PROXY", "http://u:p@" + general.host()))
                        .defaults(HostOptions.DEFAULTS.withPlainHttp())
                        .host(
                                "registry.own",
                                HostOptions.DEFAULTS
                                        .withPlainHttp()
                                        .withProxy(new Proxy(
                                                Proxy.Type.HTTP,
                                                own.server.toProxyAddress().address())))
                        .build()) {
            client.resolve(IMAGE);
            client.resolve(ImageReference.parse("registry.own/team/app"));

            assertThat(general.requests).hasSize(1);
            assertThat(own.requests).hasSize(1);
            assertThat(own.requests.get(0).getHeader("Proxy-Authorization")).isNull();
        }
    }
}
