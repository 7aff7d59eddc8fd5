package io.urunner.registry.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.Descriptor;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Index;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.NotFoundException;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.Repository;
import io.urunner.registry.copy.CopyResult.Outcome;
import io.urunner.registry.testing.MisbehavingRegistry;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Entries of an index whose type we do not know become at the target what they are at the source. */
class UnknownEntriesTest {
    private static final String THING = "application/vnd.acme.thing.v1+json";

    private final RegistryClient client = RegistryClient.builder().build();
    private final MisbehavingRegistry source = MisbehavingRegistry.builder().start();
    private final MisbehavingRegistry target = MisbehavingRegistry.builder().start();
    private final Repository from = ImageReference.parse(source.host() + "/a").toRepository();
    private final Repository to = ImageReference.parse(target.host() + "/b").toRepository();

    private Descriptor part;
    private Descriptor signature;
    private Descriptor thing;
    private Descriptor blob;
    private Descriptor layer;
    private Index index;

    @TempDir
    private Path folder;

    @BeforeEach
    void fill() throws Exception {
        part = blob(from, "application/x", "part");
        signature = blob(from, "application/x", "signature");
        thing = manifest(THING, """
                {"schemaVersion":2,"annotations":{"a":"b"},"blobs":[%s],"payload":%s,"other":{"digest":null}}""".formatted(json(part), json(signature)));
        blob = blob(from, "application/vnd.acme.blob", "{\"a\":1}");
        layer = blob(from, MediaType.OCI_LAYER, "layer");
        index = Index.of(List.of(thing, blob, layer), Map.of());
        client.pushManifest(from.tag("v1"), index);
    }

    @AfterEach
    void close() {
        client.close();
        source.close();
        target.close();
    }

    private static String json(Descriptor content) {
        return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
                .formatted(content.mediaType(), content.digest(), content.size());
    }

    private Descriptor blob(Repository repository, String type, String text) throws Exception {
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        Descriptor descriptor = Descriptor.of(type, content);
        client.pushBlob(repository, descriptor, () -> new ByteArrayInputStream(content));
        return descriptor;
    }

    private Descriptor manifest(String type, String text) throws Exception {
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        ManifestOrIndex parsed = ManifestOrIndex.parse(content, type, Descriptor.of(type, content));
        return client.pushManifest(from.digest(parsed.digest()), parsed).withoutDetails();
    }

    private Copy.Builder copy() {
        return Copy.from(client, from.tag("v1"));
    }

    @Test
    void betweenRegistriesAManifestIsPutAsAManifestAndABlobAsABlob() throws Exception {
        CopyResult would = copy().dryRun().to(client, to.tag("v2")).run();
        CopyResult result = copy().to(client, to.tag("v2")).run();

        assertThat(client.manifest(to.tag("v2"))).isEqualTo(index);
        // It states no type of its own, so this is what it was sent as.
        assertThat(client.manifest(to, thing).orElseThrow().mediaType()).isEqualTo(THING);
        assertThat(client.hasBlob(to, thing.digest())).isFalse();
        assertThat(client.hasBlob(to, blob.digest())).isTrue();
        assertThat(client.find(to.digest(blob.digest()))).isEmpty();
        assertThat(client.hasBlob(to, layer.digest())).isTrue();
        assertThat(source.requests()).noneMatch(line -> line.endsWith("/manifests/" + layer.digest()));
        assertThat(result.items()).containsExactlyElementsOf(would.items());
        assertThat(result.items().stream().map(item -> item.content().digest()))
                .containsExactlyInAnyOrder(
                        part.digest(),
                        signature.digest(),
                        blob.digest(),
                        layer.digest(),
                        thing.digest(),
                        index.digest());
    }

    @Test
    void whatItRefersToArrivesBeforeIt() throws Exception {
        copy().to(client, to.tag("v2")).run();

        assertThat(client.hasBlob(to, part.digest())).isTrue();
        assertThat(client.hasBlob(to, signature.digest())).isTrue();
        List<String> puts = target.requests().stream()
                .filter(line -> line.startsWith("PUT"))
                .map(line -> line.contains("/manifests/") ? line.substring(line.lastIndexOf('/') + 1) : "blob")
                .toList();
        assertThat(puts)
                .containsExactly("blob", "blob", "blob", "blob", thing.digest().toString(), "v2");
    }

