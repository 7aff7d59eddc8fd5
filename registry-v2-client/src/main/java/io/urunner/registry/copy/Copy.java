package io.urunner.registry.copy;

import io.urunner.registry.ImageReference;
import io.urunner.registry.Platform;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Copies an image or an artifact with everything that belongs to it, from one store to another. Manifests are copied byte
 * by byte, so their digests stay. Immutable and thread-safe; each {@link #run} copies once.
 *
 * <p>What the target has is not transferred, so an interrupted copy to a registry or a folder continues where it stopped
 * if it is run again. An archive is written anew. Blobs are written first, then each manifest after those that it lists, and the named one last: nobody ever sees
 * an incomplete image. Blobs of another repository on the same registry are mounted. Nothing is written to the disk, and
 * memory does not grow with the size of blobs.
 */
public final class Copy {
    final ImageStore source;
    final String from;
    final ImageStore target;
    final String to;
    final List<Platform> platforms;
    final boolean referrers;
    final boolean digestTags;
    final @Nullable Executor executor;
    final int tasks;
    final boolean dryRun;
    final CopyListener listener;

    private Copy(Builder builder, ImageStore target, String to) {
        this.source = builder.source;
        this.from = builder.from;
        this.target = target;
        this.to = to;
        this.platforms = List.copyOf(builder.platforms);
        this.referrers = builder.referrers;
        this.digestTags = builder.digestTags;
        this.executor = builder.executor;
        this.tasks = builder.tasks;
        this.dryRun = builder.dryRun;
        this.listener = builder.listener;
    }

    /**
     * Starts the description of a copy from any store.
     *
     * @param source where the image is; the copy does not close it
     * @param reference its name or digest there
     * @return a builder with all defaults
     */
    public static Builder from(ImageStore source, String reference) {
        return new Builder(source, reference);
    }

    /**
     * Starts the description of a copy from a registry.
     *
     * @param client the client of the registry; the copy does not close it
     * @param image the image; if it has a digest, that is copied
     * @return a builder with all defaults
     */
    public static Builder from(RegistryClient client, ImageReference image) {
        return from(ImageStore.of(client, image.toRepository()), image.tagOrDigest());
    }

    /**
     * Copies. The calling thread does the work, together with those of the {@linkplain Builder#executor executor}, and
     * returns when none of them works any more. After a failure nothing further is started.
     *
     * @return what was copied, or in a dry run what would be
     * @throws RegistryException if a registry does not give or accept something
     * @throws IOException if a file cannot be read or written, or if content is not what its digest says
     * @throws InterruptedException if the thread is interrupted
     */
    public CopyResult run() throws RegistryException, IOException, InterruptedException {
        return new CopyRun(this).run();
    }

    /** Describes a copy. Not thread-safe. */
    public static final class Builder {
        private final ImageStore source;
        private final String from;
        private List<Platform> platforms = List.of();
        private boolean referrers;
        private boolean digestTags;
        private @Nullable Executor executor;
        private int tasks = 1;
        private boolean dryRun;
        private CopyListener listener = CopyListener.NONE;

        private Builder(ImageStore source, String from) {
            this.source = Objects.requireNonNull(source, "source");
            this.from = Objects.requireNonNull(from, "from");
        }

        /**
         * Chooses platforms of an index (default: all, with the index unchanged). Of one platform the manifest is
         * copied, without the index. Of several an index is written that lists only these, with their attestations; it
         * has a digest of its own, because registries refuse an index whose entries are missing. An image without an
         * index is copied as it is.
         *
         * @param newPlatforms the platforms; none for all
         * @return this
         */
        public Builder platforms(List<Platform> newPlatforms) {
            this.platforms = List.copyOf(newPlatforms);
            return this;
        }

        /**
         * Also copies what refers to the image and its parts, such as signatures and bills of materials, and what refers
         * to that (default: no).
         *
         * @return this
         */
        public Builder referrers() {
            this.referrers = true;
            return this;
        }

        /**
         * Also copies the tags that belong to a digest, such as cosign's {@code sha256-….sig} (default: no). All tags of
         * the source are listed for this. The tag without an ending is how old registries keep referrers: {@link
         * #referrers} copies what it lists.
         *
         * @return this
         */
        public Builder digestTags() {
            this.digestTags = true;
            return this;
        }

        /**
         * Copies several blobs at a time (default: one after the other, on the calling thread). A target that is one
         * file is always written by the calling thread alone, in the same order every time.
         *
         * @param newExecutor runs the additional threads' work; the copy does not shut it down
         * @param mostTasks how many things are done at a time, including by the calling thread, at least 1; how many
         *     requests a host gets at a time is also bounded by {@code HostOptions.concurrency}
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder executor(Executor newExecutor, int mostTasks) {
            if (mostTasks < 1) {
                throw new IllegalArgumentException("at least one thing is done at a time, not " + mostTasks);
            }
            this.executor = Objects.requireNonNull(newExecutor, "newExecutor");
            this.tasks = mostTasks;
            return this;
        }

        /**
         * Only finds out what would be copied (default: copies). Source and target are read, and nothing is written.
         * The result is that of a copy right after it, unless the registry refuses to mount blobs.
         *
         * @return this
         */
        public Builder dryRun() {
            this.dryRun = true;
            return this;
        }

        /**
         * Sets what follows the copy.
         *
         * @param newListener the listener
         * @return this
         */
        public Builder listener(CopyListener newListener) {
            this.listener = Objects.requireNonNull(newListener, "newListener");
            return this;
        }

        /**
         * Completes the description with any store as the target.
         *
         * @param target where to copy to; the copy does not close it
         * @param reference the name that the image gets there; a digest for none
         * @return the copy; nothing happens until it is run
         */
        public Copy to(ImageStore target, String reference) {
            return new Copy(
                    this, Objects.requireNonNull(target, "target"), Objects.requireNonNull(reference, "reference"));
        }

        /**
         * Completes the description with a registry as the target.
         *
         * @param client the client of the registry; the copy does not close it
         * @param image the tag that the image gets; with a digest instead, it is pushed by digest and gets none
         * @return the copy; nothing happens until it is run
         */
        public Copy to(RegistryClient client, ImageReference image) {
            return to(ImageStore.of(client, image.toRepository()), image.tag().orElseGet(image::tagOrDigest));
        }
    }
}
