package io.urunner.store;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Remembers for every reference the digests that it had, for every tracked container the digest that it was last seen
 * with or rolled out to, and every rollout with its outcome. {@link DigestStores} makes one.
 *
 * <p>All texts are opaque, and bounded where they come in, in the constructors of the records below. Texts that name
 * something, such as references, digests and workloads, have at most 1024 characters and no NUL; others are refused with
 * {@link IllegalArgumentException}, for cut they would name something else. Texts for people are cut: reasons and messages at
 * 1024 characters, labels at 256, media types at 255, outcomes at 128; of media types a database holds a thousand, and what
 * comes after those is stored without one.
 *
 * <p>Times are written with millisecond precision. Everything belongs to the cluster that the store
 * was made for; what another cluster wrote into the same database is neither seen nor touched.
 *
 * <p>Thread-safe: one write at a time, reads beside it. Every call connects by itself where that is needed, so a store
 * whose database was broken, locked, full or away works again when the database does. Whoever made it closes it; closing
 * twice does nothing, and calls after that throw {@link StoreException}.
 */
public interface DigestStore extends AutoCloseable {
    /**
     * Opens the database, brings it to this version and makes sure that it can be read and written. Never necessary
     * before another call; it is for the start and for a probe.
     *
     * @throws StoreException if the database cannot be used now
     */
    void check() throws StoreException;

    /**
     * Writes what one pass learnt, in one transaction: all of it or nothing. Writing the same batch again changes
     * nothing, so after an exception it may be written again. A sighting that is older than what is known of its
     * reference is ignored.
     *
     * @param batch what to write
     * @throws StoreException if the database refuses
     */
    void write(Batch batch) throws StoreException;

    /**
     * Every remembered digest, by tracked container: read once, at the start.
     *
     * @return the digests
     * @throws StoreException if the database refuses
     */
    Map<TrackedContainer, String> remembered() throws StoreException;

    /**
     * All references that have a history, in alphabetical order.
     *
     * @return the references, in canonical form
     * @throws StoreException if the database refuses
     */
    List<String> references() throws StoreException;

    /**
     * The digests that a reference had, the one seen last first. A digest that left and came back is there once for
     * every stay.
     *
     * @param reference the reference, in canonical form
     * @param limit how many at most
     * @return the digests; empty if the reference is not known
     * @throws StoreException if the database refuses
     */
    List<TagDigest> digests(String reference, int limit) throws StoreException;

    /**
     * The digest that a reference had at a time: the one seen last up to then.
     *
     * @param reference the reference, in canonical form
     * @param at the time
     * @return the digest; empty if the reference was not known yet
     * @throws StoreException if the database refuses
     */
    Optional<TagDigest> digestAt(String reference, Instant at) throws StoreException;

    /**
     * The n-th digest before the one that a reference has now. Each digest counts once, at its last stay.
     *
     * @param reference the reference, in canonical form
     * @param steps how far back: 1 is the digest before the present one
     * @return the digest; empty if the history is shorter
     * @throws StoreException if the database refuses
     */
    Optional<TagDigest> previousDigest(String reference, int steps) throws StoreException;

    /**
     * The rollouts of a workload, newest first.
     *
     * @param workload the workload
     * @param limit how many at most
     * @return the rollouts
     * @throws StoreException if the database refuses
     */
    List<RolloutRecord> rollouts(String workload, int limit) throws StoreException;

    /**
     * The rollouts that were requested and have not ended, oldest first: what to follow up after a restart.
     *
     * @return the rollouts
     * @throws StoreException if the database refuses
     */
    List<RolloutRecord> unfinishedRollouts() throws StoreException;

    /**
     * The rollouts of all workloads that were requested since a time, newest first.
     *
     * @param since the time
     * @param limit how many at most
     * @return the rollouts
     * @throws StoreException if the database refuses
     */
    List<RolloutRecord> rolloutsSince(Instant since, int limit) throws StoreException;

    /**
     * The rollouts that brought a digest of a reference, newest first.
     *
     * @param reference the reference, in canonical form
     * @param digest the digest
     * @return the rollouts
     * @throws StoreException if the database refuses
     */
    List<RolloutRecord> rolloutsTo(String reference, String digest) throws StoreException;

    /**
     * Deletes what the retention does not keep, in small transactions. Kept in any case is the newest stay of each
     * digest that is remembered for a tracked container, or that the caller names, and the newest rollout of every workload
     * with a tracked container.
     *
     * @param retention what to keep
     * @param inUse digests that run or are pinned
     * @param now the time that ages count from
     * @return how many entries of the history (stays of digests, rollouts) were deleted
     * @throws StoreException if the database refuses; what was deleted until then stays deleted
     */
    int prune(Retention retention, Set<String> inUse, Instant now) throws StoreException;

    @Override
    void close();

    /**
     * A container of a workload, with the reference that it had.
     *
     * @param workload the workload, for example {@code shop/Deployment/web}
     * @param container the container's name
     * @param reference the reference, in canonical form
     */
    record TrackedContainer(String workload, String container, String reference) {
        public TrackedContainer {
            StoredText.key("the workload", workload);
            StoredText.key("the container", container);
            StoredText.key("the reference", reference);
        }
    }

