package io.urunner.agent.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.Platform;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.store.DigestStore.ImageLabels;
import java.io.IOException;
import java.io.InputStream;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** Looks into images: what their digests stand for, and what they say of themselves. Thread-safe; blocks. */
public final class ImageContent {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String LABEL = "org.opencontainers.image.";

    /** A configuration that is larger is not worth its labels. */
    private static final long LARGEST = 1 << 20;

    private final RegistryClient client;
    private final Runnable request;

    /**
     * Looks by a client.
     *
     * @param client the client; stays the caller's to close
     * @param request told before every request
     */
    public ImageContent(RegistryClient client, Runnable request) {
        this.client = client;
        this.request = request;
    }

    /**
     * What a digest stands for: itself, the digests of an index's children, attestations left out, and the digests of the
     * configurations of all.
     *
     * @param image the image, by its digest
     * @return the digests
     * @throws RegistryException if the registry does not say
     * @throws InterruptedException if the thread is interrupted
     */
    public Set<Digest> digests(ImageReference image) throws RegistryException, InterruptedException {
        Set<Digest> content = new HashSet<>();
        gather(image, content);
        return content;
    }

    private void gather(ImageReference image, Set<Digest> content) throws RegistryException, InterruptedException {
        if (!content.add(image.digest().orElseThrow())) {
            return;
        }
        ManifestOrIndex found = manifest(image);
        if (found instanceof Manifest manifest) {
            content.add(manifest.config().digest());
        } else if (found instanceof Index index) {
            for (Descriptor child : index.manifests()) {
                if (!child.isAttestation()) {
                    gather(image.withDigest(child.digest()), content);
                }
            }
        }
    }

    private ManifestOrIndex manifest(ImageReference image) throws RegistryException, InterruptedException {
        request.run();
        return client.manifest(image);
    }

    /**
     * What an image's configuration says of it; of an index that of its first image. Two or three requests.
     *
     * @param image the image, by its digest
     * @return the labels; empty if there is no configuration of an image
     * @throws RegistryException if the registry does not say
     * @throws InterruptedException if the thread is interrupted
     */
    Optional<ImageLabels> labels(ImageReference image) throws RegistryException, InterruptedException {
        ManifestOrIndex found = manifest(image);
        if (found instanceof Index index) {
            Optional<Descriptor> child = index.select(Platform.LINUX_AMD64)
                    .or(() -> index.images().stream().findFirst());
            if (child.isEmpty()) {
                return Optional.empty();
            }
            found = manifest(image.withDigest(child.get().digest()));
        }
        return found instanceof Manifest manifest && manifest.config().size() <= LARGEST
                ? labels(image, manifest.config())
                : Optional.empty();
    }

    private Optional<ImageLabels> labels(ImageReference image, Descriptor config)
            throws RegistryException, InterruptedException {
        request.run();
        try (InputStream blob = client.blob(image.toRepository(), config)) {
            JsonNode json = JSON.readTree(blob);
            JsonNode labels = json.path("config").path("Labels");
            return Optional.of(new ImageLabels(
                    text(labels, LABEL + "revision"),
                    text(labels, LABEL + "version"),
                    text(labels, LABEL + "created")
                            .flatMap(ImageContent::time)
                            .or(() -> text(json, "created").flatMap(ImageContent::time))));
        } catch (IOException e) {
            if (e.getCause() instanceof RegistryException refused) {
                throw refused;
            }
            return Optional.empty(); // not JSON: an artifact, no image
        }
    }

    private static Optional<String> text(JsonNode json, String field) {
        return Optional.ofNullable(json.path(field).textValue()).filter(text -> !text.isBlank());
    }

    private static Optional<Instant> time(String text) {
        try {
            return Optional.of(OffsetDateTime.parse(text).toInstant());
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }
}
