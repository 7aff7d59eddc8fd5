package io.urunner.registry.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.copy.CopyResult.Outcome;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images in folders and archives. */
class LayoutsTest {
    @TempDir
    Path folder;

    private ImageStore layout;
    private Manifest amd;
    private Manifest arm;
    private Index index;

    @BeforeEach
    void fill() throws Exception {
        layout = Layouts.folder(folder.resolve("layout"));
        amd = TestImages.image(this::put, "linux/amd64");
        arm = TestImages.image(this::put, "linux/arm64");
        index = TestImages.index(new TreeMap<>(Map.of("linux/amd64", amd, "linux/arm64", arm)));
        layout.pushManifest(amd.digest().toString(), amd);
        layout.pushManifest(arm.digest().toString(), arm);
        layout.pushManifest("v1", index);
    }

    private Descriptor put(String mediaType, byte[] content) {
        Descriptor blob = new Descriptor(mediaType, Digest.of(content), content.length);
        try {
            layout.pushBlob(blob, () -> new ByteArrayInputStream(content));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return blob;
    }

    private List<String> files(Path of) {
        try (Stream<Path> all = Files.walk(of)) {
            return all.filter(Files::isRegularFile)
                    .map(each -> of.relativize(each).toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aFolderHasTheFilesOfTheSpecificationAndNoOthers() throws Exception {
        assertThat(Files.readString(folder.resolve("layout/oci-layout")))
                .isEqualTo("{\"imageLayoutVersion\":\"1.0.0\"}");
        assertThat(files(folder.resolve("layout")))
                .hasSize(3 + 3 + 2)
                .contains(
                        "index.json",
                        "oci-layout",
                        "blobs/sha256/" + index.digest().hex());
        assertThat(layout.tags()).containsExactly("v1");
        assertThat(layout.manifest("v1")).isEqualTo(index);
        assertThat(layout.manifest("")).isEqualTo(index);
        assertThat(layout.find(arm.digest().toString())).contains(arm.descriptor());
        assertThat(layout.find("v2")).isEmpty();
    }

    @Test
    void aNameMovesToTheImageThatGetsIt() throws Exception {
        layout.pushManifest("v1", amd);
        layout.pushManifest("v2", amd);

        assertThat(layout.manifest("v1")).isEqualTo(amd);
        assertThat(layout.tags()).containsExactly("v1", "v2");
        assertThat(layout.manifest("")).as("the only image").isEqualTo(amd);
        layout.pushManifest("v2", arm);
        assertThatIOException()
                .isThrownBy(() -> layout.manifest(""))
                .withMessageContaining("v1")
                .withMessageContaining("v2");
        assertThatIOException()
                .isThrownBy(() -> layout.manifest("v9"))
                .withMessageContaining("v9")
                .withMessageContaining("v1");
    }

    @Test
    void nothingIsLeftOfABlobThatIsNotWhatItsDigestSays() throws Exception {
        List<String> before = files(folder);
        byte[] content = "content".getBytes(StandardCharsets.UTF_8);
        for (Descriptor wrong : List.of(
                new Descriptor("a/b", Digest.of(new byte[0]), content.length),
                new Descriptor("a/b", Digest.of(content), content.length - 1),
                new Descriptor("a/b", Digest.of(content), content.length + 1))) {
            assertThatIOException()
                    .isThrownBy(() -> layout.pushBlob(wrong, () -> new ByteArrayInputStream(content)))
                    .withMessageContaining(wrong.digest().toString());
        }
        assertThat(files(folder)).isEqualTo(before);
    }

    @Test
    void aBlobThatWasDamagedOnTheDiskIsRefused() throws Exception {
        Path file =
                folder.resolve("layout/blobs/sha256/" + amd.config().digest().hex());
        byte[] content = Files.readAllBytes(file);
        content[0] ^= 1;
        Files.write(file, content);

        try (InputStream in = layout.blob(amd.config())) {
            assertThatIOException().isThrownBy(in::readAllBytes).withMessageContaining("does not match");
        }
        Files.write(folder.resolve("layout/blobs/sha256/" + amd.digest().hex()), new byte[] {'{', '}'});
        assertThatIOException().isThrownBy(() -> layout.manifest(amd.digest().toString()));
    }

    @Test
    void anArchiveHasWhatTheFolderHasAndTheSameBytesEveryTime() throws Exception {
        for (String name : List.of("one.tar", "two.tar")) {
            try (ImageStore archive = Layouts.writeArchive(folder.resolve(name))) {
                Copy.from(layout, "v1")
                        .executor(Runnable::run, 4)
                        .to(archive, "v1")
                        .run();
                assertThat(folder.resolve(name)).as("before it is complete").doesNotExist();
            }
        }
        assertThat(folder.resolve("one.tar")).hasSameBinaryContentAs(folder.resolve("two.tar"));
        ImageStore read = Layouts.readArchive(folder.resolve("one.tar"));
        ImageStore again = Layouts.folder(folder.resolve("again"));
        Copy.from(read, "v1").to(again, "v1").run();
        assertThat(files(folder.resolve("again"))).isEqualTo(files(folder.resolve("layout")));
        assertThat(read.manifest("v1")).isEqualTo(index);
    }

    @Test
    void anArchiveThatIsNotCompleteDoesNotAppear() throws Exception {
        Path damaged =
                folder.resolve("layout/blobs/sha256/" + arm.config().digest().hex());
        Files.write(damaged, new byte[(int) arm.config().size()]);
        Path file = folder.resolve("image.tar");
        Files.writeString(file, "before");

        try (ImageStore archive = Layouts.writeArchive(file)) {
            assertThatIOException()
                    .isThrownBy(() -> Copy.from(layout, "v1").to(archive, "v1").run());
        }

        assertThat(file).hasContent("before");
        assertThat(files(folder)).noneMatch(name -> name.contains("part"));
    }

    @Test
    void referrersOfALayoutAreCopiedIntoAnother() throws Exception {
        ManifestOrIndex sbom = TestImages.referrer(this::put, amd.descriptor(), "sbom");
        layout.pushManifest(sbom.digest().toString(), sbom);
        ImageStore other = Layouts.folder(folder.resolve("other"));

        Copy.from(layout, "v1").referrers().to(other, "v1").run();

        assertThat(other.referrers(amd.digest()).stream().map(Descriptor::digest))
                .containsExactly(sbom.digest());
        assertThat(other.referrers(amd.digest()).get(0).artifactType()).contains("test/sbom");
        assertThat(other.referrers(arm.digest())).isEmpty();
        assertThat(other.tags()).containsExactly("v1");
    }

    @Test
    void whatRefersToAnImageAndListsItEndsInALayout() throws Exception {
        Index listing =
                Index.of(List.of(index.descriptor()), Optional.empty(), Optional.of(index.descriptor()), Map.of());
        layout.pushManifest(listing.digest().toString(), listing);
        ImageStore other = Layouts.folder(folder.resolve("other"));

        Copy.from(layout, "v1").referrers().to(other, "v2").run();

        assertThat(other.tags()).containsExactly("v2");
        assertThat(other.manifest("v2")).isEqualTo(index);
        assertThat(other.referrers(index.digest()))
                .extracting(Descriptor::digest)
                .containsExactly(listing.digest());
    }

    @Test
    void anIndexThatClaimsToListItselfIsDamaged() throws Exception {
        String hex = index.digest().hex();
        Files.write(
                folder.resolve("layout/blobs/sha256/" + hex),
                Index.of(List.of(index.descriptor()), Map.of()).content());

        assertThatIOException()
                .isThrownBy(() -> Copy.from(layout, "v1")
                        .to(Layouts.folder(folder.resolve("other")), "v1")
                        .run())
                .withMessageContaining(hex)
                .withMessageContaining("has the digest");
    }

    @Test
    void anArchiveForDockerHasItsListAndIsALayout() throws Exception {
        Path file = folder.resolve("docker.tar");
        try (ImageStore archive = Layouts.writeDockerArchive(file)) {
            Copy.from(layout, amd.digest().toString())
                    .to(archive, "shop/app:v1")
                    .run();
        }

        TarStore files = TarStore.of(file);
        JsonNode saved = new ObjectMapper().readTree(files.read("manifest.json", 10_000));
        assertThat(saved).hasSize(1);
        assertThat(saved.at("/0/RepoTags")).hasSize(1);
        assertThat(saved.at("/0/RepoTags/0").textValue()).isEqualTo("shop/app:v1");
        assertThat(files.read(saved.at("/0/Config").textValue(), 10_000))
                .hasSize((int) amd.config().size());
        assertThat(files.size(saved.at("/0/Layers/0").textValue()))
                .isEqualTo(amd.layers().get(0).size());
        assertThat(Layouts.readArchive(file).manifest("shop/app:v1")).isEqualTo(amd);
    }

    @Test
    void anArchiveForDockerTakesNoIndexesAndNoArtifacts() throws Exception {
        ManifestOrIndex sbom = TestImages.referrer(this::put, amd.descriptor(), "sbom");
        layout.pushManifest("sbom", sbom);
        for (String name : List.of("v1", "sbom")) {
            Path file = folder.resolve(name + ".tar");
            try (ImageStore archive = Layouts.writeDockerArchive(file)) {
                assertThatIOException()
                        .isThrownBy(() ->
                                Copy.from(layout, name).to(archive, "app:v1").run())
                        .withMessageContaining("docker load");
            }
            assertThat(file).doesNotExist();
        }
    }

    @Test
    void anArchiveOfAnOldDockerIsReadWithManifestsThatAreComposed() throws Exception {
        byte[] layer = new byte[2048];
        byte[] compressed = TestImages.gzip(new byte[512]);
        byte[] config = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"%s\",\"%s\"]}}"
                .formatted(Digest.of(layer), Digest.of(new byte[512]))
                .getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("saved.tar");
        try (TarWriter tar = new TarWriter(file)) {
            TarTest.add(tar, "abc.json", config);
            TarTest.add(tar, "1/layer.tar", layer);
            TarTest.add(tar, "2/layer.tar", compressed);
            TarTest.add(
                    tar,
                    "manifest.json",
                    ("[{\"Config\":\"abc.json\",\"RepoTags\":[\"shop/app:v1\",\"shop/app:v2\"],"
                                    + "\"Layers\":[\"1/layer.tar\",\"2/layer.tar\"]}]")
                            .getBytes(StandardCharsets.UTF_8));
            tar.complete();
        }
        ImageStore saved = Layouts.readArchive(file);
        Manifest manifest = (Manifest) saved.manifest("shop/app:v2");

        assertThat(saved.tags()).containsExactly("shop/app:v1", "shop/app:v2");
        assertThat(manifest.config().digest()).isEqualTo(Digest.of(config));
        assertThat(manifest.layers().stream().map(Descriptor::digest))
                .containsExactly(Digest.of(layer), Digest.of(compressed));
        assertThat(manifest.layers().get(1).mediaType()).isEqualTo(MediaType.OCI_LAYER);
        CopyResult copied = Copy.from(saved, "")
                .to(Layouts.folder(folder.resolve("copy")), "v1")
                .run();
        assertThat(copied.count(Outcome.COPIED)).isEqualTo(4);
        assertThat(copied.image()).isEqualTo(manifest.descriptor());
        assertThat(saved.find("shop/app:v1").map(Descriptor::digest)).contains(manifest.digest());
    }

    @Test
    void aLayerThatIsNotWhatTheConfigurationSaysIsRefused() throws Exception {
        byte[] config = "{\"rootfs\":{\"diff_ids\":[\"%s\"]}}"
                .formatted(Digest.of(new byte[1]))
                .getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("saved.tar");
        try (TarWriter tar = new TarWriter(file)) {
            TarTest.add(tar, "c", config);
            TarTest.add(tar, "l", new byte[] {5});
            TarTest.add(
                    tar, "manifest.json", "[{\"Config\":\"c\",\"Layers\":[\"l\"]}]".getBytes(StandardCharsets.UTF_8));
            tar.complete();
        }
        ImageStore saved = Layouts.readArchive(file);

        assertThatIOException()
                .isThrownBy(() -> Copy.from(saved, "")
                        .to(Layouts.folder(folder.resolve("copy")), "v1")
                        .run())
                .withMessageContaining("does not match");
        assertThat(folder.resolve("copy/index.json")).doesNotExist();
    }

    @Test
    void aCopyThatEndsBetweenTwoManifestsLeavesTheOldArchive() throws Exception {
        Path file = Files.writeString(folder.resolve("app.tar"), "the old one");
        CopyListener failing = new CopyListener() {
            @Override
            public void finished(Descriptor content, CopyResult.Outcome outcome) {
                if (MediaType.MANIFESTS.contains(content.mediaType())) {
                    throw new IllegalStateException("enough");
                }
            }
        };
        try (ImageStore archive = Layouts.writeArchive(file)) {
            assertThatExceptionOfType(IllegalStateException.class)
                    .isThrownBy(() -> Copy.from(layout, "v1")
                            .listener(failing)
                            .to(archive, "v1")
                            .run());
        }
        assertThat(file).hasContent("the old one");
    }

    @Test
    void nothingIsAddedToAnArchiveThatIsRead() throws Exception {
        Path file = folder.resolve("read.tar");
        try (ImageStore archive = Layouts.writeArchive(file)) {
            Copy.from(layout, "v1").to(archive, "v1").run();
        }
        ImageStore read = Layouts.readArchive(file);

        assertThatIOException()
                .isThrownBy(() -> read.pushManifest("new", read.manifest("v1")))
                .withMessageContaining("opened for reading");
        assertThat(read.tags()).containsExactly("v1");
    }

    @Test
    void anArchiveOfDockerWithVeryManyNamesIsRefusedWithTheReason() throws Exception {
        byte[] config = "{\"rootfs\":{\"diff_ids\":[]}}".getBytes(StandardCharsets.UTF_8);
        String names = "\"a:b\",".repeat(5_000) + "\"a:c\"";
        Path file = folder.resolve("saved.tar");
        try (TarWriter tar = new TarWriter(file)) {
            TarTest.add(tar, "c", config);
            TarTest.add(
                    tar,
                    "manifest.json",
                    ("[{\"Config\":\"c\",\"Layers\":[],\"RepoTags\":[" + names + "]}]")
                            .getBytes(StandardCharsets.UTF_8));
            tar.complete();
        }

        assertThatIOException()
                .isThrownBy(() -> Layouts.readArchive(file))
                .withMessageContaining("manifest.json")
                .withMessageContaining("cannot be used");
    }

    @Test
    void anArchiveOfDockerMayNameTheFilesOfALayout() throws Exception {
        byte[] config = "{\"rootfs\":{\"diff_ids\":[]}}".getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("saved.tar");
        try (TarWriter tar = new TarWriter(file)) {
            String path = "blobs/sha256/" + Digest.of(config).hex();
            TarTest.add(tar, path, config);
            TarTest.add(
                    tar,
                    "manifest.json",
                    ("[{\"Config\":\"" + path + "\",\"Layers\":[],\"RepoTags\":[\"a:b\"]}]")
                            .getBytes(StandardCharsets.UTF_8));
            tar.complete();
        }
        ImageStore saved = Layouts.readArchive(file);

        Copy.from(saved, "a:b").to(Layouts.folder(folder.resolve("copy")), "v1").run();

        assertThat(Layouts.folder(folder.resolve("copy")).tags()).containsExactly("v1");
    }

    @Test
    void whatIsNoArchiveOfImagesIsRefusedWithTheReason() throws Exception {
        Path file = folder.resolve("file");
        Files.write(file, TestImages.gzip(new byte[5000]));
        assertThatIOException().isThrownBy(() -> Layouts.readArchive(file)).withMessageContaining("gunzip");
        Files.writeString(file, "no tar");
        assertThatIOException().isThrownBy(() -> Layouts.readArchive(file)).withMessageContaining("is no tar");
        try (TarWriter tar = new TarWriter(file)) {
            TarTest.add(tar, "x", new byte[0]);
            tar.complete();
        }
        assertThatIOException().isThrownBy(() -> Layouts.readArchive(file)).withMessageContaining("index.json");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Layouts.folder(folder.resolve("nothing")).manifest("v1"));
    }
}
