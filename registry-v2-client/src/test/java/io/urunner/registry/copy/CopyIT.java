package io.urunner.registry.copy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.Repository;
import io.urunner.registry.copy.CopyResult.Outcome;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.Skopeo;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies between two real registries and files, which skopeo reads and writes, too. */
class CopyIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    static Path folder;

    private static Skopeo skopeo;
    private static DockerRegistry source;
    private static DockerRegistry target;
    private static RegistryClient client;
    private static ExecutorService threads;
    private static Manifest amd;
    private static Index index;

    @BeforeAll
    static void start() throws Exception {
        skopeo = Skopeo.require();
        source = DockerRegistry.start();
        target = DockerRegistry.start();
        client = RegistryClient.builder().build();
        threads = Executors.newFixedThreadPool(3);
        amd = TestImages.image(CopyIT::push, "linux/amd64");
        Manifest arm = TestImages.image(CopyIT::push, "linux/arm64");
        index = TestImages.index(new TreeMap<>(Map.of("linux/amd64", amd, "linux/arm64", arm)));
        client.pushManifest(image(source, "team/app").withTag("amd64"), amd);
        client.pushManifest(image(source, "team/app").withTag("arm64"), arm);
        client.pushManifest(image(source, "team/app:v1"), index);
    }

    @AfterAll
    static void stop() {
        for (AutoCloseable each : new AutoCloseable[] {client, source, target}) {
            if (each != null) {
                try {
                    each.close();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }
        }
        if (threads != null) {
            threads.shutdownNow();
        }
    }

    private static Descriptor push(String mediaType, byte[] content) {
        Descriptor blob = new Descriptor(mediaType, Digest.of(content), content.length);
        try {
            client.pushBlob(image(source, "team/app").toRepository(), blob, () -> new ByteArrayInputStream(content));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return blob;
    }

    private static ImageReference image(DockerRegistry registry, String name) {
        return ImageReference.parse(registry.host() + "/" + name);
    }

    private static Copy.Builder copy() {
        return Copy.from(client, image(source, "team/app:v1"));
    }

    @Test
    void anIndexArrivesByteByByteAndASecondCopyOnlyReads() throws Exception {
        ImageReference to = image(target, "mirror/app:v1");

        CopyResult first = copy().executor(threads, 4).to(client, to).run();
        long writes = writes(target, "/v2/mirror/app");
        CopyResult second = copy().executor(threads, 4).to(client, to).run();

        assertThat(client.manifest(to)).isEqualTo(index);
        assertThat(first.count(Outcome.COPIED)).isEqualTo(6);
        // A POST and a PUT for each blob, a PUT for each manifest.
        assertThat(writes).isEqualTo(2 * 3 + 3);
        assertThat(second.count(Outcome.PRESENT)).isEqualTo(second.items().size());
        assertThat(writes(target, "/v2/mirror/app")).isEqualTo(writes);
        skopeo.run("inspect", "--tls-verify=false", "docker://" + to);
    }

    @Test
    void aDryRunWritesNothing() throws Exception {
        CopyResult would =
                copy().dryRun().to(client, image(target, "dry/app:v1")).run();

        assertThat(would.count(Outcome.COPIED)).isEqualTo(6);
        assertThat(writes(target, "/v2/dry/app")).isZero();
    }

    private static long writes(DockerRegistry registry, String path) {
        registry.settledAccesses();
        return registry.count("POST", path) + registry.count("PUT", path) + registry.count("PATCH", path);
    }

    @Test
    void blobsOfTheSameRegistryAreMounted() throws Exception {
        ImageReference to = image(source, "elsewhere/app:v1");
        push(to.toRepository(), amd.config().mediaType(), blobOf(amd.config()));

        CopyResult would = copy().dryRun().to(client, to).run();
        CopyResult result = copy().to(client, to).run();
        CopyResult wouldAgain = copy().dryRun().to(client, to).run();
        CopyResult again = copy().to(client, to).run();

        assertThat(result.count(Outcome.MOUNTED)).isEqualTo(2);
        assertThat(result.count(Outcome.PRESENT)).isEqualTo(1);
        assertThat(result.count(Outcome.COPIED)).isEqualTo(3);
        assertThat(would).isEqualTo(result);
        assertThat(wouldAgain).isEqualTo(again);
        assertThat(client.manifest(to)).isEqualTo(index);
    }

    @Test
    void skopeoAndWeReadTheSameLayout() throws Exception {
        Path ours = folder.resolve("ours");
        Path theirs = folder.resolve("theirs");
        copy().to(Layouts.folder(ours), "v1").run();
        skopeo.run(
                "copy",
                "--all",
                "--src-tls-verify=false",
                "docker://" + image(source, "team/app:v1"),
                "oci:" + theirs + ":v1");

        assertThat(skopeo.run("inspect", "--raw", "oci:" + ours + ":v1")).isEqualTo(index.content());
        assertThat(Layouts.folder(theirs).manifest("v1")).isEqualTo(index);
        skopeo.run(
                "copy",
                "--all",
                "--preserve-digests",
                "--dest-tls-verify=false",
                "oci:" + ours + ":v1",
                "docker://" + image(target, "skopeo/oci:v1"));
        Copy.from(Layouts.folder(theirs), "v1")
                .to(client, image(target, "ours/oci:v1"))
                .run();
        assertThat(client.manifest(image(target, "skopeo/oci:v1"))).isEqualTo(index);
        assertThat(client.manifest(image(target, "ours/oci:v1"))).isEqualTo(index);
    }

    @Test
    void skopeoAndWeReadTheSameArchive() throws Exception {
        Path ours = folder.resolve("ours.tar");
        Path theirs = folder.resolve("theirs.tar");
        try (ImageStore archive = Layouts.writeArchive(ours)) {
            copy().executor(threads, 4).to(archive, "v1").run();
        }
        skopeo.run(
                "copy",
                "--all",
                "--src-tls-verify=false",
                "docker://" + image(source, "team/app:v1"),
                "oci-archive:" + theirs + ":v1");

        skopeo.run(
                "copy",
                "--all",
                "--preserve-digests",
                "--dest-tls-verify=false",
                "oci-archive:" + ours + ":v1",
                "docker://" + image(target, "skopeo/archive:v1"));
        Copy.from(Layouts.readArchive(theirs), "v1")
                .to(client, image(target, "ours/archive:v1"))
                .run();
        assertThat(client.manifest(image(target, "skopeo/archive:v1"))).isEqualTo(index);
        assertThat(client.manifest(image(target, "ours/archive:v1"))).isEqualTo(index);
    }

    @Test
    void skopeoReadsOurArchiveForDockerAndWeReadTheirs() throws Exception {
        Path ours = folder.resolve("ours-docker.tar");
        Path theirs = folder.resolve("theirs-docker.tar");
        try (ImageStore archive = Layouts.writeDockerArchive(ours)) {
            Copy.from(client, image(source, "team/app:amd64"))
                    .to(archive, "shop/app:v1")
                    .run();
        }
        skopeo.run(
                "copy",
                "--src-tls-verify=false",
                "docker://" + image(source, "team/app:amd64"),
                "docker-archive:" + theirs + ":shop/app:v1");

        JsonNode seen = JSON.readTree(skopeo.run("inspect", "--config", "docker-archive:" + ours + ":shop/app:v1"));
        assertThat(seen.path("architecture").textValue()).isEqualTo("amd64");
        skopeo.run(
                "copy",
                "--dest-tls-verify=false",
                "docker-archive:" + ours + ":shop/app:v1",
                "docker://" + image(target, "skopeo/docker:v1"));
        ImageReference to = image(target, "ours/docker:v1");
        ImageStore read = Layouts.readArchive(theirs);
        assertThat(read.tags()).containsExactly("docker.io/shop/app:v1");
        Copy.from(read, "").to(client, to).run();
        Manifest copied = (Manifest) client.manifest(to);
        assertThat(copied.layers()).hasSameSizeAs(amd.layers());
        // skopeo verifies the layers against the configuration.
        skopeo.run("copy", "--src-tls-verify=false", "docker://" + to, "dir:" + folder.resolve("dir"));
    }

    @Test
    void referrersAndTagsOfDigestsArriveOnRequest() throws Exception {
        ImageReference from = image(source, "signed/app:v1");
        Copy.from(client, image(source, "team/app:amd64")).to(client, from).run();
        Repository repository = from.toRepository();
        ManifestOrIndex sbom =
                TestImages.referrer((type, content) -> push(repository, type, content), amd.descriptor(), "sbom");
        client.pushManifest(repository.digest(sbom.digest()), sbom);
        String fallback = "sha256-" + amd.digest().hex();
        client.pushManifest(repository.tag(fallback), Index.of(List.of(sbom.descriptor()), Map.of()));
        client.pushManifest(repository.tag(fallback + ".sig"), amd);
        Path layout = folder.resolve("signed");

        Copy.from(client, from)
                .referrers()
                .digestTags()
                .to(Layouts.folder(layout), "v1")
                .run();
        ImageReference to = image(target, "signed/app:v1");
        Copy.from(Layouts.folder(layout), "v1")
                .referrers()
                .digestTags()
                .to(client, to)
                .run();

        assertThat(Layouts.folder(layout).tags()).containsExactlyInAnyOrder("v1", fallback + ".sig");
        assertThat(client.find(to.toRepository().digest(sbom.digest()))).isPresent();
        assertThat(client.tags(to.toRepository()).all()).contains("v1", fallback + ".sig");
    }

    private static byte[] blobOf(Descriptor blob) throws Exception {
        try (InputStream content = client.blob(image(source, "team/app").toRepository(), blob)) {
            return content.readAllBytes();
        }
    }

    private static Descriptor push(Repository repository, String mediaType, byte[] content) {
        Descriptor blob = new Descriptor(mediaType, Digest.of(content), content.length);
        try {
            client.pushBlob(repository, blob, () -> new ByteArrayInputStream(content));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return blob;
    }

    @Test
    void entriesOfUnknownTypesStayWhatTheyAre() throws Exception {
        // docker-registry holds these as blobs only; the first looks like a manifest, and it answers 500 for both.
        String type = "application/vnd.acme.thing.v1+json";
        Descriptor like = push(type, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.acme\"}".getBytes(UTF_8));
        Descriptor blob = push(type, "{\"a\":1}".getBytes(UTF_8));
        Descriptor odd = new Descriptor(type, amd.digest(), amd.descriptor().size());
        Index mixed = Index.of(List.of(like, blob, odd), Map.of());
        client.pushManifest(image(source, "team/app:mixed"), mixed);
        Path layout = folder.resolve("mixed");

        Copy.from(client, image(source, "team/app:mixed"))
                .to(Layouts.folder(layout), "v1")
                .run();
        ImageReference direct = image(target, "mixed/direct:v1");
        ImageReference through = image(target, "mixed/layout:v1");
        Copy.from(client, image(source, "team/app:mixed")).to(client, direct).run();
        Copy.from(Layouts.folder(layout), "v1").to(client, through).run();

        for (ImageReference to : List.of(direct, through)) {
            Repository repository = to.toRepository();
            assertThat(client.manifest(to)).isEqualTo(mixed);
            assertThat(client.hasBlob(repository, like.digest())).isTrue();
            assertThat(client.hasBlob(repository, blob.digest())).isTrue();
            assertThat(client.manifest(repository.digest(amd.digest()))).isEqualTo(amd);
            assertThat(client.hasBlob(repository, amd.layers().get(0).digest())).isTrue();
        }
    }
}
