package io.urunner.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.JDBC;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * An SQLite file. In WAL mode readers and the writer do not wait for each other, and a commit is in the file's log,
 * synced, before it returns.
 */
final class SqliteDatabase implements Database {
    private static final Logger log = LoggerFactory.getLogger(SqliteDatabase.class);
    private static final int BUSY_MILLIS = 3_000;
    private static final int CACHE_KIB = 32_768;
    private static final int LOG_KEPT_BYTES = 16 << 20;

    private static final Set<PosixFilePermission> OWNERS = PosixFilePermissions.fromString("rw-------");
    /** The files that belong to the database, and last the database file itself. */
    private static final List<String> PARTS = List.of("-wal", "-shm", "-journal", "");

    private final Path file;

    SqliteDatabase(Path file) {
        this.file = file.toAbsolutePath().normalize();
    }

    @Override
    public String location() {
        return "SQLite database " + file;
    }

    @Override
    public String schemaFolder() {
        return "schema/sqlite";
    }

    @Override
    public Connection connect(boolean writing) throws SQLException, StoreException {
        checkPlace();
        if (!writing && !Files.exists(file)) {
            throw new StoreException(location() + ": does not exist yet");
        }
        Connection connection = open(writing);
        boolean ready = false;
        try {
            if (writing && isOriginals(connection)) {
                connection.close();
                setAside();
                connection = open(true);
            }
            try (Statement statement = connection.createStatement()) {
                if (writing) {
                    journal(statement);
                } else {
                    statement.execute("PRAGMA query_only = true");
                }
            }
            ready = true;
            return connection;
        } finally {
            if (!ready) {
                connection.close();
            }
        }
    }

    private Connection open(boolean writing) throws SQLException {
        if (writing) {
            keepToItsOwner();
        }
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(BUSY_MILLIS);
        config.enforceForeignKeys(true);
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
        config.setTempStore(SQLiteConfig.TempStore.MEMORY);
        config.setCacheSize(-CACHE_KIB);
        if (writing) {
            config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
        }
        Properties properties = config.toProperties();
        return JDBC.createConnection(JDBC.PREFIX + file, properties);
    }

