package io.urunner.agent.tags;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.TestImage;
import io.urunner.store.DigestStore.ImageLabels;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The labels of images at a real registry. */
class ImageReaderIT {
    @Test
    void theLabelsOfAnImagesConfigurationAreReadWithOneRequestAfterItsManifest() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            String labelled = registry.push(
                    "team/app",
                    "latest",
                    TestImage.labelled(
                            "one",
                            Map.of(
                                    "org.opencontainers.image.revision", "4f2a",
                                    "org.opencontainers.image.version", "1.2.3",
                                    "org.opencontainers.image.created", "2030-01-07T12:00:00+01:00")));
            String index = registry.pushIndex("team/app", "many", "two", "arm64", "amd64");
            ImageReader content = new ImageReader(client);
            ImageReference reference = ImageReference.parse(registry.host() + "/team/app:latest");

            Descriptor config = content.manifest(reference.withDigest(Digest.parse(labelled)))
                    .config()
                    .orElseThrow();
            assertThat(content.labels(reference, config))
                    .contains(new ImageLabels(
                            Optional.of("4f2a"),
                            Optional.of("1.2.3"),
                            Optional.of(Instant.parse("2030-01-07T11:00:00Z"))));
            assertThat(registry.count("GET", "/v2/team/app/manifests/")).isEqualTo(1);
            assertThat(registry.count("GET", "/v2/team/app/blobs/")).isEqualTo(1);

            Links listed = content.manifest(reference.withDigest(Digest.parse(index)));
            assertThat(listed.children()).hasSize(2);
            Descriptor first = content.manifest(
                            reference.withDigest(listed.children().get(0)))
                    .config()
                    .orElseThrow();
            assertThat(content.labels(reference, first))
                    .contains(new ImageLabels(Optional.empty(), Optional.empty(), Optional.empty()));
        }
    }
}
