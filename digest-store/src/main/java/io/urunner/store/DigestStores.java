package io.urunner.store;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/** Creates {@link DigestStore}s. Nothing is opened here: the first call of a store connects. */
public final class DigestStores {
    private DigestStores() {}

    /**
     * Returns a store in an SQLite file, which is created if it does not exist; its folder must exist. The files with
     * its name and {@code -wal} or {@code -shm} at the end belong to it. A database of the Python original at this path
     * is renamed.
     *
     * @param file the file
     * @param cluster the name of the cluster whose history this is
     * @return the store; the caller closes it
     */
    public static DigestStore sqlite(Path file, String cluster) {
        return new SqlDigestStore(new SqliteDatabase(file), cluster);
    }

    /**
     * Returns a store in a PostgreSQL database, which several clusters may share.
     *
     * @param url the JDBC URL, {@code jdbc:postgresql://host:port/database?…}, including user and password if
     *     necessary; its parameters appear in no message
     * @param cluster the name of the cluster whose history this is
     * @return the store; the caller closes it
     * @throws IllegalArgumentException if the URL is not a PostgreSQL URL
     */
    public static DigestStore postgresql(String url, String cluster) {
        return new SqlDigestStore(new PostgresqlDatabase(url, Optional.empty(), Optional.empty()), cluster);
    }

    /**
     * Returns a store in a PostgreSQL database, with separate credentials.
     *
     * @param url the JDBC URL, {@code jdbc:postgresql://host:port/database?…}
     * @param user the user
     * @param password returns the password; called for every connection, and the password is not kept
     * @param cluster the name of the cluster whose history this is
     * @return the store; the caller closes it
     * @throws IllegalArgumentException if the URL is not a PostgreSQL URL
     */
    public static DigestStore postgresql(String url, String user, Supplier<String> password, String cluster) {
        return new SqlDigestStore(new PostgresqlDatabase(url, Optional.of(user), Optional.of(password)), cluster);
    }

    /**
     * Returns a store that keeps nothing: everything written to it is discarded at once.
     *
     * @return the store; there is nothing to close
     */
    public static DigestStore none() {
        return new NoStore();
    }

    /**
     * Returns the same history, read-only: the database is neither created nor migrated, and writes throw {@link
     * StoreException}. Meant for a look at the history next to an agent, or without one.
     *
     * @param store a store of this class; it may be closed before or after
     * @return another store on the same database; the caller closes it
     */
    public static DigestStore readOnly(DigestStore store) {
        if (store instanceof SqlDigestStore sql) {
            return sql.readOnly();
        }
        throw new IllegalArgumentException("only stores of DigestStores can be opened read-only");
    }
}
