package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.net.InetAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which threads remain after a client is closed: what {@link RegistryClient#close} promises. */
@Timeout(60)
class ThreadsTest {
    private static final int CLIENTS = 10;
    private static final String DIGEST = "sha256:" + "a".repeat(64);

    @Test
    void noThreadOfAClosedClientRemainsButDaemonsThatAllClientsShare() throws Exception {
        HeldCertificate authority =
                new HeldCertificate.Builder().certificateAuthority(0).build();
        HeldCertificate served = new HeldCertificate.Builder()
                .addSubjectAlternativeName("127.0.0.1")
                .signedBy(authority)
                .build();
        try (FakeServer plain = new FakeServer(request -> FakeServer.manifest(DIGEST));
                // Offers HTTP/2, for which OkHttp has a thread per connection.
                FakeServer secure = new FakeServer(request -> FakeServer.manifest(DIGEST))) {
            secure.server.useHttps(
                    new HandshakeCertificates.Builder()
                            .heldCertificate(served)
                            .build()
                            .sslSocketFactory(),
                    false);
            plain.server.start(InetAddress.getLoopbackAddress(), 0);
            secure.server.start(InetAddress.getLoopbackAddress(), 0);
            Set<Thread> before = Thread.getAllStackTraces().keySet();
            for (int i = 0; i < CLIENTS; i++) {
                try (RegistryClient client = RegistryClient.builder()
                        .host(secure.host(), HostOptions.DEFAULTS.withAuthorities(List.of(authority.certificate())))
                        .attempts(1)
                        .build()) {
                    client.resolve(plain.image("shop/web"));
                    client.resolve(secure.image("shop/web"));
                    assertThatExceptionOfType(UnavailableException.class)
                            .isThrownBy(() -> client.resolve(ImageReference.parse("127.0.0.1:1/shop/web")));
                }
            }
            // The reader of a connection ends when it sees that the connection is closed.
            long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (since(before).size() >= CLIENTS && System.nanoTime() - deadline < 0) {
                Thread.sleep(20);
            }
            assertThat(plain.requests).hasSize(CLIENTS);
            assertThat(secure.requests).hasSize(CLIENTS);
            assertThat(since(before))
                    .as("threads do not become more with the clients")
                    .hasSizeLessThan(CLIENTS)
                    .allMatch(Thread::isDaemon)
                    .extracting(Thread::getName)
                    .allMatch(name -> name.startsWith("OkHttp ") || name.equals("Okio Watchdog"));
        }
    }

    /** The threads that have started since then and still run, without those of the test servers. */
    private static Set<Thread> since(Set<Thread> before) {
        Set<Thread> threads = new HashSet<>(Thread.getAllStackTraces().keySet());
        threads.removeAll(before);
        threads.removeIf(thread -> thread.getName().startsWith("MockWebServer")
                || List.of(thread.getStackTrace()).toString().contains("mockwebserver"));
        return threads;
    }
}
