package io.urunner.registry.layout;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.registry.BlobSource;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.copy.ImageStore;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads an archive that {@code docker save} wrote before Docker 25, and composes the manifests. Thread-safe. */
final class SavedStore implements ImageStore {
    private static final String UNCOMPRESSED = "application/vnd.oci.image.layer.v1.tar";
    private static final String ZSTD = UNCOMPRESSED + "+zstd";
    private static final int BUFFER = 128 * 1024;

    private final TarIndex files;
    private final List<Image> images = new ArrayList<>();
    private final Map<Digest, String> paths = new LinkedHashMap<>();

    /** The digests of the compressed layers, by path. */
    private final Map<String, Digest> hashes = new HashMap<>();

    private record Image(List<String> names, Manifest manifest) {}

    private SavedStore(TarIndex files) {
        this.files = files;
    }

    static SavedStore of(TarIndex files) throws IOException {
        SavedStore store = new SavedStore(files);
        byte[] list = files.read(SavedImages.FILE, ManifestOrIndex.MAX_SIZE);
        for (SavedImages.Saved saved : SavedImages.parse(list, files.toString())) {
            store.images.add(new Image(saved.names(), store.compose(saved)));
        }
        return store;
    }

    private Manifest compose(SavedImages.Saved saved) throws IOException {
        byte[] content = files.read(saved.config(), ManifestOrIndex.MAX_SIZE);
        Descriptor config = new Descriptor(MediaType.OCI_CONFIG, Digest.of(content), content.length);
        paths.put(config.digest(), saved.config());
        JsonNode root = SavedImages.JSON.readTree(content);
        List<String> uncompressed = SavedImages.texts(
                root == null ? SavedImages.JSON.nullNode() : root.path("rootfs").path("diff_ids"));
        if (uncompressed.size() != saved.layers().size()) {
            throw new IOException("the configuration of an image in " + files + " has " + uncompressed.size()
                    + " layers, and the list of images has " + saved.layers().size());
        }
        List<Descriptor> layers = new ArrayList<>();
        for (int i = 0; i < uncompressed.size(); i++) {
            layers.add(layer(saved.layers().get(i), uncompressed.get(i)));
        }
        try {
            return Manifest.of(config, layers, Map.of());
        } catch (IllegalArgumentException e) {
            throw new IOException("an image in " + files + " is not valid: " + e.getMessage(), e);
        }
    }

    /** The digest of an uncompressed layer is in the configuration; whoever reads the layer verifies it. */
    private Descriptor layer(String path, String uncompressed) throws IOException {
        long size = files.size(path);
        if (size < 0) {
            throw new IOException(files + " has no file " + Shown.of(path));
        }
        String type = type(path);
        Digest digest;
        try {
            digest = type.equals(UNCOMPRESSED) ? Digest.parse(uncompressed) : hashed(path);
        } catch (IllegalArgumentException e) {
            throw new IOException("a layer of an image in " + files + " has no digest: " + e.getMessage(), e);
        }
        paths.put(digest, path);
        return new Descriptor(type, digest, size);
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

    /** The digest of a file, which many images may share. */
    private Digest hashed(String path) throws IOException {
        Digest known = hashes.get(path);
        if (known == null) {
            known = hash(path);
            hashes.put(path, known);
        }
        return known;
    }

    private Digest hash(String path) throws IOException {
        MessageDigest hasher = Digest.hasher(Digest.SHA256);
        byte[] buffer = new byte[BUFFER];
        try (InputStream layer = files.open(path)) {
            for (int count = layer.read(buffer); count >= 0; count = layer.read(buffer)) {
                hasher.update(buffer, 0, count);
            }
        }
        return Digest.of(Digest.SHA256, hasher);
    }

    private Optional<Manifest> image(String reference) throws IOException {
        if (reference.isEmpty() && images.size() > 1) {
            throw new IOException(files + " has several images; name one of " + tags());
        }
        Optional<Digest> digest = LayoutIndex.digest(reference);
        return images.stream()
                .filter(image -> reference.isEmpty()
                        || image.names().contains(reference)
                        || digest.equals(Optional.of(image.manifest().digest())))
                .map(Image::manifest)
                .findFirst();
    }

    @Override
    public Optional<Descriptor> find(String reference) throws IOException {
        return image(reference).map(ManifestOrIndex::descriptor);
    }

    @Override
    public ManifestOrIndex manifest(String reference) throws IOException {
        return image(reference)
                .orElseThrow(
                        () -> new IOException(files + " has no image " + Shown.of(reference) + "; it has " + tags()));
    }

    @Override
    public boolean hasBlob(Descriptor blob) {
        String path = paths.get(blob.digest());
        return path != null && files.size(path) == blob.size();
    }

    @Override
    public InputStream blob(Descriptor blob) throws IOException {
        String path = paths.get(blob.digest());
        if (path == null) {
            throw new IOException(files + " has no blob " + blob.digest());
        }
        return VerifiedStream.open(() -> files.open(path), blob);
    }

    @Override
    public void pushBlob(Descriptor blob, BlobSource content) throws IOException {
        throw readOnly();
    }

    @Override
    public void pushManifest(String reference, ManifestOrIndex content) throws IOException {
        throw readOnly();
    }

    private IOException readOnly() {
        return new IOException(files + " was opened for reading; write an archive with Layouts.writeDockerArchive");
    }

    @Override
    public List<Descriptor> referrers(Digest subject) {
        return List.of();
    }

    @Override
    public List<String> tags() {
        return images.stream().flatMap(image -> image.names().stream()).toList();
    }

    @Override
    public String toString() {
        return files.toString();
    }
}