    @Test
    void aSecondCopyWritesNothing() throws Exception {
        copy().to(client, to.tag("v2")).run();
        client.deleteManifest(to, index.digest());
        int before = target.requests().size();

        CopyResult again = copy().to(client, to.tag("v3")).run();

        assertThat(again.count(Outcome.PRESENT)).isEqualTo(5);
        assertThat(again.count(Outcome.COPIED)).isEqualTo(1);
        assertThat(target.requests().subList(before, target.requests().size()))
                .filteredOn(line -> line.startsWith("P"))
                .containsExactly("PUT /v2/b/manifests/v3");
    }

    @Test
    void throughAFolderAndAnArchiveItStaysTheSame() throws Exception {
        Path tar = folder.resolve("a.tar");
        ImageStore layout = Layouts.folder(folder.resolve("layout"));
        copy().to(layout, "v1").run();
        try (ImageStore archive = Layouts.writeArchive(tar)) {
            Copy.from(layout, "v1").to(archive, "v1").run();
        }
        Copy.from(Layouts.readArchive(tar), "v1").to(client, to.tag("v2")).run();

        assertThat(layout.tags()).containsExactly("v1");
        assertThat(layout.hasBlob(thing)).isTrue();
        assertThat(layout.hasBlob(part)).isTrue();
        assertThat(client.manifest(to.tag("v2"))).isEqualTo(index);
        assertThat(client.manifest(to, thing).orElseThrow().mediaType()).isEqualTo(THING);
        assertThat(client.hasBlob(to, blob.digest())).isTrue();
        assertThat(client.hasBlob(to, part.digest())).isTrue();
    }

    @Test
    void aKnownManifestUnderAnUnknownTypeIsCopiedWithItsLayers() throws Exception {
        List<Descriptor> blobs = new ArrayList<>();
        var image = TestImages.image(
                (type, content) -> {
                    try {
                        blobs.add(blob(from, type, new String(content, StandardCharsets.ISO_8859_1)));
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                    return blobs.get(blobs.size() - 1);
                },
                "linux/amd64");
        client.pushManifest(from.digest(image.digest()), image);
        Descriptor odd =
                new Descriptor(THING, image.digest(), image.descriptor().size());
        client.pushManifest(from.tag("v1"), Index.of(List.of(odd), Map.of()));

        copy().to(client, to.tag("v2")).run();

        assertThat(client.manifest(to.digest(image.digest()))).isEqualTo(image);
        assertThat(client.hasBlob(to, blobs.get(0).digest())).isTrue();
        assertThat(client.find(to.digest(image.digest())))
                .contains(image.descriptor().withoutDetails());
    }

    @Test
    void anEntryThatTheSourceLacksIsNamed() throws Exception {
        byte[] content = "{\"schemaVersion\":2,\"no\":1}".getBytes(StandardCharsets.UTF_8);
        Descriptor missing = Descriptor.of(THING, content);
        client.pushManifest(from.tag("v1"), Index.of(List.of(missing), Map.of()));

        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> copy().to(client, to.tag("v2")).run())
                .withMessageContaining(missing.digest().toString())
                .withMessageContaining(source.host());
        assertThat(target.requests()).noneMatch(line -> line.startsWith("P"));
    }

    @Test
    void aReferrerOfAnUnknownTypeIsCopied() throws Exception {
        Descriptor subject = index.descriptor();
        Descriptor referrer = manifest(
                THING,
                "{\"mediaType\":\"" + THING + "\",\"blobs\":[" + json(part) + "],\"subject\":" + json(subject) + "}");
        client.pushManifest(from.tag("sha256-" + subject.digest().hex()), Index.of(List.of(referrer), Map.of()));

        copy().referrers().to(client, to.tag("v2")).run();

        assertThat(client.manifest(to, referrer).orElseThrow().subject())
                .isEqualTo(Optional.of(subject.withoutDetails()));
        assertThat(client.referrers(to, subject.digest(), Optional.empty()).all())
                .extracting(Descriptor::digest)
                .containsExactly(referrer.digest());
    }

