package io.urunner.registry.copy;

import io.urunner.registry.BlobSource;
import io.urunner.registry.Index;
import io.urunner.registry.ManifestOrIndex;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/**
 * An OCI image layout in a folder. Every file appears whole, or not at all. Links are followed, because build tools make
 * layouts of links into their caches; what they lead to must have the digest that it is read by. Thread-safe.
 */
final class FolderStore extends LayoutStore {
    private final Path folder;

    FolderStore(Path folder) {
        this.folder = folder;
    }

    @Override
    long size(String path) throws IOException {
        Path file = folder.resolve(path);
        return Files.isRegularFile(file) ? Files.size(file) : -1;
    }

    @Override
    InputStream open(String path) throws IOException {
        Path file = folder.resolve(path);
        if (!Files.isRegularFile(file)) {
            throw new IOException(folder + " has no file " + shown(path));
        }
        return Files.newInputStream(file);
    }

    @Override
    Index index() throws IOException {
        return Files.exists(folder.resolve(INDEX)) ? super.index() : Index.of(List.of(), Map.of());
    }

    @Override
    public synchronized void pushManifest(String reference, ManifestOrIndex content) throws IOException {
        super.pushManifest(reference, content);
    }

    @Override
    void write(String path, long size, BlobSource content) throws IOException {
        Path file = folder.toAbsolutePath().resolve(path);
        Path parent = Objects.requireNonNull(file.getParent());
        Path part = parent.resolve("." + file.getFileName() + "." + UUID.randomUUID() + ".part");
        Files.createDirectories(parent);
        try (InputStream in = content.open()) {
            try (OutputStream out = Files.newOutputStream(part, StandardOpenOption.CREATE_NEW)) {
                in.transferTo(out);
            }
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    @Override
    public String toString() {
        return folder.toString();
    }
}
