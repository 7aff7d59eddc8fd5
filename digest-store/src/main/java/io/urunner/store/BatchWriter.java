package io.urunner.store;

import io.urunner.store.DigestStore.Batch;
import io.urunner.store.DigestStore.Change;
import io.urunner.store.DigestStore.ImageLabels;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TrackedContainer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.PreparedBatch;
import org.jdbi.v3.core.statement.Update;

/**
 * Writes a batch within a transaction. Sightings go into a temporary table, a chunk at a time, and are compared there with
 * what is known, so that a pass over a hundred thousand unmoved tags is a few statements and touches one narrow table.
 */
final class BatchWriter {
    private static final int CHUNK = 20_000;

    private final Handle handle;
    private final Database database;
    private final long cluster;

    BatchWriter(Handle handle, Database database, long cluster) {
        this.handle = handle;
        this.database = database;
        this.cluster = cluster;
    }

    static void createTemporaryTables(Handle handle) {
        handle.execute(
                "CREATE TEMPORARY TABLE incoming (reference TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT,"
                        + " seen BIGINT NOT NULL, reference_id BIGINT, digest_id BIGINT)");
        handle.execute("CREATE TEMPORARY TABLE term (text TEXT NOT NULL)");
        handle.execute("CREATE TEMPORARY TABLE kept (digest_id BIGINT PRIMARY KEY)");
    }

    void write(Batch batch) {
        writeSightings(batch.sightings());
        writeLabels(batch.labels());
        forget(batch.forgotten());
        remember(batch.remembered());
        writeRollouts(batch.rollouts());
    }

    // ---- sightings

    /** Several sightings of one reference are written one after the other, in the order of their times. */
    private void writeSightings(List<Sighting> sightings) {
        List<Sighting> rest = sightings;
        if (new HashSet<>(sightings.stream().map(Sighting::reference).toList()).size() < sightings.size()) {
            rest = sightings.stream()
                    .sorted(Comparator.comparing(Sighting::seen))
                    .toList();
        }
        while (!rest.isEmpty()) {
            List<Sighting> again = new ArrayList<>();
            List<Sighting> chunk = new ArrayList<>(Math.min(CHUNK, rest.size()));
            Set<String> references = new HashSet<>();
            for (Sighting sighting : rest) {
                if (!references.add(sighting.reference())) {
                    again.add(sighting);
                } else if (chunk.add(sighting) && chunk.size() == CHUNK) {
                    writeChunk(chunk);
                    chunk.clear();
                }
            }
            if (!chunk.isEmpty()) {
                writeChunk(chunk);
            }
            rest = again;
        }
    }

    private void writeChunk(List<Sighting> chunk) {
        load(chunk);
        update("INSERT INTO reference (cluster_id, text) SELECT :cluster, i.reference FROM incoming i WHERE NOT EXISTS"
                + " (SELECT 1 FROM reference r WHERE r.cluster_id = :cluster AND r.text = i.reference)");
        // digest_id is filled where the tag has not moved; media_type is left where it is news.
        update("UPDATE incoming SET reference_id = r.id,"
                + " digest_id = CASE WHEN d.text = incoming.digest THEN d.id END,"
                + " media_type = CASE WHEN d.text = incoming.digest AND d.media_type_id IS NOT NULL THEN NULL"
                + " ELSE incoming.media_type END"
                + " FROM reference r LEFT JOIN tag_now n ON n.reference_id = r.id LEFT JOIN digest d ON d.id = n.digest_id"
                + " WHERE r.cluster_id = :cluster AND r.text = incoming.reference");
        update("UPDATE tag_now SET last_seen = i.seen FROM incoming i WHERE tag_now.reference_id = i.reference_id"
                + " AND tag_now.digest_id = i.digest_id AND tag_now.last_seen < i.seen");
        update("DELETE FROM incoming WHERE digest_id IS NOT NULL AND media_type IS NULL");
        boolean news = handle.createQuery("SELECT count(*) FROM incoming")
                        .mapTo(int.class)
                        .one()
                > 0;
        if (news) {
            writeNews();
        }
    }

    private void load(List<Sighting> chunk) {
        update(database.clear("incoming"));
        PreparedBatch rows =
                handle.prepareBatch("INSERT INTO incoming (reference, digest, media_type, seen) VALUES (?, ?, ?, ?)");
        for (Sighting sighting : chunk) {
            rows.bind(0, sighting.reference())
                    .bind(1, sighting.digest())
                    .bind(2, sighting.mediaType().orElse(null))
                    .bind(3, sighting.seen().toEpochMilli())
                    .add();
        }
        rows.execute();
    }

