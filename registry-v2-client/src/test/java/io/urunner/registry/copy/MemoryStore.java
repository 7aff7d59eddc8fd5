package io.urunner.registry.copy;

import io.urunner.registry.BlobSource;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ManifestOrIndex;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** A store in memory, which records what is written and in which order. It refuses what a registry would refuse. */
class MemoryStore implements ImageStore {
    final Map<String, ManifestOrIndex> manifests = new ConcurrentHashMap<>();
    final Map<Digest, byte[]> blobs = new ConcurrentHashMap<>();
    final List<String> writes = Collections.synchronizedList(new ArrayList<>());

    Descriptor put(String mediaType, byte[] content) {
        blobs.put(Digest.of(content), content);
        return new Descriptor(mediaType, Digest.of(content), content.length);
    }

    Descriptor put(String tag, ManifestOrIndex content) {
        manifests.put(content.digest().toString(), content);
        if (!tag.isEmpty()) {
            manifests.put(tag, content);
        }
        return content.descriptor();
    }

    @Override
    public Optional<Descriptor> find(String reference) {
        return Optional.ofNullable(manifests.get(reference)).map(ManifestOrIndex::descriptor);
    }

    @Override
    public ManifestOrIndex manifest(String reference) throws IOException {
        ManifestOrIndex found = manifests.get(reference);
        if (found == null) {
            throw new IOException("no " + reference);
        }
        return found;
    }

    @Override
    public boolean hasBlob(Descriptor blob) {
        return blobs.containsKey(blob.digest());
    }

    @Override
    public InputStream blob(Descriptor blob) throws IOException, InterruptedException {
        byte[] content = blobs.get(blob.digest());
        if (content == null) {
            throw new IOException("no " + blob.digest());
        }
        return new ByteArrayInputStream(content);
    }

    @Override
    public void pushBlob(Descriptor blob, BlobSource source) throws IOException {
        byte[] content;
        try (InputStream in = source.open()) {
            content = in.readAllBytes();
        }
        if (!blob.digest().matches(content)) {
            throw new IOException("wrong digest");
        }
        blobs.put(blob.digest(), content);
        writes.add("blob " + blob.digest());
    }

    @Override
    public void pushManifest(String reference, ManifestOrIndex content) throws IOException {
        if (content instanceof io.urunner.registry.Manifest manifest) {
            for (Descriptor layer : manifest.layers()) {
                if (!hasBlob(layer) && !layer.mediaType().contains("foreign")) {
                    throw new IOException("pushed before its layer");
                }
            }
        } else if (content instanceof io.urunner.registry.Index index) {
            for (Descriptor entry : index.manifests()) {
                if (find(entry.digest().toString()).isEmpty() && !hasBlob(entry)) {
                    throw new IOException("pushed before its entry");
                }
            }
        }
        put(reference.contains(":") ? "" : reference, content);
        writes.add(reference);
    }

    @Override
    public List<Descriptor> referrers(Digest subject) {
        return manifests.values().stream()
                .distinct()
                .filter(content -> content.subject().map(Descriptor::digest).equals(Optional.of(subject)))
                .map(ManifestOrIndex::descriptor)
                .toList();
    }

    @Override
    public List<String> tags() {
        return manifests.keySet().stream()
                .filter(name -> !name.contains(":"))
                .sorted()
                .toList();
    }

    @Override
    public String toString() {
        return "memory";
    }
}
