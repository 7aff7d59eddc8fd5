package io.urunner.registry;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An index: one image for several platforms, or a list of artifacts ("Image Index", OCI image specification; Docker's
 * manifest list). Immutable; equal if the bytes are.
 */
public final class Index extends ManifestOrIndex {
    /** Indexes of indexes of images exist; more levels than this are an attack or a mistake. */
    private static final int MAX_DEPTH = 3;

    /** How many nested indexes a search may open. */
    private static final int MAX_NESTED = 32;

    /** How many configurations are read to find the one for a platform. */
    private static final int MOST_CONFIGS = 8;

    /** How many platforms an error names. */
    private static final int MOST_OFFERED = 20;

    private final List<Descriptor> manifests;

    Index(byte[] content, Descriptor descriptor, List<Descriptor> manifests, Optional<Descriptor> subject) {
        super(content, descriptor, subject);
        this.manifests = List.copyOf(manifests);
    }

    /**
     * Composes an OCI index to push.
     *
     * @param manifests the entries, already pushed, each with its platform
     * @param annotations the annotations to add
     * @return the index
     */
    public static Index of(List<Descriptor> manifests, Map<String, String> annotations) {
        return of(manifests, Optional.empty(), Optional.empty(), annotations);
    }

    /**
     * Composes an OCI index to push that is an artifact or refers to another manifest.
     *
     * @param manifests the entries, already pushed
     * @param artifactType the artifact's type, a media type, if any
     * @param subject what it refers to, if anything. Only media type, digest and size are written
     * @param annotations the annotations to add
     * @return the index
     */
    public static Index of(
            List<Descriptor> manifests,
            Optional<String> artifactType,
            Optional<Descriptor> subject,
            Map<String, String> annotations) {
        return ManifestJson.compose(manifests, artifactType, subject, annotations);
    }

    /**
     * Returns the same index with other entries. Everything else stays: its media type, its annotations, and fields
     * that we do not know. Entries that it has already are written exactly as they are in it.
     *
     * @param newManifests the entries, in their order
     * @return an index with another digest, unless the entries are the same
     */
    public Index withManifests(List<Descriptor> newManifests) {
        return newManifests.equals(manifests) ? this : ManifestJson.with(this, newManifests);
    }

    /**
     * Returns all entries, including attestations and nested indexes.
     *
     * @return the descriptors in the index's order
     */
    public List<Descriptor> manifests() {
        return manifests;
    }

    @Override
    public List<Descriptor> parts() {
        return manifests;
    }

    /**
     * Returns the entries that may be images: manifests that are not attestations. Entries of types that we do not know
     * are not among them; the specification demands that they be ignored.
     *
     * @return the descriptors in the index's order
     */
    public List<Descriptor> images() {
        List<Descriptor> images = new ArrayList<>();
        for (Descriptor entry : manifests) {
            if (MediaType.isManifest(entry.mediaType()) && !entry.isAttestation()) {
                images.add(entry);
            }
        }
        return List.copyOf(images);
    }

    /**
     * Returns the entries that are indexes themselves.
     *
     * @return the descriptors in the index's order
     */
    public List<Descriptor> nested() {
        List<Descriptor> nested = new ArrayList<>();
        for (Descriptor entry : manifests) {
            if (MediaType.isIndex(entry.mediaType())) {
                nested.add(entry);
            }
        }
        return List.copyOf(nested);
    }

    /**
     * Selects the image of this index, without nested ones, that runs on a platform, as containerd does: its own
     * variant first, then the older ones, then its 32-bit family. Of equal ones it takes the one with the highest
     * version of Windows, then the one that uses the most features of the operating system, then the first.
     *
     * @param wanted the machine's platform
     * @return the entry, or empty if no entry names a platform that the machine can run
     */
    public Optional<Descriptor> select(Platform wanted) {
        Descriptor best = null;
        int shortest = Integer.MAX_VALUE;
        for (Descriptor entry : images()) {
            Platform platform = entry.platform().orElse(null);
            int distance = platform == null ? -1 : wanted.distanceTo(platform);
            boolean ties = best != null
                    && distance == shortest
                    && platform != null
                    && platform.isBetterThan(best.platform().orElseThrow());
            if (distance >= 0 && (distance < shortest || ties)) {
                best = entry;
                shortest = distance;
            }
        }
        return Optional.ofNullable(best);
    }

