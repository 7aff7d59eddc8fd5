package io.urunner.store;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Remembers the digests that every reference had, the digest that every tracked container was last seen with or rolled
 * out to, and every rollout with its outcome. {@link DigestStores} creates stores.
 *
 * <p>All texts are opaque; the constructors of the records below limit their length. Texts that name something, such as
 * references, digests and workloads, have at most 1024 characters and no NUL; others are rejected with {@link
 * IllegalArgumentException}, because a truncated name would name something else. Texts for people are truncated:
 * reasons and messages to 1024 characters, labels to 256, media types to 255, outcomes to 128. A database stores a
 * thousand media types; after that, entries with new ones are stored without a media type.
 *
 * <p>Times are stored with millisecond precision. Everything belongs to the cluster that the store was created for;
 * what another cluster wrote to the same database is neither visible nor changed.
 *
 * <p>Thread-safe: one write at a time, with concurrent reads. Every call connects by itself if necessary, so a store
 * whose database was broken, locked, full or unavailable works again when the database does. Its creator closes it;
 * closing it twice has no effect, and later calls throw {@link StoreException}.
 */
public interface DigestStore extends AutoCloseable {
    /**
     * Opens the database, migrates it to this version and checks that it can be read and written. Other calls do not
     * need it; it is meant for the start and for probes.
     *
     * @throws StoreException if the database is not usable now
     */
    void check() throws StoreException;

    /**
     * Writes what one pass learned, in one transaction: all of it or nothing. Writing the same batch again changes
     * nothing, so after an exception it may be written again. A sighting that is older than what is known about its
     * reference is ignored.
     *
     * @param batch what to write
     * @throws StoreException if the database refuses
     */
    void write(Batch batch) throws StoreException;

    /**
     * Returns every remembered digest, by tracked container; meant to be read once, at the start.
     *
     * @return the digests
     * @throws StoreException if the database refuses
     */
    Map<TrackedContainer, String> remembered() throws StoreException;

    /**
     * Returns all references that have a history, in alphabetical order.
     *
     * @return the references, in canonical form
     * @throws StoreException if the database refuses
     */
    List<String> references() throws StoreException;

    /**
     * Returns the digests that a reference had, the one seen last first. A digest that left and came back appears once
     * per stay.
     *
     * @param reference the reference, in canonical form
     * @param limit the maximum number
     * @return the digests; empty if the reference is unknown
     * @throws StoreException if the database refuses
     */
    List<TagDigest> digests(String reference, int limit) throws StoreException;

    /**
     * Returns the digest that a reference had at a time: the one seen last until then.
     *
     * @param reference the reference, in canonical form
     * @param at the time
     * @return the digest; empty if the reference was still unknown
     * @throws StoreException if the database refuses
     */
    Optional<TagDigest> digestAt(String reference, Instant at) throws StoreException;

    /**
     * Returns the n-th digest before the current one of a reference. Each digest counts once, at its last stay.
     *
     * @param reference the reference, in canonical form
     * @param steps how far back: 1 is the digest before the current one
     * @return the digest; empty if the history is shorter
     * @throws StoreException if the database refuses
     */
    Optional<TagDigest> previousDigest(String reference, int steps) throws StoreException;

    /**
     * Returns the rollouts of a workload, newest first.
     *
     * @param workload the workload
     * @param limit the maximum number
     * @return the rollouts
     * @throws StoreException if the database refuses
     */
    List<RolloutRecord> rollouts(String workload, int limit) throws StoreException;

    /**
     * Returns the rollouts that were requested and have not ended, oldest first: what to follow after a restart.
     *
     * @return the rollouts
     * @throws StoreException if the database refuses
     */
    List<RolloutRecord> unfinishedRollouts() throws StoreException;

    /**
     * Returns the rollouts of all workloads that were requested since a time, newest first.
     *
     * @param since the time
     * @param limit the maximum number
     * @return the rollouts
     * @throws StoreException if the database refuses
     */
    List<RolloutRecord> rolloutsSince(Instant since, int limit) throws StoreException;

    /**
     * Returns the rollouts that brought a digest of a reference, newest first.
     *
     * @param reference the reference, in canonical form
     * @param digest the digest
     * @return the rollouts
     * @throws StoreException if the database refuses
     */
    List<RolloutRecord> rolloutsTo(String reference, String digest) throws StoreException;

    /**
     * Deletes what the retention does not keep, in small transactions. It always keeps the newest stay of each digest
     * that is remembered for a tracked container or named by the caller, and the newest rollout of every workload with
     * a tracked container.
     *
     * @param retention what to keep
     * @param inUse digests that are running or pinned
     * @param now the time from which ages are counted
     * @return how many entries of the history (stays of digests, rollouts) were deleted
     * @throws StoreException if the database refuses; what was deleted before stays deleted
     */
    int prune(Retention retention, Set<String> inUse, Instant now) throws StoreException;

    @Override
    void close();

    /**
     * A container of a workload, with its reference.
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
     * An observation that a reference had a digest.
     *
     * @param reference the reference, in canonical form
     * @param digest the digest
     * @param mediaType the manifest's media type, if known
     * @param seen when it was observed
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
     * What an image's configuration states about the image.
     *
     * @param revision {@code org.opencontainers.image.revision}
     * @param version {@code org.opencontainers.image.version}
     * @param created when the image was built; dropped if it is not in the years 1 to 9999
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
     * @param firstSeen when the stay was first seen
     * @param lastSeen when it was last seen
     * @param labels what the image states about itself, if known
     */
    record TagDigest(
            String reference,
            String digest,
            Optional<String> mediaType,
            Instant firstSeen,
            Instant lastSeen,
            Optional<ImageLabels> labels) {}

    /**
     * One container's part in a rollout. The store imports no types of its users, so reference and digests are texts
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
     * @param requested when it was requested
     * @param finished when it ended; empty while it runs
     * @param outcome how it ended, for example {@code succeeded}; while it runs empty, or what is known of it, for
     *     example that nobody follows it
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
     * What one pass learned.
     *
     * @param sightings what references resolved to
     * @param labels what images state about themselves
     * @param remembered what to remember for tracked containers from now on
     * @param forgotten containers that are no longer tracked; one that is also in {@code remembered} is remembered
     * @param rollouts rollouts that were requested or have ended
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
         * @return true if all parts are empty
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
     * What pruning keeps: for each reference the newest stays of digests, up to a number and an age; and rollouts up to
     * the same age, for each workload the newest thousand.
     *
     * @param digestsPerReference the maximum number per reference
     * @param days for how many days after a digest was last seen, or a rollout was requested
     */
    record Retention(int digestsPerReference, int days) {
        /** The defaults: 50 digests per reference, 180 days. */
        public static final Retention DEFAULT = new Retention(50, 180);

        public Retention {
            if (digestsPerReference < 1 || days < 1) {
                throw new IllegalArgumentException("the retention must be at least one digest and one day");
            }
        }
    }
}