    private void writeNews() {
        update(
                "INSERT INTO media_type (text) SELECT DISTINCT i.media_type FROM incoming i WHERE i.media_type IS NOT NULL"
                        + " AND NOT EXISTS (SELECT 1 FROM media_type m WHERE m.text = i.media_type) ON CONFLICT (text) DO NOTHING");
        update("INSERT INTO digest (cluster_id, text, media_type_id) SELECT :cluster, i.digest, min(m.id)"
                + " FROM incoming i LEFT JOIN media_type m ON m.text = i.media_type"
                + " WHERE i.digest_id IS NULL AND NOT EXISTS"
                + " (SELECT 1 FROM digest d WHERE d.cluster_id = :cluster AND d.text = i.digest) GROUP BY i.digest");
        update("UPDATE incoming SET digest_id = d.id FROM digest d WHERE incoming.digest_id IS NULL"
                + " AND d.cluster_id = :cluster AND d.text = incoming.digest");
        update("UPDATE digest SET media_type_id = m.id FROM incoming i JOIN media_type m ON m.text = i.media_type"
                + " WHERE digest.id = i.digest_id AND digest.media_type_id IS DISTINCT FROM m.id");
        update("INSERT INTO tag_past (reference_id, first_seen, last_seen, digest_id)"
                + " SELECT n.reference_id, n.first_seen, n.last_seen, n.digest_id"
                + " FROM incoming i JOIN tag_now n ON n.reference_id = i.reference_id"
                + " WHERE n.digest_id <> i.digest_id AND n.last_seen < i.seen");
        update("INSERT INTO tag_now (reference_id, digest_id, first_seen, last_seen)"
                + " SELECT i.reference_id, i.digest_id, i.seen, i.seen FROM incoming i WHERE true"
                + " ON CONFLICT (reference_id) DO UPDATE SET digest_id = excluded.digest_id,"
                + " first_seen = excluded.first_seen, last_seen = excluded.last_seen"
                + " WHERE tag_now.digest_id <> excluded.digest_id AND tag_now.last_seen < excluded.first_seen");
    }

    // ---- what images say of themselves, and what is remembered

    private void writeLabels(Map<String, ImageLabels> labels) {
        if (labels.isEmpty()) {
            return;
        }
        intern("digest", labels.keySet());
        PreparedBatch rows = handle.prepareBatch("INSERT INTO image_label (digest_id, revision, version, created)"
                + " SELECT d.id, CAST(:revision AS TEXT), CAST(:version AS TEXT), CAST(:created AS BIGINT)"
                + " FROM digest d WHERE d.cluster_id = :cluster AND d.text = :digest"
                + " ON CONFLICT (digest_id) DO UPDATE SET revision = excluded.revision, version = excluded.version,"
                + " created = excluded.created");
        labels.forEach((digest, label) -> rows.bind("cluster", cluster)
                .bind("digest", digest)
                .bind("revision", label.revision().orElse(null))
                .bind("version", label.version().orElse(null))
                .bind("created", label.created().map(Instant::toEpochMilli).orElse(null))
                .add());
        rows.execute();
    }

    private void forget(Set<TrackedContainer> forgotten) {
        if (forgotten.isEmpty()) {
            return;
        }
        PreparedBatch rows = handle.prepareBatch("DELETE FROM remembered WHERE container = :container"
                + " AND workload_id = (SELECT id FROM workload WHERE cluster_id = :cluster AND text = :workload)"
                + " AND reference_id = (SELECT id FROM reference WHERE cluster_id = :cluster AND text = :reference)");
        forgotten.forEach(tracked -> bind(rows, tracked).add());
        rows.execute();
    }

    private void remember(Map<TrackedContainer, String> remembered) {
        if (remembered.isEmpty()) {
            return;
        }
        intern("workload", each(remembered.keySet(), TrackedContainer::workload));
        intern("reference", each(remembered.keySet(), TrackedContainer::reference));
        intern("digest", remembered.values());
        PreparedBatch rows =
                handle.prepareBatch("INSERT INTO remembered (workload_id, container, reference_id, digest_id)"
                        + " SELECT w.id, CAST(:container AS TEXT), r.id, d.id FROM workload w, reference r, digest d"
                        + " WHERE w.cluster_id = :cluster AND w.text = :workload AND r.cluster_id = :cluster"
                        + " AND r.text = :reference AND d.cluster_id = :cluster AND d.text = :digest"
                        + " ON CONFLICT (workload_id, container, reference_id) DO UPDATE SET digest_id = excluded.digest_id"
                        + " WHERE remembered.digest_id <> excluded.digest_id");
        remembered.forEach(
                (tracked, digest) -> bind(rows, tracked).bind("digest", digest).add());
        rows.execute();
    }

    private PreparedBatch bind(PreparedBatch rows, TrackedContainer tracked) {
        return rows.bind("cluster", cluster)
                .bind("workload", tracked.workload())
                .bind("container", tracked.container())
                .bind("reference", tracked.reference());
    }

    // ---- rollouts

