package io.urunner.registry.copy;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageConfig;
import io.urunner.registry.Index;
import io.urunner.registry.MalformedManifestException;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.Platform;
import io.urunner.registry.RegistryException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/** Finds out what belongs to an image: manifests from the top down, what refers to them, and their blobs. */
final class CopyPlan {
    /** More than this is no image. */
    private static final int MOST_MANIFESTS = 10_000;

    /** How many bytes of manifests are in memory. */
    private static final long MOST_BYTES = 64L * 1024 * 1024;

    /** Indexes of indexes, and what refers to what refers to them: more levels than this are no image. */
    private static final int MOST_LEVELS = 100;

    /** How much of the platforms of an index an error shows. */
    private static final int MOST_SHOWN = 1000;

    /** The manifest that an attestation is about, as build tools annotate it. */
    private static final String SUBJECT = "vnd.docker.reference.digest";

    private final Copy copy;
    private final ImageStore source;
    private final Workers workers;
    private final Map<Digest, ManifestOrIndex> manifests = new ConcurrentHashMap<>();
    private final Map<Digest, List<Descriptor>> referring = new ConcurrentHashMap<>();
    private final Set<Digest> present = ConcurrentHashMap.newKeySet();
    private final AtomicLong bytes = new AtomicLong();

    CopyPlan(Copy copy, Workers workers) {
        this.copy = copy;
        this.source = copy.source;
        this.workers = workers;
    }

    /** What is copied of the image: all of it, the manifest of a platform, or an index of several. */
    ManifestOrIndex image() throws RegistryException, IOException, InterruptedException {
        ManifestOrIndex image = source.manifest(copy.from);
        if (copy.platforms.isEmpty() || !(image instanceof Index index)) {
            return image;
        }
        Map<String, Descriptor> chosen = new LinkedHashMap<>();
        for (Platform platform : copy.platforms) {
            Descriptor entry = find(index, platform);
            chosen.putIfAbsent(entry.digest().toString(), entry);
        }
        if (copy.platforms.size() == 1) {
            return source.manifest(chosen.keySet().iterator().next());
        }
        List<Descriptor> entries = new ArrayList<>(chosen.values());
        for (Descriptor entry : index.manifests()) {
            if (entry.isAttestation() && chosen.containsKey(entry.annotations().getOrDefault(SUBJECT, ""))) {
                entries.add(entry);
            }
        }
        return index.withManifests(entries);
    }

    @SuppressWarnings("IllegalCatch")
    private Descriptor find(Index index, Platform platform)
            throws RegistryException, IOException, InterruptedException {
        String shown = "the index " + index.digest() + " of " + source;
        Set<Platform> offered = new LinkedHashSet<>();
        try {
            return index.<Exception>find(platform, this::manifest, this::config, offered)
                    .orElseThrow(() -> {
                        String others = offered.toString();
                        return new IOException(shown + " has no image for " + platform + "; its images are for "
                                + others.substring(0, Math.min(MOST_SHOWN, others.length())));
                    });
        } catch (MalformedManifestException e) {
            throw new IOException(shown + ": " + e.getMessage(), e);
        } catch (Exception e) {
            throw Workers.rethrown(e);
        }
    }

    private ImageConfig config(Manifest image) throws RegistryException, IOException, InterruptedException {
        Descriptor config = image.config();
        if (config.size() > ImageConfig.MAX_SIZE) {
            throw new IOException("the configuration " + config.digest() + " in " + source + " is larger than "
                    + ImageConfig.MAX_SIZE + " bytes");
        }
        try (InputStream content = source.blob(config)) {
            return ImageConfig.parse(content.readAllBytes());
        }
    }

    private ManifestOrIndex manifest(Descriptor entry) throws RegistryException, IOException, InterruptedException {
        return source.manifest(entry.digest().toString());
    }

