package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.TokenServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The client against CNCF Distribution. */
class RegistryClientIT {
    @Test
    void resolvesATagWithOneRequestOverPlainHttpOnLoopback() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            String digest = registry.push("team/app", "latest", "one");
            ImageReference image = ImageReference.parse(registry.host() + "/team/app");

            Descriptor first = client.resolve(image);
            Descriptor second = client.resolve(image);

            assertThat(first.digest()).hasToString(digest);
            assertThat(first.mediaType()).isEqualTo(MediaType.OCI_MANIFEST);
            assertThat(first.size()).isEqualTo(TestImage.image("one").manifest().length);
            assertThat(second).isEqualTo(first);
            assertThat(registry.count("HEAD", "/v2/team/app/manifests/latest")).isEqualTo(2);
        }
    }

    @Test
    void seesAnIndexAsAnIndex() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            String digest = registry.pushIndex("team/app", "latest", "one", "amd64", "arm64");
            ImageReference image = ImageReference.parse(registry.host() + "/team/app");

            assertThat(client.resolve(image).digest()).hasToString(digest);
            assertThat(client.resolve(image).mediaType()).isEqualTo(MediaType.OCI_INDEX);
            assertThat(client.manifest(image)).isInstanceOf(Index.class);
            Manifest arm = client.manifest(image, Platform.parse("linux/arm64"));
            assertThat(arm.digest()).hasToString(TestImage.image("one", "arm64").digest());
            assertThat(arm.content()).isEqualTo(TestImage.image("one", "arm64").manifest());
            assertThatExceptionOfType(NotFoundException.class)
                    .isThrownBy(() -> client.manifest(image, Platform.parse("linux/s390x")))
                    .withMessageContaining("s390x");
        }
    }

    @Test
    void reportsThatNothingChanged() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            Digest old = Digest.parse(registry.push("team/app", "latest", "one"));
            ImageReference image = ImageReference.parse(registry.host() + "/team/app");

            assertThat(client.resolveIfChanged(image, old)).isEmpty();
            String moved = registry.push("team/app", "latest", "two");
            assertThat(client.resolveIfChanged(image, old).orElseThrow().digest())
                    .hasToString(moved);
        }
    }

    @Test
    void reportsWhatDoesNotExist() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            ImageReference image = ImageReference.parse(registry.host() + "/team/app:nope");

            assertThatExceptionOfType(NotFoundException.class)
                    .isThrownBy(() -> client.resolve(image))
                    .withMessageContaining("cannot resolve " + registry.host() + "/team/app:nope")
                    .satisfies(e -> {
                        assertThat(e.status()).hasValue(404);
                        assertThat(e.errors()).extracting(OciError::code).containsExactly("MANIFEST_UNKNOWN");
                        assertThat(e.isTransient()).isFalse();
                    });
        }
    }

    @Test
    void logsInWithUserAndPassword() throws Exception {
        try (DockerRegistry registry =
                        DockerRegistry.builder().user("ci", "secret").start();
                RegistryClient client = RegistryClient.builder()
                        .credentials(new FixedCredentials(FixedCredentials.basic("ci", "secret")))
                        .build()) {
            String digest = registry.push("team/app", "latest", "one");
            ImageReference image = ImageReference.parse(registry.host() + "/team/app");

            for (int i = 0; i < 5; i++) {
                assertThat(client.resolve(image).digest()).hasToString(digest);
            }
            assertThat(registry.count("HEAD", "/v2/")).isEqualTo(1 + 5);
            client.ping(registry.host());
        }
    }

    @Test
    void sendsAWrongPasswordOnce() throws Exception {
        try (DockerRegistry registry =
                        DockerRegistry.builder().user("ci", "secret").start();
                RegistryClient client = RegistryClient.builder()
                        .credentials(new FixedCredentials(FixedCredentials.basic("ci", "wrong-password")))
                        .build()) {
            registry.push("team/app", "latest", "one");
            ImageReference image = ImageReference.parse(registry.host() + "/team/app");
            long before = registry.settledAccesses().size();
            for (int i = 0; i < 5; i++) {
                assertThatExceptionOfType(UnauthorizedException.class)
                        .isThrownBy(() -> client.resolve(image))
                        .withMessageContaining(registry.host())
                        .withMessageContaining("test account")
                        .withMessageNotContaining("wrong-password");
            }
            assertThat(registry.settledAccesses().size() - before).isEqualTo(3);
        }
    }

    @Test
    void trustsOnlyTheConfiguredAuthority(@TempDir Path folder) throws Exception {
        HeldCertificate authority = DockerRegistry.newAuthority();
        Path bundle = Files.writeString(folder.resolve("ca.pem"), authority.certificatePem());
        try (DockerRegistry registry = DockerRegistry.builder().tls(authority).start()) {
            String digest = registry.push("team/app", "latest", "one");
            ImageReference image = ImageReference.parse(registry.host() + "/team/app");
            HostOptions trusting = HostOptions.DEFAULTS.withAuthorities(Pem.certificates(bundle));

            try (RegistryClient client =
                    RegistryClient.builder().host(registry.host(), trusting).build()) {
                assertThat(client.resolve(image).digest()).hasToString(digest);
            }
            try (RegistryClient client = RegistryClient.builder()
                    .host(registry.host(), HostOptions.DEFAULTS.withInsecureTls())
                    .build()) {
                assertThat(client.resolve(image).digest()).hasToString(digest);
            }
            try (RegistryClient client = RegistryClient.builder().build()) {
                assertThatExceptionOfType(UnavailableException.class)
                        .isThrownBy(() -> client.resolve(image))
                        .withMessageContaining("certificate")
                        .withMessageContaining("not trusted");
            }
        }
    }

    @Test
    void requestsAHundredTokensForTenThousandResolvesOfAHundredRepositories() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (TokenServer tokens = new TokenServer();
                DockerRegistry registry =
                        DockerRegistry.builder().tokens(tokens).start();
                RegistryClient client = RegistryClient.builder()
                        .credentials(new FixedCredentials(FixedCredentials.basic("any", "glpat-1")))
                        .build()) {
            String[] names =
                    IntStream.range(0, 100).mapToObj(i -> "team/app" + i).toArray(String[]::new);
            tokens.accessToken("glpat-1", names);
            tokens.tokenLife(Duration.ofHours(1));
            for (String name : names) {
                registry.push(name, "latest", name);
            }
            long before = registry.settledAccesses().size();
            client.resolve(ImageReference.parse(registry.host() + "/" + names[0]));
            List<Future<?>> passes = new ArrayList<>();
            for (int i = 1; i < 10_000; i++) {
                ImageReference image = ImageReference.parse(registry.host() + "/" + names[i % names.length]);
                passes.add(threads.submit(() -> client.resolve(image)));
            }
            for (Future<?> pass : passes) {
                pass.get();
            }
            assertThat(tokens.requests()).hasSizeLessThanOrEqualTo(100);
            assertThat(registry.settledAccesses().size() - before)
                    .as("one request per resolve, and the one by which the client learnt of the token server")
                    .isEqualTo(1 + 10_000);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void copiesAnImageBlobByBlob() throws Exception {
        try (DockerRegistry from = DockerRegistry.start();
                DockerRegistry to = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            String digest = from.push("team/app", "latest", "one");
            ImageReference source = ImageReference.parse(from.host() + "/team/app");
            Repository target = new Repository(to.host(), "copy/app");
            Manifest manifest = (Manifest) client.manifest(source);
            for (Descriptor blob : concat(manifest.layers(), manifest.config())) {
                client.pushBlob(target, blob, () -> open(client, source.toRepository(), blob));
            }
            client.pushManifest(target.tag("v1"), manifest);

            assertThat(client.resolve(target.tag("v1")).digest()).hasToString(digest);
            assertThat(client.tags(target).all()).containsExactly("v1");
            assertThat(client.catalog(to.host()).all()).containsExactly("copy/app");
            Digest layer = manifest.layers().get(0).digest();
            assertThat(client.hasBlob(target, layer)).isTrue();
            Repository other = new Repository(to.host(), "other/app");
            assertThat(client.hasBlob(other, layer)).isFalse();
            assertThat(client.mountBlob(other, target.name(), layer)).isTrue();
            assertThat(client.hasBlob(other, layer)).isTrue();
        }
    }

    private static List<Descriptor> concat(List<Descriptor> layers, Descriptor config) {
        return java.util.stream.Stream.concat(layers.stream(), java.util.stream.Stream.of(config))
                .toList();
    }

    private static InputStream open(RegistryClient client, Repository repository, Descriptor blob) throws IOException {
        try {
            return client.blob(repository, blob);
        } catch (RegistryException | InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void listsAllTags() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            for (String tag : List.of("a", "b", "c", "d", "e")) {
                registry.push("team/app", tag, "one");
            }
            Pages<String> pages = client.tags(new Repository(registry.host(), "team/app"), 2);

            // This version of the registry keeps them in no order, and on one page.
            assertThat(pages.all()).containsExactlyInAnyOrder("a", "b", "c", "d", "e");
        }
    }

    @Test
    void deletesIfTheRegistryAllowsIt() throws Exception {
        try (DockerRegistry registry = DockerRegistry.builder().deleteEnabled().start();
                RegistryClient client = RegistryClient.builder().build()) {
            Digest digest = Digest.parse(registry.push("team/app", "latest", "one"));
            Repository repository = new Repository(registry.host(), "team/app");
            Digest layer = ((Manifest) client.manifest(repository.tag("latest")))
                    .layers()
                    .get(0)
                    .digest();

            client.deleteManifest(repository, digest);
            assertThatExceptionOfType(NotFoundException.class)
                    .isThrownBy(() -> client.resolve(repository.tag("latest")));
            client.deleteBlob(repository, layer);
            assertThat(client.hasBlob(repository, layer)).isFalse();
            assertThatExceptionOfType(NotFoundException.class)
                    .isThrownBy(() -> client.deleteManifest(repository, digest));
        }
    }

    @Test
    void reportsThatARegistryDoesNotSupportDeletion() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            Digest digest = Digest.parse(registry.push("team/app", "latest", "one"));

            assertThatExceptionOfType(ProtocolViolationException.class)
                    .isThrownBy(() -> client.deleteManifest(new Repository(registry.host(), "team/app"), digest))
                    .withMessageContaining("UNSUPPORTED")
                    .withMessageContaining("does not support");
        }
    }

    @Test
    void deletesATagAndKeepsTheOthersOfItsDigest() throws Exception {
        try (DockerRegistry registry = DockerRegistry.builder().deleteEnabled().start();
                RegistryClient client = RegistryClient.builder().build()) {
            Digest digest = Digest.parse(registry.push("team/app", "v1", "one"));
            registry.push("team/app", "v2", "one");
            Repository repository = new Repository(registry.host(), "team/app");

            client.deleteTag(repository, "v1");

            assertThatExceptionOfType(NotFoundException.class).isThrownBy(() -> client.resolve(repository.tag("v1")));
            assertThat(client.resolve(repository.tag("v2")).digest()).isEqualTo(digest);
        }
    }

    @Test
    void keepsATagThatTheRegistryDoesNotDelete() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            String digest = registry.push("team/app", "v1", "one");
            Repository repository = new Repository(registry.host(), "team/app");

            assertThatExceptionOfType(ProtocolViolationException.class)
                    .isThrownBy(() -> client.deleteTag(repository, "v1"))
                    .withMessageContaining("deletes neither tags nor manifests");
            assertThat(client.resolve(repository.tag("v1")).digest()).hasToString(digest);
        }
    }

    @Test
    void listsWhatSeveralClientsPushForASubjectAtOnce() throws Exception {
        int writers = 6;
        ExecutorService threads = Executors.newFixedThreadPool(writers);
        try (DockerRegistry registry = DockerRegistry.builder().deleteEnabled().start();
                RegistryClient client = RegistryClient.builder().build()) {
            registry.push("team/app", "latest", "one");
            Repository repository = new Repository(registry.host(), "team/app");
            Descriptor subject = client.resolve(repository.tag("latest"));
            byte[] empty = "{}".getBytes(StandardCharsets.US_ASCII);
            client.pushBlob(repository, Manifest.EMPTY_CONFIG, () -> new ByteArrayInputStream(empty));
            List<Future<Digest>> pushes = new ArrayList<>();
            for (int i = 0; i < writers; i++) {
                Manifest signature =
                        Manifest.artifact("application/sig", List.of(), Optional.of(subject), Map.of("number", "" + i));
                pushes.add(threads.submit(() -> {
                    try (RegistryClient own = RegistryClient.builder().build()) {
                        return own.pushManifest(repository.digest(signature.digest()), signature)
                                .digest();
                    }
                }));
            }
            List<Digest> pushed = new ArrayList<>();
            for (Future<Digest> push : pushes) {
                pushed.add(push.get(1, TimeUnit.MINUTES));
            }

            assertThat(client.referrers(repository, subject.digest(), Optional.of("application/sig"))
                            .all())
                    .extracting(Descriptor::digest)
                    .containsExactlyInAnyOrderElementsOf(pushed);
            client.deleteManifest(repository, pushed.get(0));
            assertThat(client.referrers(repository, subject.digest(), Optional.empty())
                            .all())
                    .extracting(Descriptor::digest)
                    .containsExactlyInAnyOrderElementsOf(pushed.subList(1, writers));
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void findsReferrersByTheirTagIfTheRegistryHasNoReferrersApi() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            Digest subject = Digest.parse(registry.push("team/app", "latest", "one"));
            Repository repository = new Repository(registry.host(), "team/app");
            assertThat(client.referrers(repository, subject, Optional.empty()).all())
                    .isEmpty();

            Descriptor signature = client.resolve(repository.tag("latest"));
            client.pushManifest(repository.tag("sha256-" + subject.hex()), Index.of(List.of(signature), Map.of()));

            assertThat(client.referrers(repository, subject, Optional.empty()).all())
                    .extracting(Descriptor::digest)
                    .containsExactly(subject);
        }
    }

    @Test
    void pushesAndReadsBlobsOfAnySize() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            byte[] content = "0123456789".repeat(300_000).getBytes(StandardCharsets.US_ASCII);
            Repository repository = new Repository(registry.host(), "team/app");
            Descriptor blob = new Descriptor("application/octet-stream", Digest.of(content), content.length);

            client.pushBlob(repository, blob, () -> new ByteArrayInputStream(content));

            try (InputStream read = client.blob(repository, blob)) {
                assertThat(read.readAllBytes()).isEqualTo(content);
            }
        }
    }

    @Test
    void continuesWhenTheRegistryComesBack() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().attempts(1).build()) {
            String digest = registry.push("team/app", "latest", "one");
            ImageReference image = ImageReference.parse(registry.host() + "/team/app");
            client.resolve(image);
            registry.stop();

            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> client.resolve(image))
                    .withMessageContaining("cannot be reached")
                    .satisfies(e -> assertThat(e.isTransient()).isTrue());
            registry.restart();
            assertThat(client.resolve(image).digest()).hasToString(digest);
        }
    }

    @Test
    void pushesAndDeletesWithATokenThatAllowsIt() throws Exception {
        try (TokenServer tokens = new TokenServer();
                DockerRegistry registry =
                        DockerRegistry.builder().tokens(tokens).deleteEnabled().start();
                RegistryClient reader = client(FixedCredentials.basic("any", "glpat-1"));
                RegistryClient client = client(new Credential.RegistryToken(
                        Secret.of(tokens.mint("team/app", List.of("pull", "push", "delete")))))) {
            tokens.accessToken("glpat-1", "team/app");
            byte[] content = "{}".getBytes(StandardCharsets.US_ASCII);
            Repository repository = new Repository(registry.host(), "team/app");
            Descriptor config = new Descriptor(MediaType.OCI_EMPTY, Digest.of(content), content.length);

            client.pushBlob(repository, config, () -> new ByteArrayInputStream(content));
            Descriptor pushed =
                    client.pushManifest(repository.tag("v1"), Manifest.of(config, List.of(), Map.of("by", "test")));

            assertThat(reader.resolve(repository.tag("v1")).digest()).isEqualTo(pushed.digest());
            assertThatExceptionOfType(DeniedException.class)
                    .isThrownBy(() -> reader.deleteManifest(repository, pushed.digest()));
            assertThat(reader.resolve(repository.tag("v1")).digest()).isEqualTo(pushed.digest());
            client.deleteManifest(repository, pushed.digest());
            assertThatExceptionOfType(NotFoundException.class).isThrownBy(() -> client.resolve(repository.tag("v1")));
        }
    }

    private static RegistryClient client(Credential credential) {
        return RegistryClient.builder()
                .credentials(new FixedCredentials(credential))
                .build();
    }
}
