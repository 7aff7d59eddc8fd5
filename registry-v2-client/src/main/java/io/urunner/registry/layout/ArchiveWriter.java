package io.urunner.registry.layout;

import io.urunner.registry.BlobSource;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.copy.ImageStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writes an archive: an OCI image layout, and for {@code docker load} a list of the images. For one thread. */
final class ArchiveWriter implements ImageStore {
    private final Path archive;
    private final TarWriter tar;
    private final Optional<SavedImages> saved;
    private final Map<Digest, Descriptor> written = new HashMap<>();
    private Index index = Index.of(List.of(), Map.of());
    private boolean begun;

    /** Whether something failed, so that an image may lack a part. */
    private boolean incomplete;

    private boolean closed;

    ArchiveWriter(Path archive, Optional<SavedImages> saved) throws IOException {
        this.archive = archive;
        this.saved = saved;
        this.tar = new TarWriter(archive);
        boolean usable = false;
        try {
            tar.add(FolderStore.MARK, FolderStore.VERSION);
            usable = true;
        } finally {
            if (!usable) {
                tar.close();
            }
        }
    }

    @Override
    public Optional<Descriptor> find(String reference) throws IOException {
        Optional<Digest> digest = LayoutIndex.digest(reference);
        return digest.isPresent()
                ? Optional.ofNullable(written.get(digest.get()))
                : LayoutIndex.find(index, reference, toString());
    }

    @Override
    public boolean hasBlob(Descriptor blob) {
        return written.containsKey(blob.digest());
    }

    @Override
    public void pushBlob(Descriptor blob, BlobSource content) throws IOException {
        if (!hasBlob(blob)) {
            boolean failed = true;
            try (InputStream verified = VerifiedStream.open(content, blob)) {
                tar.add(LayoutReader.path(blob.digest()), blob.size(), verified);
                failed = false;
            } finally {
                incomplete |= failed;
            }
            written.put(blob.digest(), blob);
        }
    }

    @Override
    public void pushManifest(String reference, ManifestOrIndex content) throws IOException {
        Optional<String> name = LayoutIndex.digest(reference).isPresent() ? Optional.empty() : Optional.of(reference);
        // Until the end of this method.
        boolean before = incomplete;
        incomplete = true;
        if (saved.isPresent()) {
            saved.get().add(name, content);
        }
        if (!hasBlob(content.descriptor())) {
            tar.add(LayoutReader.path(content.digest()), content.content());
            written.put(content.digest(), content.descriptor());
        }
        index = LayoutIndex.with(index, content, name.filter(text -> !text.isEmpty()));
        begun = true;
        incomplete = before;
    }

    @Override
    public ManifestOrIndex manifest(String reference) throws IOException {
        throw writeOnly();
    }

    @Override
    public InputStream blob(Descriptor blob) throws IOException {
        throw writeOnly();
    }

    @Override
    public List<Descriptor> referrers(Digest subject) throws IOException {
        throw writeOnly();
    }

    private IOException writeOnly() {
        return new IOException(archive + " is being written; close it, and read it with Layouts.readArchive");
    }

    @Override
    public List<String> tags() {
        return LayoutIndex.names(index);
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
                tar.add(LayoutIndex.FILE, index.content());
                if (saved.isPresent()) {
                    tar.add(SavedImages.FILE, saved.get().content());
                }
                tar.complete();
            }
        }
    }

    @Override
    public String toString() {
        return archive.toString();
    }
}
