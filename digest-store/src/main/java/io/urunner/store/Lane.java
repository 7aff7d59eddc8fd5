package io.urunner.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.JdbiException;
import org.jdbi.v3.core.statement.SqlStatements;
import org.jdbi.v3.core.statement.TemplateEngine;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection, used by one thread at a time. It is opened on demand and dropped after every error, so that the next
 * call starts afresh. If a call finds that the connection was lost in the meantime, it is repeated once on a new one:
 * all work done here can be repeated.
 */
final class Lane implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Lane.class);
    private static final long CLOSE_WAIT_MILLIS = 1_000;

    private final Database database;
    private final boolean writing;
    private final Preparation preparation;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Session session;
    private Object identity = "";
    private int connections;
    private volatile boolean closed;

    /** Work to do once on a new connection. */
    interface Preparation {
        long cluster(Handle handle) throws StoreException;
    }

    /** Work to do on a connection. */
    interface Work<T> {
        T on(Session session) throws SQLException, StoreException;
    }

    /** An open connection, its number, and the id of the cluster in this database. */
    record Session(Handle handle, int number, long cluster) {}

    Lane(Database database, boolean writing, Preparation preparation) {
        this.database = database;
        this.writing = writing;
        this.preparation = preparation;
    }

    <T> T call(String doing, Work<T> work) throws StoreException {
        lock.lock();
        try {
            if (session != null && !Objects.equals(identity, database.identity())) {
                drop();
            }
            boolean reused = session != null;
            try {
                return attempt(work);
            } catch (SQLException | JdbiException | LinkageError e) {
                if (!reused || sqlError(e).filter(database::connectionLost).isEmpty()) {
                    throw failure(doing, e);
                }
            }
            try {
                return attempt(work);
            } catch (SQLException | JdbiException | LinkageError e) {
                throw failure(doing, e);
            }
        } finally {
            if (closed) {
                drop();
            }
            lock.unlock();
        }
    }

    private <T> T attempt(Work<T> work) throws SQLException, StoreException {
        if (closed) {
            throw new StoreException(database.location() + ": the store is closed");
        }
        boolean done = false;
        try {
            T result = work.on(open());
            done = true;
            return result;
        } finally {
            if (!done) {
                drop();
            }
        }
    }

    private Session open() throws SQLException, StoreException {
        Session open = session;
        if (open != null) {
            return open;
        }
        Connection connection = database.connect(writing);
        try {
            Jdbi jdbi = Jdbi.create(() -> connection);
            jdbi.getConfig(SqlStatements.class).setTemplateEngine(TemplateEngine.NOP);
            Handle handle = jdbi.open();
            open = new Session(handle, ++connections, preparation.cluster(handle));
            identity = database.identity();
            session = open;
            return open;
        } finally {
            if (session == null) {
                connection.close();
            }
        }
    }

    private void drop() {
        Session dropped = session;
        session = null;
        if (dropped == null) {
            return;
        }
        try {
            // Rolls back what was not committed.
            dropped.handle().getConnection().close();
        } catch (SQLException e) {
            // Nothing is lost with it: what was committed is in the database, and the call reports what was not.
            log.debug("{}: closing a connection: {}", database.location(), e.getMessage());
        }
    }

    private StoreException failure(String doing, Throwable error) {
        Optional<SQLException> cause = sqlError(error);
        String reason = cause.map(database::explain).orElseGet(() -> "" + error.getMessage());
        return new StoreException(
                database.location() + ": cannot " + doing + ": " + reason,
                cause.<Throwable>map(e -> e).orElse(error));
    }

    private static Optional<SQLException> sqlError(Throwable error) {
        for (Throwable e = error; e != null; e = e.getCause()) {
            if (e instanceof SQLException sql) {
                return Optional.of(sql);
            }
        }
        return Optional.empty();
    }

    /** Waits briefly for a call in progress; one that takes longer closes the connection itself when it ends. */
    @Override
    public void close() {
        closed = true;
        boolean locked = false;
        try {
            locked = lock.tryLock(CLOSE_WAIT_MILLIS, TimeUnit.MILLISECONDS);
            if (locked) {
                drop();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            if (locked) {
                lock.unlock();
            }
        }
    }
}
