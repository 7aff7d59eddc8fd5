package io.urunner.registry.layout;

import io.urunner.registry.BlobSource;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.MalformedManifestException;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.copy.ImageStore;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Reads an OCI image layout ("Image Layout", OCI image specification) from files. Thread-safe. */
class LayoutReader implements ImageStore {
    private final Tree tree;

    LayoutReader(Tree tree) {
        this.tree = tree;
    }

    /** The entries of {@code index.json}. */
    Index index() throws IOException {
        byte[] content = tree.read(LayoutIndex.FILE, ManifestOrIndex.MAX_SIZE);
        try {
            return LayoutIndex.parse(content);
        } catch (MalformedManifestException e) {
            throw new IOException("the " + LayoutIndex.FILE + " of " + this + " is not valid: " + e.getMessage(), e);
        }
    }

    static String path(Digest digest) {
        return "blobs/" + digest.algorithm() + "/" + digest.hex();
    }

    private ManifestOrIndex read(Digest digest, String mediaType) throws IOException {
        byte[] content = tree.read(path(digest), ManifestOrIndex.MAX_SIZE);
        try {
            return ManifestOrIndex.parse(content, mediaType, digest);
        } catch (MalformedManifestException e) {
            throw new IOException(digest + " of " + this + " is no manifest: " + e.getMessage(), e);
        }
    }

    @Override
    public Optional<Descriptor> find(String reference) throws IOException {
        Optional<Digest> digest = LayoutIndex.digest(reference);
        if (digest.isEmpty()) {
            return LayoutIndex.find(index(), reference, toString());
        }
        return tree.size(path(digest.get())) < 0
                ? Optional.empty()
                : Optional.of(read(digest.get(), "").descriptor());
    }

    @Override
    public ManifestOrIndex manifest(String reference) throws IOException {
        Optional<Digest> digest = LayoutIndex.digest(reference);
        if (digest.isPresent()) {
            return read(digest.get(), "");
        }
        Index index = index();
        Descriptor entry = LayoutIndex.find(index, reference, toString())
                .orElseThrow(() -> new IOException(this + " has no image "
                        + (reference.isEmpty() ? "" : Shown.of(reference) + "; it has ") + LayoutIndex.names(index)));
        return read(entry.digest(), entry.mediaType());
    }

    @Override
    public boolean hasBlob(Descriptor blob) throws IOException {
        return tree.size(path(blob.digest())) == blob.size();
    }

    @Override
    public InputStream blob(Descriptor blob) throws IOException {
        return VerifiedStream.open(() -> tree.open(path(blob.digest())), blob);
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
        return new IOException(this + " was opened for reading; write an archive with Layouts.writeArchive");
    }

    /** A layout has no list of referrers: they are entries of the index, or in the index that stands in for the list. */
    @Override
    public List<Descriptor> referrers(Digest subject) throws IOException {
        Index index = index();
        Set<Digest> seen = new LinkedHashSet<>();
        List<Descriptor> referrers = new ArrayList<>();
        String tag = subject.algorithm() + "-"
                + subject.hex().substring(0, Math.min(64, subject.hex().length()));
        Optional<Descriptor> listed = LayoutIndex.find(index, tag, toString());
        if (listed.isPresent() && read(listed.get().digest(), listed.get().mediaType()) instanceof Index list) {
            list.manifests().stream().filter(entry -> seen.add(entry.digest())).forEach(referrers::add);
        }
        for (Descriptor entry : index.manifests()) {
            if (!MediaType.MANIFESTS.contains(entry.mediaType())
                    || tree.size(path(entry.digest())) < 0
                    || seen.contains(entry.digest())) {
                continue;
            }
            ManifestOrIndex content = read(entry.digest(), entry.mediaType());
            if (content.subject().map(Descriptor::digest).equals(Optional.of(subject)) && seen.add(content.digest())) {
                referrers.add(content.descriptor());
            }
        }
        return referrers;
    }

    @Override
    public List<String> tags() throws IOException {
        return LayoutIndex.names(index());
    }

    @Override
    public String toString() {
        return tree.toString();
    }
}
