package io.urunner.store;

import io.urunner.store.DigestStore.Batch;
import io.urunner.store.DigestStore.Change;
import io.urunner.store.DigestStore.Image;
import io.urunner.store.DigestStore.ImageLabels;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TrackedContainer;
import io.urunner.store.KnownTags.Tag;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.PreparedBatch;
import org.jspecify.annotations.Nullable;

/**
 * Writes a batch within a transaction. References and workloads get their numbers first, all at once. For a tag that
 * did not move, only one row of {@code tag_now} is written.
 */
final class BatchWriter {
    private static final int MOST_MEDIA_TYPES = 1_000;

    private final Lane.Session session;
    private final Handle handle;
    private final long cluster;
    private final Database database;
    private final KnownTags known;

    BatchWriter(Lane.Session session, Database database, KnownTags known) {
        this.session = session;
        handle = session.handle();
        cluster = session.cluster();
        this.database = database;
        this.known = known;
    }

    static void createTemporaryTables(Handle handle) {
        handle.execute("CREATE TEMPORARY TABLE term (text TEXT NOT NULL)");
        handle.execute("CREATE TEMPORARY TABLE kept (digest TEXT PRIMARY KEY)");
    }

    /** Writes a batch; {@code mark} is the mark that the cluster now has. */
    void write(Batch batch, long mark) throws SQLException {
        if (!batch.sightings().isEmpty()) {
            known.claim(session, mark);
            writeSightings(batch.sightings());
        }
        writeLabels(batch.labels());
        forget(batch.forgotten());
        remember(batch.remembered());
        writeRollouts(batch.rollouts());
    }

    // ---- sightings

    /** A sighting that is newer than what was known about its tag before this batch. */
    private record News(Tag tag, Sighting sighting, long seen) {}

    private void writeSightings(List<Sighting> sightings) throws SQLException {
        Rows past = stays();
        Rows fresh = stays();
        Rows moved = stays();
        Rows seenAgain = new Rows().number("reference_id").number("last_seen");
        List<News> news = news(sightings);
        for (int i = 0; i < news.size(); ) {
            Tag tag = news.get(i).tag;
            boolean isFresh = tag.digest.isEmpty();
            boolean hasChanged = false;
            for (; i < news.size() && news.get(i).tag == tag; i++) {
                hasChanged |= see(tag, news.get(i), past);
            }
            if (isFresh) {
                add(fresh, tag);
            } else if (hasChanged) {
                add(moved, tag);
            } else {
                seenAgain.add(tag.reference, tag.lastSeen);
            }
        }
        insert("tag_past", past, "");
        insert("tag_now", fresh, "");
        update("tag_now", moved);
        update("tag_now", seenAgain);
    }

    /** Returns whether more than the time changed. */
    private boolean see(Tag tag, News news, Rows past) {
        Sighting sighting = news.sighting;
        if (news.seen <= tag.lastSeen) {
            return false; // the same sighting twice
        }
        boolean changed = false;
        if (!tag.digest.equals(sighting.digest())) {
            if (!tag.digest.isEmpty()) {
                add(past, tag);
            }
            tag.digest = sighting.digest();
            tag.mediaTypeId = null;
            tag.firstSeen = news.seen;
            changed = true;
        }
        if (tag.mediaTypeId == null && sighting.mediaType().isPresent()) {
            tag.mediaTypeId = mediaType(sighting.mediaType().get());
            changed |= tag.mediaTypeId != null;
        }
        tag.lastSeen = news.seen;
        return changed;
    }

    /** In the order of the rows, and for one tag in the order of time. */
    private List<News> news(List<Sighting> sightings) throws SQLException {
        List<News> news = new ArrayList<>(sightings.size());
        List<Sighting> unknown = new ArrayList<>();
        for (Sighting sighting : sightings) {
            Tag tag = known.get(sighting.reference());
            if (tag == null) {
                unknown.add(sighting);
            } else if (sighting.seen().toEpochMilli() > tag.lastSeen) {
                news.add(new News(tag, sighting, sighting.seen().toEpochMilli()));
            }
        }
        intern("reference", each(unknown, Sighting::reference)).forEach(known::add);
        for (Sighting sighting : unknown) {
            Tag tag = Objects.requireNonNull(known.get(sighting.reference()));
            news.add(new News(tag, sighting, sighting.seen().toEpochMilli()));
        }
        news.sort(Comparator.<News>comparingLong(each -> each.tag.reference).thenComparingLong(each -> each.seen));
        return news;
    }

    private static Rows stays() {
        return new Rows()
                .number("reference_id")
                .text("digest")
                .number("media_type_id")
                .number("first_seen")
                .number("last_seen");
    }

