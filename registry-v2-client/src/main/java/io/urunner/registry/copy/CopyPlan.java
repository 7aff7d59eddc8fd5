package io.urunner.registry.copy;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.RegistryException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
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

    private final ImageStore source;
    private final ImageStore target;
    private final boolean referrers;
    private final Workers workers;
    private final Map<Digest, ManifestOrIndex> manifests = new ConcurrentHashMap<>();
    private final Map<Digest, List<Descriptor>> referring = new ConcurrentHashMap<>();
    private final Set<Digest> present = ConcurrentHashMap.newKeySet();
    private final AtomicLong bytes = new AtomicLong();

    CopyPlan(ImageStore source, ImageStore target, boolean referrers, Workers workers) {
        this.source = source;
        this.target = target;
        this.referrers = referrers;
        this.workers = workers;
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
            found.forEach(entry -> level.putIfAbsent(entry.digest(), entry));
            level.keySet().removeAll(manifests.keySet());
            found = new ConcurrentLinkedQueue<>();
            Queue<Descriptor> next = found;
            workers.forEach(
                    level.values(), entry -> note(source.manifest(entry.digest().toString()), next));
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
        if (target.find(digest.toString()).isPresent()) {
            present.add(digest);
        }
        found.addAll(children(content));
        if (referrers) {
            List<Descriptor> referring = source.referrers(digest);
            this.referring.put(digest, referring);
            found.addAll(referring);
        }
    }

    /** The manifests that an index lists; entries of other types are blobs, for example those of a build cache. */
    private static List<Descriptor> children(ManifestOrIndex content) {
        return content instanceof Index index
                ? index.manifests().stream().filter(CopyPlan::isManifest).toList()
                : List.of();
    }

    private static boolean isManifest(Descriptor entry) {
        return MediaType.MANIFESTS.contains(entry.mediaType());
    }

    boolean isPresent(ManifestOrIndex content) {
        return present.contains(content.digest());
    }

    Collection<Digest> digests() {
        return manifests.keySet();
    }

    /** All manifests, each after those that it lists and the main one last. */
    List<ManifestOrIndex> inOrder(List<ManifestOrIndex> roots) {
        Set<Digest> ordered = new LinkedHashSet<>();
        for (ManifestOrIndex root : roots) {
            order(root.digest(), root.digest(), ordered);
            ordered.add(root.digest());
        }
        List<ManifestOrIndex> all = new ArrayList<>();
        ordered.forEach(digest -> all.add(manifests.get(digest)));
        return all;
    }

    /** Adds what belongs to a manifest, and the manifest itself unless it is the root. */
    private void order(Digest digest, Digest root, Set<Digest> ordered) {
        ManifestOrIndex content = manifests.get(digest);
        if (content == null || ordered.contains(digest)) {
            return;
        }
        children(content).forEach(child -> order(child.digest(), root, ordered));
        if (!digest.equals(root)) {
            ordered.add(digest);
        }
        referring.getOrDefault(digest, List.of()).forEach(entry -> order(entry.digest(), root, ordered));
    }

    /**
     * The blobs that the target may lack. A manifest that it has is complete: registries accept one only with all that
     * it refers to.
     */
    Map<Digest, Descriptor> blobs(List<ManifestOrIndex> all) {
        Map<Digest, Descriptor> blobs = new LinkedHashMap<>();
        for (ManifestOrIndex content : all) {
            if (isPresent(content)) {
                continue;
            }
            if (content instanceof Manifest manifest) {
                blobs.putIfAbsent(manifest.config().digest(), manifest.config());
                manifest.layers().forEach(layer -> blobs.putIfAbsent(layer.digest(), layer));
            } else if (content instanceof Index index) {
                index.manifests().stream()
                        .filter(entry -> !isManifest(entry))
                        .forEach(entry -> blobs.putIfAbsent(entry.digest(), entry));
            }
        }
        return blobs;
    }
}
