package io.urunner.store;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jdbi.v3.core.Handle;

/**
 * A PostgreSQL database. The parameters of the URL are removed from it at once and passed to the driver as properties,
 * so that no message of the driver can repeat a password.
 */
final class PostgresqlDatabase implements Database {
    private static final String PREFIX = "jdbc:postgresql:";
    private static final String DEFAULT_SCHEMA = "urunner";
    private static final Pattern IDENTIFIER = Pattern.compile("[a-z_][a-z0-9_]{0,62}");
    /** What messages may repeat: a text without parameters, however they are separated from the rest. */
    private static final Pattern PLACE = Pattern.compile("[^;=&#\\s]*");

    private static final long MIGRATION_LOCK = 0x7572756e6e6572L;
    private static final Map<String, String> DEFAULTS = Map.of(
            "connectTimeout", "5",
            "socketTimeout", "60",
            "tcpKeepAlive", "true",
            "ApplicationName", "urunner",
            "currentSchema", DEFAULT_SCHEMA);

    private final String url;
    private final Properties properties = new Properties();
    private final Optional<Supplier<String>> password;

    PostgresqlDatabase(String fullUrl, Optional<String> user, Optional<Supplier<String>> password) {
        int query = fullUrl.indexOf('?');
        this.url = query < 0 ? fullUrl : fullUrl.substring(0, query);
        this.password = password;
        if (!url.startsWith(PREFIX)) {
            throw new IllegalArgumentException("the URL of the database does not start with " + PREFIX);
        }
        if (url.indexOf('@') >= 0) {
            throw new IllegalArgumentException("the URL of the database contains an @: give user and password as"
                    + " parameters, " + PREFIX + "//host/database?user=…&password=…");
        }
        if (!PLACE.matcher(url).matches()) {
            throw new IllegalArgumentException("the URL of the database has parameters without a ? before them: write "
                    + PREFIX + "//host/database?name=value&name=value");
        }
        properties.putAll(DEFAULTS);
        if (query >= 0) {
            Pattern.compile("&").splitAsStream(fullUrl.substring(query + 1)).forEach(this::take);
        }
        user.ifPresent(name -> properties.setProperty("user", name));
        if (!IDENTIFIER.matcher(schema()).matches()) {
            throw new IllegalArgumentException(
                    "currentSchema in the URL of the database is not a plain name in lower case");
        }
    }

    private void take(String parameter) {
        int equals = parameter.indexOf('=');
        if (equals > 0) {
            String name = parameter.substring(0, equals);
            try {
                properties.setProperty(
                        name, URLDecoder.decode(parameter.substring(equals + 1), StandardCharsets.UTF_8));
            } catch (IllegalArgumentException e) {
                // Without its cause, which repeats a part of the value, and without what may be part of a password.
                throw new IllegalArgumentException(
                        "the URL of the database: the value of a parameter is not percent-encoded");
            }
        }
    }

    private String schema() {
        return properties.getProperty("currentSchema");
    }

    @Override
    public String location() {
        return "PostgreSQL database " + url.substring(PREFIX.length());
    }

    @Override
    public String schemaFolder() {
        return "schema/postgresql";
    }

