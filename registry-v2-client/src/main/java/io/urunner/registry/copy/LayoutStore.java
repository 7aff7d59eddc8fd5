package io.urunner.registry.copy;

import io.urunner.registry.BlobSource;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.MalformedManifestException;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * An OCI image layout ("Image Layout", OCI image specification) in files, which subclasses find by their paths, with
 * slashes. Unless they say how to write, it is only read. Reading is thread-safe.
 */
abstract class LayoutStore implements ImageStore {
    /** What the layout contains, by name. */
    static final String INDEX = "index.json";

    static final String MARK = "oci-layout";
    static final byte[] VERSION = "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8);

    /** The name of an entry (OCI image specification, "Pre-Defined Annotation Keys"). */
    static final String NAME = "org.opencontainers.image.ref.name";

    /** The name that Docker and containerd give, in full; theirs of the specification is only the tag. */
    private static final String FULL_NAME = "io.containerd.image.name";

    private static final Pattern DIGEST = Pattern.compile("sha(256|512):[0-9a-f]+");
    private static final Pattern VERSION_1 = Pattern.compile("\"imageLayoutVersion\"\\s*:\\s*\"1\\.");
    private static final int LONGEST_MARK = 4096;
    private static final int MOST_SHOWN = 100;

    /** The size of a file in bytes, or -1 if there is no such regular file. */
    abstract long size(String path) throws IOException;

    /** Opens a file that is there. */
    abstract InputStream open(String path) throws IOException;

    /** Writes a file. */
    void write(String path, long size, BlobSource content) throws IOException {
        throw new IOException(this + " was opened for reading; write an archive with Layouts.writeArchive");
    }

    final void write(String path, byte[] content) throws IOException {
        write(path, content.length, () -> new ByteArrayInputStream(content));
    }

    /** Reads a whole file that must be there. */
    final byte[] read(String path, int most) throws IOException {
        long size = size(path);
        if (size < 0 || size > most) {
            throw new IOException(
                    size < 0
                            ? this + " has no file " + shown(path)
                            : this + " has too large a file " + shown(path) + ": " + size + " bytes, more than "
                                    + most);
        }
        try (InputStream content = open(path)) {
            return content.readNBytes(most);
        }
    }

    /** A text from a file, fit to be shown. */
    static String shown(String text) {
        String bounded = text.length() > MOST_SHOWN ? text.substring(0, MOST_SHOWN) + "…" : text;
        return "'" + bounded.replaceAll("[\\p{C}\\p{Zl}\\p{Zp}]", "?") + "'";
    }

    static String path(Digest digest) {
        return "blobs/" + digest.algorithm() + "/" + digest.hex();
    }

    static boolean isDigest(String reference) {
        return DIGEST.matcher(reference).matches();
    }

    private static Digest digest(String reference) throws IOException {
        try {
            return Digest.parse(reference);
        } catch (IllegalArgumentException e) {
            throw new IOException(String.valueOf(e.getMessage()), e);
        }
    }

    /** The entries of {@code index.json}. A layout without its mark is read, one of another version is not. */
    Index index() throws IOException {
        if (size(MARK) >= 0) {
            String mark = new String(read(MARK, LONGEST_MARK), StandardCharsets.UTF_8);
            if (!VERSION_1.matcher(mark).find()) {
                throw new IOException(
                        MARK + " of " + this + " does not say that the layout has version 1, but " + shown(mark));
            }
        }
        return (Index) parse(INDEX, MediaType.OCI_INDEX, Optional.empty());
    }

    /** Sets the entries. */
    void index(Index index) throws IOException {
        write(INDEX, index.content());
    }

    private ManifestOrIndex read(Digest digest, String mediaType) throws IOException {
        return parse(path(digest), mediaType, Optional.of(digest));
    }

    private ManifestOrIndex parse(String path, String mediaType, Optional<Digest> digest) throws IOException {
        byte[] content = read(path, ManifestOrIndex.MAX_SIZE);
        try {
            ManifestOrIndex parsed =
                    ManifestOrIndex.parse(content, mediaType, digest.orElseGet(() -> Digest.of(content)));
            if (digest.isPresent() || parsed instanceof Index) {
                return parsed;
            }
            throw new MalformedManifestException("it is the manifest of one image");
        } catch (MalformedManifestException e) {
            throw new IOException(path + " of " + this + " is not valid: " + e.getMessage(), e);
        }
    }

    /** Finds an image by its name; without a name, the only one. */
    private Optional<Descriptor> entry(Index index, String name) throws IOException {
        List<Descriptor> entries = index.manifests();
        if (name.isEmpty()) {
            if (entries.stream().map(Descriptor::digest).distinct().count() > 1) {
                throw new IOException(this + " has several images; name one of " + shownNames(index));
            }
            return entries.stream().findFirst();
        }
        for (String kind : List.of(FULL_NAME, NAME)) {
            for (Descriptor entry : entries) {
                if (name.equals(entry.annotations().get(kind))) {
                    return Optional.of(entry);
                }
            }
        }
        return Optional.empty();
    }

    private static String shownNames(Index index) {
        List<String> names = names(index);
        return shown((names.isEmpty()
                        ? index.manifests().stream().map(each -> each.digest().toString())
                        : names.stream())
                .collect(Collectors.joining(", ")));
    }

