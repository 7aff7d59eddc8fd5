package io.urunner.agent.tags;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.agent.plan.Content;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.Platform;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.store.DigestStore.ImageLabels;
import java.io.IOException;
import java.io.InputStream;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Reads images: what their digests lead to, and what their labels say. Thread-safe; blocks. */
public final class ImageReader {
    /** Bounds what a stranger's megabyte can turn into; a configuration has some thousand tokens. */
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxTokenCount(50_000)
                    .maxNestingDepth(64)
                    .maxNameLength(1000)
                    .maxStringLength(64 * 1024)
                    .build())
            .build());

    private static final String LABEL = "org.opencontainers.image.";

    /** A larger configuration is not read for its labels. */
    private static final long LARGEST = 1 << 20;

    /** A longer label is not kept. */
    private static final int LONGEST_LABEL = 256;

    private final RegistryClient client;

    /**
     * Creates a reader over a client.
     *
     * @param client the client; the caller closes it
     */
    public ImageReader(RegistryClient client) {
        this.client = client;
    }

    /**
     * Reads what a manifest or an index leads to, with one request.
     *
     * @param image the image, by its digest
     * @return what it leads to
     * @throws RegistryException if the registry does not answer
     * @throws InterruptedException if the thread is interrupted
     */
    public Links manifest(ImageReference image) throws RegistryException, InterruptedException {
        ManifestOrIndex found = client.manifest(image);
        if (found instanceof Manifest manifest) {
            // Without its annotations: this is kept.
            Descriptor config = manifest.config();
            return new Links(
                    List.of(), Optional.of(new Descriptor(config.mediaType(), config.digest(), config.size())));
        }
        List<Digest> children = new ArrayList<>();
        if (found instanceof Index index) {
            Optional<Descriptor> first = index.select(Platform.LINUX_AMD64)
                    .or(() -> index.images().stream().findFirst());
            Stream.concat(first.stream(), index.manifests().stream().filter(ImageReader::leadsToImages))
                    .map(Descriptor::digest)
                    .distinct()
                    .limit(ContentWalk.MOST + 1)
                    .forEach(children::add);
        }
        return new Links(children, Optional.empty());
    }

    /** Nobody runs attestations, or what is neither a manifest nor an index. */
    private static boolean leadsToImages(Descriptor child) {
        return !child.isAttestation()
                && (MediaType.isIndex(child.mediaType()) || MediaType.isManifest(child.mediaType()));
    }

    /**
     * Reads what a digest stands for: itself, the digests of an index's children without attestations, and the digests of
     * all their configurations. Sends one request per manifest.
     *
     * @param image the image, by its digest
     * @return the digests, or why they are not all read
     * @throws RegistryException if the registry does not answer
     * @throws InterruptedException if the thread is interrupted
     */
    public Content content(ImageReference image) throws RegistryException, InterruptedException {
        Map<Digest, Links> read = new HashMap<>();
        while (true) {
            ContentWalk walk =
                    ContentWalk.from(image.digest().orElseThrow(), digest -> Optional.ofNullable(read.get(digest)));
            if (walk.missing().isEmpty()) {
                return walk.content();
            }
            for (Digest missing : walk.missing()) {
                read.put(missing, manifest(image.withDigest(missing)));
            }
        }
    }

    /**
     * Reads an image's labels from its configuration, with one request.
     *
     * @param image the image
     * @param config its configuration
     * @return the labels; empty if this is not the configuration of an image
     * @throws RegistryException if the registry does not answer
     * @throws InterruptedException if the thread is interrupted
     */
    Optional<ImageLabels> labels(ImageReference image, Descriptor config)
            throws RegistryException, InterruptedException {
        if (config.size() > LARGEST) {
            return Optional.empty();
        }
        try (InputStream blob = client.blob(image.toRepository(), config)) {
            JsonNode json = JSON.readTree(blob);
            JsonNode labels = json.path("config").path("Labels");
            return Optional.of(new ImageLabels(
                    text(labels, LABEL + "revision"),
                    text(labels, LABEL + "version"),
                    text(labels, LABEL + "created")
                            .flatMap(ImageReader::time)
                            .or(() -> text(json, "created").flatMap(ImageReader::time))));
        } catch (IOException e) {
            if (e.getCause() instanceof RegistryException refused) {
                throw refused;
            }
            return Optional.empty(); // not JSON: an artifact, not an image
        }
    }

    private static Optional<String> text(JsonNode json, String field) {
        return Optional.ofNullable(json.path(field).textValue())
                .filter(text -> !text.isBlank() && text.length() <= LONGEST_LABEL);
    }

    private static Optional<Instant> time(String text) {
        try {
            return Optional.of(OffsetDateTime.parse(text).toInstant());
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }
}