    private static void add(Rows stays, Tag tag) {
        stays.add(tag.reference, tag.digest, tag.mediaTypeId, tag.firstSeen, tag.lastSeen);
    }

    /**
     * All clusters share the media types. There are few of them, unless a registry invents a new one for each answer:
     * after the thousandth, new ones are not stored.
     */
    private @Nullable Long mediaType(String text) {
        Optional<Long> id = known.mediaType(text);
        if (id.isEmpty()) {
            handle.createUpdate("INSERT INTO media_type (text) SELECT CAST(:text AS TEXT)"
                            + " WHERE (SELECT count(*) FROM media_type) < :most ON CONFLICT (text) DO NOTHING")
                    .bind("text", text)
                    .bind("most", MOST_MEDIA_TYPES)
                    .execute();
            id = handle.createQuery("SELECT id FROM media_type WHERE text = :text")
                    .bind("text", text)
                    .mapTo(Long.class)
                    .findOne();
            id.ifPresent(number -> known.addMediaType(text, number));
        }
        return id.orElse(null);
    }

    // ---- what images say of themselves, and what is remembered

    private void writeLabels(Map<Image, ImageLabels> labels) throws SQLException {
        Map<String, Long> references = intern("reference", each(labels.keySet(), Image::reference));
        Rows rows = new Rows()
                .number("reference_id")
                .text("digest")
                .text("revision")
                .text("version")
                .number("created");
        labels.forEach((image, label) -> rows.add(
                references.get(image.reference()),
                image.digest(),
                label.revision().orElse(null),
                label.version().orElse(null),
                millis(label.created())));
        insert(
                "image_label",
                rows,
                "ON CONFLICT (reference_id, digest) DO UPDATE SET revision = excluded.revision,"
                        + " version = excluded.version, created = excluded.created");
    }

    private static @Nullable Long millis(Optional<Instant> time) {
        return time.map(Instant::toEpochMilli).orElse(null);
    }

    private void forget(Set<TrackedContainer> forgotten) {
        if (forgotten.isEmpty()) {
            return;
        }
        PreparedBatch rows = handle.prepareBatch("DELETE FROM remembered WHERE container = :container"
                + " AND workload_id = (SELECT id FROM workload WHERE cluster_id = :cluster AND text = :workload)"
                + " AND reference_id = (SELECT id FROM reference WHERE cluster_id = :cluster AND text = :reference)");
        forgotten.forEach(tracked -> rows.bind("cluster", cluster)
                .bind("workload", tracked.workload())
                .bind("container", tracked.container())
                .bind("reference", tracked.reference())
                .add());
        rows.execute();
    }

    private void remember(Map<TrackedContainer, String> remembered) throws SQLException {
        Map<String, Long> workloads = intern("workload", each(remembered.keySet(), TrackedContainer::workload));
        Map<String, Long> references = intern("reference", each(remembered.keySet(), TrackedContainer::reference));
        Rows rows = new Rows()
                .number("workload_id")
                .text("container")
                .number("reference_id")
                .text("digest");
        remembered.forEach((tracked, digest) -> rows.add(
                workloads.get(tracked.workload()), tracked.container(), references.get(tracked.reference()), digest));
        insert(
                "remembered",
                rows,
                "ON CONFLICT (workload_id, container, reference_id) DO UPDATE SET digest = excluded.digest");
    }

    // ---- rollouts

    private void writeRollouts(List<RolloutRecord> rollouts) throws SQLException {
        if (rollouts.isEmpty()) {
            return;
        }
        Map<String, Long> workloads = intern("workload", each(rollouts, RolloutRecord::workload));
        PreparedBatch inserts = handle.prepareBatch(
                "INSERT INTO rollout (workload_id, name, why, requested, finished, outcome, message)"
                        // Not VALUES, which the driver may join: each must say whether it was there.
                        + " SELECT CAST(:workload AS BIGINT), CAST(:id AS TEXT), CAST(:why AS TEXT),"
                        + " CAST(:requested AS BIGINT), CAST(:finished AS BIGINT), CAST(:outcome AS TEXT),"
                        + " CAST(:message AS TEXT) WHERE true ON CONFLICT (workload_id, name) DO NOTHING");
        for (RolloutRecord rollout : rollouts) {
            bind(inserts, rollout, workloads)
                    .bind("why", rollout.why())
                    .bind("requested", rollout.requested().toEpochMilli())
                    .add();
        }
        int[] inserted = inserts.execute();
        PreparedBatch updates =
                handle.prepareBatch("UPDATE rollout SET finished = coalesce(CAST(:finished AS BIGINT), finished),"
                        + " outcome = coalesce(CAST(:outcome AS TEXT), outcome),"
                        + " message = coalesce(CAST(:message AS TEXT), message)"
                        + " WHERE workload_id = :workload AND name = :id"
                        // A process that stopped following it may write that after another one recorded how it ended.
                        + " AND (finished IS NULL OR CAST(:finished AS BIGINT) IS NOT NULL)");
        List<RolloutRecord> fresh = new ArrayList<>();
        for (int i = 0; i < inserted.length; i++) {
            if (inserted[i] == 1) {
                fresh.add(rollouts.get(i));
            } else {
                bind(updates, rollouts.get(i), workloads).add();
            }
        }
        if (updates.size() > 0) {
            updates.execute();
        }
        writeChanges(fresh, workloads);
    }