    private static List<String> names(Index index) {
        Set<String> names = new LinkedHashSet<>();
        for (Descriptor entry : index.manifests()) {
            String name = entry.annotations().getOrDefault(NAME, "");
            names.add(entry.annotations().getOrDefault(FULL_NAME, name));
        }
        names.remove("");
        return List.copyOf(names);
    }

    @Override
    public final Optional<Descriptor> find(String reference) throws IOException {
        if (!isDigest(reference)) {
            return entry(index(), reference);
        }
        Digest digest = digest(reference);
        return size(path(digest)) < 0
                ? Optional.empty()
                : Optional.of(read(digest, "").descriptor());
    }

    @Override
    public final ManifestOrIndex manifest(String reference) throws IOException {
        if (isDigest(reference)) {
            return read(digest(reference), "");
        }
        Index index = index();
        Descriptor entry = entry(index, reference)
                .orElseThrow(() -> new IOException(this + " has no image"
                        + (reference.isEmpty() ? "" : " " + shown(reference))
                        + (index.manifests().isEmpty() ? "" : "; it has " + shownNames(index))));
        return read(entry.digest(), entry.mediaType());
    }

    /** A layout does not tell manifests from blobs: what looks like a manifest is one. */
    @Override
    public final Optional<ManifestOrIndex> manifest(Descriptor entry) throws IOException {
        String path = path(entry.digest());
        if (size(path) < 0 || size(path) > ManifestOrIndex.MAX_SIZE) {
            return Optional.empty();
        }
        try {
            return Optional.of(ManifestOrIndex.parse(read(path, ManifestOrIndex.MAX_SIZE), "", entry));
        } catch (MalformedManifestException e) {
            return Optional.empty();
        }
    }

    @Override
    public final boolean hasBlob(Descriptor blob) throws IOException {
        return size(path(blob.digest())) == blob.size();
    }

    @Override
    public final InputStream blob(Descriptor blob) throws IOException {
        return VerifiedStream.open(() -> open(path(blob.digest())), blob);
    }

    @Override
    public final void pushBlob(Descriptor blob, BlobSource content) throws IOException {
        if (!hasBlob(blob)) {
            write(path(blob.digest()), blob.size(), () -> VerifiedStream.open(content, blob));
        }
    }

    @Override
    public void pushManifest(String reference, ManifestOrIndex content) throws IOException {
        if (!hasBlob(content.descriptor())) {
            write(path(content.digest()), content.content());
        }
        if (size(MARK) < 0) {
            write(MARK, VERSION);
        }
        index(with(index(), content, isDigest(reference) ? "" : reference));
    }

    /**
     * Adds an entry. A name moves from an earlier entry to this one. Without a name, the entry is there until an index
     * lists it.
     */
    private static Index with(Index index, ManifestOrIndex content, String name) {
        List<Descriptor> entries = new ArrayList<>();
        boolean known = false;
        for (Descriptor entry : index.manifests()) {
            boolean same = entry.digest().equals(content.digest());
            String its = entry.annotations().getOrDefault(NAME, "");
            boolean replaced = !name.isEmpty() && (its.equals(name) || (same && its.isEmpty()));
            boolean listed = its.isEmpty() && content instanceof Index list && lists(list, entry);
            if (!replaced && !listed) {
                entries.add(entry);
                known |= same;
            }
        }
        if (!name.isEmpty() || !known) {
            Descriptor entry = content.descriptor().withoutDetails();
            entries.add(name.isEmpty() ? entry : entry.withAnnotations(Map.of(NAME, name)));
        }
        return index.withManifests(entries);
    }

    private static boolean lists(Index list, Descriptor entry) {
        for (Descriptor each : list.manifests()) {
            if (each.digest().equals(entry.digest())) {
                return true;
            }
        }
        return false;
    }

    /** A layout has no list of referrers: they are entries of the index, or in the index that stands in for the list. */
    @Override
    public final List<Descriptor> referrers(Digest subject) throws IOException {
        Index index = index();
        Map<Digest, Descriptor> referrers = new LinkedHashMap<>();
        String hex = subject.hex();
        String tag = subject.algorithm() + "-" + hex.substring(0, Math.min(64, hex.length()));
        Optional<Descriptor> listed = entry(index, tag);
        if (listed.isPresent() && read(listed.get().digest(), listed.get().mediaType()) instanceof Index list) {
            for (Descriptor entry : list.manifests()) {
                referrers.putIfAbsent(entry.digest(), entry);
            }
        }
        for (Descriptor entry : index.manifests()) {
            if (MediaType.MANIFESTS.contains(entry.mediaType())
                    && size(path(entry.digest())) >= 0
                    && !referrers.containsKey(entry.digest())) {
                ManifestOrIndex content = read(entry.digest(), entry.mediaType());
                if (content.subject().map(Descriptor::digest).equals(Optional.of(subject))) {
                    referrers.put(content.digest(), content.descriptor());
                }
            }
        }
        return List.copyOf(referrers.values());
    }

    @Override
    public final List<String> tags() throws IOException {
        return names(index());
    }
}
