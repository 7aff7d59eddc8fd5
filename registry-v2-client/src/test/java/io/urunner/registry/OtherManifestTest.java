package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import okhttp3.mockwebserver.MockResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an index lists may be a manifest of a type that we do not know. */
class OtherManifestTest {
    private static final String THING = "application/vnd.acme.thing.v1+json";
    private static final String D = "sha256:" + "a".repeat(64);

    private static byte[] bytes(String text) {
        return text.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    private static ManifestOrIndex parse(String text, String header) {
        return ManifestOrIndex.parse(bytes(text), header, Descriptor.of(THING, bytes(text)));
    }

    @Test
    void itIsRequestedAsWhatTheIndexSaysAndItsDigestIsVerified() throws Exception {
        byte[] content = bytes("{'schemaVersion':2,'thing':true}");
        Descriptor entry = Descriptor.of(THING, content);
        try (FakeServer server = new FakeServer(request -> request.getPath().contains("/blobs/")
                        ? new MockResponse().setResponseCode(404)
                        : new MockResponse()
                                .setHeader("Content-Type", THING)
                                .setBody(new String(content, StandardCharsets.UTF_8)));
                RegistryClient client = RegistryClient.builder().build()) {
            Repository repository = server.image("a").toRepository();

            ManifestOrIndex read = client.manifest(repository, entry).orElseThrow();
            assertThat(read.content()).isEqualTo(content);
            assertThat(read.descriptor()).isEqualTo(entry);
            assertThat(read).isNotInstanceOfAny(Manifest.class, Index.class);
            assertThat(server.requests.get(0).getHeader("Accept")).contains(THING, MediaType.OCI_INDEX);
            assertThatExceptionOfType(ProtocolViolationException.class)
                    .isThrownBy(() -> client.manifest(repository, new Descriptor(THING, Digest.parse(D), 3)))
                    .withMessageContaining(D);
            // A known type is read as ever: this content is no image.
            assertThatExceptionOfType(ProtocolViolationException.class)
                    .isThrownBy(() -> client.manifest(
                            repository, new Descriptor(MediaType.OCI_MANIFEST, entry.digest(), entry.size())));
        }
    }

    @Test
    void aRegistryThatFailsWithoutHavingABlobIsAskedAgain() throws Exception {
        byte[] content = bytes("{'schemaVersion':2,'thing':true}");
        Queue<MockResponse> answers = new ArrayDeque<>(List.of(
                new MockResponse().setResponseCode(500),
                new MockResponse().setResponseCode(404),
                new MockResponse().setResponseCode(404),
                new MockResponse().setBody(new String(content, StandardCharsets.UTF_8))));
        try (FakeServer server = new FakeServer(request -> answers.remove());
                RegistryClient client = RegistryClient.builder().build()) {
            var read = client.manifest(server.image("a").toRepository(), Descriptor.of(THING, content));
            assertThat(read.orElseThrow().content()).isEqualTo(content);
            assertThat(server.requests.stream()
                            .map(request -> request.getMethod() + " "
                                    + request.getPath().split("/")[3]))
                    .containsExactly("GET manifests", "HEAD blobs", "GET blobs", "GET manifests");
        }
    }

    @Test
    void itsTypeIsItsOwnOrThatOfTheHeaderOrThatOfTheEntry() {
        assertThat(parse("{'mediaType':'a/own'}", "a/sent").mediaType()).isEqualTo("a/own");
        assertThat(parse("{'schemaVersion':2}", "a/sent").mediaType()).isEqualTo("a/sent");
        assertThat(parse("{'schemaVersion':2}", "").mediaType()).isEqualTo(THING);
        assertThat(parse("{'schemaVersion':2,'manifests':[]}", MediaType.OCI_INDEX))
                .isInstanceOf(Index.class);
        assertThat(parse("{'schemaVersion':2,'mediaType':'" + MediaType.OCI_INDEX + "','manifests':[]}", THING))
                .isInstanceOf(Index.class);
    }

    @Test
    void itConsistsOfAllThatItDescribesExceptItsSubject() {
        String a = "{'mediaType':'a/b','digest':'" + D + "','size':1}";
        String b = "{'mediaType':'a/c','digest':'blake3:" + "c".repeat(64) + "','size':2}";
        ManifestOrIndex read = parse(
                "{'mediaType':'" + THING + "','blobs':[" + a + ",7,'x'],'one':" + b + ",'subject':" + a + "}", "");

        assertThat(read.parts()).extracting(Descriptor::mediaType).containsExactly("a/b", "a/c");
        assertThat(read.subject().map(Descriptor::digest)).contains(Digest.parse(D));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "layer",
                "{}",
                "{'a':1}",
                "{'schemaVersion':1}",
                "{'schemaVersion':2,'blobs':[{'digest':'x','size':1,'mediaType':'a/b'}]}",
                "{'schemaVersion':2,'mediaType':'application/vnd.docker.distribution.manifest.v1+json'}",
                "{'schemaVersion':2,'mediaType':'application/vnd.oci.image.manifest.v1+json'}"
            })
    void whatStatesNothingOfAManifestIsNone(String text) {
        assertThatExceptionOfType(MalformedManifestException.class).isThrownBy(() -> parse(text, ""));
    }

    @Test
    void thePartsOfAnImageAreItsConfigurationAndItsLayers() {
        Descriptor config = Descriptor.of(MediaType.OCI_CONFIG, bytes("{}"));
        Descriptor layer = Descriptor.of(MediaType.OCI_LAYER, bytes("x"));

        assertThat(Manifest.of(config, List.of(layer), java.util.Map.of()).parts())
                .containsExactly(config, layer);
    }
}
