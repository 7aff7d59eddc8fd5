package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.TokenServer;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pushes to CNCF Distribution over connections that break. */
class BrokenUploadsIT {
    private static final int SIZE = 5_000_000;

    private final byte[] content = new byte[SIZE];
    private final Descriptor blob;
    private final ManualTime time = new ManualTime();

    BrokenUploadsIT() {
        new Random(11).nextBytes(content);
        blob = new Descriptor("application/octet-stream", Digest.of(content), SIZE);
    }

    private static CuttingProxy before(DockerRegistry registry) throws Exception {
        return new CuttingProxy(registry.url().getPort());
    }

    private RegistryClient client(int attempts) {
        return RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .attempts(attempts)
                .sleeper(time::sleep)
                .build();
    }

    private InputStream open() {
        return new ByteArrayInputStream(content);
    }

    private void assertStored(DockerRegistry registry, RegistryClient client) throws Exception {
        try (InputStream stored = client.blob(new Repository(registry.host(), "team/app"), blob)) {
            assertThat(stored.readAllBytes()).isEqualTo(content);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 100_000, 2_000_000})
    void aBlobArrivesAlthoughTheConnectionIsCutAfterAMegabyte(long chunk) throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                CuttingProxy proxy = before(registry);
                RegistryClient client = client(3)) {
            proxy.cutAfter(1_000_000);
            PushOptions options = chunk == 0 ? PushOptions.DEFAULTS : PushOptions.DEFAULTS.withChunks(chunk);

            client.pushBlob(new Repository(proxy.host(), "team/app"), blob, this::open, options);

            assertThat(proxy.left()).isZero();
            assertStored(registry, client);
            assertThat(registry.settledAccesses().stream()
                            .filter(access -> access.method().equals("POST")))
                    .hasSizeLessThanOrEqualTo(2);
        }
    }

    @Test
    void givesUpIfEveryConnectionIsCut() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                CuttingProxy proxy = before(registry);
                RegistryClient client = client(3)) {
            proxy.cutAfter(1_000_000, 1_000_000, 1_000_000, 1_000_000);

            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> client.pushBlob(new Repository(proxy.host(), "team/app"), blob, this::open))
                    .satisfies(e -> assertThat(e.isTransient()).isTrue());
            assertThat(proxy.left()).as("three attempts").isEqualTo(1);
        }
    }

    @Test
    void anotherProcessGoesOnWithAnUpload() throws Exception {
        AtomicReference<String> handle = new AtomicReference<>("");
        PushOptions chunks = PushOptions.DEFAULTS.withChunks(1_000_000);
        try (DockerRegistry registry = DockerRegistry.start();
                CuttingProxy proxy = before(registry);
                RegistryClient first = client(1);
                RegistryClient second = client(1)) {
            Repository repository = new Repository(proxy.host(), "team/app");
            AtomicReference<Throwable> ended = new AtomicReference<>();
            Thread pushing = new Thread(() -> {
                try {
                    first.pushBlob(repository, blob, this::open, chunks.withSessions(session -> {
                        handle.set(session.toText());
                        if (registry.count("PATCH", "/v2/team/app/blobs/uploads/") >= 2) {
                            Thread.currentThread().interrupt();
                        }
                    }));
                } catch (RegistryException | InterruptedException e) {
                    ended.set(e);
                }
            });
            pushing.start();
            pushing.join();
            assertThat(ended.get()).isInstanceOf(InterruptedException.class);
            long patches = registry.count("PATCH", "/v2/team/app/blobs/uploads/");

            second.pushBlob(repository, blob, this::open, chunks.resuming(UploadSession.parse(handle.get())));

            assertStored(registry, second);
            assertThat(registry.count("PATCH", "/v2/team/app/blobs/uploads/") - patches)
                    .as("only what was missing is sent")
                    .isEqualTo(5 - patches);
            assertThat(registry.count("POST", "/v2/team/app/blobs/uploads/")).isEqualTo(1);
        }
    }

    /** After content arrived whose answer we do not have, this registry says 404: its locations are for one offset. */
    @Test
    void aPushThatIsInterruptedBetweenChunksLeavesNoUpload() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = client(1)) {
            Repository repository = new Repository(registry.host(), "team/app");
            AtomicInteger ends = new AtomicInteger();
            PushOptions options = PushOptions.DEFAULTS.withChunks(1_000_000).withProgress((bytes, total) -> {
                if (bytes == 1_000_000 && ends.incrementAndGet() == 2) {
                    Thread.currentThread().interrupt();
                }
            });

            assertThatExceptionOfType(InterruptedException.class)
                    .isThrownBy(() -> client.pushBlob(repository, blob, this::open, options));

            assertThat(registry.settledAccesses().stream()
                            .filter(access -> access.method().equals("DELETE"))
                            .map(access -> access.status()))
                    .containsExactly(204);
            client.pushBlob(repository, blob, this::open);
            assertStored(registry, client);
        }
    }

    /** The registry demands the permission to delete for this, which the credential does not have. */
    @Test
    void anUploadThatMayNotBeCancelledDoesNotPreventTheNextPush() throws Exception {
        try (TokenServer tokens = new TokenServer();
                DockerRegistry registry =
                        DockerRegistry.builder().tokens(tokens).start();
                RegistryClient client = RegistryClient.builder()
                        .credentials(new FixedCredentials(new Credential.RegistryToken(
                                Secret.of(tokens.mint("team/app", List.of("pull", "push"))))))
                        .build()) {
            Repository repository = new Repository(registry.host(), "team/app");
            Descriptor wrong = new Descriptor(blob.mediaType(), Digest.of(new byte[1]), SIZE);
            assertThatExceptionOfType(ProtocolViolationException.class)
                    .isThrownBy(() -> client.pushBlob(repository, wrong, this::open))
                    .withMessageContaining("DIGEST_INVALID");

            client.pushBlob(repository, blob, this::open);

            assertStored(registry, client);
        }
    }
}
