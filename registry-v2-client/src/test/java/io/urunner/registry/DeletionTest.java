package io.urunner.registry;

import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.SocketPolicy;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the answers to deletions mean, those that were lost included. */
class DeletionTest {
    private static final Digest DIGEST = Digest.of(new byte[0]);

    @AutoClose
    private final ToClose open = new ToClose();

    private final ManualTime time = new ManualTime();
    private final FakeServer registry = open.add(new FakeServer(request -> status(404)));
    private final RegistryClient client = open.add(RegistryClient.builder()
            .defaults(HostOptions.DEFAULTS.withPlainHttp())
            .ticker(time::nanos)
            .sleeper(time::sleep)
            .build());
    private final Repository repository = registry.image("team/app").toRepository();

    private void delete(String what) throws Exception {
        switch (what) {
            case "tag" -> client.deleteTag(repository, "v1");
            case "blob" -> client.deleteBlob(repository, DIGEST);
            default -> client.deleteManifest(repository, DIGEST);
        }
    }

    private List<String> deletions() {
        return registry.lines().stream()
                .filter(line -> line.startsWith("DELETE"))
                .toList();
    }

    /** Answers deletions with these, one after the other; {@code cut} breaks the connection after the request. */
    private void answer(String answers) {
        List<String> left = new ArrayList<>(List.of(answers.split(" ")));
        registry.answer(request -> {
            if (!"DELETE".equals(request.getMethod())) {
                return status(404);
            }
            String next = left.remove(0);
            return next.equals("cut")
                    ? new MockResponse().setSocketPolicy(SocketPolicy.DISCONNECT_AFTER_REQUEST)
                    : status(Integer.parseInt(next));
        });
    }

    @ParameterizedTest
    @CsvSource({
        "tag, 502 404",
        "manifest, 502 404",
        "blob, 502 404",
        "tag, cut 404",
        "manifest, cut 404",
        "blob, cut 404",
        "manifest, 500 503 404",
        "blob, 504 429 404",
        "blob, 503 410",
        "tag, 503 202",
        "manifest, 202"
    })
    void whatIsGoneAfterALostAnswerIsDeleted(String what, String answers) throws Exception {
        answer(answers);
        delete(what);
        assertThat(deletions()).hasSize(answers.split(" ").length);
    }

    @Test
    void aFailureOfTheTokenServerDeletesNothing() {
        AtomicInteger tokens = new AtomicInteger();
        registry.answer(request -> {
            String path = String.valueOf(request.getPath());
            if (path.startsWith("/token")) {
                boolean first = path.contains("delete") && tokens.incrementAndGet() == 1;
                return status(first ? 503 : 200).setBody("{\"token\":\"t\"}");
            } else if (request.getHeader("Authorization") == null) {
                return status(401)
                        .setHeader("WWW-Authenticate", "Bearer realm=\"" + registry.url() + "/token\",service=\"s\"");
            }
            return status(404);
        });
        assertThatExceptionOfType(NotFoundException.class).isThrownBy(() -> delete("manifest"));
        assertThat(tokens).hasValue(2);
    }

    /** As after a timeout while connecting: the registry got no request. */
    @Test
    void aConnectionThatNeverCameAboutDeletesNothing() throws Exception {
        FakeServer proxy = open.add(new FakeServer(request -> status(503)));
        ProxySelector onceThroughTheProxy = new ProxySelector() {
            @Override
            public List<Proxy> select(URI uri) {
                InetSocketAddress address = new InetSocketAddress("127.0.0.1", proxy.server.getPort());
                return List.of(time.sleeps.isEmpty() ? new Proxy(Proxy.Type.HTTP, address) : Proxy.NO_PROXY);
            }

            @Override
            public void connectFailed(URI uri, SocketAddress address, IOException failure) {}
        };
        HeldCertificate served = new HeldCertificate.Builder().build();
        FakeServer secure = open.add(new FakeServer(request -> status(404)));
        secure.server.useHttps(
                new HandshakeCertificates.Builder()
                        .heldCertificate(served)
                        .build()
                        .sslSocketFactory(),
                false);
        RegistryClient through = open.add(RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withInsecureTls())
                .proxy(onceThroughTheProxy)
                .ticker(time::nanos)
                .sleeper(time::sleep)
                .build());

        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> through.deleteBlob(secure.image("team/app").toRepository(), DIGEST));
        assertThat(proxy.requests).hasSize(1);
        assertThat(secure.requests).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({"tag, 404", "manifest, 404", "blob, 404", "blob, 410", "blob, 429 404", "manifest, 408 404"})
    void whatWasNeverThereIsNotFound(String what, String answers) {
        answer(answers);
        assertThatExceptionOfType(NotFoundException.class).isThrownBy(() -> delete(what));
        assertThat(deletions()).hasSize(answers.split(" ").length);
    }
}
