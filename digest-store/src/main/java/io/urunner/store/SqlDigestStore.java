package io.urunner.store;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Handle;

/** The store on either database: one lane for the writer, and another for readers, which do not wait for the writer. */
final class SqlDigestStore implements DigestStore {
    private final Database database;
    private final String cluster;
    private final boolean readOnly;
    private final Lane writer;
    private final Lane reader;
    private final KnownTags known = new KnownTags();

    SqlDigestStore(Database database, String cluster) {
        this(database, cluster, false);
    }

    private SqlDigestStore(Database database, String cluster, boolean readOnly) {
        if (cluster.isBlank()) {
            throw new IllegalArgumentException("the name of the cluster is empty");
        }
        this.database = database;
        this.cluster = cluster;
        this.readOnly = readOnly;
        this.writer = new Lane(database, true, handle -> {
            Migrations.migrate(handle, database);
            BatchWriter.createTemporaryTables(handle);
            return clusterId(handle, cluster);
        });
        this.reader = new Lane(database, false, handle -> {
            Migrations.mustFit(handle, database);
            return handle.createQuery("SELECT id FROM cluster WHERE name = :name")
                    .bind("name", cluster)
                    .mapTo(long.class)
                    .findOne()
                    .orElseThrow(() ->
                            new StoreException(database.location() + ": has no history of the cluster " + cluster));
        });
    }

    /** The same store, opened read-only. */
    SqlDigestStore readOnly() {
        return new SqlDigestStore(database, cluster, true);
    }

    private void mustWrite() throws StoreException {
        if (readOnly) {
            throw new StoreException(database.location() + ": is open for reading only");
        }
    }

    private static long clusterId(Handle handle, String name) {
        handle.createUpdate("INSERT INTO cluster (name) SELECT :name WHERE NOT EXISTS"
                        + " (SELECT 1 FROM cluster WHERE name = :name) ON CONFLICT (name) DO NOTHING")
                .bind("name", name)
                .execute();
        return handle.createQuery("SELECT id FROM cluster WHERE name = :name")
                .bind("name", name)
                .mapTo(long.class)
                .one();
    }

    /**
     * Keeps other writers of the cluster out until the transaction ends, and returns the mark that the last one left.
     */
    static long lock(Lane.Session session, Database database) throws SQLException {
        return session.handle()
                .createQuery("SELECT mark FROM cluster WHERE id = :cluster" + database.lockClause())
                .bind("cluster", session.cluster())
                .mapTo(long.class)
                .findOne()
                .orElseThrow(() -> new SQLException("the database was emptied in the meantime"));
    }

    @Override
    public void check() throws StoreException {
        if (readOnly) {
            reader.call("be opened for reading", session -> true);
            return;
        }
        writer.call("be opened for writing", session -> {
            session.handle().useTransaction(h -> lock(session, database));
            return true;
        });
    }

    @Override
    public void write(Batch batch) throws StoreException {
        mustWrite();
        writer.call("write what the pass learned", session -> {
            session.handle().useTransaction(h -> {
                long mark = lock(session, database);
                new BatchWriter(session, database, known).write(batch, mark);
            });
            return true;
        });
    }

    @Override
    public Map<TrackedContainer, String> remembered() throws StoreException {
        return read("read what is remembered", History::remembered);
    }

    @Override
    public List<String> references() throws StoreException {
        return read("read the references", History::references);
    }

    @Override
    public List<TagDigest> digests(String reference, int limit) throws StoreException {
        return read("read the digests of " + reference, history -> history.digests(reference, Long.MAX_VALUE, limit));
    }

    @Override
    public Optional<TagDigest> digestAt(String reference, Instant at) throws StoreException {
        return read("read the digests of " + reference, history -> history.digests(reference, at.toEpochMilli(), 1))
                .stream()
                .findFirst();
    }

    @Override
    public Optional<TagDigest> previousDigest(String reference, int steps) throws StoreException {
        if (steps < 1) {
            throw new IllegalArgumentException("the digest before the current one is step 1, not " + steps);
        }
        return read("read the digests of " + reference, history -> history.previousDigest(reference, steps));
    }

    @Override
    public List<RolloutRecord> rollouts(String workload, int limit) throws StoreException {
        return read("read the rollouts of " + workload, history -> history.rollouts(workload, limit));
    }

    @Override
    public List<RolloutRecord> unfinishedRollouts() throws StoreException {
        return read("read the rollouts that have not ended", History::unfinishedRollouts);
    }

    @Override
    public List<RolloutRecord> rolloutsSince(Instant since, int limit) throws StoreException {
        return read("read the last rollouts", history -> history.rolloutsSince(since, limit));
    }

    @Override
    public List<RolloutRecord> rolloutsTo(String reference, String digest) throws StoreException {
        return read("read the rollouts of " + reference, history -> history.rolloutsTo(reference, digest));
    }

    @Override
    public int prune(Retention retention, Set<String> inUse, Instant now) throws StoreException {
        mustWrite();
        return new Pruner(writer, database, retention, inUse, now).prune();
    }

    private interface Question<T> {
        T ask(History history);
    }

    private <T> T read(String doing, Question<T> question) throws StoreException {
        Lane.Work<T> asking = session -> question.ask(new History(session.handle(), session.cluster()));
        if (readOnly) {
            return reader.call(doing, asking);
        }
        try {
            return reader.call(doing, asking);
        } catch (StoreException e) {
            // It may not exist yet or be of an older version: the writer creates or migrates it, or says why it cannot.
            check();
            return reader.call(doing, asking);
        }
    }

    @Override
    public void close() {
        reader.close();
        writer.close();
    }
}
