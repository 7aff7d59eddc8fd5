package io.urunner.registry;

import static io.urunner.registry.FakeServer.challenge;
import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.manifest;
import static io.urunner.registry.FakeServer.status;
import static io.urunner.registry.FixedCredentials.basic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.auth.AuthHints;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import javax.net.SocketFactory;
import okhttp3.OkHttpClient;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a registry may lead us, and how those hosts are reached. */
class LeadingElsewhereTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);

    /** An address for documentation (RFC 5737) that leads to the test's own servers. */
    private static final String PUBLIC = "203.0.113.1";

    private final HeldCertificate authority =
            new HeldCertificate.Builder().certificateAuthority(0).build();

    @AutoClose
    private final ToClose open = new ToClose();

    private final Map<String, Iterator<String>> names = new HashMap<>();
    private final List<String> connected = new CopyOnWriteArrayList<>();
    private final FakeServer registry = open.add(new FakeServer(request -> manifest(DIGEST)));
    private final FakeServer other = open.add(new FakeServer(request -> json("{\"token\":\"t\"}")));
    private final OkHttpClient http = new OkHttpClient.Builder()
            .dns(this::lookup)
            .socketFactory(new Sockets())
            .build();

    @AfterEach
    void close() {
        http.dispatcher().executorService().shutdown();
        http.connectionPool().evictAll();
    }

    private List<InetAddress> lookup(String name) throws UnknownHostException {
        Iterator<String> addresses = names.get(name);
        if (addresses == null) {
            throw new UnknownHostException(name);
        }
        List<InetAddress> found = new ArrayList<>();
        for (String address : addresses.next().split(",", -1)) {
            found.add(InetAddress.getByName(address));
        }
        return found;
    }

    /** Always resolves a name to the same addresses. */
    private void name(String name, String addresses) {
        names.put(name, Stream.generate(() -> addresses).iterator());
    }

    /** Connects to this machine for its own addresses and for those for documentation. */
    private final class Sockets extends SocketFactory {
        @Override
        public Socket createSocket() {
            return new Socket() {
                @Override
                public void connect(SocketAddress endpoint, int timeout) throws IOException {
                    InetSocketAddress asked = (InetSocketAddress) endpoint;
                    String address = asked.getAddress().getHostAddress();
                    connected.add(address);
                    if (!address.equals(PUBLIC) && !asked.getAddress().isLoopbackAddress()) {
                        throw new ConnectException("no other network in this test");
                    }
                    super.connect(new InetSocketAddress("127.0.0.1", asked.getPort()), timeout);
                }
            };
        }

        @Override
        public Socket createSocket(String host, int port) {
            throw new UncheckedIOException(new IOException("not used"));
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress localHost, int localPort) {
            return createSocket(host, port);
        }

        @Override
        public Socket createSocket(InetAddress host, int port) {
            return createSocket("", port);
        }

        @Override
        public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort) {
            return createSocket("", port);
        }
    }

    private RegistryClient client(FixedCredentials credentials, HostOptions options) {
        return client(credentials, options, HostOptions.DEFAULTS.withPlainHttp());
    }

    private RegistryClient client(FixedCredentials credentials, HostOptions options, HostOptions others) {
        return open.add(RegistryClient.builder()
                .httpClient(http)
                .credentials(credentials)
                .host(at("reg.example", registry), options)
                .defaults(others)
                .attempts(1)
                .build());
    }

    private static FixedCredentials ci() {
        return new FixedCredentials(basic("ci", "secret"));
    }

    private static String at(String name, FakeServer server) {
        return name + ":" + server.server.getPort();
    }

    private ImageReference image() {
        return ImageReference.parse(at("reg.example", registry) + "/team/app");
    }

    private static MockResponse unauthorized(String realm) {
        return challenge("Bearer realm=\"" + realm + "\"");
    }

    /** The registry requires tokens of a host. */
    private void wantsTokensOf(String realm) {
        registry.answer(request -> request.getHeader("Authorization") == null ? unauthorized(realm) : manifest(DIGEST));
    }

    private void serveTls(FakeServer server, HeldCertificate signer, String... hosts) {
        HeldCertificate.Builder certificate = new HeldCertificate.Builder().signedBy(signer);
        for (String host : hosts) {
            certificate.addSubjectAlternativeName(host);
        }
        HandshakeCertificates identity = new HandshakeCertificates.Builder()
                .heldCertificate(certificate.build())
                .addTrustedCertificate(authority.certificate())
                .build();
        server.server.useHttps(identity.sslSocketFactory(), false);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "10.1.2.3",
                "172.20.0.1",
                "192.168.0.1",
                "169.254.169.254",
                "100.64.0.1",
                "198.18.0.1",
                "240.0.0.1",
                "0.0.0.0",
                "224.0.0.1",
                "168.63.129.16",
                "::1",
                "fd00::1",
                "fe80::1",
                "64:ff9b::7f00:1",
                "64:ff9b:1::7f00:1",
                "2002:7f00:1::",
                "2001:0:1::1",
                "::7f00:1",
                "::ffff:127.0.0.1",
                "203.0.113.1,10.0.0.1",
            })
    void sendsNoPasswordToANameWithAPrivateAddress(String address) {
        name("reg.example", PUBLIC);
        name("auth.example", address);
        wantsTokensOf("http://" + at("auth.example", other) + "/token");

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(
                        () -> client(ci(), HostOptions.DEFAULTS.withPlainHttp()).resolve(image()))
                .withMessageContaining("leads to auth.example")
                .withMessageContaining("private address")
                .withMessageContaining("trustedHosts (HostOptions.withTrustedHosts)")
                .withMessageNotContaining(address);
        assertThat(other.requests).isEmpty();
        assertThat(connected).containsOnly(PUBLIC);
    }

    @Test
    void connectsToTheAddressThatItChecked() {
        name("reg.example", PUBLIC);
        names.put("auth.example", List.of("203.0.113.9", "127.0.0.1").iterator());
        wantsTokensOf("http://" + at("auth.example", other) + "/token");
        RegistryClient client = client(ci(), HostOptions.DEFAULTS.withPlainHttp());

        assertThatExceptionOfType(UnavailableException.class).isThrownBy(() -> client.resolve(image()));
        assertThatExceptionOfType(ProtocolViolationException.class).isThrownBy(() -> client.resolve(image()));

        assertThat(connected).containsOnly(PUBLIC, "203.0.113.9");
        assertThat(other.requests).isEmpty();
    }

    @Test
    void followsNoRedirectToANameWithAPrivateAddress() {
        name("reg.example", PUBLIC);
        name("storage.example", "127.0.0.1");
        registry.answer(
                request -> status(307).setHeader("Location", "http://" + at("storage.example", other) + "/blob"));
        RegistryClient client = client(new FixedCredentials(), HostOptions.DEFAULTS.withPlainHttp());
        Descriptor blob = new Descriptor("application/octet-stream", Digest.parse(DIGEST), 1);

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.blob(image().toRepository(), blob))
                .withMessageContaining("private address");
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.manifest(image()))
                .withMessageContaining("private address");
        assertThat(other.requests).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"http://reg.example:%1$d//127.0.0.1:%2$d/x", "/.//127.0.0.1:%2$d/x", "/v2/..//127.0.0.1:%2$d/"})
    void readsNoPageOfAListingFromAHostHiddenInThePathOfALink(String link) {
        name("reg.example", PUBLIC);
        String target = link.formatted(registry.server.getPort(), other.server.getPort());
        registry.answer(request -> json("{\"tags\":[\"a\"]}").setHeader("Link", "<" + target + ">; rel=\"next\""));
        RegistryClient client = client(new FixedCredentials(), HostOptions.DEFAULTS.withPlainHttp());

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.tags(image().toRepository()).all())
                .withMessageContaining("not a page of this registry");
        assertThat(other.requests).isEmpty();
    }

    @Test
    void uploadsNothingToANameWithAPrivateAddress() {
        name("reg.example", PUBLIC);
        name("storage.example", "127.0.0.1");
        registry.answer(request -> status(202).setHeader("Location", "http://" + at("storage.example", other) + "/up"));
        Descriptor blob = new Descriptor("application/octet-stream", Digest.of(new byte[1]), 1);

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client(new FixedCredentials(), HostOptions.DEFAULTS.withPlainHttp())
                        .pushBlob(image().toRepository(), blob, () -> new ByteArrayInputStream(new byte[1])))
                .withMessageContaining("private address");
        assertThat(other.requests).isEmpty();
    }

    @Test
    void followsNoRedirectOfATokenServerToANameWithAPrivateAddress() {
        FakeServer issuer = open.add(new FakeServer(
                request -> status(307).setHeader("Location", "http://" + at("inner.example", other) + "/token")));
        name("reg.example", PUBLIC);
        name("auth.example", PUBLIC);
        name("inner.example", "127.0.0.1");
        wantsTokensOf("http://" + at("auth.example", issuer) + "/token");

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client(new FixedCredentials(), HostOptions.DEFAULTS.withPlainHttp())
                        .resolve(image()))
                .withMessageContaining("private address");
        assertThat(issuer.requests).hasSize(1);
        assertThat(other.requests).isEmpty();
    }

    @Test
    void followsTheRegistryToItsOwnHostAtAnyAddress() throws Exception {
        name("reg.example", "127.0.0.1");
        wantsTokensOf("http://" + at("reg.example", other) + "/token");

        client(ci(), HostOptions.DEFAULTS.withPlainHttp()).resolve(image());

        assertThat(other.requests).hasSize(1);
    }

    @Test
    void followsTheRegistryToATrustedHostAtAnyAddress() throws Exception {
        name("reg.example", "127.0.0.1");
        name("auth.example", "127.0.0.1");
        wantsTokensOf("http://" + at("auth.example", other) + "/token");

        client(
                        ci(),
                        HostOptions.DEFAULTS.withPlainHttp().withTrustedHosts(Set.of(at("Auth.Example", other))),
                        HostOptions.DEFAULTS)
                .resolve(image());

        assertThat(other.requests).hasSize(1);
    }

    @Test
    void usesTheTokenServerThatThePluginNamesAtAnyAddress() throws Exception {
        name("reg.example", "127.0.0.1");
        name("auth.example", "127.0.0.1");
        wantsTokensOf("http://elsewhere.example/token");
        FixedCredentials credentials =
                ci().hints(AuthHints.askForTokensAt(URI.create("http://" + at("auth.example", other) + "/jwt")));

        client(credentials, HostOptions.DEFAULTS.withPlainHttp()).resolve(image());

        assertThat(other.lines().get(0)).startsWith("GET /jwt");
    }

    @Test
    void followsTheRegistryToAPublicName() throws Exception {
        name("reg.example", "127.0.0.1");
        name("auth.example", PUBLIC);
        wantsTokensOf("http://" + at("auth.example", other) + "/token");

        client(ci(), HostOptions.DEFAULTS.withPlainHttp()).resolve(image());

        assertThat(other.requests).hasSize(1);
    }

    @Test
    void letsAProxyResolveNames() throws Exception {
        name("proxy.example", "127.0.0.1");
        registry.answer(request -> String.valueOf(request.getRequestLine()).contains("storage.example")
                ? manifest(DIGEST)
                : status(307).setHeader("Location", "http://storage.example/elsewhere"));
        Proxy proxy = new Proxy(
                Proxy.Type.HTTP, InetSocketAddress.createUnresolved("proxy.example", registry.server.getPort()));

        client(new FixedCredentials(), HostOptions.DEFAULTS.withPlainHttp().withProxy(proxy))
                .resolve(image());

        assertThat(registry.requests).hasSize(2);
    }

    /** As many a Harbor does behind a proxy that adds TLS. */
    @ParameterizedTest
    @ValueSource(
            strings = {"http://reg.example/token", "http://reg.example:%d/token", "HTTP://user@REG.example/token#x"})
    void asksARealmOfItsOwnHostInPlainHttpByHttps(String realm) throws Exception {
        name("reg.example", PUBLIC);
        serveTls(registry, authority, "reg.example");
        String challenge = realm.formatted(registry.server.getPort());
        registry.answer(request -> String.valueOf(request.getPath()).startsWith("/token")
                ? json("{\"token\":\"t\"}")
                : request.getHeader("Authorization") == null ? unauthorized(challenge) : manifest(DIGEST));

        client(ci(), HostOptions.DEFAULTS.withAuthorities(List.of(authority.certificate())), HostOptions.DEFAULTS)
                .resolve(image());

        assertThat(registry.lines())
                .containsExactly(
                        "HEAD /v2/team/app/manifests/latest",
                        "GET /token?scope=repository:team/app:pull",
                        "HEAD /v2/team/app/manifests/latest");
        assertThat(registry.requests)
                .allSatisfy(request -> assertThat(request.getTlsVersion()).isNotNull());
    }

    @Test
    void asksNoRealmOfAnotherHostInPlainHttp() {
        name("reg.example", PUBLIC);
        serveTls(registry, authority, "reg.example");
        registry.answer(request -> unauthorized("http://auth.example/token"));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client(
                                ci(),
                                HostOptions.DEFAULTS.withAuthorities(List.of(authority.certificate())),
                                HostOptions.DEFAULTS)
                        .resolve(image()))
                .withMessageContaining("http://auth.example/... that is not used: it is plain http");
    }

    @Test
    void sendsNoPasswordInPlainHttpToAnotherHost() {
        name("reg.example", PUBLIC);
        name("auth.example", PUBLIC);
        wantsTokensOf("http://" + at("auth.example", other) + "/token");

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client(ci(), HostOptions.DEFAULTS.withPlainHttp(), HostOptions.DEFAULTS)
                        .resolve(image()))
                .withMessageContaining("plain http, which is allowed only for the registry's own host")
                .withMessageContaining("plainHttp (HostOptions.withPlainHttp)");
        assertThat(other.requests).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"reg.example", "auth.example"})
    void sendsNoPasswordToAHostWithAnUncheckedCertificate(String host) {
        HeldCertificate stranger =
                new HeldCertificate.Builder().certificateAuthority(0).build();
        name("reg.example", PUBLIC);
        name("auth.example", PUBLIC);
        serveTls(registry, stranger, "nobody.example");
        serveTls(other, stranger, host);
        wantsTokensOf("https://" + at(host, other) + "/token");
        HostOptions insecure =
                HostOptions.DEFAULTS.withInsecureTls().withTrustedHosts(Set.of(at("auth.example", other)));

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client(ci(), insecure, HostOptions.DEFAULTS).resolve(image()))
                .withMessageContaining("the certificate of " + at(host, other) + " is not trusted");
        assertThat(other.requests).isEmpty();
        assertThat(registry.requests).hasSize(1);
    }

    @Test
    void readsNoContentFromAHostWithAnUncheckedCertificate() {
        HeldCertificate stranger =
                new HeldCertificate.Builder().certificateAuthority(0).build();
        name("reg.example", PUBLIC);
        name("storage.example", PUBLIC);
        serveTls(registry, stranger, "nobody.example");
        serveTls(other, stranger, "storage.example");
        registry.answer(request -> status(307).setHeader("Location", "https://" + at("storage.example", other) + "/x"));

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client(
                                new FixedCredentials(), HostOptions.DEFAULTS.withInsecureTls(), HostOptions.DEFAULTS)
                        .resolve(image()))
                .withMessageContaining("not trusted");
        assertThat(other.requests).isEmpty();
    }

    @Test
    void usesAnAuthorityOnlyForTheHostsThatTheRegistryIsTrustedToLeadTo() throws Exception {
        name("reg.example", PUBLIC);
        name("auth.example", PUBLIC);
        serveTls(registry, authority, "reg.example");
        serveTls(other, authority, "auth.example");
        wantsTokensOf("https://" + at("auth.example", other) + "/token");
        HostOptions own = HostOptions.DEFAULTS.withAuthorities(List.of(authority.certificate()));

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client(ci(), own, HostOptions.DEFAULTS).resolve(image()))
                .withMessageContaining("the certificate of " + at("auth.example", other) + " is not trusted");
        assertThat(other.requests).isEmpty();

        client(ci(), own.withTrustedHosts(Set.of("auth.example")), HostOptions.DEFAULTS)
                .resolve(image());
        assertThat(other.requests).hasSize(1);
    }

    @Test
    void presentsTheClientCertificateOfAHostOnlyIfATrustedRegistryLeadsThere() throws Exception {
        HeldCertificate ours = new HeldCertificate.Builder()
                .commonName("ci")
                .signedBy(authority)
                .build();
        ClientCertificate shown = new ClientCertificate(ours.keyPair().getPrivate(), List.of(ours.certificate()));
        name("reg.example", PUBLIC);
        name("inner.example", PUBLIC);
        serveTls(other, authority, "inner.example");
        other.server.requireClientAuth();
        other.answer(request -> manifest(DIGEST));
        registry.answer(
                request -> status(307).setHeader("Location", "https://" + at("inner.example", other) + "/v2/private"));
        HostOptions inner = HostOptions.DEFAULTS
                .withAuthorities(List.of(authority.certificate()))
                .withClientCertificate(shown);
        for (boolean trusted : List.of(false, true)) {
            RegistryClient client = open.add(RegistryClient.builder()
                    .httpClient(http)
                    .host(
                            at("reg.example", registry),
                            HostOptions.DEFAULTS
                                    .withPlainHttp()
                                    .withTrustedHosts(trusted ? Set.of("inner.example") : Set.of()))
                    .host(at("inner.example", other), inner)
                    .attempts(1)
                    .build());
            assertThat(client.resolve(ImageReference.parse(at("inner.example", other) + "/private"))
                            .digest())
                    .hasToString(DIGEST);
            if (trusted) {
                assertThat(client.resolve(image()).digest()).hasToString(DIGEST);
            } else {
                assertThatExceptionOfType(UnavailableException.class).isThrownBy(() -> client.resolve(image()));
            }
        }
    }

    @Test
    void printsNoSecretFromAUrl() {
        name("reg.example", PUBLIC);
        for (String url : List.of(
                "http://user:s3cret@10.0.0.1/token?password=s3cret",
                "ftp://user:s3cret@auth.example/",
                "s3cret@ http://",
                "http://user:s3cret@[broken/")) {
            RegistryClient client = client(ci(), HostOptions.DEFAULTS.withPlainHttp());
            registry.answer(request -> unauthorized(url));
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(() -> client.resolve(image()))
                    .satisfies(e -> assertThat(e.toString()).doesNotContain("s3cret"));
            registry.answer(request -> status(307).setHeader("Location", url));
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(() -> client.resolve(image()))
                    .satisfies(e -> assertThat(e.toString()).doesNotContain("s3cret"));
            if (url.startsWith("s3cret")) {
                continue; // a path of the registry's own
            }
            registry.answer(request -> json("{\"tags\":[]}").setHeader("Link", "<" + url + ">; rel=\"next\""));
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(() -> client.tags(image().toRepository()).all())
                    .satisfies(e -> assertThat(e.toString()).doesNotContain("s3cret"));
            registry.answer(request -> status(202).setHeader("Location", url));
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(() -> client.pushBlob(
                            image().toRepository(),
                            new Descriptor("application/octet-stream", Digest.of(new byte[1]), 1),
                            () -> new ByteArrayInputStream(new byte[1])))
                    .satisfies(e -> assertThat(e.toString()).doesNotContain("s3cret"));
        }
    }
}