    /**
     * Finds the image that runs on a platform, first in this index, then in nested ones. An entry that names no
     * platform is taken if it is the only image. Of several, none is: which one fits is in their configurations; see
     * {@link #find(Platform, Fetch, FetchConfig, Collection)}.
     *
     * @param wanted the machine's platform
     * @param fetch reads a nested index
     * @param <E> what fetching throws
     * @return the entry of the image's manifest, or empty if there is none for this platform
     * @throws E if fetching fails
     * @throws InterruptedException if the thread is interrupted while it fetches
     * @throws MalformedManifestException if indexes are nested too deeply
     */
    public <E extends Exception> Optional<Descriptor> find(Platform wanted, Fetch<E> fetch)
            throws E, InterruptedException {
        return find(wanted, fetch, MAX_DEPTH, new ArrayList<>(), new ArrayList<>());
    }

    /**
     * Finds the image that runs on a platform like {@link #find(Platform, Fetch)}. If there is none, it takes the first of
     * this index's entries without a platform whose configuration says that it runs there, as containerd does; at most
     * eight are read. Artifacts have no such configuration.
     *
     * @param wanted the machine's platform
     * @param fetch reads a nested index or a manifest
     * @param configs reads the configuration of an image
     * @param offered receives the platforms of the entries and configurations that were looked at, at most 20, for an error
     * @param <E> what fetching throws
     * @return the entry of the image's manifest, or empty if there is none for this platform
     * @throws E if fetching fails
     * @throws InterruptedException if the thread is interrupted while it fetches
     * @throws MalformedManifestException if indexes are nested too deeply
     */
    public <E extends Exception> Optional<Descriptor> find(
            Platform wanted, Fetch<E> fetch, FetchConfig<E> configs, Collection<Platform> offered)
            throws E, InterruptedException {
        Optional<Descriptor> found = find(wanted, fetch, MAX_DEPTH, new ArrayList<>(), offered);
        int left = MOST_CONFIGS;
        for (Descriptor entry : images()) {
            if (found.isPresent() || entry.platform().isPresent() || left-- <= 0) {
                continue;
            }
            if (fetch.fetch(entry) instanceof Manifest manifest
                    && List.of(MediaType.OCI_CONFIG, MediaType.DOCKER_CONFIG)
                            .contains(manifest.config().mediaType())) {
                Platform platform = configs.fetch(manifest).platform();
                offer(platform, offered);
                if (wanted.distanceTo(platform) >= 0) {
                    found = Optional.of(entry);
                }
            }
        }
        return found;
    }

    private static void offer(Platform platform, Collection<Platform> offered) {
        if (offered.size() < MOST_OFFERED) {
            offered.add(platform);
        }
    }

    private <E extends Exception> Optional<Descriptor> find(
            Platform wanted, Fetch<E> fetch, int depth, List<Digest> seen, Collection<Platform> offered)
            throws E, InterruptedException {
        for (Descriptor entry : images()) {
            entry.platform().ifPresent(platform -> offer(platform, offered));
        }
        Optional<Descriptor> found = select(wanted);
        for (Descriptor entry : nested()) {
            boolean fits = entry.platform().isEmpty()
                    || wanted.distanceTo(entry.platform().get()) >= 0;
            if (found.isPresent() || !fits || seen.contains(entry.digest())) {
                continue;
            }
            if (depth == 1 || seen.size() == MAX_NESTED) {
                throw new MalformedManifestException("indexes are nested more than " + MAX_DEPTH
                        + " levels deep, or there are more than " + MAX_NESTED + " of them, below " + digest());
            }
            seen.add(entry.digest());
            if (fetch.fetch(entry) instanceof Index index) {
                found = index.find(wanted, fetch, depth - 1, seen, offered);
            }
        }
        List<Descriptor> images = images();
        return found.isEmpty() && images.size() == 1 && images.get(0).platform().isEmpty()
                ? Optional.of(images.get(0))
                : found;
    }

    /**
     * Reads the content that an entry refers to.
     *
     * @param <E> what fetching throws
     */
    @FunctionalInterface
    public interface Fetch<E extends Exception> {
        /**
         * Reads the content that an entry refers to.
         *
         * @param entry the entry
         * @return the content, its digest verified
         * @throws E if that fails
         * @throws InterruptedException if the thread is interrupted
         */
        ManifestOrIndex fetch(Descriptor entry) throws E, InterruptedException;
    }

    /**
     * Reads the configuration of an image.
     *
     * @param <E> what fetching throws
     */
    @FunctionalInterface
    public interface FetchConfig<E extends Exception> {
        /**
         * Reads the configuration of an image.
         *
         * @param image the image's manifest
         * @return the configuration, its digest verified
         * @throws E if that fails
         * @throws InterruptedException if the thread is interrupted
         */
        ImageConfig fetch(Manifest image) throws E, InterruptedException;
    }
}