    /** Adds a manifest or index that was read already, with everything below it. */
    void add(ManifestOrIndex root) throws RegistryException, IOException, InterruptedException {
        Queue<Descriptor> found = new ConcurrentLinkedQueue<>();
        note(root, found);
        for (int levels = 0; !found.isEmpty(); levels++) {
            if (levels == MOST_LEVELS) {
                throw new IOException("the image in " + source + " has more than " + MOST_LEVELS + " levels");
            }
            Map<Digest, Descriptor> level = new LinkedHashMap<>();
            for (Descriptor entry : found) {
                if (!manifests.containsKey(entry.digest())) {
                    level.putIfAbsent(entry.digest(), entry);
                }
            }
            Queue<Descriptor> next = new ConcurrentLinkedQueue<>();
            workers.forEach(level.values(), entry -> {
                if (MediaType.MANIFESTS.contains(entry.mediaType())) {
                    note(manifest(entry), next);
                } else {
                    Optional<ManifestOrIndex> other = source.manifest(entry);
                    if (other.isPresent()) {
                        note(other.get(), next);
                    }
                }
            });
            found = next;
        }
    }

    private void note(ManifestOrIndex content, Queue<Descriptor> found)
            throws RegistryException, IOException, InterruptedException {
        Digest digest = content.digest();
        if (manifests.putIfAbsent(digest, content) != null) {
            return;
        }
        if (manifests.size() > MOST_MANIFESTS
                || bytes.addAndGet(content.descriptor().size()) > MOST_BYTES) {
            throw new IOException("the image in " + source + " has more than " + MOST_MANIFESTS + " manifests or "
                    + MOST_BYTES + " bytes of them; copy its parts one by one");
        }
        if (isThere(content)) {
            present.add(digest);
        }
        if (!(content instanceof Manifest)) {
            found.addAll(content.parts());
        }
        if (copy.referrers) {
            List<Descriptor> all = source.referrers(digest);
            referring.put(digest, all);
            found.addAll(all);
        }
    }

    private boolean isThere(ManifestOrIndex content) throws RegistryException, IOException, InterruptedException {
        if (isKnown(content)) {
            return copy.target.find(content.digest().toString()).isPresent();
        }
        try {
            return copy.target.manifest(content.descriptor()).isPresent();
        } catch (RegistryException e) {
            if (RegistryStore.isAnswer(e)) {
                return false;
            }
            throw e;
        }
    }

    /** Whether its type is one that we know. */
    static boolean isKnown(ManifestOrIndex content) {
        return MediaType.MANIFESTS.contains(content.mediaType());
    }

    boolean isPresent(ManifestOrIndex content) {
        return present.contains(content.digest());
    }

    /** Whether a digest is of an algorithm, and begins like this. */
    boolean has(String algorithm, String start) {
        for (Digest digest : manifests.keySet()) {
            if (digest.algorithm().equals(algorithm) && digest.hex().startsWith(start)) {
                return true;
            }
        }
        return false;
    }

    /**
     * All manifests, each after those that it lists, and after those what refers to them. Roots come last, unless something
     * that refers to them lists them: then they come before it.
     */
    List<ManifestOrIndex> inOrder(Collection<ManifestOrIndex> roots) {
        Set<ManifestOrIndex> ordered = new LinkedHashSet<>();
        Deque<ManifestOrIndex> reached = new ArrayDeque<>();
        for (ManifestOrIndex root : roots) {
            order(root.parts(), ordered, reached);
        }
        reached.addAll(roots);
        for (ManifestOrIndex each = reached.poll(); each != null; each = reached.poll()) {
            order(referring.getOrDefault(each.digest(), List.of()), ordered, reached);
        }
        ordered.addAll(roots);
        return List.copyOf(ordered);
    }

    private void order(List<Descriptor> entries, Set<ManifestOrIndex> ordered, Deque<ManifestOrIndex> reached) {
        for (Descriptor entry : entries) {
            ManifestOrIndex content = manifests.get(entry.digest());
            if (content != null && !ordered.contains(content)) {
                order(content.parts(), ordered, reached);
                ordered.add(content);
                reached.add(content);
            }
        }
    }

    /**
     * The blobs that the target may lack. A manifest that it has is complete: registries accept one only with all that
     * it refers to. But they know this of types only that they know, and a layout may have got any other as a blob.
     */
    Collection<Descriptor> blobs(List<ManifestOrIndex> all) {
        Map<Digest, Descriptor> blobs = new LinkedHashMap<>();
        for (ManifestOrIndex content : all) {
            if (!isPresent(content) || !isKnown(content)) {
                for (Descriptor part : content.parts()) {
                    if (!manifests.containsKey(part.digest())) {
                        blobs.putIfAbsent(part.digest(), part);
                    }
                }
            }
        }
        return blobs.values();
    }
}