    @Test
    void aBlobCostsOneRequestAsAManifestWhereARegistryFailsWithIt() throws Exception {
        try (MisbehavingRegistry docker =
                MisbehavingRegistry.builder().blobsAskedAsManifests(500).start()) {
            Repository origin = ImageReference.parse(docker.host() + "/a").toRepository();
            List<Descriptor> blobs = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                blobs.add(blob(origin, "application/vnd.acme.blob", "{\"a\":" + i + "}"));
            }
            blobs.add(blob(origin, THING, text(thing)));
            client.pushManifest(origin.tag("v1"), Index.of(blobs, Map.of()));
            int before = docker.requests().size();

            Copy.from(client, origin.tag("v1")).to(client, to.tag("v2")).run();

            List<String> asked =
                    docker.requests().subList(before, docker.requests().size());
            for (Descriptor each : blobs) {
                assertThat(asked)
                        .filteredOn(line -> line.endsWith(each.digest().toString()))
                        .containsExactly(
                                "GET /v2/a/manifests/" + each.digest(),
                                "HEAD /v2/a/blobs/" + each.digest(),
                                "GET /v2/a/blobs/" + each.digest());
            }
        }
    }

    private String text(Descriptor entry) throws Exception {
        return new String(client.manifest(from, entry).orElseThrow().content(), StandardCharsets.UTF_8);
    }

    @Test
    void atTheTargetItIsAskedForOnceWhereARegistryFailsWithABlob() throws Exception {
        try (MisbehavingRegistry docker =
                MisbehavingRegistry.builder().blobsAskedAsManifests(500).start()) {
            Repository there = ImageReference.parse(docker.host() + "/b").toRepository();
            blob(there, THING, text(thing));
            int before = docker.requests().size();

            copy().to(client, there.tag("v2")).run();

            assertThat(docker.requests().subList(before, docker.requests().size()))
                    .filteredOn(line -> line.endsWith(thing.digest().toString()))
                    .containsExactly(
                            "GET /v2/b/manifests/" + thing.digest(),
                            "HEAD /v2/b/blobs/" + thing.digest(),
                            "PUT /v2/b/manifests/" + thing.digest());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 406, 415})
    void aTargetThatRefusesTheTypeGetsWhatTheSourceAlsoHasAsABlob(int status) throws Exception {
        blob(from, THING, text(thing));
        try (MisbehavingRegistry strict =
                MisbehavingRegistry.builder().unknownTypes(status).start()) {
            Repository there = ImageReference.parse(strict.host() + "/b").toRepository();

            copy().to(client, there.tag("v2")).run();

            assertThat(client.manifest(there.tag("v2"))).isEqualTo(index);
            assertThat(client.hasBlob(there, thing.digest())).isTrue();
            assertThat(client.hasBlob(there, part.digest())).isTrue();
        }
    }

    @Test
    void aFolderThatHasItAsABlobGetsItsParts() throws Exception {
        Repository other = ImageReference.parse(source.host() + "/other").toRepository();
        blob(other, THING, text(thing));
        client.pushManifest(other.tag("v1"), Index.of(List.of(thing), Map.of()));
        ImageStore layout = Layouts.folder(folder.resolve("layout"));
        Copy.from(client, other.tag("v1")).to(layout, "blob").run();
        assertThat(layout.hasBlob(thing)).isTrue();
        assertThat(layout.hasBlob(part)).isFalse();

        copy().to(layout, "v1").run();

        assertThat(layout.hasBlob(part)).isTrue();
        assertThat(layout.hasBlob(signature)).isTrue();
        Copy.from(layout, "v1").to(client, to.tag("v2")).run();
        assertThat(client.hasBlob(to, part.digest())).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/vnd.acme.config.manifest.v1+json",
                "application/vnd.acme.layer.v1+json",
                "application/vnd.acme.cacheconfig+json"
            })
    void aManifestWithATypeLikeThatOfABlobIsAManifest(String type) throws Exception {
        Descriptor like = manifest(type, "{\"schemaVersion\":2,\"blobs\":[" + json(part) + "]}");
        client.pushManifest(from.tag("v1"), Index.of(List.of(like), Map.of()));
        ImageStore layout = Layouts.folder(folder.resolve("layout"));
        Repository through = ImageReference.parse(target.host() + "/through").toRepository();

        copy().to(client, to.tag("v2")).run();
        copy().to(layout, "v1").run();
        Copy.from(layout, "v1").to(client, through.tag("v2")).run();

        for (Repository there : List.of(to, through)) {
            assertThat(client.manifest(there, like).orElseThrow().mediaType()).isEqualTo(type);
            assertThat(client.hasBlob(there, part.digest())).isTrue();
        }
    }
}
