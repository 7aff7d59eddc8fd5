package io.urunner.registry.layout;

import io.urunner.registry.BlobSource;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.ManifestOrIndex;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/** An OCI image layout in a folder. Every file appears whole, or not at all. Thread-safe. */
final class FolderStore extends LayoutReader {
    static final String MARK = "oci-layout";
    static final byte[] VERSION = "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8);

    private final Path folder;

    FolderStore(Path folder) {
        super(new Folder(folder));
        this.folder = folder.toAbsolutePath();
    }

    @Override
    Index index() throws IOException {
        return Files.exists(folder.resolve(LayoutIndex.FILE)) ? super.index() : Index.of(List.of(), Map.of());
    }

    @Override
    public void pushBlob(Descriptor blob, BlobSource content) throws IOException {
        if (!hasBlob(blob)) {
            try (InputStream verified = VerifiedStream.open(content, blob)) {
                write(file(blob.digest()), verified);
            }
        }
    }

    @Override
    public synchronized void pushManifest(String reference, ManifestOrIndex content) throws IOException {
        Optional<String> name = LayoutIndex.digest(reference).isPresent() ? Optional.empty() : Optional.of(reference);
        if (!hasBlob(content.descriptor())) {
            write(file(content.digest()), new ByteArrayInputStream(content.content()));
        }
        if (!Files.exists(folder.resolve(MARK))) {
            write(folder.resolve(MARK), new ByteArrayInputStream(VERSION));
        }
        Index index = LayoutIndex.with(index(), content, name.filter(text -> !text.isEmpty()));
        write(folder.resolve(LayoutIndex.FILE), new ByteArrayInputStream(index.content()));
    }

    private Path file(Digest digest) {
        return folder.resolve(path(digest));
    }

    private static void write(Path file, InputStream content) throws IOException {
        Path parent = Objects.requireNonNull(file.getParent());
        Files.createDirectories(parent);
        Path part = parent.resolve("." + file.getFileName() + "." + UUID.randomUUID() + ".part");
        try {
            try (OutputStream out = Files.newOutputStream(part, StandardOpenOption.CREATE_NEW)) {
                content.transferTo(out);
            }
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    /**
     * Links are followed, because build tools make layouts of links into their caches; what they lead to must have the
     * digest that it is read by.
     */
    private record Folder(Path root) implements Tree {
        @Override
        public long size(String path) throws IOException {
            Path file = root.resolve(path);
            return Files.isRegularFile(file) ? Files.size(file) : -1;
        }

        @Override
        public InputStream open(String path) throws IOException {
            Path file = root.resolve(path);
            if (!Files.isRegularFile(file)) {
                throw new IOException(root + " has no file " + Shown.of(path));
            }
            return Files.newInputStream(file);
        }

        @Override
        public String toString() {
            return root.toString();
        }
    }
}
