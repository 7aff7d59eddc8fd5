package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.Skopeo;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** skopeo reads what our client pushes, and vice versa. */
class SkopeoIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    static Path folder;

    private static Skopeo skopeo;
    private static DockerRegistry registry;
    private static RegistryClient client;

    @BeforeAll
    static void start() {
        skopeo = Skopeo.require();
        registry = DockerRegistry.start();
        client = RegistryClient.builder().build();
    }

    @AfterAll
    static void stop() {
        if (client != null) {
            client.close();
        }
        if (registry != null) {
            registry.close();
        }
    }

    @Test
    void skopeoReadsWhatWePushByteByByte() throws Exception {
        ImageReference image = image("ours/app:v1");
        Manifest manifest = pushImage(image, "amd64");

        byte[] raw = skopeo.run("inspect", "--raw", "--tls-verify=false", "docker://" + image);
        JsonNode seen = JSON.readTree(skopeo.run("inspect", "--tls-verify=false", "docker://" + image));

        assertThat(raw).isEqualTo(manifest.content());
        assertThat(seen.path("Digest").textValue()).isEqualTo(manifest.digest().toString());
        assertThat(seen.path("Architecture").textValue()).isEqualTo("amd64");
        assertThat(seen.path("RepoTags").get(0).textValue()).isEqualTo("v1");
    }

    @Test
    void skopeoCopiesAllPlatformsOfWhatWePush() throws Exception {
        ImageReference image = image("ours/many:v1");
        Index index = pushIndex(image);
        ImageReference copy = image("theirs/many:v1");

        skopeo.run(
                "copy",
                "--all",
                "--src-tls-verify=false",
                "--dest-tls-verify=false",
                "docker://" + image,
                "docker://" + copy);

        assertThat(client.manifest(copy)).isEqualTo(index);
        for (String architecture : List.of("amd64", "arm64")) {
            Platform platform = Platform.parse("linux/" + architecture);
            assertThat(client.manifest(copy, platform)).isEqualTo(client.manifest(image, platform));
        }
    }

    @Test
    void skopeoAndWeSelectTheSamePlatform() throws Exception {
        ImageReference image = image("ours/choice:v1");
        pushIndex(image);
        for (String architecture : List.of("amd64", "arm64")) {
            Path target = Files.createTempDirectory(folder, architecture);
            skopeo.run(
                    "--override-os=linux",
                    "--override-arch=" + architecture,
                    "copy",
                    "--src-tls-verify=false",
                    "docker://" + image,
                    "dir:" + target);
            assertThat(client.manifest(image, Platform.parse("linux/" + architecture))
                            .content())
                    .isEqualTo(Files.readAllBytes(target.resolve("manifest.json")));
        }
    }

    @Test
    void weReadWhatSkopeoPushesInEitherFormat() throws Exception {
        ImageReference source = image("ours/format:v1");
        Manifest ours = pushImage(source, "amd64");
        for (String format : List.of("oci", "v2s2")) {
            ImageReference image = image("theirs/format:" + format);
            Path digestFile = folder.resolve(format);
            skopeo.run(
                    "copy",
                    "--format=" + format,
                    "--digestfile=" + digestFile,
                    "--src-tls-verify=false",
                    "--dest-tls-verify=false",
                    "docker://" + source,
                    "docker://" + image);

            Descriptor resolved = client.resolve(image);
            assertThat(resolved.digest())
                    .hasToString(Files.readString(digestFile).strip());
            assertThat(resolved.mediaType())
                    .isEqualTo(format.equals("oci") ? MediaType.OCI_MANIFEST : MediaType.DOCKER_MANIFEST);
            Manifest manifest = (Manifest) client.manifest(image);
            assertThat(manifest.descriptor().size()).isEqualTo(resolved.size());
            assertThat(manifest.config().digest()).isEqualTo(ours.config().digest());
            for (Descriptor blob : manifest.layers()) {
                try (InputStream content = client.blob(image.toRepository(), blob)) {
                    assertThat(blob.digest().matches(content)).isTrue();
                }
            }
        }
    }

    @Test
    void bothListTheTagsOfBoth() throws Exception {
        ImageReference ours = image("both/app:ours");
        pushImage(ours, "amd64");
        skopeo.run(
                "copy",
                "--src-tls-verify=false",
                "--dest-tls-verify=false",
                "docker://" + ours,
                "docker://" + ours.withTag("theirs"));
        JsonNode listed =
                JSON.readTree(skopeo.run("list-tags", "--tls-verify=false", "docker://" + ours.toRepository()));
        var tags = new ArrayList<String>();
        listed.path("Tags").forEach(tag -> tags.add(tag.textValue()));
        assertThat(client.tags(ours.toRepository()).all())
                .containsExactlyInAnyOrder("ours", "theirs")
                .containsExactlyInAnyOrderElementsOf(tags);
    }

    private static ImageReference image(String name) {
        return ImageReference.parse(registry.host() + "/" + name);
    }

    private static Index pushIndex(ImageReference image) throws Exception {
        var entries = new ArrayList<Descriptor>();
        for (String architecture : List.of("amd64", "arm64")) {
            Descriptor entry =
                    pushImage(image.withTag(architecture), architecture).descriptor();
            entries.add(new Descriptor(
                    entry.mediaType(),
                    entry.digest(),
                    entry.size(),
                    Optional.of(Platform.parse("linux/" + architecture)),
                    Optional.empty(),
                    Map.of()));
        }
        Index index = Index.of(entries, Map.of());
        client.pushManifest(image, index);
        return index;
    }

    /** An image with one layer, which contains an empty archive. */
    private static Manifest pushImage(ImageReference image, String architecture) throws Exception {
        byte[] archive = new byte[1024];
        byte[] layer = compressed(archive);
        byte[] config = ("{\"architecture\":\"" + architecture
                        + "\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":" + "\"layers\",\"diff_ids\":[\""
                        + Digest.of(archive) + "\"]}}")
                .getBytes(StandardCharsets.UTF_8);
        Manifest manifest = Manifest.of(
                pushBlob(image.toRepository(), MediaType.OCI_CONFIG, config),
                List.of(pushBlob(image.toRepository(), MediaType.OCI_LAYER, layer)),
                Map.of("org.opencontainers.image.title", architecture));
        client.pushManifest(image, manifest);
        return manifest;
    }

    private static Descriptor pushBlob(Repository repository, String mediaType, byte[] content) throws Exception {
        var blob = new Descriptor(mediaType, Digest.of(content), content.length);
        client.pushBlob(repository, blob, () -> new ByteArrayInputStream(content));
        return blob;
    }

    private static byte[] compressed(byte[] content) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(bytes)) {
            gzip.write(content);
        }
        return bytes.toByteArray();
    }
}
