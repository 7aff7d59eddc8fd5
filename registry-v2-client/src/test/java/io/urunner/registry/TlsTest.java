package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);

    private final HeldCertificate authority =
            new HeldCertificate.Builder().certificateAuthority(0).build();
    private final HeldCertificate other =
            new HeldCertificate.Builder().certificateAuthority(0).build();
    private final HeldCertificate served = new HeldCertificate.Builder()
            .addSubjectAlternativeName("127.0.0.1")
            .signedBy(authority)
            .build();

    private FakeServer server(boolean wantsClientCertificate) {
        FakeServer server = new FakeServer(request -> FakeServer.manifest(DIGEST));
        HandshakeCertificates certificates = new HandshakeCertificates.Builder()
                .heldCertificate(served)
                .addTrustedCertificate(authority.certificate())
                .build();
        server.server.useHttps(certificates.sslSocketFactory(), false);
        if (wantsClientCertificate) {
            server.server.requireClientAuth();
        }
        return server;
    }

    private static RegistryClient client(FakeServer server, HostOptions options) {
        return RegistryClient.builder().host(server.host(), options).attempts(1).build();
    }

    private HostOptions trusting(HeldCertificate trusted) {
        return HostOptions.DEFAULTS.withAuthorities(List.of(trusted.certificate()));
    }

    @Test
    void trustsAnAuthorityForOneHost() throws Exception {
        try (FakeServer server = server(false);
                RegistryClient client = client(server, trusting(authority));
                RegistryClient mistaken = client(server, trusting(other))) {
            assertThat(client.resolve(server.image("team/app")).digest()).hasToString(DIGEST);
            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> mistaken.resolve(server.image("team/app")))
                    .withMessageContaining("the certificate of " + server.host() + " is not trusted");
        }
    }

    @Test
    void speaksHttp2IfItIsOffered() throws Exception {
        List<Protocol> protocols = new CopyOnWriteArrayList<>();
        OkHttpClient http = new OkHttpClient.Builder()
                .addNetworkInterceptor(chain -> {
                    Response response = chain.proceed(chain.request());
                    protocols.add(response.protocol());
                    return response;
                })
                .build();
        try (FakeServer server = server(false);
                RegistryClient client = RegistryClient.builder()
                        .host(server.host(), trusting(authority))
                        .httpClient(http)
                        .build()) {
            client.resolve(server.image("team/app"));

            assertThat(protocols).containsExactly(Protocol.HTTP_2);
        } finally {
            http.dispatcher().executorService().shutdown();
            http.connectionPool().evictAll();
        }
    }

    @Test
    void presentsItsCertificate(@TempDir Path folder) throws Exception {
        HeldCertificate own = new HeldCertificate.Builder()
                .commonName("ci")
                .signedBy(authority)
                .build();
        Path chain = Files.writeString(folder.resolve("client.pem"), own.certificatePem());
        Path key = Files.writeString(folder.resolve("client.key"), own.privateKeyPkcs8Pem());
        ClientCertificate certificate = Pem.clientCertificate(chain, key);
        assertThat(certificate.toString()).contains("CN=ci").doesNotContain("PRIVATE");
        try (FakeServer server = server(true);
                RegistryClient client = client(server, trusting(authority).withClientCertificate(certificate));
                RegistryClient anonymous = client(server, trusting(authority))) {
            assertThat(client.resolve(server.image("team/app")).digest()).hasToString(DIGEST);
            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> anonymous.resolve(server.image("team/app")));
        }
    }

    @Test
    void readsRsaKeys(@TempDir Path folder) throws Exception {
        HeldCertificate own = new HeldCertificate.Builder().rsa2048().build();
        Path chain = Files.writeString(folder.resolve("client.pem"), own.certificatePem());
        Path key = Files.writeString(folder.resolve("client.key"), own.privateKeyPkcs8Pem());

        assertThat(Pem.clientCertificate(chain, key).key().getAlgorithm()).isEqualTo("RSA");
    }

    @Test
    void reportsWhatIsWrongWithAFile(@TempDir Path folder) throws Exception {
        Path empty = Files.writeString(folder.resolve("empty.pem"), "");
        Path garbage = Files.writeString(
                folder.resolve("garbage.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        Path rsa = Files.writeString(folder.resolve("rsa.key"), "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n");
        Path wrong = Files.writeString(
                folder.resolve("wrong.key"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        Path chain = Files.writeString(folder.resolve("ca.pem"), authority.certificatePem());

        assertThatThrownBy(() -> Pem.certificates(empty))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no certificate in " + empty);
        assertThatThrownBy(() -> Pem.certificates(garbage))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(garbage.toString());
        assertThatThrownBy(() -> Pem.certificates(folder.resolve("none"))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> Pem.clientCertificate(chain, rsa)).hasMessageContaining("openssl pkcs8");
        assertThatThrownBy(() -> Pem.clientCertificate(chain, wrong)).hasMessageContaining("neither RSA, EC nor EdDSA");
    }
}
