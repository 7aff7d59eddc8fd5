package io.urunner.store;

import io.urunner.store.DigestStore.Retention;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Handle;

/**
 * Deletes what the retention does not keep, a few references or texts per transaction, so that a pass never waits long.
 * Single use.
 *
 * <p>The plus in {@code +cluster_id} keeps SQLite from walking the index of all texts instead of the range of ids.
 */
final class Pruner {
    private static final int REFERENCES_PER_STEP = 500;
    private static final int ROWS_PER_STEP = 2_000;
    private static final int ROLLOUTS_PER_WORKLOAD = 1_000;
    private static final String REMEMBERED = "EXISTS (SELECT 1 FROM remembered m WHERE m.digest = p.digest)";
    private static final String IN_USE = "EXISTS (SELECT 1 FROM kept k WHERE k.digest = p.digest)";

    private final Lane writer;
    private final Database database;
    private final Retention retention;
    private final Set<String> inUse;
    private final long oldest;
    private int filled;

    Pruner(Lane writer, Database database, Retention retention, Set<String> inUse, Instant now) {
        this.writer = writer;
        this.database = database;
        this.retention = retention;
        this.inUse = inUse;
        this.oldest = now.minus(Duration.ofDays(retention.days())).toEpochMilli();
    }

    int prune() throws StoreException {
        int deleted = sweep("rollout", this::rollouts);
        deleted += sweep("reference", this::stays);
        sweep("reference", this::references);
        sweep("workload", this::workloads);
        return deleted;
    }

    /** Deletes rows with ids in a range. */
    private interface Step {
        int delete(Range range);
    }

    private record Range(Handle handle, long cluster, long after, long to) {
        int update(String sql) {
            return handle.createUpdate(sql)
                    .bind("cluster", cluster)
                    .bind("after", after)
                    .bind("to", to)
                    .execute();
        }
    }

    /** Walks through a table by its ids; each step is a transaction of its own. */
    private int sweep(String table, Step step) throws StoreException {
        int size = table.equals("reference") ? REFERENCES_PER_STEP : ROWS_PER_STEP;
        int deleted = 0;
        Optional<Long> reached = Optional.of(0L);
        while (reached.isPresent()) {
            long after = reached.get();
            int[] count = new int[1];
            reached = writer.call(
                    "prune the history",
                    session -> session.handle().inTransaction(h -> {
                        SqlDigestStore.lock(session, database);
                        keepInUse(h, session);
                        Optional<Long> to = h.createQuery("SELECT max(id) FROM (SELECT x.id FROM " + table
                                        + " x WHERE x.id > :after ORDER BY x.id LIMIT :size) AS step")
                                .bind("after", after)
                                .bind("size", size)
                                .mapTo(Long.class)
                                .findOne();
                        count[0] = to.isEmpty() ? 0 : step.delete(new Range(h, session.cluster(), after, to.get()));
                        return to;
                    }));
            deleted += count[0];
        }
        return deleted;
    }

    /** The digests in use are in a temporary table, which is lost with the connection. */
    private void keepInUse(Handle handle, Lane.Session session) throws SQLException {
        if (session.number() != filled) {
            BatchWriter.fillTerms(handle, database, inUse);
            handle.execute(database.clear("kept"));
            handle.execute("INSERT INTO kept (digest) SELECT t.text FROM term t");
            filled = session.number();
        }
    }

    private int rollouts(Range range) {
        return range.handle()
                .createUpdate("DELETE FROM rollout WHERE id > :after AND id <= :to"
                        + " AND workload_id IN (SELECT w.id FROM workload w WHERE w.cluster_id = :cluster)"
                        + " AND (requested < :oldest"
                        + " AND (NOT EXISTS (SELECT 1 FROM remembered m WHERE m.workload_id = rollout.workload_id)"
                        + " OR EXISTS (SELECT 1 FROM rollout y WHERE y.workload_id = rollout.workload_id"
                        + " AND y.requested > rollout.requested))"
                        + " OR requested < (SELECT z.requested FROM rollout z"
                        + " WHERE z.workload_id = rollout.workload_id"
                        + " ORDER BY z.requested DESC LIMIT 1 OFFSET :newest))")
                .bind("newest", ROLLOUTS_PER_WORKLOAD - 1)
                .bind("cluster", range.cluster())
                .bind("after", range.after())
                .bind("to", range.to())
                .bind("oldest", oldest)
                .execute();
    }

