package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is only carried is not judged, and what is written back is not lost. */
class LosslessTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String A = "sha256:" + "a".repeat(64);
    private static final String B = "sha256:" + "b".repeat(64);
    private static final String BLAKE = "blake3:" + "c".repeat(64);

    /** Entries with everything that the specification knows, and some things that it does not. */
    private static final List<String> ENTRIES = List.of(
            "{'mediaType':'OCI-MANIFEST','digest':'D','size':1}",
            "{'mediaType':'OCI-MANIFEST','digest':'D','size':1,'urls':['https://a.example/x','https://b.example/y']}",
            "{'mediaType':'OCI-MANIFEST','digest':'D','size':1,'data':'e30='}",
            "{'mediaType':'OCI-MANIFEST','digest':'D','size':1,'platform':{'architecture':'arm64','os':'linux','variant':'v8'}}",
            "{'mediaType':'OCI-MANIFEST','digest':'D','size':1,'platform':{'architecture':'x86_64','os':'Linux'}}",
            "{'mediaType':'OCI-MANIFEST','digest':'D','size':1,'platform':{'architecture':'arm','os':'linux'}}",
            "{'mediaType':'OCI-MANIFEST','digest':'D','size':1,'platform':{'architecture':'amd64','os':'linux','variant':'v1','features':['sse4']}}",
            "{'mediaType':'OCI-MANIFEST','digest':'D','size':1,'platform':{'architecture':'amd64','os':'windows','os.version':'10.0.20348.1','os.features':['win32k','x']}}",
            "{'mediaType':'OCI-MANIFEST','digest':'D','size':1,'artifactType':'application/x','annotations':{'a':'b','c':'d'}}",
            "{'mediaType':'application/x','digest':'BLAKE','size':1,'new':{'deep':[1,null,'x']},'old':true,'Other':7}");

    @Test
    void everyFieldOfAnEntryIsWrittenBack() throws Exception {
        List<Descriptor> read = index(String.join(",", ENTRIES)).manifests();

        JsonNode written = tree(Index.of(read, Map.of())).path("manifests");

        assertThat(written).hasSize(ENTRIES.size());
        for (int i = 0; i < ENTRIES.size(); i++) {
            assertThat(written.get(i)).as(ENTRIES.get(i)).isEqualTo(JSON.readTree(json(ENTRIES.get(i))));
        }
    }

    @Test
    void theRestOfAnIndexStaysWhenItsEntriesChange() throws Exception {
        String text = "{'schemaVersion':2,'mediaType':'OCI-INDEX','artifactType':'application/x','strange':[1,{'y':2}],"
                + "'subject':{'mediaType':'OCI-MANIFEST','digest':'D','size':9,'strange':1},'annotations':{'k':'v'},"
                + "'manifests':[" + String.join(",", ENTRIES) + "]}";
        Index index = (Index) ManifestOrIndex.parse(json(text), "");
        Descriptor added = new Descriptor(MediaType.OCI_MANIFEST, Digest.parse(B), 5);
        List<Descriptor> entries = new ArrayList<>(index.manifests());
        entries.add(added);

        Index longer = index.withManifests(entries);
        Index again = longer.withManifests(index.manifests());

        assertThat(longer.manifests()).endsWith(added).hasSize(ENTRIES.size() + 1);
        assertThat(tree(again)).isEqualTo(JSON.readTree(json(text)));
        assertThat(index.withManifests(index.manifests())).isSameAs(index);
        Index docker = (Index) ManifestOrIndex.parse(json("{'manifests':[]}"), MediaType.DOCKER_MANIFEST_LIST);
        assertThat(docker.withManifests(List.of(added)).mediaType()).isEqualTo(MediaType.DOCKER_MANIFEST_LIST);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "blake3:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
                "sha384:ab",
                "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
                "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564"
            })
    void anUnknownAlgorithmIsCarriedButNothingIsReadByIt(String text) {
        Manifest manifest = (Manifest) ManifestOrIndex.parse(
                json("{'config':{'mediaType':'m','digest':'D','size':1},'layers':[{'mediaType':'m','digest':'" + text
                        + "','size':1}],'subject':{'mediaType':'m','digest':'" + text + "','size':1}}"),
                "");
        Digest digest = manifest.layers().get(0).digest();

        assertThat(digest).hasToString(text).isEqualTo(Digest.carried(text));
        assertThat(manifest.subject().orElseThrow().digest()).isEqualTo(digest);
        assertThat(digest.isVerifiable()).isFalse();
        assertThatIllegalArgumentException().isThrownBy(digest::hasher);
        assertThatIllegalArgumentException().isThrownBy(() -> Digest.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                "blake3",
                "blake3:",
                ":abc",
                "Blake3:abc",
                "blake3:a/b",
                "blake3:a b",
                "bla ke:ab",
                "a++b:ab",
                "+a:ab",
                "../x:ab",
                "blake3:ab\u001b",
                // known algorithms have a form
                "sha256:ab",
                "sha512:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            })
    void whatIsNotADigestIsNotCarried(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Digest.carried(text));
        assertThatIllegalArgumentException().isThrownBy(() -> Digest.carried("blake3:" + "a".repeat(300)));
    }

    /** Go takes {@code Layers} for {@code layers}, and of two equal names the last; other readers do not. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'config':C,'layers':[],'Layers':[C]}",
                "{'config':C,'Layers':[C]}",
                "{'config':C,'LAYERS':[C],'layers':[]}",
                "{'config':C,'Config':C}",
                "{'Config':C}",
                "{'config':C,'MediaType':'OCI-INDEX'}",
                "{'config':C,'schemaversion':2}",
                "{'config':C,'Subject':C}",
                "{'config':C,'Manifests':[]}",
                "{'manifests':[],'Manifests':[C]}",
                "{'config':C,'layers':[],'layers':[C]}",
                "{'config':C,'config':C}",
                "{'config':C,'layers':[],'layer\u017f':[C]}",
                "{'config':C,'manife\u017fts':[]}",
                "{'config':{'mediaType':'m','digest':'D','size':1,'dige\u017ft':'D'}}",
                "{'manifests':[{'mediaType':'m','digest':'D','size':1,'platform':{'os':'linux','o\u017f':'windows'}}]}",
                "{'config':{'mediaType':'m','digest':'D','size':1,'Digest':'D'}}",
                "{'config':{'mediaType':'m','digest':'D','size':1,'size':2}}",
                "{'manifests':[{'mediaType':'m','digest':'D','size':1,'Platform':{}}]}",
                "{'manifests':[{'mediaType':'m','digest':'D','size':1,'platform':{'OS':'linux'}}]}",
                "{'manifests':[{'mediaType':'m','digest':'D','size':1,'platform':{'os':'linux','Architecture':'arm'}}]}"
            })
    void contentThatReadersTakeForDifferentThingsIsRefused(String text) {
        String config = "{'mediaType':'m','digest':'D','size':1}";
        assertThatExceptionOfType(MalformedManifestException.class)
                .isThrownBy(() -> ManifestOrIndex.parse(
                        json(text.replace(":C", ":" + config).replace("[C]", "[" + config + "]")), ""));
    }

    @Test
    void otherFieldsMustBeJsonAndHaveNoParameterOfTheirOwn() {
        for (Map<String, String> wrong : List.of(Map.of("x", "{"), Map.of("x", ""), Map.of("Size", "1"))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new Descriptor(
                            "m",
                            Digest.parse(A),
                            1,
                            Optional.empty(),
                            Optional.empty(),
                            Map.of(),
                            List.of(),
                            Optional.empty(),
                            wrong));
        }
    }

    @Test
    void anArtifactIsComposedAsTheSpecificationSays() throws Exception {
        Descriptor subject = new Descriptor(MediaType.OCI_MANIFEST, Digest.parse(A), 9)
                .withAnnotations(Map.of("not", "written"))
                .withPlatform(Platform.LINUX_AMD64);
        Descriptor layer = Descriptor.of("application/x.layer", new byte[] {1});

        Manifest empty = Manifest.artifact("application/x", List.of(), Optional.of(subject), Map.of("k", "v"));
        Manifest full = Manifest.artifact("application/x", layer, List.of(layer), Optional.empty(), Map.of());
        Manifest image = Manifest.of(layer, List.of(layer), Optional.of(subject), Map.of());

        String config =
                "{'mediaType':'application/vnd.oci.empty.v1+json','digest':'sha256:44136fa355b3678a1146ad16f7e8649e"
                        + "94fb4fc21fe77e8310c060f61caaff8a','size':2,'data':'e30='}";
        assertThat(tree(empty))
                .isEqualTo(
                        JSON.readTree(
                                json(
                                        "{'schemaVersion':2,'mediaType':'OCI-MANIFEST','artifactType':'application/x',"
                                                + "'config':" + config + ",'layers':[" + config + "],"
                                                + "'subject':{'mediaType':'OCI-MANIFEST','digest':'D','size':9},'annotations':{'k':'v'}}")));
        assertThat(full.config()).isEqualTo(layer);
        assertThat(full.layers()).containsExactly(layer);
        assertThat(full.artifactType()).contains("application/x");
        assertThat(full.subject()).isEmpty();
        assertThat(image.subject()).contains(subject.withoutDetails());
        assertThat(image.artifactType()).contains("application/x.layer");
        Index index = Index.of(List.of(), Optional.of("application/x"), Optional.of(subject), Map.of());
        assertThat(index.artifactType()).contains("application/x");
        assertThat(index.subject()).contains(subject.withoutDetails());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Manifest.artifact("no type", List.of(), Optional.empty(), Map.of()));
    }

    private static Index index(String entries) {
        return (Index) ManifestOrIndex.parse(json("{'manifests':[" + entries + "]}"), MediaType.OCI_INDEX);
    }

    private static JsonNode tree(ManifestOrIndex content) throws Exception {
        return JSON.readTree(content.content());
    }

    private static byte[] json(String text) {
        return text.replace("'D'", "'" + A + "'")
                .replace("'BLAKE'", "'" + BLAKE + "'")
                .replace("'OCI-MANIFEST'", "'" + MediaType.OCI_MANIFEST + "'")
                .replace("'OCI-INDEX'", "'" + MediaType.OCI_INDEX + "'")
                .replace('\'', '"')
                .getBytes(StandardCharsets.UTF_8);
    }
}
