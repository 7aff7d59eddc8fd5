package io.urunner.registry;

import static io.urunner.registry.HostileServer.body;
import static io.urunner.registry.HostileServer.text;
import static io.urunner.registry.HostileServer.trickle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.mockwebserver.MockResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nothing that a host delays lasts for ever. Each server here continues until the client disconnects. */
@Timeout(120)
@Execution(ExecutionMode.CONCURRENT)
class DeadlinesTest {
    private static final Digest DIGEST = Digest.of(new byte[0]);
    private static final String HEAD = "HTTP/1.1 200 OK\r\nContent-Type: " + MediaType.OCI_MANIFEST + "\r\n";

    private static RegistryClient.Builder hurried() {
        return RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .attempts(1)
                .deadline(Duration.ofSeconds(1))
                .transferRate(1000);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 100 Continue\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: b\r\n",
                HEAD + "Content-Length: 1000000\r\n\r\n|{",
                HEAD + "Transfer-Encoding: chunked\r\n\r\n1;|x",
                HEAD + "Transfer-Encoding: chunked\r\n\r\n|1\r\n \r\n",
                "HTTP/1.1 404 No\r\nContent-Length: 1000000\r\n\r\n|{",
                "HTTP/1.1 503 No\r\nContent-Length: 1000000\r\n\r\n|{"
            })
    void givesUpOnATricklingAnswer(String answer) throws Exception {
        int slow = answer.indexOf('|') + 1;
        try (HostileServer server = new HostileServer((target, out) -> {
                    text(out, answer.substring(0, Math.max(0, slow - 1)));
                    trickle(out, answer.substring(slow));
                });
                RegistryClient client = hurried().build()) {
            Repository repository = new Repository(server.host(), "team/app");
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(() -> client.manifest(repository.tag("latest")));
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(() -> client.tags(repository).all());
            assertThatThrownBy(() -> {
                        try (InputStream blob =
                                client.blob(repository, new Descriptor(MediaType.OCI_CONFIG, DIGEST, 2000))) {
                            blob.readAllBytes();
                        }
                    })
                    .isInstanceOfAny(RegistryException.class, IOException.class);
        }
    }

    @Test
    void givesUpOnATricklingToken() throws Exception {
        try (HostileServer server = new HostileServer((target, out) -> {
                    if (target.startsWith("/token")) {
                        text(out, HEAD + "Content-Length: 60000\r\n\r\n");
                        trickle(out, "{");
                    } else {
                        text(
                                out,
                                "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"/token\"\r\n"
                                        + "Content-Length: 0\r\n\r\n");
                    }
                });
                RegistryClient client = hurried().build()) {
            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> client.resolve(new Repository(server.host(), "team/app").tag("latest")))
                    .withMessageContaining("did not answer in time");
        }
    }

    @Test
    void givesUpOnATricklingBlobAndSaysWhy() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (HostileServer server = new HostileServer((target, out) -> {
                    text(out, "HTTP/1.1 " + (asked.incrementAndGet() == 1 ? "200" : "206") + " OK\r\n");
                    text(out, "Content-Range: bytes 0-\r\nContent-Length: 1000\r\n\r\n");
                    trickle(out, "x");
                });
                RegistryClient client = hurried().build();
                InputStream blob = client.blob(
                        new Repository(server.host(), "team/app"),
                        new Descriptor(MediaType.OCI_CONFIG, DIGEST, 1000))) {
            assertThatThrownBy(blob::readAllBytes).isInstanceOf(IOException.class);
        }
    }

    @Test
    void aReaderOfABlobMayBeSlow() throws Exception {
        byte[] content = "x".repeat(200_000).getBytes(StandardCharsets.UTF_8);
        ManualTime time = new ManualTime();
        try (HostileServer server = new HostileServer((target, out) -> body(out, "text/plain", content));
                RegistryClient client = hurried().ticker(time::nanos).build();
                InputStream blob = client.blob(
                        new Repository(server.host(), "team/app"),
                        new Descriptor("text/plain", Digest.of(content), content.length))) {
            blob.readNBytes(1000);
            time.pass(Duration.ofDays(1));

            assertThat(blob.readAllBytes()).hasSize(content.length - 1000);
        }
    }

    @Test
    void givesUpOnAnUploadThatIsNotRead() throws Exception {
        byte[] content = new byte[32 << 20];
        try (HostileServer server = new HostileServer((target, out) -> {
                    if (target.contains("?digest")) {
                        trickle(out, "H");
                    }
                    text(out, "HTTP/1.1 202 OK\r\nLocation: " + target + "x\r\nContent-Length: 0\r\n\r\n");
                });
                RegistryClient client = hurried().transferRate(32 << 20).build()) {
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(() -> client.pushBlob(
                            new Repository(server.host(), "team/app"),
                            new Descriptor(MediaType.OCI_LAYER, DIGEST, content.length),
                            () -> new ByteArrayInputStream(content)));
        }
    }

    @Test
    void givesUpOnAListingThatGoesInCircles() throws Exception {
        try (FakeServer registry = new FakeServer(request -> FakeServer.json("{\"tags\":[\"a\"]}"));
                RegistryClient client = RegistryClient.builder()
                        .defaults(HostOptions.DEFAULTS.withPlainHttp())
                        .build()) {
            // 1, 2, 3, 4, 5, 3, 4, 5, …
            registry.answer(request -> {
                String last = String.valueOf(request.getRequestUrl().queryParameter("last"));
                int page = last.equals("null") ? 1 : Integer.parseInt(last);
                int next = page == 5 ? 3 : page + 1;
                return FakeServer.json("{\"tags\":[\"a\"]}").setHeader("Link", "<?last=" + next + ">; rel=next");
            });
            assertThatExceptionOfType(ProtocolViolationException.class)
                    .isThrownBy(() -> client.tags(new Repository(registry.host(), "team/app"))
                            .all())
                    .withMessageContaining("does not end");
            assertThat(registry.requests)
                    .as("the fifth page leads to one that was read")
                    .hasSize(5);
        }
    }

    @Test
    void aListingHasADeadlineForAllPages() throws Exception {
        ManualTime time = new ManualTime();
        AtomicInteger pages = new AtomicInteger();
        try (FakeServer registry = new FakeServer(request -> {
                    time.pass(Duration.ofSeconds(10));
                    return FakeServer.json("{\"tags\":[\"a\"]}")
                            .setHeader("Link", "<?last=" + pages.incrementAndGet() + ">; rel=next");
                });
                RegistryClient client = RegistryClient.builder()
                        .defaults(HostOptions.DEFAULTS.withPlainHttp())
                        .ticker(time::nanos)
                        .listingDeadline(Duration.ofSeconds(55))
                        .build()) {
            Pages<String> tags = client.tags(new Repository(registry.host(), "team/app"));
            List<String> read = new ArrayList<>();
            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> {
                        while (tags.hasNext()) {
                            read.addAll(tags.next());
                        }
                    })
                    .withMessageContaining("takes too long");
            assertThat(read).hasSize(6);
        }
    }

    @Test
    void doesNotHoldAListingThatIsTooLarge() throws Exception {
        AtomicInteger pages = new AtomicInteger();
        String page = "{\"tags\":[" + "\"a\",".repeat(40_000) + "\"a\"]}";
        try (FakeServer registry = new FakeServer(request -> new MockResponse()
                        .setBody(page)
                        .setHeader("Link", "<?last=" + pages.incrementAndGet() + ">; rel=next"));
                RegistryClient client = RegistryClient.builder()
                        .defaults(HostOptions.DEFAULTS.withPlainHttp())
                        .build()) {
            assertThatExceptionOfType(ProtocolViolationException.class)
                    .isThrownBy(() -> client.tags(new Repository(registry.host(), "team/app"))
                            .all())
                    .withMessageContaining("page by page");
            assertThat(pages.get()).isLessThan(20);
        }
    }
}
