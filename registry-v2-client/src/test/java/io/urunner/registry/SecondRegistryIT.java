package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.copy.Copy;
import io.urunner.registry.testing.DockerRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Artipie beside CNCF Distribution. It misses content that is sent with PUT, takes one PATCH for an upload, ends a page
 * of tags without a link, knows neither referrers nor deletion, and stores no index.
 */
class SecondRegistryIT {
    private static ArtipieProcess artipie;
    private static RegistryClient client;

    @BeforeAll
    static void start() throws IOException {
        artipie = new ArtipieProcess();
        client = RegistryClient.builder().build();
    }

    @AfterAll
    static void stop() {
        if (artipie != null) {
            client.close();
            artipie.close();
        }
    }

    private static Repository repository(String name) {
        return new Repository(artipie.host(), name);
    }

    private static Descriptor push(Repository repository, String content) throws Exception {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        Descriptor blob = new Descriptor("application/vnd.oci.image.layer.v1.tar", Digest.of(bytes), bytes.length);
        client.pushBlob(repository, blob, () -> new ByteArrayInputStream(bytes));
        return blob;
    }

    private static Manifest image(Repository repository, String seed) throws Exception {
        Descriptor layer = push(repository, "layer " + seed);
        return Manifest.of(push(repository, "{\"os\":\"linux\"}"), List.of(layer), Map.of());
    }

    @Test
    void pushesResolvesAndReadsAnImage() throws Exception {
        Repository repository = repository("team/app");
        Manifest one = image(repository, "one");
        Digest first = client.pushManifest(repository.tag("latest"), one).digest();
        assertThat(client.resolve(repository.tag("latest")).digest()).isEqualTo(first);

        Digest second = client.pushManifest(repository.tag("latest"), image(repository, "two"))
                .digest();

        assertThat(client.resolve(repository.tag("latest")).digest())
                .isEqualTo(second)
                .isNotEqualTo(first);
        Manifest read = (Manifest) client.manifest(repository.digest(first));
        assertThat(read.layers()).isEqualTo(one.layers());
        try (InputStream layer = client.blob(repository, read.layers().get(0))) {
            assertThat(layer.readAllBytes()).asString(StandardCharsets.UTF_8).isEqualTo("layer one");
        }
    }

    @Test
    void pushesABlobAsOneChunk() throws Exception {
        byte[] content = "0123456789".repeat(10_000).getBytes(StandardCharsets.US_ASCII);
        Descriptor blob = new Descriptor("application/octet-stream", Digest.of(content), content.length);
        Repository repository = repository("team/large");

        client.pushBlob(
                repository, blob, () -> new ByteArrayInputStream(content), PushOptions.DEFAULTS.withChunks(1_000_000));

        try (InputStream stored = client.blob(repository, blob)) {
            assertThat(stored.readAllBytes()).isEqualTo(content);
        }
    }

    @Test
    void missesTheContentOfOnePutOnly() throws Exception {
        List<String> requests = new CopyOnWriteArrayList<>();
        try (RegistryClient counted = RegistryClient.builder()
                .observer(new RegistryObserver() {
                    @Override
                    public void requested(String host, String method, int status, Duration elapsed) {
                        requests.add(method + " " + status);
                    }
                })
                .build()) {
            for (String content : List.of("first", "second", "third")) {
                byte[] bytes = content.getBytes(StandardCharsets.US_ASCII);
                Descriptor blob = new Descriptor("application/octet-stream", Digest.of(bytes), bytes.length);
                counted.pushBlob(repository("team/often"), blob, () -> new ByteArrayInputStream(bytes));
                assertThat(counted.hasBlob(repository("team/often"), blob.digest()))
                        .isTrue();
            }
        }
        assertThat(requests.stream().filter(line -> line.equals("PUT 400"))).hasSize(1);
        assertThat(requests)
                .endsWith(
                        "POST 202", "PATCH 202", "PUT 201", "HEAD 200", "POST 202", "PATCH 202", "PUT 201", "HEAD 200");
    }

    @Test
    void pushesABlobWhoseContentItMissesInAPostAndInAPut() throws Exception {
        byte[] content = "content".getBytes(StandardCharsets.US_ASCII);
        Descriptor blob = new Descriptor("application/octet-stream", Digest.of(content), content.length);
        Repository repository = repository("team/missed");

        client.pushBlob(
                repository, blob, () -> new ByteArrayInputStream(content), PushOptions.DEFAULTS.withSinglePost());

        assertThat(client.hasBlob(repository, blob.digest())).isTrue();
    }

    @Test
    void copiesAnImageFromOneImplementationToTheOtherAndBack() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start()) {
            String digest = registry.push("team/app", "latest", "one");
            ImageReference there = repository("copied/app").tag("v1");
            ImageReference back = new Repository(registry.host(), "copied/back").tag("v1");

            Copy.from(client, new Repository(registry.host(), "team/app").tag("latest"))
                    .to(client, there)
                    .run();
            Copy.from(client, there).to(client, back).run();

            assertThat(client.resolve(back).digest()).hasToString(digest);
        }
    }

    @Test
    void listsAllTagsAlthoughNoPageHasALink() throws Exception {
        Repository repository = repository("team/tags");
        Manifest image = image(repository, "one");
        for (String tag : List.of("v1", "v2", "v3", "v4", "v5")) {
            client.pushManifest(repository.tag(tag), image);
        }

        assertThat(client.tags(repository).all()).containsExactlyInAnyOrder("v1", "v2", "v3", "v4", "v5");
        assertThat(client.tags(repository, 2, "v2").all()).startsWith("v3", "v4");
    }

    @Test
    void mountsABlobOfAnotherRepository() throws Exception {
        Descriptor layer = push(repository("team/from"), "to be mounted");
        assertThat(client.mountBlob(repository("team/to"), "team/from", layer.digest()))
                .isTrue();
        assertThat(client.hasBlob(repository("team/to"), layer.digest())).isTrue();
    }

    @Test
    void whatIsMissingIsNotFound() throws Exception {
        Repository repository = repository("team/missing");
        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> client.resolve(repository.tag("latest")))
                .withMessageContaining("MANIFEST_UNKNOWN");
        assertThat(client.hasBlob(repository, Digest.of(new byte[1]))).isFalse();
        assertThat(client.referrers(repository, Digest.of(new byte[1]), Optional.empty())
                        .all())
                .isEmpty();
    }

    @Test
    void whatItCannotDoIsSaid() throws Exception {
        Repository repository = repository("team/kept");
        Digest digest = client.pushManifest(repository.tag("v1"), image(repository, "one"))
                .digest();
        assertThatExceptionOfType(RegistryException.class).isThrownBy(() -> client.deleteManifest(repository, digest));
        assertThat(client.resolve(repository.tag("v1")).digest()).isEqualTo(digest);
    }
}