    /**
     * The history names every workload and image, so only the file's owner may read it. The files that SQLite creates
     * next to it get its mode. A wider mode of an existing file is narrowed; if that is not allowed, a warning is
     * logged.
     */
    private void keepToItsOwner() {
        if (!file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return;
        }
        try {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(OWNERS));
        } catch (IOException e) {
            // It exists, or cannot be created: SQLite finds out which, and says so in its own words.
        }
        for (String part : PARTS) {
            Path each = Path.of(file + part);
            try {
                Set<PosixFilePermission> mode = Files.getPosixFilePermissions(each);
                if (!OWNERS.containsAll(mode)) {
                    Set<PosixFilePermission> narrowed = EnumSet.copyOf(OWNERS);
                    narrowed.retainAll(mode);
                    Files.setPosixFilePermissions(each, narrowed);
                    log.info(
                            "{}: {} had the mode {}, and is now accessible only by its owner",
                            location(),
                            each,
                            text(mode));
                }
            } catch (NoSuchFileException e) {
                // SQLite creates it when necessary.
            } catch (IOException e) {
                log.warn(
                        "{}: {} can be read by others, and its mode cannot be changed ({}); run chmod 600 on it",
                        location(),
                        each,
                        e);
            }
        }
    }

    private static String text(Set<PosixFilePermission> mode) {
        return PosixFilePermissions.toString(mode);
    }

    private void journal(Statement statement) throws SQLException {
        try (ResultSet mode = statement.executeQuery("PRAGMA journal_mode = WAL")) {
            if (mode.next() && !"wal".equalsIgnoreCase(mode.getString(1))) {
                log.warn("{}: the file system cannot share memory, so readers wait for the writer", location());
            }
        }
        statement.execute("PRAGMA journal_size_limit = " + LOG_KEPT_BYTES);
    }

    /** SQLite says "unable to open database file" in all of these cases. */
    private void checkPlace() throws StoreException {
        Path folder = file.getParent();
        if (folder == null || Files.isDirectory(file)) {
            throw new StoreException(location() + ": cannot be opened: it is a folder; use a file in it");
        }
        if (!Files.isDirectory(folder)) {
            throw new StoreException(location() + ": cannot be opened: the folder " + folder
                    + " does not exist; create it, or use another file");
        }
    }

    private boolean isOriginals(Connection connection) throws SQLException, StoreException {
        List<String> tables = texts(
                connection,
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
        if (tables.isEmpty() || tables.contains(Migrations.TABLE)) {
            return false;
        }
        if (texts(connection, "SELECT name FROM pragma_table_info('image')")
                .containsAll(List.of("namespace", "resource", "image", "tag_digest"))) {
            return true;
        }
        throw new StoreException(
                location() + ": is the database of another program (its tables are " + tables + "); use another file");
    }

    private static List<String> texts(Connection connection, String query) throws SQLException {
        List<String> texts = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
        }
        return texts;
    }

    /** Renames the file of the original and the files that belong to it. Nothing in them is needed here. */
    private void setAside() throws StoreException {
        Path backup = file.resolveSibling(file.getFileName() + ".original");
        for (int n = 2; Files.exists(backup); n++) {
            backup = file.resolveSibling(file.getFileName() + ".original-" + n);
        }
        try {
            for (String part : PARTS) {
                Path from = Path.of(file + part);
                if (Files.exists(from)) {
                    Files.move(from, Path.of(backup + part));
                }
            }
        } catch (IOException e) {
            throw new StoreException(
                    location() + ": is the database of the Python original and cannot be renamed to " + backup + ": "
                            + e + "; move it away manually",
                    e);
        }
        log.warn(
                "{}: was the database of the Python original; it is now {}, and a new one takes its place",
                location(),
                backup);
    }

    @Override
    public void beforeMigration(Handle handle) {
        // The transaction is IMMEDIATE: another process that migrates waits.
    }

    @Override
    public String lockClause() {
        return ""; // The transaction is IMMEDIATE: there is one writer.
    }

    @Override
    public String clear(String table) {
        return "DELETE FROM " + table;
    }

    @Override
    public void insert(Handle handle, String table, Rows rows, String conflict) throws SQLException {
        String places = "VALUES (" + "?, ".repeat(rows.columns() - 1) + "?) ";
        execute(handle, rows.insertInto(table) + places + conflict, rows);
    }

    @Override
    public void update(Handle handle, String table, Rows rows) throws SQLException {
        String set = IntStream.range(1, rows.columns())
                .mapToObj(column -> rows.name(column) + " = ?" + (column + 1))
                .collect(Collectors.joining(", ", " SET ", ""));
        execute(handle, "UPDATE " + table + set + " WHERE " + rows.name(0) + " = ?1", rows);
    }

    private static void execute(Handle handle, String sql, Rows rows) throws SQLException {
        try (PreparedStatement statement = handle.getConnection().prepareStatement(sql)) {
            for (@Nullable Object[] row : rows.rows()) {
                for (int column = 0; column < row.length; column++) {
                    statement.setObject(column + 1, row[column]);
                }
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    /** The file's inode: if the file was deleted or replaced under an open connection, writes would be lost. */
    @Override
    public Object identity() {
        try {
            Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
            return key == null ? "" : key;
        } catch (IOException e) {
            return "missing";
        }
    }

    @Override
    public boolean connectionLost(SQLException error) {
        return false;
    }

    /** On a read-only disk SQLite cannot open a database in WAL mode, and does not say why. */
    private boolean isReadOnly() {
        Path folder = file.getParent();
        return (Files.exists(file) && !Files.isWritable(file)) || (folder != null && !Files.isWritable(folder));
    }

    @Override
    public String explain(SQLException error) {
        SQLiteErrorCode code =
                error instanceof SQLiteException sqlite ? sqlite.getResultCode() : SQLiteErrorCode.UNKNOWN_ERROR;
        String name = code.name();
        String what;
        if (name.startsWith("SQLITE_BUSY") || name.startsWith("SQLITE_LOCKED")) {
            what = "another process keeps it locked; find out which one has the file open";
        } else if (name.startsWith("SQLITE_READONLY") || (name.startsWith("SQLITE_CANTOPEN") && isReadOnly())) {
            what = "it is read-only; make the file and its folder writable for this user, or use another file";
        } else if (name.startsWith("SQLITE_FULL")) {
            what = "the disk is full, or the file has reached its limit; free some space";
        } else if (name.startsWith("SQLITE_NOTADB")) {
            what = "it is not an SQLite database; move it away, and a new one is created";
        } else if (name.startsWith("SQLITE_CORRUPT")) {
            what =
                    "it is damaged; move it away with its -wal and -shm, and a new one is created, or put a backup in its place";
        } else if (name.startsWith("SQLITE_CANTOPEN") || name.startsWith("SQLITE_PERM")) {
            what = "it cannot be opened; let this user read and write the file and its folder";
        } else if (name.startsWith("SQLITE_IOERR")) {
            what = "the disk has an error; check the system log";
        } else {
            return String.valueOf(error.getMessage());
        }
        return what + " (" + name + ")";
    }
}
