package io.urunner.store;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/** Makes {@link DigestStore}s. Nothing is opened here: the first call of a store connects, {@link DigestStore#check}. */
public final class DigestStores {
    private DigestStores() {}

    /**
     * A store in an SQLite file, which is created if it is missing; its folder must exist. Files named like it with
     * {@code -wal} and {@code -shm} at the end belong to it. A database of the Python original at this place is renamed.
     *
     * @param file the file
     * @param cluster the name of the cluster whose history this is
     * @return the store; the caller closes it
     */
    public static DigestStore sqlite(Path file, String cluster) {
        return new SqlDigestStore(new SqliteDatabase(file), cluster);
    }

    /**
     * A store in a PostgreSQL database, which several clusters may share.
     *
     * @param url the JDBC URL, {@code jdbc:postgresql://host:port/database?…}, with user and password in it where they
     *     are needed; its parameters appear in no message
     * @param cluster the name of the cluster whose history this is
     * @return the store; the caller closes it
     * @throws IllegalArgumentException if the URL is not one of PostgreSQL
     */
    public static DigestStore postgresql(String url, String cluster) {
        return new SqlDigestStore(new PostgresqlDatabase(url, Optional.empty(), Optional.empty()), cluster);
    }

    /**
     * A store in a PostgreSQL database, with credentials of their own.
     *
     * @param url the JDBC URL, {@code jdbc:postgresql://host:port/database?…}
     * @param user the user
     * @param password the password; asked for at every connection, kept nowhere
     * @param cluster the name of the cluster whose history this is
     * @return the store; the caller closes it
     * @throws IllegalArgumentException if the URL is not one of PostgreSQL
     */
    public static DigestStore postgresql(String url, String user, Supplier<String> password, String cluster) {
        return new SqlDigestStore(new PostgresqlDatabase(url, Optional.of(user), Optional.of(password)), cluster);
    }

    /**
     * A store that keeps nothing: whatever is written to it is forgotten at once.
     *
     * @return the store; nothing to close
     */
    public static DigestStore none() {
        return new NoStore();
    }

    /**
     * The same history, for reading only: the database is neither created nor brought to this version, what would write
     * throws {@link StoreException}. For a look beside an agent, or without one.
     *
     * @param store a store of this class; it may be closed before or after
     * @return another store on the same database; the caller closes it
     */
    public static DigestStore readOnly(DigestStore store) {
        if (store instanceof SqlDigestStore sql) {
            return sql.readOnly();
        }
        throw new IllegalArgumentException("only the stores that DigestStores makes can be read like this");
    }
}
