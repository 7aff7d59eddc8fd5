package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManifestOrIndexTest {
    private static final Digest A = Digest.parse("sha256:" + "a".repeat(64));
    private static final Digest B = Digest.parse("sha256:" + "b".repeat(64));
    private static final Digest C = Digest.parse("sha256:" + "c".repeat(64));

    /**
     * In the tables, {@code CONFIG}, {@code LAYER} and {@code ENTRY} are whole descriptors; {@code 'x'} is {@code "x"}.
     */
    private static final Map<String, String> SHORT = Map.of(
            "CONFIG", "{'mediaType':'application/vnd.oci.image.config.v1+json','digest':'" + A + "','size':7}",
            "LAYER", "{'mediaType':'application/vnd.oci.image.layer.v1.tar+gzip','digest':'" + B + "','size':8}",
            "ENTRY", "{'mediaType':'application/vnd.oci.image.manifest.v1+json','digest':'" + C + "','size':9}",
            "OCI-INDEX", MediaType.OCI_INDEX,
            "OCI-MANIFEST", MediaType.OCI_MANIFEST,
            "DOCKER-LIST", MediaType.DOCKER_MANIFEST_LIST,
            "DOCKER-MANIFEST", MediaType.DOCKER_MANIFEST,
            "SCHEMA1", MediaType.DOCKER_SCHEMA1_SIGNED);

    /** Content, the Content-Type that came with it, and its type. */
    @ParameterizedTest(name = "{0} as {1} is {2}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            {'schemaVersion':2,'mediaType':'OCI-MANIFEST','config':CONFIG,'layers':[LAYER]}    | OCI-MANIFEST           | OCI-MANIFEST
            {'schemaVersion':2,'mediaType':'DOCKER-MANIFEST','config':CONFIG,'layers':[LAYER]} | DOCKER-MANIFEST        | DOCKER-MANIFEST
            {'schemaVersion':2,'config':CONFIG,'layers':[LAYER]}                               | OCI-MANIFEST           | OCI-MANIFEST
            {'schemaVersion':2,'config':CONFIG,'layers':[LAYER]}                               | DOCKER-MANIFEST        | DOCKER-MANIFEST
            {'schemaVersion':2,'config':CONFIG,'layers':[LAYER]}                               | ^^                     | OCI-MANIFEST
            {'schemaVersion':2,'config':CONFIG,'layers':[LAYER]}                               | application/json       | OCI-MANIFEST
            {'schemaVersion':2,'config':CONFIG,'layers':[LAYER]}                               | text/plain; charset=utf-8 | OCI-MANIFEST
            {'schemaVersion':2,'config':CONFIG,'layers':[]}                                    | OCI-MANIFEST           | OCI-MANIFEST
            {'schemaVersion':2,'config':CONFIG}                                                | OCI-MANIFEST           | OCI-MANIFEST
            {'schemaVersion':2,'config':CONFIG,'layers':null}                                  | OCI-MANIFEST           | OCI-MANIFEST
            {'mediaType':'OCI-MANIFEST','config':CONFIG,'layers':[LAYER]}                      | OCI-MANIFEST           | OCI-MANIFEST
            {'schemaVersion':2,'mediaType':'DOCKER-MANIFEST','config':CONFIG,'layers':[LAYER]} | OCI-MANIFEST           | DOCKER-MANIFEST
            {'schemaVersion':2,'mediaType':'OCI-MANIFEST','config':CONFIG,'layers':[LAYER]}    | application/json       | OCI-MANIFEST
            {'schemaVersion':2,'mediaType':'OCI-MANIFEST','config':CONFIG,'layers':[LAYER]}    | OCI-MANIFEST; charset=utf-8 | OCI-MANIFEST
            {'schemaVersion':2,'mediaType':'OCI-MANIFEST','config':CONFIG,'strange':[1,{}]}    | OCI-MANIFEST           | OCI-MANIFEST
            {'schemaVersion':2,'mediaType':'OCI-INDEX','manifests':[ENTRY]}                    | OCI-INDEX              | OCI-INDEX
            {'schemaVersion':2,'mediaType':'DOCKER-LIST','manifests':[ENTRY]}                  | DOCKER-LIST            | DOCKER-LIST
            {'schemaVersion':2,'manifests':[ENTRY]}                                            | OCI-INDEX              | OCI-INDEX
            {'schemaVersion':2,'manifests':[ENTRY]}                                            | DOCKER-LIST            | DOCKER-LIST
            {'schemaVersion':2,'manifests':[ENTRY]}                                            | ^^                     | OCI-INDEX
            {'schemaVersion':2,'manifests':[]}                                                 | ^^                     | OCI-INDEX
            {'schemaVersion':2,'mediaType':'OCI-INDEX','manifests':[]}                         | OCI-INDEX              | OCI-INDEX
            {'schemaVersion':2,'mediaType':'OCI-INDEX'}                                        | OCI-INDEX              | OCI-INDEX
            """)
    void contentHasAType(String content, String contentType, String mediaType) {
        byte[] bytes = json(content);
        ManifestOrIndex parsed = ManifestOrIndex.parse(bytes, expand(contentType));
        assertThat(parsed.mediaType()).isEqualTo(expand(mediaType));
        assertThat(parsed).isInstanceOf(MediaType.isIndex(parsed.mediaType()) ? Index.class : Manifest.class);
        assertThat(parsed.content()).isEqualTo(bytes);
        assertThat(parsed.digest()).isEqualTo(Digest.of(bytes));
        assertThat(parsed.descriptor().size()).isEqualTo(bytes.length);
    }

    @ParameterizedTest(name = "{0} as {1}: {2}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            # not JSON, or no object
            ^^                                                                | OCI-MANIFEST | not a JSON object
            ^ ^                                                               | OCI-MANIFEST | not a JSON object
            null                                                              | OCI-MANIFEST | not a JSON object
            7                                                                 | OCI-MANIFEST | not a JSON object
            'text'                                                            | OCI-MANIFEST | not a JSON object
            []                                                                | OCI-MANIFEST | not a JSON object
            <html>                                                            | OCI-MANIFEST | not JSON
            {                                                                 | OCI-MANIFEST | not JSON
            {'schemaVersion':2                                                | OCI-MANIFEST | not JSON
            {'config':CONFIG}{'config':CONFIG}                                | OCI-MANIFEST | not JSON
            {'config':CONFIG} x                                               | OCI-MANIFEST | not JSON
            {'config':CONFIG,}                                                | OCI-MANIFEST | not JSON
            # versions
            {'schemaVersion':1,'name':'a','tag':'b','fsLayers':[]}            | SCHEMA1      | schema 1
            {'schemaVersion':1,'name':'a','tag':'b','fsLayers':[]}            | ^^           | schema 1
            {'schemaVersion':1,'mediaType':'SCHEMA1'}                         | OCI-MANIFEST | schema 1
            {'mediaType':'SCHEMA1','config':CONFIG}                           | ^^           | schema 1
            {'name':'a'}                                                      | SCHEMA1      | schema 1
            {'schemaVersion':3,'config':CONFIG}                               | OCI-MANIFEST | schemaVersion is not 2
            {'schemaVersion':'x','config':CONFIG}                             | OCI-MANIFEST | schemaVersion is not 2
            {'schemaVersion':null,'config':CONFIG}                            | OCI-MANIFEST | schemaVersion is not 2
            # two things at once
            {'schemaVersion':2,'manifests':[ENTRY],'config':CONFIG}           | OCI-INDEX    | ambiguous
            {'schemaVersion':2,'manifests':[ENTRY],'layers':[LAYER]}          | OCI-MANIFEST | ambiguous
            {'schemaVersion':2,'mediaType':'OCI-INDEX','config':CONFIG}       | OCI-INDEX    | ambiguous
            {'schemaVersion':2,'mediaType':'OCI-MANIFEST','manifests':[ENTRY]} | ^^          | ambiguous
            {'schemaVersion':2,'mediaType':'OCI-MANIFEST','config':CONFIG}    | OCI-INDEX    | ambiguous
            {'schemaVersion':2,'mediaType':'DOCKER-LIST','manifests':[ENTRY]} | OCI-MANIFEST | ambiguous
            {'schemaVersion':2,'config':CONFIG}                               | OCI-INDEX    | ambiguous
            {'schemaVersion':2,'manifests':[ENTRY]}                           | DOCKER-MANIFEST | ambiguous
            # unknown types
            {'schemaVersion':2,'mediaType':'application/x','config':CONFIG}   | OCI-MANIFEST | application/x
            {'schemaVersion':2,'mediaType':7,'config':CONFIG}                 | OCI-MANIFEST | not a string
            {'schemaVersion':2}                                               | ^^           | has no config
            {'errors':[{'code':'DENIED'}]}                                    | application/json | has no config
            # parts
            {'schemaVersion':2,'layers':[LAYER]}                              | OCI-MANIFEST | has no config
            {'schemaVersion':2,'config':null,'layers':[LAYER]}                | OCI-MANIFEST | has no config
            {'schemaVersion':2,'config':'x','layers':[LAYER]}                 | OCI-MANIFEST | its config has no size
            {'schemaVersion':2,'config':[CONFIG],'layers':[LAYER]}            | OCI-MANIFEST | its config has no size
            {'schemaVersion':2,'config':CONFIG,'layers':LAYER}                | OCI-MANIFEST | not a list
            {'schemaVersion':2,'config':CONFIG,'layers':[7]}                  | OCI-MANIFEST | an entry of its layers
            {'schemaVersion':2,'config':CONFIG,'layers':[null]}               | OCI-MANIFEST | an entry of its layers
            {'schemaVersion':2,'manifests':{}}                                | OCI-INDEX    | not a list
            {'schemaVersion':2,'manifests':[[]]}                              | OCI-INDEX    | an entry of its manifests
            {'manifests':[{'digest':'D','size':1}]}                           | OCI-INDEX    | media type
            {'manifests':[{'mediaType':'','digest':'D','size':1}]}            | OCI-INDEX    | media type
            {'manifests':[{'mediaType':'m','size':1}]}                        | OCI-INDEX    | not a digest
            {'manifests':[{'mediaType':'m','digest':'x','size':1}]}           | OCI-INDEX    | not a digest
            {'manifests':[{'mediaType':'m','digest':'sha256:0','size':1}]}    | OCI-INDEX    | not a digest
            {'manifests':[{'mediaType':'m','digest':7,'size':1}]}             | OCI-INDEX    | not a string
            {'manifests':[{'mediaType':'m','digest':'D'}]}                    | OCI-INDEX    | has no size
            {'manifests':[{'mediaType':'m','digest':'D','size':-1}]}          | OCI-INDEX    | must not be negative
            {'manifests':[{'mediaType':'m','digest':'D','size':1.5}]}         | OCI-INDEX    | has no size
            {'manifests':[{'mediaType':'m','digest':'D','size':'1'}]}         | OCI-INDEX    | has no size
            {'manifests':[{'mediaType':'m','digest':'D','size':99999999999999999999}]} | OCI-INDEX | has no size
            {'manifests':[{'mediaType':'m','digest':'D','size':1,'annotations':{'a':1}}]} | OCI-INDEX | an annotation
            {'manifests':[{'mediaType':'m','digest':'D','size':1,'platform':{'os':1}}]} | OCI-INDEX | os that is not a string
            {'config':CONFIG,'annotations':{'a':{}}}                          | OCI-MANIFEST | an annotation
            {'config':CONFIG,'annotations':['a']}                             | OCI-MANIFEST | annotations that are not an object
            {'manifests':[{'mediaType':'m','digest':'D','size':1,'annotations':'a'}]} | OCI-INDEX | annotations that are not an object
            {'config':CONFIG,'artifactType':[]}                               | OCI-MANIFEST | not a string
            {'config':CONFIG,'subject':'x'}                                   | OCI-MANIFEST | its subject
            """)
    void invalidContentIsRejectedWithAReason(String content, String contentType, String reason) {
        assertThatExceptionOfType(MalformedManifestException.class)
                .isThrownBy(() -> ManifestOrIndex.parse(json(content), expand(contentType)))
                .withMessageContaining(reason);
    }

    @Test
    void anAnnotationThatIsNullIsEmptyAsForGo() {
        ManifestOrIndex manifest =
                ManifestOrIndex.parse(json("{'config':CONFIG,'annotations':{'a':null}}"), expand("OCI-MANIFEST"));
        assertThat(manifest.annotations()).containsExactly(Map.entry("a", ""));
    }

    @Test
    void aManifestHasConfigLayersSubjectAndAnnotations() {
        Manifest manifest = (Manifest) ManifestOrIndex.parse(
                json(
                        "{'schemaVersion':2,'config':CONFIG,'layers':[LAYER,LAYER],'subject':ENTRY,'annotations':{'k':'v'},'artifactType':'application/x'}"),
                MediaType.OCI_MANIFEST);
        assertThat(manifest.config()).isEqualTo(new Descriptor(MediaType.OCI_CONFIG, A, 7));
        Descriptor layer = new Descriptor(MediaType.OCI_LAYER, B, 8);
        assertThat(manifest.layers()).containsExactly(layer, layer);
        assertThat(manifest.subject()).contains(new Descriptor(MediaType.OCI_MANIFEST, C, 9));
        assertThat(manifest.annotations()).isEqualTo(Map.of("k", "v"));
        assertThat(manifest.artifactType()).contains("application/x");
    }

    @Test
    void theTypeOfTheConfigIsTheDefaultArtifactType() {
        assertThat(ManifestOrIndex.parse(json("{'config':CONFIG}"), "").artifactType())
                .contains(MediaType.OCI_CONFIG);
        assertThat(ManifestOrIndex.parse(json("{'manifests':[]}"), "").artifactType())
                .isEmpty();
    }

    @Test
    void contentWithAnotherDigestIsRejected() {
        byte[] content = json("{'config':CONFIG}");
        Digest digest = Digest.of(Digest.SHA512, content);
        assertThat(ManifestOrIndex.parse(content, "", digest).digest()).isEqualTo(digest);
        assertThatExceptionOfType(MalformedManifestException.class)
                .isThrownBy(() -> ManifestOrIndex.parse(content, "", A))
                .withMessageContainingAll(A.toString(), Digest.of(content).toString());
    }

    @Test
    void contentThatIsTooLargeIsRejected() {
        byte[] content = new byte[ManifestOrIndex.MAX_SIZE + 1];
        assertThatExceptionOfType(MalformedManifestException.class)
                .isThrownBy(() -> ManifestOrIndex.parse(content, MediaType.OCI_INDEX))
                .withMessageContaining("larger than");
    }

    @Test
    void contentCannotBeChangedFromOutside() {
        byte[] content = json("{'config':CONFIG}");
        ManifestOrIndex manifest = ManifestOrIndex.parse(content, "");
        Digest digest = manifest.digest();
        content[0] = 'x';
        manifest.content()[0] = 'y';
        assertThat(digest.matches(manifest.content())).isTrue();
        assertThat(manifest).isEqualTo(ManifestOrIndex.parse(json("{'config':CONFIG}"), ""));
    }

    @Test
    void attestationsAreNotImages() {
        Index index = (Index) ManifestOrIndex.parse(
                json("{'manifests':[" + entry(A, "'platform':{'os':'linux','architecture':'amd64'}") + ","
                        + entry(B, "'platform':{'os':'unknown','architecture':'unknown'}") + ","
                        + entry(C, "'annotations':{'vnd.docker.reference.type':'attestation-manifest'}") + "]}"),
                "");
        assertThat(index.manifests()).hasSize(3);
        assertThat(index.images()).extracting(Descriptor::digest).containsExactly(A);
    }

    @Test
    void composedContentReadsBack() {
        var layer = new Descriptor(MediaType.OCI_LAYER, B, 8);
        Manifest manifest = Manifest.of(new Descriptor(MediaType.OCI_CONFIG, A, 7), List.of(layer), Map.of("k", "v"));
        assertThat(manifest.mediaType()).isEqualTo(MediaType.OCI_MANIFEST);
        assertThat(manifest.layers()).containsExactly(layer);
        assertThat(ManifestOrIndex.parse(manifest.content(), "")).isEqualTo(manifest);
        var entry = new Descriptor(
                MediaType.OCI_MANIFEST,
                manifest.digest(),
                manifest.content().length,
                Optional.of(new Platform("windows", "arm", "v6", "10.0.1")),
                Optional.of("application/x"),
                Map.of("a", "b"));
        assertThat(Index.of(List.of(entry), Map.of("k", "v")).manifests()).containsExactly(entry);
    }

    @Test
    void aNestedIndexIsOpenedIfNoDirectEntryFits() throws Exception {
        Index inner = index(entry(A, "'platform':{'os':'linux','architecture':'arm64'}"));
        Index outer =
                index(nested(inner.digest()) + "," + entry(B, "'platform':{'os':'linux','architecture':'amd64'}"));
        var opened = new HashMap<Digest, Integer>();
        Index.Fetch<RuntimeException> fetch = descriptor -> {
            opened.merge(descriptor.digest(), 1, Integer::sum);
            return inner;
        };
        assertThat(outer.find(Platform.LINUX_AMD64, fetch).map(Descriptor::digest))
                .contains(B);
        assertThat(opened).isEmpty();
        assertThat(outer.find(Platform.LINUX_ARM64, fetch).map(Descriptor::digest))
                .contains(A);
        assertThat(opened).isEqualTo(Map.of(inner.digest(), 1));
        assertThat(outer.find(Platform.parse("linux/s390x"), fetch)).isEmpty();
    }

    @Test
    void anIndexThatNestsItselfIsOpenedOnce() throws Exception {
        Index self = index(nested(A));
        assertThat(self.find(Platform.LINUX_AMD64, descriptor -> self)).isEmpty();
    }

    @Test
    void endlesslyNestedIndexesAreRejected() {
        assertThatExceptionOfType(MalformedManifestException.class)
                .isThrownBy(() -> index(nested(A)).find(Platform.LINUX_AMD64, ManifestOrIndexTest::another))
                .withMessageContaining("nested");
        var many = new StringBuilder();
        for (int i = 0; i < 100; i++) {
            many.append(i == 0 ? "" : ",").append(nested(Digest.of(new byte[] {(byte) i})));
        }
        assertThatExceptionOfType(MalformedManifestException.class)
                .isThrownBy(() -> index(many.toString()).find(Platform.LINUX_AMD64, descriptor -> index("")))
                .withMessageContaining("nested");
    }

    @Test
    void aSingleImageWithoutAPlatformIsSelected() throws Exception {
        Index.Fetch<RuntimeException> none = descriptor -> index("");
        assertThat(index(entry(A, "'x':1")).find(Platform.LINUX_AMD64, none).map(Descriptor::digest))
                .contains(A);
        assertThat(index(entry(A, "'x':1") + "," + entry(B, "'x':1")).find(Platform.LINUX_AMD64, none))
                .isEmpty();
    }

    @Test
    void anEntryOfAnUnknownTypeIsNotAnImage() throws Exception {
        String unknown = "{'mediaType':'application/x','digest':'" + B
                + "','size':1,'platform':{'os':'linux','architecture':'amd64'}}";
        Index.Fetch<RuntimeException> none = descriptor -> index("");
        Index index = index(unknown + "," + entry(A, "'platform':{'os':'linux','architecture':'amd64'}"));
        assertThat(index.manifests()).hasSize(2);
        assertThat(index.images()).extracting(Descriptor::digest).containsExactly(A);
        assertThat(index.select(Platform.LINUX_AMD64).map(Descriptor::digest)).contains(A);
        assertThat(index(unknown).find(Platform.LINUX_AMD64, none)).isEmpty();
        // It does not count among the images without a platform, either.
        Index single = index("{'mediaType':'application/x','digest':'" + B + "','size':1}," + entry(A, "'x':1"));
        assertThat(single.find(Platform.LINUX_AMD64, none).map(Descriptor::digest))
                .contains(A);
    }

    private static ManifestOrIndex another(Descriptor descriptor) {
        return index(nested(Digest.of(descriptor.digest().toString().getBytes(StandardCharsets.UTF_8))));
    }

    private static Index index(String entries) {
        return (Index) ManifestOrIndex.parse(json("{'manifests':[" + entries + "]}"), MediaType.OCI_INDEX);
    }

    private static String entry(Digest digest, String more) {
        return "{'mediaType':'OCI-MANIFEST','digest':'" + digest + "','size':1," + more + "}";
    }

    private static String nested(Digest digest) {
        return "{'mediaType':'OCI-INDEX','digest':'" + digest + "','size':1}";
    }

    private static byte[] json(String text) {
        return expand(text).replace("'D'", "'" + A + "'").replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    private static String expand(String text) {
        String expanded = text;
        for (Map.Entry<String, String> entry : SHORT.entrySet()) {
            expanded = expanded.replace(entry.getKey(), entry.getValue());
        }
        return expanded;
    }
}
