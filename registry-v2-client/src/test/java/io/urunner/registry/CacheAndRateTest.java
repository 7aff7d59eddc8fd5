package io.urunner.registry;

import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import okhttp3.mockwebserver.MockResponse;
import okio.Buffer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What a client keeps, how often it asks, and looking for what may not be there. */
class CacheAndRateTest {
    private static final byte[] CONFIG = "{\"os\":\"linux\"}".getBytes(StandardCharsets.UTF_8);
    private static final Descriptor BLOB = new Descriptor(MediaType.OCI_CONFIG, Digest.of(CONFIG), CONFIG.length);
    private static final Manifest MANIFEST = Manifest.of(BLOB, List.of(), Map.of());

    private final ManualTime time = new ManualTime();

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> {
        String path = String.valueOf(request.getPath());
        if (path.endsWith("/blobs/" + BLOB.digest())) {
            return new MockResponse().setBody(new Buffer().write(CONFIG));
        }
        if (path.contains("/manifests/missing")) {
            return status(404);
        }
        MockResponse answer = new MockResponse()
                .setHeader("Content-Type", MANIFEST.mediaType())
                .setHeader("Docker-Content-Digest", MANIFEST.digest().toString());
        return "HEAD".equals(request.getMethod())
                ? answer.setHeader("Content-Length", MANIFEST.content().length)
                : answer.setBody(new Buffer().write(MANIFEST.content()));
    }));

    private RegistryClient.Builder builder() {
        return RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .clock(time)
                .ticker(time::nanos)
                .sleeper(time::sleep);
    }

    private RegistryClient client(ContentCache cache) {
        return open.add(builder().cache(cache).build());
    }

    private ImageReference pinned() {
        return registry.image("team/app").withDigest(MANIFEST.digest());
    }

    @Test
    void readsAManifestOncePerDigestAndATagEachTime() throws Exception {
        RegistryClient client = client(ContentCache.inMemory(10_000, 10));

        assertThat(client.manifest(registry.image("team/app:v1"))).isEqualTo(MANIFEST);
        assertThat(client.manifest(pinned())).isEqualTo(MANIFEST);
        assertThat(client.manifest(pinned())).isEqualTo(MANIFEST);
        assertThat(client.manifest(registry.image("team/app:v1"))).isEqualTo(MANIFEST);

        assertThat(registry.lines()).containsExactly("GET /v2/team/app/manifests/v1", "GET /v2/team/app/manifests/v1");
    }

    @Test
    void readsASmallBlobOnce() throws Exception {
        RegistryClient client = client(ContentCache.inMemory(10_000, 10));

        for (int i = 0; i < 2; i++) {
            try (InputStream content = client.blob(pinned().toRepository(), BLOB)) {
                assertThat(content.readAllBytes()).isEqualTo(CONFIG);
            }
        }

        assertThat(registry.requests).hasSize(1);
    }

    @Test
    void keepsNothingOfABlobThatIsNotReadToItsEnd() throws Exception {
        RegistryClient client = client(ContentCache.inMemory(10_000, 10));

        for (int i = 0; i < 2; i++) {
            try (InputStream content = client.blob(pinned().toRepository(), BLOB)) {
                assertThat(content.read()).isEqualTo('{');
            }
        }

        assertThat(registry.requests).hasSize(2);
    }

    @Test
    void doesNotTrustWhatACacheReturns() throws Exception {
        ContentCache cache = ContentCache.inMemory(10_000, 10);
        cache.put(MANIFEST.digest(), "{}".getBytes(StandardCharsets.UTF_8));
        cache.put(BLOB.digest(), new byte[CONFIG.length]);
        RegistryClient client = client(cache);

        assertThat(client.manifest(pinned())).isEqualTo(MANIFEST);
        try (InputStream content = client.blob(pinned().toRepository(), BLOB)) {
            assertThat(content.readAllBytes()).isEqualTo(CONFIG);
        }
        assertThat(registry.requests).hasSize(2);
    }

    @Test
    void aViewWithOtherCredentialsDoesNotReadWhatTheClientMayRead() throws Exception {
        RegistryClient client = client(ContentCache.inMemory(10_000, 10));
        client.manifest(pinned());

        client.withCredentials(client.credentials()).manifest(pinned());

        assertThat(registry.requests).hasSize(2);
    }

    @Test
    void aCacheInMemoryIsBoundedInBytesAndEntries() {
        ContentCache cache = ContentCache.inMemory(100, 3);
        List<byte[]> contents = List.of(of(1, 40), of(2, 40), of(3, 40), of(4, 1), of(5, 1), of(6, 101));

        contents.forEach(content -> cache.put(Digest.of(content), content));

        assertThat(contents.stream()
                        .map(content -> cache.get(Digest.of(content)).isPresent()))
                .containsExactly(false, false, true, true, true, false);
        assertThatIllegalArgumentException().isThrownBy(() -> ContentCache.inMemory(0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> ContentCache.inMemory(1, 0));
    }

    private static byte[] of(int value, int length) {
        byte[] content = new byte[length];
        Arrays.fill(content, (byte) value);
        return content;
    }

    @Test
    void spacesTheRequestsToAHostEvenly() throws Exception {
        RegistryClient client = open.add(builder().requestRate(4).build());

        for (int i = 0; i < 5; i++) {
            client.resolve(registry.image("team/app:v1"));
        }

        assertThat(time.sleeps).hasSize(4).containsOnly(Duration.ofMillis(250));
    }

    @Test
    void doesNotWaitForAHostThatWasNotAskedForAWhile() throws Exception {
        RegistryClient client = open.add(builder().requestRate(0.5).build());

        client.resolve(registry.image("team/app:v1"));
        time.pass(Duration.ofSeconds(2));
        client.resolve(registry.image("team/app:v1"));

        assertThat(time.sleeps).isEmpty();
    }

    @Test
    void saysWhichSettingMendsARateThatLeavesNoTime() throws Exception {
        RegistryClient client = open.add(builder()
                .requestRate(0.01)
                .attempts(1)
                .deadline(Duration.ofSeconds(5))
                .build());
        client.resolve(registry.image("team/app:v1"));

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client.resolve(registry.image("team/app:v1")))
                .withMessageContaining("requestRate");
        assertThat(registry.requests).hasSize(1);
        assertThatIllegalArgumentException().isThrownBy(() -> builder().requestRate(0));
        assertThatIllegalArgumentException().isThrownBy(() -> builder().requestRate(Double.NaN));
    }

    @Test
    void findsWhatIsThereAndNothingElseWithOneRequest() throws Exception {
        RegistryClient client = open.add(builder().build());

        assertThat(client.find(registry.image("team/app:v1"))).contains(MANIFEST.descriptor());
        assertThat(client.find(registry.image("team/app:missing"))).isEmpty();

        assertThat(registry.lines())
                .containsExactly("HEAD /v2/team/app/manifests/v1", "HEAD /v2/team/app/manifests/missing");
    }
}
