package io.urunner.store;

import java.sql.ResultSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/**
 * A copy of {@code tag_now}, so that a pass over tags that did not move reads nothing. It is valid as long as nobody
 * else writes there: every writer leaves a mark on the cluster, and if the mark is not ours, everything is read again.
 * For use with the cluster locked; changes here and in the rows are in the same transaction.
 */
final class KnownTags {
    private static final int FETCH = 1_000;

    private final Map<String, Tag> tags = new HashMap<>();
    private final Map<String, Long> mediaTypes = new HashMap<>();
    private int connection;
    private long mark;

    /** The current state of a reference. */
    static final class Tag {
        final long reference;
        String digest = "";

        @Nullable Long mediaTypeId;

        long firstSeen = Long.MIN_VALUE;
        long lastSeen = Long.MIN_VALUE;

        /** A reference without a digest yet; one is recorded right after. */
        Tag(long reference) {
            this.reference = reference;
        }
    }

    /** Brings the copy up to date, and leaves our mark. */
    void claim(Lane.Session session, long found) {
        // A failed transaction has cost its connection.
        if (connection != session.number() || mark != found) {
            connection = 0;
            read(session.handle(), session.cluster());
        }
        mark = leaveMark(session.handle(), session.cluster());
        connection = session.number();
    }

    /** Invalidates the copies of others. */
    static long leaveMark(Handle handle, long cluster) {
        long mark = ThreadLocalRandom.current().nextLong();
        handle.createUpdate("UPDATE cluster SET mark = :mark WHERE id = :cluster")
                .bind("mark", mark)
                .bind("cluster", cluster)
                .execute();
        return mark;
    }

    private void read(Handle handle, long cluster) {
        tags.clear();
        mediaTypes.clear();
        handle.createQuery("SELECT r.id, r.text AS reference, n.digest, n.media_type_id, n.first_seen, n.last_seen"
                        + " FROM tag_now n JOIN reference r ON r.id = n.reference_id"
                        + " WHERE r.cluster_id = :cluster")
                .bind("cluster", cluster)
                .setFetchSize(FETCH)
                .scanResultSet((rows, context) -> {
                    ResultSet row = rows.get();
                    while (row.next()) {
                        Tag tag = new Tag(row.getLong("id"));
                        tag.digest = row.getString("digest");
                        long mediaType = row.getLong("media_type_id");
                        tag.mediaTypeId = row.wasNull() ? null : mediaType;
                        tag.firstSeen = row.getLong("first_seen");
                        tag.lastSeen = row.getLong("last_seen");
                        tags.put(row.getString("reference"), tag);
                    }
                    return tags.size();
                });
    }

    @Nullable Tag get(String reference) {
        return tags.get(reference);
    }

    /** Adds a reference that has no digest yet; it gets one in the same transaction. */
    void add(String reference, long id) {
        tags.put(reference, new Tag(id));
    }

    Optional<Long> mediaType(String text) {
        return Optional.ofNullable(mediaTypes.get(text));
    }

    void addMediaType(String text, long id) {
        mediaTypes.put(text, id);
    }
}