    private void writeRollouts(List<RolloutRecord> rollouts) {
        if (rollouts.isEmpty()) {
            return;
        }
        List<Change> changes =
                rollouts.stream().flatMap(r -> r.changes().stream()).toList();
        intern("workload", each(rollouts, RolloutRecord::workload));
        intern("reference", each(changes, Change::reference));
        intern("digest", each(changes, Change::to));
        intern("digest", changes.stream().flatMap(c -> c.from().stream()).toList());
        for (RolloutRecord rollout : rollouts) {
            boolean isNew = bind(
                                    "INSERT INTO rollout (workload_id, name, why, requested, finished, outcome, message)"
                                            + " SELECT w.id, CAST(:id AS TEXT), CAST(:why AS TEXT), CAST(:requested AS BIGINT),"
                                            + " CAST(:finished AS BIGINT), CAST(:outcome AS TEXT), CAST(:message AS TEXT)"
                                            + " FROM workload w WHERE w.cluster_id = :cluster AND w.text = :workload"
                                            + " ON CONFLICT (workload_id, name) DO NOTHING",
                                    rollout)
                            .bind("why", rollout.why())
                            .bind("requested", rollout.requested().toEpochMilli())
                            .execute()
                    == 1;
            if (isNew) {
                writeChanges(rollout);
            } else {
                bind(
                                "UPDATE rollout SET finished = coalesce(CAST(:finished AS BIGINT), finished),"
                                        + " outcome = coalesce(CAST(:outcome AS TEXT), outcome),"
                                        + " message = coalesce(CAST(:message AS TEXT), message)"
                                        + " WHERE name = :id AND workload_id ="
                                        + " (SELECT id FROM workload WHERE cluster_id = :cluster AND text = :workload)",
                                rollout)
                        .execute();
            }
        }
    }

    private Update bind(String sql, RolloutRecord rollout) {
        return handle.createUpdate(sql)
                .bind("cluster", cluster)
                .bind("workload", rollout.workload())
                .bind("id", rollout.id())
                .bind("finished", rollout.finished().map(Instant::toEpochMilli).orElse(null))
                .bind("outcome", rollout.outcome().orElse(null))
                .bind("message", rollout.message().orElse(null));
    }

    private void writeChanges(RolloutRecord rollout) {
        PreparedBatch rows = handle.prepareBatch(
                "INSERT INTO rollout_change (rollout_id, place, container, reference_id, from_id, to_id)"
                        + " SELECT o.id, CAST(:place AS BIGINT), CAST(:container AS TEXT), r.id, f.id, t.id"
                        + " FROM workload w JOIN rollout o ON o.workload_id = w.id AND o.name = :id"
                        + " JOIN reference r ON r.cluster_id = w.cluster_id AND r.text = :reference"
                        + " JOIN digest t ON t.cluster_id = w.cluster_id AND t.text = :to"
                        + " LEFT JOIN digest f ON f.cluster_id = w.cluster_id AND f.text = :from"
                        + " WHERE w.cluster_id = :cluster AND w.text = :workload");
        int place = 0;
        for (Change change : rollout.changes()) {
            rows.bind("cluster", cluster)
                    .bind("workload", rollout.workload())
                    .bind("id", rollout.id())
                    .bind("place", place++)
                    .bind("container", change.container())
                    .bind("reference", change.reference())
                    .bind("from", change.from().orElse(null))
                    .bind("to", change.to())
                    .add();
        }
        if (place > 0) {
            rows.execute();
        }
    }

    // ---- texts

    private interface Part<T> {
        String of(T whole);
    }

    private static <T> Collection<String> each(Collection<T> wholes, Part<T> part) {
        Map<String, String> texts = new HashMap<>();
        wholes.forEach(whole -> texts.put(part.of(whole), ""));
        return texts.keySet();
    }

    /** Gives texts their ids in one of the tables of texts. */
    private void intern(String table, Collection<String> texts) {
        if (texts.isEmpty()) {
            return;
        }
        fillTerms(handle, database, texts);
        update("INSERT INTO " + table
                + " (cluster_id, text) SELECT DISTINCT :cluster, t.text FROM term t WHERE NOT EXISTS"
                + " (SELECT 1 FROM " + table + " x WHERE x.cluster_id = :cluster AND x.text = t.text)");
    }

    static void fillTerms(Handle handle, Database database, Collection<String> texts) {
        handle.execute(database.clear("term"));
        if (!texts.isEmpty()) {
            PreparedBatch rows = handle.prepareBatch("INSERT INTO term (text) VALUES (?)");
            texts.forEach(text -> rows.bind(0, text).add());
            rows.execute();
        }
    }

    private void update(String sql) {
        Update update = handle.createUpdate(sql);
        if (sql.contains(":cluster")) {
            update.bind("cluster", cluster);
        }
        update.execute();
    }
}
