package io.urunner.agent.e2e;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;

/** Prevents everybody else from writing to a database. */
final class DatabaseLock implements AutoCloseable {
    private final Connection connection;
    private final Statement statement;

    DatabaseLock(Path database) throws Exception {
        connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        statement = connection.createStatement();
        statement.execute("PRAGMA busy_timeout = 5000");
        statement.execute("BEGIN IMMEDIATE");
    }

    boolean held() throws Exception {
        return !connection.isClosed();
    }

    @Override
    public void close() throws Exception {
        statement.execute("ROLLBACK");
        statement.close();
        connection.close();
    }
}
