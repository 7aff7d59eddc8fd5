package io.urunner.registry.layout;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The list of images in an archive of {@code docker save}, {@code manifest.json}. Not thread-safe. */
final class SavedImages {
    static final String FILE = "manifest.json";

    /** Reads JSON from strangers, with limits. */
    static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxTokenCount(50_000)
                    .maxNestingDepth(64)
                    .maxNameLength(1000)
                    .maxStringLength(128 * 1024)
                    .build())
            .build());

    private static final Set<String> CONFIGS = Set.of(MediaType.OCI_CONFIG, MediaType.DOCKER_CONFIG);

    private final ArrayNode images = JSON.createArrayNode();

    /**
     * An image.
     *
     * @param names its names with tags
     * @param config where its configuration is
     * @param layers where its layers are, the lowest first
     */
    record Saved(List<String> names, String config, List<String> layers) {}

    void add(Optional<String> name, ManifestOrIndex content) throws IOException {
        if (!(content instanceof Manifest manifest)) {
            throw new IOException("docker load reads only images of one platform, and " + content.digest()
                    + " is an index; choose a platform");
        }
        if (!CONFIGS.contains(manifest.config().mediaType())) {
            throw new IOException("docker load reads only images, and " + content.digest() + " is an artifact of type "
                    + Shown.of(manifest.artifactType().orElse("")));
        }
        ObjectNode image = images.addObject();
        image.put("Config", LayoutReader.path(manifest.config().digest()));
        ArrayNode names = image.putArray("RepoTags");
        name.filter(text -> !text.isEmpty()).ifPresent(names::add);
        ArrayNode layers = image.putArray("Layers");
        manifest.layers().forEach(layer -> layers.add(LayoutReader.path(layer.digest())));
    }

    byte[] content() throws IOException {
        return JSON.writeValueAsBytes(images);
    }

    static List<Saved> parse(byte[] content, String shown) throws IOException {
        List<Saved> images = new ArrayList<>();
        JsonNode root = JSON.readTree(content);
        for (JsonNode each : root == null || !root.isArray() ? JSON.createArrayNode() : root) {
            images.add(new Saved(
                    texts(each.path("RepoTags")), each.path("Config").asText(""), texts(each.path("Layers"))));
        }
        if (images.isEmpty()) {
            throw new IOException("the " + FILE + " of " + shown + " lists no image");
        }
        return images;
    }

    static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(each -> texts.add(each.asText("")));
        return texts;
    }
}
