package io.urunner.registry.layout;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.MalformedManifestException;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/** The index of a layout, {@code index.json}: what it contains, by name. */
final class LayoutIndex {
    static final String FILE = "index.json";

    /** The name of an entry (OCI image specification, "Pre-Defined Annotation Keys"). */
    private static final String NAME = "org.opencontainers.image.ref.name";

    /** The name that Docker and containerd give, in full; theirs of the specification is only the tag. */
    private static final String FULL_NAME = "io.containerd.image.name";

    private static final Pattern DIGEST = Pattern.compile("sha(256|512):[0-9a-f]+");

    private LayoutIndex() {}

    static Index parse(byte[] content) {
        if (ManifestOrIndex.parse(content, MediaType.OCI_INDEX) instanceof Index index) {
            return index;
        }
        throw new MalformedManifestException("it is the manifest of one image");
    }

    /** The digest that a reference is, if it is not a name. */
    static Optional<Digest> digest(String reference) throws IOException {
        if (!DIGEST.matcher(reference).matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Digest.parse(reference));
        } catch (IllegalArgumentException e) {
            throw new IOException(String.valueOf(e.getMessage()), e);
        }
    }

    /** Finds an image by its name; without a name, the only one. */
    static Optional<Descriptor> find(Index index, String name, String shown) throws IOException {
        List<Descriptor> entries = index.manifests();
        if (name.isEmpty()) {
            if (entries.size() > 1) {
                throw new IOException(shown + " has several images; name one of " + names(index));
            }
            return entries.stream().findFirst();
        }
        Optional<Descriptor> own = entries.stream()
                .filter(entry -> name.equals(entry.annotations().get(FULL_NAME)))
                .findFirst();
        return own.isPresent()
                ? own
                : entries.stream()
                        .filter(entry -> name.equals(entry.annotations().get(NAME)))
                        .findFirst();
    }

    static List<String> names(Index index) {
        return index.manifests().stream()
                .map(entry -> entry.annotations()
                        .getOrDefault(FULL_NAME, entry.annotations().getOrDefault(NAME, "")))
                .filter(name -> !name.isEmpty())
                .distinct()
                .toList();
    }

    /**
     * Adds an entry. A name moves from an earlier entry to this one. Without a name, the entry is there until an index
     * lists it.
     */
    static Index with(Index index, ManifestOrIndex content, Optional<String> name) {
        List<Descriptor> entries = new ArrayList<>();
        boolean known = false;
        for (Descriptor entry : index.manifests()) {
            boolean same = entry.digest().equals(content.digest());
            Optional<String> its = Optional.ofNullable(entry.annotations().get(NAME));
            boolean replaced = name.isPresent() && (its.equals(name) || (same && its.isEmpty()));
            boolean listed = its.isEmpty() && content instanceof Index list && lists(list, entry);
            if (!replaced && !listed) {
                entries.add(entry);
                known |= same;
            }
        }
        if (name.isPresent() || !known) {
            Descriptor entry = content.descriptor().withoutDetails();
            entries.add(name.isEmpty() ? entry : entry.withAnnotations(Map.of(NAME, name.get())));
        }
        return index.withManifests(entries);
    }

    private static boolean lists(Index list, Descriptor entry) {
        return list.manifests().stream().anyMatch(each -> Objects.equals(each.digest(), entry.digest()));
    }
}
