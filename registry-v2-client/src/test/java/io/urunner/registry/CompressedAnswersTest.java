package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.SocketPolicy;
import okio.Buffer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Proxies that compress although we accept only what is not compressed. */
class CompressedAnswersTest {
    @AutoClose
    private final ToClose open = new ToClose();

    private final ManualTime time = new ManualTime();
    private final FakeServer registry = open.add(new FakeServer(request -> FakeServer.status(500)));
    private final RegistryClient client = open.add(RegistryClient.builder()
            .defaults(HostOptions.DEFAULTS.withPlainHttp())
            .sleeper(time::sleep)
            .build());

    private Repository repository() {
        return new Repository(registry.host(), "team/app");
    }

    private static byte[] gzip(byte[] content) {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(compressed)) {
            out.write(content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return compressed.toByteArray();
    }

    private static MockResponse labelled(byte[] content) {
        return new MockResponse().setHeader("Content-Encoding", "gzip").setBody(new Buffer().write(content));
    }

    private static MockResponse chunked(byte[] content) {
        return new MockResponse()
                .setHeader("Content-Encoding", "gzip")
                .setChunkedBody(new Buffer().write(content), 1000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "GZIP", "x-gzip"})
    void aManifestIsReadAndVerified(String encoding) throws Exception {
        Descriptor config = new Descriptor(MediaType.OCI_EMPTY, Digest.of("{}".getBytes(StandardCharsets.UTF_8)), 2);
        Manifest manifest = Manifest.of(config, List.of(), Map.of());
        registry.answer(request -> labelled(gzip(manifest.content()))
                .setHeader("Content-Encoding", encoding)
                .setHeader("Content-Type", manifest.mediaType())
                .setHeader("Docker-Content-Digest", manifest.digest().toString()));

        assertThat(client.manifest(repository().tag("v1")).content()).isEqualTo(manifest.content());
        // The length in the answer to HEAD is not that of the manifest.
        assertThat(client.resolve(repository().tag("v1"))).isEqualTo(manifest.descriptor());
    }

    @Test
    void listingsAndErrorsAreRead() throws Exception {
        registry.answer(request -> labelled(gzip("{\"tags\":[\"a\"]}".getBytes(StandardCharsets.UTF_8))));
        assertThat(client.tags(repository()).all()).containsExactly("a");

        byte[] error = "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}".getBytes(StandardCharsets.UTF_8);
        registry.answer(request -> labelled(gzip(error)).setResponseCode(404));
        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> client.manifest(repository().tag("v1")))
                .withMessageContaining("MANIFEST_UNKNOWN");
    }

    @Test
    void whatIsOnlyLabelledIsReadAsItIs() throws Exception {
        registry.answer(request -> labelled("{\"tags\":[\"a\"]}".getBytes(StandardCharsets.UTF_8)));
        assertThat(client.tags(repository()).all()).containsExactly("a");
    }

    @Test
    void whatIsTooLargeWithoutCompressionIsNotRead() {
        byte[] bomb = gzip(new byte[64 << 20]);
        assertThat(bomb.length).isLessThan(100_000);
        registry.answer(request -> labelled(bomb).setHeader("Content-Type", MediaType.OCI_MANIFEST));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.manifest(repository().tag("v1")))
                .withMessageContaining("has more than");
    }

    @Test
    void aBlobIsReadWithoutTheCompressionOfTheAnswer() throws Exception {
        byte[] content = new byte[300_000];
        new Random(3).nextBytes(content);
        Descriptor blob = new Descriptor("application/octet-stream", Digest.of(content), content.length);
        for (MockResponse answer : List.of(labelled(gzip(content)), chunked(gzip(content)))) {
            registry.answer(request -> answer);
            try (InputStream stream = client.blob(repository(), blob)) {
                assertThat(stream.readAllBytes()).isEqualTo(content);
            }
        }
    }

    /**
     * Storages label what they keep, so the layer is the compressed file, as it is; and proxies compress that file once
     * more. The digest is that of the file either way.
     */
    @ParameterizedTest
    @CsvSource({
        "100, application/vnd.oci.image.layer.v1.tar+gzip",
        "100, application/vnd.docker.image.rootfs.diff.tar.gzip",
        "100, application/octet-stream",
        "300000, application/vnd.oci.image.layer.v1.tar+gzip",
        "300000, application/vnd.docker.image.rootfs.diff.tar.gzip"
    })
    void aCompressedLayerStaysCompressed(int size, String type) throws Exception {
        byte[] content = new byte[size];
        new Random(3).nextBytes(content);
        byte[] layer = gzip(content);
        Descriptor blob = new Descriptor(type, Digest.of(layer), layer.length);
        List<MockResponse> answers =
                List.of(labelled(layer), chunked(layer), labelled(gzip(layer)), chunked(gzip(layer)));
        for (MockResponse answer : answers) {
            registry.answer(request -> answer);
            try (InputStream stream = client.blob(repository(), blob)) {
                assertThat(stream.readAllBytes()).isEqualTo(layer);
            }
        }
        assertThat(registry.requests).hasSize(answers.size());
    }

    @Test
    void aSmallBlobIsReadWithoutTheCompressionOfTheAnswer() throws Exception {
        byte[] content = "{}".getBytes(StandardCharsets.UTF_8);
        Descriptor blob = new Descriptor("application/json", Digest.of(content), content.length);
        registry.answer(request -> chunked(gzip(content)));
        try (InputStream stream = client.blob(repository(), blob)) {
            assertThat(stream.readAllBytes()).isEqualTo(content);
        }
    }

    @Test
    void aCompressedAnswerThatBreaksOffIsReadAgainFromItsBeginning() throws Exception {
        byte[] content = new byte[500_000];
        new Random(3).nextBytes(content);
        Descriptor blob = new Descriptor("application/octet-stream", Digest.of(content), content.length);
        AtomicInteger count = new AtomicInteger();
        registry.answer(request -> count.incrementAndGet() == 1
                ? labelled(gzip(content)).setSocketPolicy(SocketPolicy.DISCONNECT_DURING_RESPONSE_BODY)
                : labelled(gzip(content)));

        try (InputStream stream = client.blob(repository(), blob)) {
            assertThat(stream.readAllBytes()).isEqualTo(content);
        }
        assertThat(registry.requests)
                .hasSize(2)
                .allSatisfy(request -> assertThat(request.getHeader("Range")).isNull());
    }

    @Test
    void aDamagedAnswerIsAnError() {
        byte[] damaged = gzip(new byte[1000]);
        damaged[damaged.length - 6] ^= 1;
        Descriptor blob = new Descriptor("application/octet-stream", Digest.of(new byte[1001]), 1001);
        registry.answer(request -> labelled(damaged));

        assertThatThrownBy(() -> {
                    try (InputStream stream = client.blob(repository(), blob)) {
                        stream.readAllBytes();
                    }
                })
                .isInstanceOf(IOException.class);
        assertThat(registry.requests.size()).isLessThan(10);
    }
}
