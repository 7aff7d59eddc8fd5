package io.urunner.registry;

import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import okhttp3.mockwebserver.SocketPolicy;
import okio.Buffer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Blobs over broken connections. */
class BlobsTest {
    private final byte[] content = new byte[400_000];
    private final Descriptor blob;
    private final ManualTime time = new ManualTime();

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> status(500)));
    private final RegistryClient client = open.add(RegistryClient.builder()
            .defaults(HostOptions.DEFAULTS.withPlainHttp())
            .sleeper(time::sleep)
            .build());

    BlobsTest() {
        new Random(42).nextBytes(content);
        blob = new Descriptor("application/octet-stream", Digest.of(content), content.length);
    }

    private Repository repository() {
        return new Repository(registry.host(), "team/app");
    }

    private static int from(RecordedRequest request) {
        String range = request.getHeader("Range");
        return range == null ? 0 : Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
    }

    private MockResponse rest(RecordedRequest request) {
        int from = from(request);
        MockResponse response = new MockResponse().setBody(new Buffer().write(content, from, content.length - from));
        return from == 0
                ? response
                : response.setResponseCode(206)
                        .setHeader(
                                "Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
    }

    @Test
    void aSourceOnTheSameRegistryNeedsNoSecondTurnDuringThePush() throws Exception {
        registry.answer(request -> switch (String.valueOf(request.getMethod())) {
            case "GET" -> rest(request);
            case "POST" -> status(202).setHeader("Location", "/v2/team/copy/blobs/uploads/1");
            default -> status(201);
        });
        RegistryClient narrow = open.add(RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp().withConcurrency(1))
                .deadline(Duration.ofSeconds(5))
                .build());

        narrow.pushBlob(new Repository(registry.host(), "team/copy"), blob, () -> {
            try {
                return narrow.blob(repository(), blob);
            } catch (RegistryException | InterruptedException e) {
                throw new IOException(e);
            }
        });

        assertThat(registry.requests.get(registry.requests.size() - 1).getBody().readByteArray())
                .isEqualTo(content);
    }

    @Test
    void resumesABrokenStreamWhereItBroke() throws Exception {
        AtomicInteger count = new AtomicInteger();
        registry.answer(request -> count.incrementAndGet() < 4
                ? rest(request).setSocketPolicy(SocketPolicy.DISCONNECT_DURING_RESPONSE_BODY)
                : rest(request));

        try (InputStream stream = client.blob(repository(), blob)) {
            assertThat(stream.readAllBytes()).isEqualTo(content);
        }
        assertThat(registry.requests).hasSize(4);
        assertThat(from(registry.requests.get(3))).isPositive();
    }

    @Test
    void startsOverIfTheRegistryDoesNotSupportRanges() throws Exception {
        AtomicInteger count = new AtomicInteger();
        registry.answer(request -> {
            MockResponse whole = new MockResponse().setBody(new Buffer().write(content));
            return count.incrementAndGet() < 2
                    ? whole.setSocketPolicy(SocketPolicy.DISCONNECT_DURING_RESPONSE_BODY)
                    : whole;
        });

        try (InputStream stream = client.blob(repository(), blob)) {
            assertThat(stream.readAllBytes()).isEqualTo(content);
        }
    }

    @Test
    void givesUpOnAStreamThatNeverContinues() throws Exception {
        registry.answer(request -> from(request) == 0
                ? rest(request).setSocketPolicy(SocketPolicy.DISCONNECT_DURING_RESPONSE_BODY)
                : status(206)
                        .setHeader("Content-Range", "bytes " + from(request) + "-")
                        .setHeader("Content-Length", "1")
                        .setSocketPolicy(SocketPolicy.DISCONNECT_AT_END));

        try (InputStream stream = client.blob(repository(), blob)) {
            assertThatThrownBy(stream::readAllBytes).isInstanceOf(IOException.class);
        }
        assertThat(registry.requests.size()).isLessThan(10);
    }

    @Test
    void reportsWhyAStreamCouldNotBeResumed() throws Exception {
        registry.answer(request -> from(request) == 0
                ? rest(request).setSocketPolicy(SocketPolicy.DISCONNECT_DURING_RESPONSE_BODY)
                : status(404));

        try (InputStream stream = client.blob(repository(), blob)) {
            assertThatThrownBy(stream::readAllBytes)
                    .isInstanceOf(IOException.class)
                    .hasCauseInstanceOf(NotFoundException.class);
        }
    }

    @Test
    void rejectsDifferentContent() throws Exception {
        byte[] forged = content.clone();
        forged[100_000] ^= 1;
        registry.answer(request -> new MockResponse().setBody(new Buffer().write(forged)));
        try (InputStream stream = client.blob(repository(), blob)) {
            assertThatThrownBy(stream::readAllBytes).hasMessageContaining("the content does not match blob");
        }

        registry.answer(request ->
                new MockResponse().setBody(new Buffer().write(Arrays.copyOf(content, content.length + 1))));
        try (InputStream stream = client.blob(repository(), blob)) {
            assertThatThrownBy(stream::readAllBytes).hasMessageContaining("more than 400000 bytes");
        }
    }

    @Test
    void rejectsADifferentRange() throws Exception {
        registry.answer(request -> from(request) == 0
                ? rest(request).setSocketPolicy(SocketPolicy.DISCONNECT_DURING_RESPONSE_BODY)
                : rest(request).setHeader("Content-Range", "bytes 0-9/10"));

        try (InputStream stream = client.blob(repository(), blob)) {
            assertThatThrownBy(stream::readAllBytes).hasMessageContaining("range bytes 0-9/10");
        }
    }

    @Test
    void readsNothingAfterItIsClosed() throws Exception {
        registry.answer(this::rest);
        InputStream stream = client.blob(repository(), blob);
        stream.close();
        stream.close();

        assertThatThrownBy(stream::read).isInstanceOf(IOException.class).hasMessageContaining("closed");
    }

    @Test
    void pushesABlobInOneRequestAndKeepsTheQueryOfTheLocation() throws Exception {
        registry.answer(request -> "POST".equals(request.getMethod())
                ? status(202).setHeader("Location", "/v2/team/app/blobs/uploads/1?_state=abc%3D")
                : status(201));

        client.pushBlob(repository(), blob, () -> new ByteArrayInputStream(content));

        assertThat(registry.lines())
                .containsExactly(
                        "POST /v2/team/app/blobs/uploads/",
                        "PUT /v2/team/app/blobs/uploads/1?_state=abc=&digest=" + blob.digest());
        assertThat(registry.requests.get(1).getBodySize()).isEqualTo(content.length);
    }

    @Test
    void pushesAgainWhenAConnectionBreaks() throws Exception {
        AtomicInteger puts = new AtomicInteger();
        registry.answer(request -> "POST".equals(request.getMethod())
                ? status(202).setHeader("Location", "/upload")
                : puts.incrementAndGet() == 1 ? status(502) : status(201));
        AtomicInteger opens = new AtomicInteger();

        client.pushBlob(repository(), blob, () -> {
            opens.incrementAndGet();
            return new ByteArrayInputStream(content);
        });

        assertThat(opens).hasValue(2);
    }

    @Test
    void doesNotUploadToJustAnyHost() {
        registry.answer(request -> status(202).setHeader("Location", "http://169.254.169.254/upload"));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.pushBlob(repository(), blob, () -> new ByteArrayInputStream(content)))
                .withMessageContaining("private address");
    }

    @Test
    void reportsASourceOfTheWrongSize() {
        registry.answer(request ->
                "POST".equals(request.getMethod()) ? status(202).setHeader("Location", "/upload") : status(201));

        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> client.pushBlob(repository(), blob, () -> new ByteArrayInputStream(new byte[10])))
                .withMessageContaining("10 bytes instead of 400000");
    }

    @Test
    void cancelsTheUploadThatAFailedMountOpened() throws Exception {
        registry.answer(request -> "POST".equals(request.getMethod())
                ? status(202).setHeader("Location", "/v2/team/app/blobs/uploads/1")
                : status(204));

        assertThat(client.mountBlob(repository(), "other/app", blob.digest())).isFalse();
        assertThat(registry.lines())
                .containsExactly(
                        "POST /v2/team/app/blobs/uploads/?mount=" + blob.digest() + "&from=other/app",
                        "DELETE /v2/team/app/blobs/uploads/1");
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 404, 405, 501})
    void aMountThatIsRefusedLeavesThePushToTheCaller(int status) throws Exception {
        registry.answer(request -> String.valueOf(request.getPath()).contains("?mount=")
                ? status(status)
                : "POST".equals(request.getMethod()) ? status(202).setHeader("Location", "/upload") : status(201));

        assertThat(client.mountBlob(repository(), "other/app", blob.digest())).isFalse();
        client.pushBlob(repository(), blob, () -> new ByteArrayInputStream(content));

        assertThat(registry.requests.get(registry.requests.size() - 1).getMethod())
                .isEqualTo("PUT");
    }

    @Test
    void aMountThatFailsForNowIsAnError() {
        registry.answer(request -> status(503));

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client.mountBlob(repository(), "other/app", blob.digest()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/v2/team/app/blobs/sha256:0"})
    void nothingIsSentForABlobThatTheRegistryHas(String location) throws Exception {
        registry.answer(request -> status(201).setHeader("Location", location));

        client.pushBlob(repository(), blob, () -> {
            throw new IOException("not needed");
        });

        assertThat(registry.lines()).containsExactly("POST /v2/team/app/blobs/uploads/");
    }

    @Test
    void a201ThatLeadsToAnUploadOpensIt() throws Exception {
        registry.answer(request -> status(201).setHeader("Location", "/v2/team/app/blobs/uploads/1"));

        client.pushBlob(repository(), blob, () -> new ByteArrayInputStream(content));

        assertThat(registry.lines()).hasSize(2).last().asString().startsWith("PUT /v2/team/app/blobs/uploads/1?");
    }

    @Test
    void refusesToHavePushedOtherContent() {
        registry.answer(request -> status("POST".equals(request.getMethod()) ? 202 : 201)
                .setHeader("Location", "/upload")
                .setHeader("Docker-Content-Digest", Digest.of(new byte[1]).toString()));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.pushBlob(repository(), blob, () -> new ByteArrayInputStream(content)))
                .withMessageContaining("other content");
    }

    @Test
    void doesNotBlameTheRegistryForAnUploadThatAnotherHostRefuses() throws Exception {
        FakeServer storage = open.add(new FakeServer(request -> new MockResponse().setResponseCode(403)));
        registry.answer(request ->
                new MockResponse().setResponseCode(202).setHeader("Location", storage.url() + "/upload?part=1"));

        for (int i = 0; i < 2; i++) {
            assertThatExceptionOfType(DeniedException.class)
                    .isThrownBy(() -> client.pushBlob(repository(), blob, () -> new ByteArrayInputStream(content)))
                    .withMessageContaining("redirected");
        }
        assertThat(storage.lines())
                .hasSize(2)
                .allSatisfy(line -> assertThat(line).startsWith("PUT /upload?part=1"));
    }

    @Test
    void mountsOnlyFromAValidRepositoryName() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> client.mountBlob(repository(), "team/app&digest=x", blob.digest()));
        assertThat(registry.requests).isEmpty();
    }
}
