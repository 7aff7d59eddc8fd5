package io.urunner.store;

import java.sql.Connection;
import java.sql.SQLException;
import org.jdbi.v3.core.Handle;

/** The differences between the databases; the statements on the tables are the same. Thread-safe. */
interface Database {
    /** Where the database is, for messages; never with credentials. */
    String location();

    /** The resource folder of the migrations. */
    String schemaFolder();

    /**
     * Opens a connection.
     *
     * @param writing whether it may create and change things; its transactions take the writer's lock at once
     */
    Connection connect(boolean writing) throws SQLException, StoreException;

    /** Prepares the first connection of a writer for the migrations, in their transaction. */
    void beforeMigration(Handle handle);

    /**
     * The end of a query for a cluster's row that keeps other writers of this cluster out until the transaction ends.
     */
    String lockClause();

    /** Empties a temporary table. */
    String clear(String table);

    /**
     * Inserts rows.
     *
     * @param conflict what to do with rows that exist already, in SQL; an empty text if there can be none
     */
    void insert(Handle handle, String table, Rows rows, String conflict) throws SQLException;

    /** Changes rows: {@code rows} has the key first, then the new values. */
    void update(Handle handle, String table, Rows rows) throws SQLException;

    /** What shows that the database behind an open connection is still the one at its location. */
    Object identity();

    /** Whether the error says that the connection was lost, rather than that the database refused something. */
    boolean connectionLost(SQLException error);

    /** Explains the error and what can be done about it. */
    String explain(SQLException error);
}
