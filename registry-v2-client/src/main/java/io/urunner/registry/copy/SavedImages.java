package io.urunner.registry.copy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The archives of {@code docker save}: a list of images, each with its configuration and its layers. Those that were
 * written before Docker 25 have no manifests and no index, so these are composed, and the archive is read as a layout.
 */
final class SavedImages {
    static final String LIST = "manifest.json";

    private static final String UNCOMPRESSED = "application/vnd.oci.image.layer.v1.tar";
    private static final String ZSTD = UNCOMPRESSED + "+zstd";
    private static final Set<String> CONFIGS = Set.of(MediaType.OCI_CONFIG, MediaType.DOCKER_CONFIG);

    /** Reads JSON from strangers, with limits. */
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxTokenCount(50_000)
                    .maxNestingDepth(64)
                    .maxNameLength(1000)
                    .maxStringLength(128 * 1024)
                    .build())
            .build());

    private final TarStore files;

    /** The digests of the compressed layers by path, because many images may share them. */
    private final Map<String, Digest> hashes = new HashMap<>();

    private SavedImages(TarStore files) {
        this.files = files;
    }

    /** Adds an image to a list. */
    static void add(ArrayNode images, String name, ManifestOrIndex content) throws IOException {
        if (!(content instanceof Manifest manifest)) {
            throw new IOException("docker load reads only images of one platform, and " + content.digest()
                    + " is an index; choose a platform");
        }
        if (!CONFIGS.contains(manifest.config().mediaType())) {
            throw new IOException("docker load reads only images, and " + content.digest() + " is an artifact of type "
                    + LayoutStore.shown(manifest.artifactType().orElse("")));
        }
        ObjectNode image = images.addObject();
        image.put("Config", LayoutStore.path(manifest.config().digest()));
        ArrayNode names = image.putArray("RepoTags");
        if (!name.isEmpty()) {
            names.add(name);
        }
        ArrayNode layers = image.putArray("Layers");
        for (Descriptor layer : manifest.layers()) {
            layers.add(LayoutStore.path(layer.digest()));
        }
    }

    /** Adds manifests and an index to an archive that has none. */
    static void compose(TarStore files) throws IOException {
        if (files.size(LIST) < 0) {
            throw new IOException(
                    files + " is no archive of images: it has neither an " + LayoutStore.INDEX + " nor a " + LIST);
        }
        SavedImages images = new SavedImages(files);
        List<Descriptor> entries = new ArrayList<>();
        JsonNode list = json(files.read(LIST, ManifestOrIndex.MAX_SIZE));
        if (!list.isArray() || list.isEmpty()) {
            throw new IOException("the " + LIST + " of " + files + " lists no image");
        }
        for (JsonNode image : list) {
            Manifest manifest = images.manifest(path(image.path("Config")), image.path("Layers"));
            files.content(LayoutStore.path(manifest.digest()), manifest.content());
            Descriptor entry = manifest.descriptor().withoutDetails();
            JsonNode names = image.path("RepoTags");
            if (names.isEmpty()) {
                entries.add(entry);
            }
            for (JsonNode name : names) {
                entries.add(entry.withAnnotations(Map.of(LayoutStore.NAME, name.asText(""))));
            }
        }
        try {
            files.entries(Index.of(entries, Map.of()));
        } catch (IllegalArgumentException e) {
            throw new IOException("the " + LIST + " of " + files + " cannot be used: " + e.getMessage(), e);
        }
    }

    private static JsonNode json(byte[] content) throws IOException {
        JsonNode root = JSON.readTree(content);
        return root == null ? JSON.nullNode() : root;
    }

    /** Composes the manifest of an image, whose configuration and layers are found by their digests from now on. */
    private Manifest manifest(String configPath, JsonNode layerPaths) throws IOException {
        byte[] content = files.read(configPath, ManifestOrIndex.MAX_SIZE);
        Descriptor config = blob(MediaType.OCI_CONFIG, Digest.of(content), configPath);
        JsonNode uncompressed = json(content).path("rootfs").path("diff_ids");
        if (uncompressed.size() != layerPaths.size()) {
            throw new IOException("the configuration of an image in " + files + " has " + uncompressed.size()
                    + " layers, and the list of images has " + layerPaths.size());
        }
        try {
            List<Descriptor> layers = new ArrayList<>();
            for (int i = 0; i < uncompressed.size(); i++) {
                String path = path(layerPaths.path(i));
                String type = type(path);
                // The digest of an uncompressed layer is in the configuration; whoever reads the layer verifies it.
                Digest digest = type.equals(UNCOMPRESSED)
                        ? Digest.parse(uncompressed.path(i).asText(""))
                        : hash(path);
                layers.add(blob(type, digest, path));
            }
            return Manifest.of(config, layers, Map.of());
        } catch (IllegalArgumentException e) {
            throw new IOException("an image in " + files + " is not valid: " + e.getMessage(), e);
        }
    }

    /** A path as we keep it; the list may have it with dots. */
    private static String path(JsonNode path) {
        String text = path.asText("");
        String normal = TarStore.normal("", text);
        return normal == null ? text : normal;
    }

    private Descriptor blob(String type, Digest digest, String path) {
        String its = LayoutStore.path(digest);
        if (!its.equals(path)) {
            files.link(its, path);
        }
        return new Descriptor(type, digest, files.size(path));
    }

    private String type(String path) throws IOException {
        try (InputStream layer = files.open(path)) {
            byte[] start = layer.readNBytes(4);
            if (start.length == 4 && (start[0] & 0xff) == 0x1f && (start[1] & 0xff) == 0x8b) {
                return MediaType.OCI_LAYER;
            }
            boolean zstd = start.length == 4
                    && (start[0] & 0xff) == 0x28
                    && (start[1] & 0xff) == 0xb5
                    && start[2] == 0x2f
                    && (start[3] & 0xff) == 0xfd;
            return zstd ? ZSTD : UNCOMPRESSED;
        }
    }

    private Digest hash(String path) throws IOException {
        Digest known = hashes.get(path);
        if (known == null) {
            MessageDigest hasher = Digest.hasher(Digest.SHA256);
            try (InputStream layer = new DigestInputStream(files.open(path), hasher)) {
                layer.transferTo(OutputStream.nullOutputStream());
            }
            known = Digest.of(Digest.SHA256, hasher);
            hashes.put(path, known);
        }
        return known;
    }
}