    private static PreparedBatch bind(PreparedBatch rows, RolloutRecord rollout, Map<String, Long> workloads) {
        return rows.bind("workload", workloads.get(rollout.workload()))
                .bind("id", rollout.id())
                .bind("finished", millis(rollout.finished()))
                .bind("outcome", rollout.outcome().orElse(null))
                .bind("message", rollout.message().orElse(null));
    }

    private void writeChanges(List<RolloutRecord> rollouts, Map<String, Long> workloads) throws SQLException {
        List<Change> all = rollouts.stream().flatMap(r -> r.changes().stream()).toList();
        if (all.isEmpty()) {
            return;
        }
        Map<String, Long> references = intern("reference", each(all, Change::reference));
        PreparedBatch rows = handle.prepareBatch(
                "INSERT INTO rollout_change (rollout_id, place, container, reference_id, from_digest, to_digest)"
                        + " SELECT o.id, CAST(:place AS BIGINT), CAST(:container AS TEXT), CAST(:reference AS BIGINT),"
                        + " CAST(:from AS TEXT), CAST(:to AS TEXT)"
                        + " FROM rollout o WHERE o.workload_id = :workload AND o.name = :id");
        for (RolloutRecord rollout : rollouts) {
            int place = 0;
            for (Change change : rollout.changes()) {
                rows.bind("workload", workloads.get(rollout.workload()))
                        .bind("id", rollout.id())
                        .bind("place", place++)
                        .bind("container", change.container())
                        .bind("reference", references.get(change.reference()))
                        .bind("from", change.from().orElse(null))
                        .bind("to", change.to())
                        .add();
            }
        }
        rows.execute();
    }

    private void insert(String table, Rows rows, String conflict) throws SQLException {
        if (!rows.isEmpty()) {
            database.insert(handle, table, rows, conflict);
        }
    }

    private void update(String table, Rows rows) throws SQLException {
        if (!rows.isEmpty()) {
            database.update(handle, table, rows);
        }
    }

    // ---- texts

    private interface Part<T> {
        String of(T whole);
    }

    private static <T> Set<String> each(Collection<T> wholes, Part<T> part) {
        Set<String> texts = new HashSet<>();
        wholes.forEach(whole -> texts.add(part.of(whole)));
        return texts;
    }

    /** Assigns numbers to texts in one of the tables of texts. */
    private Map<String, Long> intern(String table, Set<String> texts) throws SQLException {
        Map<String, Long> ids = new HashMap<>();
        if (texts.isEmpty()) {
            return ids;
        }
        fillTerms(handle, database, texts);
        handle.createUpdate("INSERT INTO " + table + " (cluster_id, text) SELECT :cluster, t.text FROM term t"
                        + " WHERE NOT EXISTS"
                        + " (SELECT 1 FROM " + table + " x WHERE x.cluster_id = :cluster AND x.text = t.text)")
                .bind("cluster", cluster)
                .execute();
        // CROSS, so that SQLite iterates over the few terms, not over the table.
        return handle.createQuery("SELECT x.text, x.id FROM term t CROSS JOIN " + table
                        + " x WHERE x.cluster_id = :cluster AND x.text = t.text")
                .bind("cluster", cluster)
                .scanResultSet((rows, context) -> {
                    ResultSet row = rows.get();
                    while (row.next()) {
                        ids.put(row.getString(1), row.getLong(2));
                    }
                    return ids;
                });
    }

    static void fillTerms(Handle handle, Database database, Set<String> texts) throws SQLException {
        handle.execute(database.clear("term"));
        Rows terms = new Rows().text("text");
        texts.forEach(text -> terms.add(text));
        if (!terms.isEmpty()) {
            database.insert(handle, "term", terms, "");
        }
    }
}
