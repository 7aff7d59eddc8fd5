package io.urunner.registry.copy;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.urunner.registry.BlobSource;
import io.urunner.registry.Index;
import io.urunner.registry.ManifestOrIndex;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Writes an archive: an OCI image layout, and for {@code docker load} a list of the images. What is in it can be read
 * until it is closed. For one thread.
 */
final class ArchiveWriter extends TarStore {
    private final TarWriter tar;
    private final boolean forDocker;
    private final ArrayNode images = JsonNodeFactory.instance.arrayNode();
    private boolean begun;

    /** Whether something failed, so that an image may lack a part. */
    private boolean incomplete;

    private boolean closed;

    private ArchiveWriter(Path archive, TarWriter tar, boolean forDocker) throws IOException {
        super(archive, tar.part());
        this.tar = tar;
        this.forDocker = forDocker;
        entries(Index.of(List.of(), Map.of()));
    }

    static ArchiveWriter create(Path archive, boolean forDocker) throws IOException {
        ArchiveWriter writer = new ArchiveWriter(archive, new TarWriter(archive), forDocker);
        try {
            writer.write(MARK, VERSION);
            return writer;
        } finally {
            if (writer.incomplete) {
                writer.close();
            }
        }
    }

    @Override
    void write(String path, long size, BlobSource content) throws IOException {
        boolean before = incomplete;
        incomplete = true;
        try (InputStream in = content.open()) {
            file(path, tar.add(path, size, in), size);
        }
        incomplete = before;
    }

    @Override
    public void pushManifest(String reference, ManifestOrIndex content) throws IOException {
        boolean before = incomplete;
        incomplete = true;
        if (forDocker) {
            SavedImages.add(images, isDigest(reference) ? "" : reference, content);
        }
        super.pushManifest(reference, content);
        begun = true;
        incomplete = before;
    }

    @Override
    void index(Index index) {
        entries(index);
    }

    /** Leaves the file as it was, since an image lacks a part. */
    void abandon() {
        incomplete = true;
    }

    @Override
    public boolean isSequential() {
        return true;
    }

    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try (tar) {
            if (begun && !incomplete) {
                write(INDEX, index().content());
                if (forDocker) {
                    write(SavedImages.LIST, images.toString().getBytes(StandardCharsets.UTF_8));
                }
                tar.complete();
            }
        }
    }
}