    @Override
    public Connection connect(boolean writing) throws SQLException, StoreException {
        Properties all = new Properties();
        all.putAll(properties);
        password.ifPresent(supplier -> all.setProperty("password", supplier.get()));
        Driver driver;
        try {
            driver = DriverManager.getDriver(url);
        } catch (SQLException e) {
            throw new StoreException(
                    location()
                            + ": no driver accepts this URL; write jdbc:postgresql://host:port/database; the driver"
                            + " org.postgresql:postgresql must be on the class path",
                    e);
        }
        Connection connection = driver.connect(url, all);
        if (connection == null) {
            throw new StoreException(location() + ": the driver does not accept this URL");
        }
        boolean ready = false;
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET lock_timeout = '5s'; SET statement_timeout = '60s';"
                    + " SET idle_in_transaction_session_timeout = '60s'");
            if (writing) {
                // A pass is one statement with arrays of tens of MB, which must not go through temporary files.
                statement.execute("SET work_mem = '64MB'; SET jit = off");
            } else {
                connection.setReadOnly(true);
            }
            ready = true;
            return connection;
        } finally {
            if (!ready) {
                connection.close();
            }
        }
    }

    @Override
    public void beforeMigration(Handle handle) {
        handle.createQuery("SELECT 1 FROM (SELECT pg_advisory_xact_lock(:key)) AS locked")
                .bind("key", MIGRATION_LOCK)
                .mapTo(int.class)
                .one();
        // Checked first: CREATE SCHEMA IF NOT EXISTS requires the permission to create one even if it exists.
        boolean present = handle.createQuery("SELECT to_regnamespace(:schema) IS NOT NULL")
                .bind("schema", '"' + schema() + '"')
                .mapTo(boolean.class)
                .one();
        if (!present) {
            handle.execute("CREATE SCHEMA \"" + schema() + '"');
        }
    }

    @Override
    public String lockClause() {
        return " FOR NO KEY UPDATE";
    }

    @Override
    public String clear(String table) {
        // Autovacuum does not see temporary tables.
        return "TRUNCATE " + table;
    }

    @Override
    public void insert(Handle handle, String table, Rows rows, String conflict) throws SQLException {
        execute(handle, rows.insertInto(table) + "SELECT * FROM " + unnest(rows) + conflict, rows);
    }

    @Override
    public void update(Handle handle, String table, Rows rows) throws SQLException {
        String set = IntStream.range(1, rows.columns())
                .mapToObj(column -> rows.name(column) + " = news." + rows.name(column))
                .collect(Collectors.joining(", ", " SET ", " FROM "));
        String news = IntStream.range(0, rows.columns()).mapToObj(rows::name).collect(Collectors.joining(", "));
        execute(
                handle,
                "UPDATE " + table + set + unnest(rows) + "AS news (" + news + ") WHERE " + table + "." + rows.name(0)
                        + " = news." + rows.name(0),
                rows);
    }

    /** One array per column, so that all rows fit in one statement. */
    private static String unnest(Rows rows) {
        return IntStream.range(0, rows.columns())
                .mapToObj(column -> rows.isText(column) ? "CAST(? AS TEXT[])" : "CAST(? AS BIGINT[])")
                .collect(Collectors.joining(", ", "unnest(", ") "));
    }

    private static void execute(Handle handle, String sql, Rows rows) throws SQLException {
        Connection connection = handle.getConnection();
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int column = 0; column < rows.columns(); column++) {
                statement.setArray(
                        column + 1,
                        connection.createArrayOf(rows.isText(column) ? "text" : "int8", rows.column(column)));
            }
            statement.executeUpdate();
        }
    }

    @Override
    public Object identity() {
        return "";
    }

    @Override
    public boolean connectionLost(SQLException error) {
        String state = String.valueOf(error.getSQLState());
        return state.startsWith("08") || state.startsWith("57P0");
    }

    @Override
    public String explain(SQLException error) {
        String state = String.valueOf(error.getSQLState());
        String remedy;
        if (state.startsWith("08")) {
            remedy = "the server cannot be reached; check host, port and network";
        } else if (state.startsWith("28")) {
            remedy = "the server rejects the user; check user, password and pg_hba.conf";
        } else if (state.equals("3D000")) {
            remedy = "create the database, or use another one";
        } else if (state.equals("42501")) {
            remedy = "grant the user the missing permission, or create the schema " + schema() + " for this user";
        } else if (state.equals("25006")) {
            remedy = "the server is read-only, perhaps a standby; use the primary";
        } else if (state.equals("53100")) {
            remedy = "the server's disk is full; free some space";
        } else if (state.equals("53300")) {
            remedy = "the server has no connection left; raise max_connections or close some";
        } else if (state.equals("55P03")) {
            remedy = "another writer of the same cluster holds the lock; find out which other agent is running";
        } else if (state.startsWith("57P0")) {
            remedy = "the server is shutting down or starting";
        } else {
            remedy = "SQLSTATE " + state;
        }
        return error.getMessage() + " (" + remedy + ")";
    }
}
