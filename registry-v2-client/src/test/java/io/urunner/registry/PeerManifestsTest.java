package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The published cases of manifests and digests by OCI; each table says where it is from, and where we decide otherwise. */
class PeerManifestsTest {
    private static final String CONFIG =
            "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"size\":1,\"digest\":"
                    + "\"sha256:5b0bcabd1ed22e9fb1310cf6c2dec7cdef19f0ad69efa1f392e94a4333501270\"}";

    @ParameterizedTest
    @CsvFileSource(resources = "peers/manifests.csv", delimiter = '|', quoteCharacter = '`')
    void aManifestIsRead(String kind, String json, String expected) {
        String content = kind.equals("descriptor")
                ? "{\"schemaVersion\":2,\"config\":" + CONFIG + ",\"layers\":[" + json + "]}"
                : json;
        String type = kind.equals("index") ? MediaType.OCI_INDEX : MediaType.OCI_MANIFEST;
        String read;
        try {
            ManifestOrIndex.parse(content.getBytes(StandardCharsets.UTF_8), type);
            read = "read";
        } catch (MalformedManifestException e) {
            read = "refused";
        }
        assertThat(read).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/digests.csv", delimiter = '|', quoteCharacter = '`')
    void aDigestIsRead(String text, String expected) {
        String read;
        try {
            Digest digest = Digest.carried(text);
            assertThat(digest).hasToString(text);
            read = digest.isVerifiable() ? "read" : "unsupported";
        } catch (IllegalArgumentException e) {
            read = "refused";
        }
        assertThat(read).isEqualTo(expected);
    }
}
