package io.urunner.store;

import java.sql.Connection;
import java.sql.SQLException;
import org.jdbi.v3.core.Handle;

/** What differs between the databases. The statements on the tables do not. Thread-safe. */
interface Database {
    /** Where the database is, for messages: never with credentials. */
    String location();

    /** The folder of the migrations among the resources. */
    String schemaFolder();

    /**
     * Opens a connection.
     *
     * @param writing whether it may create and change things; its transactions take the place of the one writer at once
     */
    Connection connect(boolean writing) throws SQLException, StoreException;

    /** Prepares the first connection of a writer for the migrations, in the same transaction as them. */
    void beforeMigration(Handle handle);

    /** What at the end of a query for a cluster's row keeps other writers of this cluster out until the transaction ends. */
    String lockClause();

    /** Empties a temporary table. */
    String clear(String table);

    /**
     * Inserts rows.
     *
     * @param conflict what to do with those that are there already, in SQL; an empty text if none can be
     */
    void insert(Handle handle, String table, Rows rows, String conflict) throws SQLException;

    /** Changes rows: {@code rows} has the key first, then the new values. */
    void update(Handle handle, String table, Rows rows) throws SQLException;

    /** What tells that the database behind an open connection is still the one at its place. */
    Object identity();

    /** Whether the error says that the connection was lost, rather than that the database refused. */
    boolean connectionLost(SQLException error);

    /** What the error means and what can be done about it, in words. */
    String explain(SQLException error);
}
