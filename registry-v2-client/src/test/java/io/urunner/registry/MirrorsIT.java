package io.urunner.registry;

import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.DockerRegistry.Access;
import io.urunner.registry.testing.TestImage;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.SocketPolicy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A pull-through cache of CNCF Distribution, and others of its kind that do not have the content. */
class MirrorsIT {
    private static final String CLIENT = "client-under-test";
    private static final String NAME = "registry.invalid";
    private static final ImageReference IMAGE = ImageReference.parse(NAME + "/team/app:v1");
    private static final Repository APP = IMAGE.toRepository();

    private final ManualTime time = new ManualTime();
    private final DockerRegistry registry =
            DockerRegistry.builder().deleteEnabled().start();
    private final DockerRegistry cache =
            DockerRegistry.builder().pullThrough(registry.url()).start();

    @AfterEach
    void close() {
        cache.close();
        registry.close();
    }

    /** The registry has another address than its name, so that the name is seen to arrive at mirrors. */
    private RegistryClient client(Object... mirrors) {
        List<Mirror> all = List.of(mirrors).stream()
                .map(mirror -> Mirror.of(mirror.toString()))
                .toList();
        return RegistryClient.builder()
                .host(NAME, HostOptions.DEFAULTS.withAddress(registry.host()).withMirrors(all))
                .userAgent(CLIENT)
                .clock(time)
                .ticker(time::nanos)
                .sleeper(time::sleep)
                .build();
    }

    /** What the client asked, without what a cache asked on its own behalf. */
    private static List<String> asked(DockerRegistry which) {
        return which.settledAccesses().stream()
                .filter(access -> access.userAgent().startsWith(CLIENT))
                .map(access -> access.method() + " " + access.path())
                .toList();
    }

    private static byte[] read(RegistryClient client, Digest digest, int size) throws Exception {
        try (InputStream content = client.blob(APP, new Descriptor("application/octet-stream", digest, size))) {
            return content.readAllBytes();
        }
    }

    @Test
    void tagsManifestsAndBlobsComeFromTheCacheAndTheRegistryIsNotAsked() throws Exception {
        TestImage image = TestImage.image("one");
        registry.push("team/app", "v1", image);
        try (RegistryClient client = client(cache)) {
            assertThat(client.resolve(IMAGE).digest()).hasToString(image.digest());
            assertThat(client.manifest(IMAGE).content()).isEqualTo(image.manifest());
            for (Map.Entry<String, byte[]> blob : image.blobs().entrySet()) {
                assertThat(read(client, Digest.parse(blob.getKey()), blob.getValue().length))
                        .isEqualTo(blob.getValue());
            }

            assertThat(asked(cache))
                    .hasSize(2 + image.blobs().size())
                    .allMatch(line -> line.endsWith("?ns=" + NAME))
                    .contains("HEAD /v2/team/app/manifests/v1?ns=" + NAME);
            assertThat(asked(registry)).isEmpty();
            assertThat(client.mirror(NAME)).contains(cache.url().toString());

            // This cache asks for each tag; another one may be behind.
            String moved = registry.push("team/app", "v1", "two");
            assertThat(client.resolve(IMAGE).digest()).hasToString(moved);
            // Behind it, the registry may be down.
            registry.stop();
            assertThat(client.resolve(IMAGE).digest()).hasToString(moved);
        }
    }

    @Test
    void writesAndTheirQuestionsGoToTheRegistryOnly() throws Exception {
        byte[] config = "{}".getBytes(StandardCharsets.UTF_8);
        Descriptor blob = new Descriptor(MediaType.OCI_CONFIG, Digest.of(config), config.length);
        Manifest manifest = Manifest.of(blob, List.of(), Map.of());
        try (RegistryClient client = client(cache)) {
            client.pushBlob(APP, blob, () -> new ByteArrayInputStream(config));
            client.pushManifest(IMAGE, manifest);
            assertThat(client.find(IMAGE)).isPresent();
            assertThat(client.tags(APP).all()).containsExactly("v1");
            assertThat(asked(cache)).isEmpty();

            assertThat(client.resolve(IMAGE).digest()).isEqualTo(manifest.digest());
            assertThat(asked(cache)).hasSize(1);

            client.deleteManifest(APP, manifest.digest());
            assertThat(client.find(IMAGE)).isEmpty();
            assertThat(asked(cache)).hasSize(1);
        }
    }

    @Test
    void aStoppedCacheIsLeftAloneForAMinute() throws Exception {
        String digest = registry.push("team/app", "v1", "one");
        try (RegistryClient client = client(cache)) {
            cache.stop();
            for (int i = 0; i < 3; i++) {
                assertThat(client.resolve(IMAGE).digest()).hasToString(digest);
            }
            assertThat(asked(registry)).hasSize(3);
            assertThat(client.mirror(NAME)).isEmpty();
            assertThat(time.sleeps).isEmpty();

            cache.restart();
            client.resolve(IMAGE);
            assertThat(asked(registry)).hasSize(4);
            time.sleep(Duration.ofSeconds(61));
            assertThat(client.resolve(IMAGE).digest()).hasToString(digest);
            assertThat(asked(registry)).hasSize(4);
            assertThat(client.mirror(NAME)).contains(cache.url().toString());
        }
    }

    @Test
    void theNextIsAskedOnceAfterACacheThatLacksItDemandsALoginOrIsCutOff() throws Exception {
        String digest = registry.push("team/app", "v1", "one");
        try (DockerRegistry empty = DockerRegistry.start();
                DockerRegistry locked =
                        DockerRegistry.builder().user("ci", "secret").start();
                DockerRegistry away = DockerRegistry.start();
                DockerRegistry cutOff =
                        DockerRegistry.builder().pullThrough(away.url()).start();
                FakeServer broken = new FakeServer(request -> status(500))) {
            away.stop();
            try (RegistryClient client = client(empty, locked, cutOff, broken.url(), cache)) {
                assertThat(client.resolve(IMAGE).digest()).hasToString(digest);

                for (DockerRegistry passed : List.of(empty, locked, cutOff)) {
                    assertThat(passed.settledAccesses().stream()
                                    .filter(access -> access.path().contains("/manifests/v1"))
                                    .map(Access::status))
                            .isNotEmpty()
                            .allMatch(code -> code >= 400);
                }
                assertThat(broken.requests).hasSize(1);
                assertThat(asked(cache)).hasSize(1);
                assertThat(asked(registry)).isEmpty();
                assertThat(client.mirror(NAME)).contains(cache.url().toString());
            }
        }
    }

    @Test
    void aHangingMirrorTakesAPartOfTheTimeAndIsThenLeftAlone() throws Exception {
        String digest = registry.push("team/app", "v1", "one");
        try (FakeServer hangs =
                        new FakeServer(request -> new MockResponse().setSocketPolicy(SocketPolicy.NO_RESPONSE));
                RegistryClient client = RegistryClient.builder()
                        .host(
                                NAME,
                                HostOptions.DEFAULTS
                                        .withAddress(registry.host())
                                        .withMirrors(List.of(Mirror.of(hangs.url()))))
                        .readTimeout(Duration.ofMillis(300))
                        .build()) {
            assertThat(client.resolve(IMAGE).digest()).hasToString(digest);
            assertThat(client.resolve(IMAGE).digest()).hasToString(digest);

            assertThat(hangs.requests).hasSize(1);
        }
    }
}