    /**
     * That a reference had a digest.
     *
     * @param reference the reference, in canonical form
     * @param digest the digest
     * @param mediaType the manifest's media type, if known
     * @param seen when
     */
    record Sighting(String reference, String digest, Optional<String> mediaType, Instant seen) {
        public Sighting {
            StoredText.key("the reference", reference);
            StoredText.key("the digest", digest);
            mediaType = StoredText.words(mediaType, 255);
        }
    }

    /**
     * An image that a reference named.
     *
     * @param reference the reference, in canonical form
     * @param digest the digest that it had
     */
    record Image(String reference, String digest) {
        public Image {
            StoredText.key("the reference", reference);
            StoredText.key("the digest", digest);
        }
    }

    /**
     * What an image's configuration says of it.
     *
     * @param revision {@code org.opencontainers.image.revision}
     * @param version {@code org.opencontainers.image.version}
     * @param created when the image was made; what is said is left out if it is not in the years 1 to 9999
     */
    record ImageLabels(Optional<String> revision, Optional<String> version, Optional<Instant> created) {
        private static final Instant EARLIEST = Instant.parse("0001-01-01T00:00:00Z");
        private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

        public ImageLabels {
            revision = StoredText.words(revision, 256);
            version = StoredText.words(version, 256);
            created = created.filter(time -> !time.isBefore(EARLIEST) && !time.isAfter(LATEST));
        }
    }

    /**
     * One stay of a digest behind a reference.
     *
     * @param reference the reference, in canonical form
     * @param digest the digest
     * @param mediaType the manifest's media type, if known
     * @param firstSeen when the stay was seen first
     * @param lastSeen when it was seen last
     * @param labels what the image says of itself, if known
     */
    record TagDigest(
            String reference,
            String digest,
            Optional<String> mediaType,
            Instant firstSeen,
            Instant lastSeen,
            Optional<ImageLabels> labels) {}

    /**
     * One container's part in a rollout. The store imports nothing of those who use it, so reference and digests are texts
     * here, as they were given.
     *
     * @param container its name
     * @param reference its reference, in canonical form
     * @param from the digest before, if known
     * @param to the digest that was rolled out
     */
    record Change(String container, String reference, Optional<String> from, String to) {
        public Change {
            StoredText.key("the container", container);
            StoredText.key("the reference", reference);
            from.ifPresent(digest -> StoredText.key("the digest", digest));
            StoredText.key("the digest", to);
        }
    }

    /**
     * A rollout. It is written when it was requested, and again under the same id when it ended; what changed is taken
     * from the first writing, and an outcome that is known is never forgotten.
     *
     * @param id chosen by the caller, unique among the rollouts of the workload
     * @param workload the workload
     * @param why the reason, in words
     * @param changes what changed
     * @param requested when it was asked for
     * @param finished when it ended; empty while it runs
     * @param outcome how it ended, for example {@code succeeded}; while it runs empty, or what is known of it, for example
     *     that nobody follows it
     * @param message more about the outcome
     */
    record RolloutRecord(
            String id,
            String workload,
            String why,
            List<Change> changes,
            Instant requested,
            Optional<Instant> finished,
            Optional<String> outcome,
            Optional<String> message) {
        public RolloutRecord {
            StoredText.key("the rollout's id", id);
            StoredText.key("the workload", workload);
            why = StoredText.words(why, 1024);
            outcome = StoredText.words(outcome, 128);
            message = StoredText.words(message, 1024);
            changes = List.copyOf(changes);
        }
    }

    /**
     * What one pass learnt.
     *
     * @param sightings what references resolved to
     * @param labels what images say of themselves
     * @param remembered what to remember for tracked containers from now on
     * @param forgotten containers that are no longer tracked; one that is also in {@code remembered} is remembered
     * @param rollouts rollouts that were requested or ended
     */
    record Batch(
            List<Sighting> sightings,
            Map<Image, ImageLabels> labels,
            Map<TrackedContainer, String> remembered,
            Set<TrackedContainer> forgotten,
            List<RolloutRecord> rollouts) {
        public Batch {
            sightings = List.copyOf(sightings);
            labels = Map.copyOf(labels);
            remembered = Map.copyOf(remembered);
            forgotten = Set.copyOf(forgotten);
            rollouts = List.copyOf(rollouts);
        }

        /**
         * Whether there is nothing to write.
         *
         * @return whether all parts are empty
         */
        public boolean isEmpty() {
            return sightings.isEmpty()
                    && labels.isEmpty()
                    && remembered.isEmpty()
                    && forgotten.isEmpty()
                    && rollouts.isEmpty();
        }
    }

    /**
     * What pruning keeps: of each reference the newest stays of digests, as many as the one limit says, unless they ended
     * longer ago than the other says; rollouts up to the same age, of each workload the newest thousand.
     *
     * @param digestsPerReference how many per reference at most
     * @param days for how many days after a digest was seen last, or a rollout was requested
     */
    record Retention(int digestsPerReference, int days) {
        /** The defaults: 50 digests per reference, 180 days. */
        public static final Retention DEFAULT = new Retention(50, 180);

        public Retention {
            if (digestsPerReference < 1 || days < 1) {
                throw new IllegalArgumentException("retention keeps at least one digest and one day");
            }
        }
    }
}
