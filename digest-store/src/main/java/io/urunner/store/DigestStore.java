package io.urunner.store;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Remembers for every reference the digests that it had, for every tracked container the digest that it was last seen
 * with or rolled out to, and every rollout with its outcome. Thread-safe. Whoever opened it closes it; closing twice does
 * nothing.
 *
 * <p>All texts are opaque; times are written with millisecond precision.
 */
public interface DigestStore extends AutoCloseable {
    /**
     * Writes what one pass learnt, in one transaction: all of it or nothing. Writing the same batch again changes
     * nothing.
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
     * The digests that a reference had, the one seen last first.
     *
     * @param reference the reference, in canonical form
     * @param limit how many at most
     * @return the digests; empty if the reference is not known
     * @throws StoreException if the database refuses
     */
    List<TagDigest> digests(String reference, int limit) throws StoreException;

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
     * The rollouts that brought a digest of a reference, newest first.
     *
     * @param reference the reference, in canonical form
     * @param digest the digest
     * @return the rollouts
     * @throws StoreException if the database refuses
     */
    List<RolloutRecord> rolloutsTo(String reference, String digest) throws StoreException;

    /**
     * Deletes old digests and rollouts in small batches, oldest first, as far as the retention says; never a digest that
     * is in use.
     *
     * @param retention what to keep
     * @param now the time that ages count from
     * @return how many rows were deleted
     * @throws StoreException if the database refuses
     */
    int prune(Retention retention, Instant now) throws StoreException;

    @Override
    void close();

    /**
     * A container of a workload, with the reference that it had.
     *
     * @param workload the workload, for example {@code shop/Deployment/web}
     * @param container the container's name
     * @param reference the reference, in canonical form
     */
    record TrackedContainer(String workload, String container, String reference) {}

    /**
     * That a reference had a digest.
     *
     * @param reference the reference, in canonical form
     * @param digest the digest
     * @param mediaType the manifest's media type, if known
     * @param seen when
     */
    record Sighting(String reference, String digest, Optional<String> mediaType, Instant seen) {}

    /**
     * What an image's configuration says of it.
     *
     * @param revision {@code org.opencontainers.image.revision}
     * @param version {@code org.opencontainers.image.version}
     * @param created when the image was made
     */
    record ImageLabels(Optional<String> revision, Optional<String> version, Optional<Instant> created) {}

    /**
     * A digest that a reference had.
     *
     * @param reference the reference, in canonical form
     * @param digest the digest
     * @param mediaType the manifest's media type, if known
     * @param firstSeen when it was seen first
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
     * One container's part in a rollout.
     *
     * @param container its name
     * @param reference its reference, in canonical form
     * @param from the digest before, if known
     * @param to the digest that was rolled out
     */
    record Change(String container, String reference, Optional<String> from, String to) {}

    /**
     * A rollout. It is written when it was requested, and again under the same id when it ended.
     *
     * @param id unique, chosen by the caller
     * @param workload the workload
     * @param why the reason, in words
     * @param changes what changed
     * @param requested when it was asked for
     * @param finished when it ended; empty while it runs
     * @param outcome how it ended, for example {@code succeeded}; empty while it runs
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
            changes = List.copyOf(changes);
        }
    }

    /**
     * What one pass learnt.
     *
     * @param sightings what references resolved to
     * @param labels what images say of themselves, by reference and digest
     * @param remembered what to remember for tracked containers from now on
     * @param rollouts rollouts that were requested or ended
     */
    record Batch(
            List<Sighting> sightings,
            Map<TagKey, ImageLabels> labels,
            Map<TrackedContainer, String> remembered,
            List<RolloutRecord> rollouts) {
        public Batch {
            sightings = List.copyOf(sightings);
            labels = Map.copyOf(labels);
            remembered = Map.copyOf(remembered);
            rollouts = List.copyOf(rollouts);
        }
    }

    /**
     * A digest of a reference.
     *
     * @param reference the reference, in canonical form
     * @param digest the digest
     */
    record TagKey(String reference, String digest) {}

    /**
     * What pruning keeps: per reference the newest digests, and whatever is younger than an age.
     *
     * @param digestsPerReference how many digests per reference
     * @param days the age in days
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