    private int stays(Range range) {
        int past = range.handle()
                .createUpdate(
                        "DELETE FROM tag_past WHERE (reference_id, first_seen) IN (SELECT p.reference_id, p.first_seen"
                                + " FROM (SELECT h.reference_id, h.first_seen, h.last_seen, h.digest, row_number() OVER"
                                + " (PARTITION BY h.reference_id ORDER BY h.first_seen DESC) AS place,"
                                // Of a digest that comes and goes with each pass, only one stay is kept.
                                + " row_number() OVER (PARTITION BY h.reference_id, h.digest"
                                + " ORDER BY h.first_seen DESC) AS stay"
                                + " FROM tag_past h JOIN reference r ON r.id = h.reference_id"
                                + " WHERE +r.cluster_id = :cluster AND h.reference_id > :after AND h.reference_id <= :to) AS p"
                                + " WHERE (p.place >= :digests OR p.last_seen < :oldest)"
                                + " AND (p.stay > 1 OR (NOT " + IN_USE + " AND NOT " + REMEMBERED + ")))")
                .bind("cluster", range.cluster())
                .bind("after", range.after())
                .bind("to", range.to())
                .bind("digests", retention.digestsPerReference())
                .bind("oldest", oldest)
                .execute();
        int now = range.handle()
                .createUpdate("DELETE FROM tag_now WHERE reference_id IN (SELECT p.reference_id FROM tag_now p"
                        + " JOIN reference r ON r.id = p.reference_id"
                        + " WHERE +r.cluster_id = :cluster AND p.reference_id > :after AND p.reference_id <= :to"
                        + " AND p.last_seen < :oldest AND NOT " + IN_USE + " AND NOT " + REMEMBERED
                        + " AND NOT EXISTS (SELECT 1 FROM tag_past q WHERE q.reference_id = p.reference_id))")
                .bind("cluster", range.cluster())
                .bind("after", range.after())
                .bind("to", range.to())
                .bind("oldest", oldest)
                .execute();
        if (now > 0) {
            KnownTags.leaveMark(range.handle(), range.cluster());
        }
        range.update("DELETE FROM image_label WHERE reference_id IN (SELECT r.id FROM reference r"
                + " WHERE +r.cluster_id = :cluster AND r.id > :after AND r.id <= :to)"
                + " AND NOT EXISTS (SELECT 1 FROM tag_stay s"
                + " WHERE s.reference_id = image_label.reference_id AND s.digest = image_label.digest)");
        return past + now;
    }

    private int references(Range range) {
        return range.update("DELETE FROM reference WHERE id > :after AND id <= :to AND +cluster_id = :cluster"
                + " AND NOT EXISTS (SELECT 1 FROM tag_now n WHERE n.reference_id = reference.id)"
                + " AND NOT EXISTS (SELECT 1 FROM tag_past p WHERE p.reference_id = reference.id)"
                + " AND NOT EXISTS (SELECT 1 FROM remembered m WHERE m.reference_id = reference.id)"
                + " AND NOT EXISTS (SELECT 1 FROM rollout_change c WHERE c.reference_id = reference.id)");
    }

    private int workloads(Range range) {
        return range.update("DELETE FROM workload WHERE id > :after AND id <= :to AND +cluster_id = :cluster"
                + " AND NOT EXISTS (SELECT 1 FROM remembered m WHERE m.workload_id = workload.id)"
                + " AND NOT EXISTS (SELECT 1 FROM rollout o WHERE o.workload_id = workload.id)");
    }
}
