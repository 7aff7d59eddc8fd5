package io.urunner.store;

import io.urunner.store.DigestStore.Change;
import io.urunner.store.DigestStore.ImageLabels;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TagDigest;
import io.urunner.store.DigestStore.TrackedContainer;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.Query;

/** The queries, on an open connection. Each is one statement, so its result is consistent. */
final class History {
    private static final String ROLLOUTS = "SELECT o.id, o.name, w.text AS workload, o.why, o.requested, o.finished,"
            + " o.outcome, o.message, c.container, r.text AS reference, c.from_digest, c.to_digest"
            + " FROM rollout o JOIN workload w ON w.id = o.workload_id"
            + " LEFT JOIN rollout_change c ON c.rollout_id = o.id"
            + " LEFT JOIN reference r ON r.id = c.reference_id";

    private final Handle handle;
    private final long cluster;

    History(Handle handle, long cluster) {
        this.handle = handle;
        this.cluster = cluster;
    }

    private Query query(String sql) {
        return handle.createQuery(sql).bind("cluster", cluster);
    }

    Map<TrackedContainer, String> remembered() {
        return query("SELECT w.text AS workload, m.container, r.text AS reference, m.digest"
                        + " FROM workload w JOIN remembered m ON m.workload_id = w.id"
                        + " JOIN reference r ON r.id = m.reference_id"
                        + " WHERE w.cluster_id = :cluster")
                .map((row, context) -> Map.entry(
                        new TrackedContainer(
                                row.getString("workload"), row.getString("container"), row.getString("reference")),
                        row.getString("digest")))
                .stream()
                .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    List<String> references() {
        return query("SELECT r.text FROM reference r WHERE r.cluster_id = :cluster"
                        + " AND EXISTS (SELECT 1 FROM tag_now n WHERE n.reference_id = r.id) ORDER BY r.text")
                .mapTo(String.class)
                .list();
    }

    /** Returns the stays of digests that began before or at a time, newest first. */
    List<TagDigest> digests(String reference, long until, int limit) {
        return query("SELECT s.digest, m.text AS media_type, s.first_seen, s.last_seen,"
                        + " l.digest AS labelled, l.revision, l.version, l.created"
                        + " FROM tag_stay s LEFT JOIN media_type m ON m.id = s.media_type_id"
                        + " LEFT JOIN image_label l ON l.reference_id = s.reference_id AND l.digest = s.digest"
                        + " WHERE s.reference_id = (SELECT id FROM reference WHERE cluster_id = :cluster AND text = :reference)"
                        + " AND s.first_seen <= :until ORDER BY s.first_seen DESC LIMIT :limit")
                .bind("reference", reference)
                .bind("until", until)
                .bind("limit", limit)
                .map((row, context) -> new TagDigest(
                        reference,
                        row.getString("digest"),
                        Optional.ofNullable(row.getString("media_type")),
                        Instant.ofEpochMilli(row.getLong("first_seen")),
                        Instant.ofEpochMilli(row.getLong("last_seen")),
                        labels(row)))
                .list();
    }

    private static Optional<ImageLabels> labels(ResultSet row) throws SQLException {
        if (row.getString("labelled") == null) {
            return Optional.empty();
        }
        return Optional.of(new ImageLabels(
                Optional.ofNullable(row.getString("revision")),
                Optional.ofNullable(row.getString("version")),
                instant(row, "created")));
    }

    private static Optional<Instant> instant(ResultSet row, String column) throws SQLException {
        long millis = row.getLong(column);
        return row.wasNull() ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
    }

    Optional<TagDigest> previousDigest(String reference, int steps) {
        Set<String> passed = new HashSet<>();
        for (TagDigest stay : digests(reference, Long.MAX_VALUE, Integer.MAX_VALUE)) {
            if (passed.add(stay.digest()) && passed.size() == steps + 1) {
                return Optional.of(stay);
            }
        }
        return Optional.empty();
    }

    List<RolloutRecord> rollouts(String workload, int limit) {
        return records(query(ROLLOUTS + " WHERE o.id IN (SELECT x.id FROM rollout x WHERE x.workload_id ="
                        + " (SELECT id FROM workload WHERE cluster_id = :cluster AND text = :workload)"
                        + " ORDER BY x.requested DESC, x.id DESC LIMIT :limit)"
                        + " ORDER BY o.requested DESC, o.id DESC, c.place")
                .bind("workload", workload)
                .bind("limit", limit));
    }

    List<RolloutRecord> unfinishedRollouts() {
        return records(query(ROLLOUTS + " WHERE o.finished IS NULL AND w.cluster_id = :cluster"
                + " ORDER BY o.requested, o.id, c.place"));
    }

    List<RolloutRecord> rolloutsSince(Instant since, int limit) {
        return records(
                query(ROLLOUTS + " WHERE o.id IN (SELECT x.id FROM rollout x JOIN workload y ON y.id = x.workload_id"
                                + " WHERE x.requested >= :since AND y.cluster_id = :cluster"
                                + " ORDER BY x.requested DESC, x.id DESC LIMIT :limit)"
                                + " ORDER BY o.requested DESC, o.id DESC, c.place")
                        .bind("since", since.toEpochMilli())
                        .bind("limit", limit));
    }

    List<RolloutRecord> rolloutsTo(String reference, String digest) {
        return records(query(ROLLOUTS + " WHERE o.id IN (SELECT x.rollout_id FROM rollout_change x"
                        + " WHERE x.reference_id ="
                        + " (SELECT id FROM reference WHERE cluster_id = :cluster AND text = :reference)"
                        + " AND x.to_digest = :digest)"
                        + " ORDER BY o.requested DESC, o.id DESC, c.place")
                .bind("reference", reference)
                .bind("digest", digest));
    }

    /** Folds the rows, one per change, into rollouts. */
    private static List<RolloutRecord> records(Query query) {
        return query.scanResultSet((rows, context) -> {
            List<RolloutRecord> records = new ArrayList<>();
            List<Change> changes = new ArrayList<>();
            ResultSet row = rows.get();
            boolean more = row.next();
            while (more) {
                long id = row.getLong("id");
                RolloutRecord bare = new RolloutRecord(
                        row.getString("name"),
                        row.getString("workload"),
                        row.getString("why"),
                        List.of(),
                        Instant.ofEpochMilli(row.getLong("requested")),
                        instant(row, "finished"),
                        Optional.ofNullable(row.getString("outcome")),
                        Optional.ofNullable(row.getString("message")));
                changes.clear();
                do {
                    if (row.getString("container") != null) {
                        changes.add(new Change(
                                row.getString("container"),
                                row.getString("reference"),
                                Optional.ofNullable(row.getString("from_digest")),
                                row.getString("to_digest")));
                    }
                    more = row.next();
                } while (more && row.getLong("id") == id);
                records.add(new RolloutRecord(
                        bare.id(),
                        bare.workload(),
                        bare.why(),
                        changes,
                        bare.requested(),
                        bare.finished(),
                        bare.outcome(),
                        bare.message()));
            }
            return List.copyOf(records);
        });
    }
}
