package io.urunner.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Migrates a database to the schema of this version. Forward only: the number of a script is a version. */
final class Migrations {
    private static final Logger log = LoggerFactory.getLogger(Migrations.class);
    private static final List<String> SCRIPTS = List.of("001-history.sql");

    /** The table that distinguishes our databases from others. */
    static final String TABLE = "schema_migration";

    private Migrations() {}

    /** Applies the missing scripts, in one transaction with the record of having applied them. */
    static void migrate(Handle handle, Database database) throws StoreException {
        handle.useTransaction(h -> {
            database.beforeMigration(h);
            h.execute("CREATE TABLE IF NOT EXISTS " + TABLE + " (version INTEGER PRIMARY KEY, script TEXT NOT NULL)");
            int present = version(h, database);
            for (int version = present + 1; version <= SCRIPTS.size(); version++) {
                String script = SCRIPTS.get(version - 1);
                h.createScript(read(database.schemaFolder() + "/" + script)).execute();
                h.execute("INSERT INTO " + TABLE + " (version, script) VALUES (?, ?)", version, script);
                log.info("{}: applied {}", database.location(), script);
            }
        });
    }

    /** Rejects a database that does not have the schema of this version. */
    static void mustFit(Handle handle, Database database) throws StoreException {
        int version = version(handle, database);
        if (version < SCRIPTS.size()) {
            throw new StoreException(
                    database.location() + ": the database was written by an older version (its schema is " + version
                            + "); run an agent of this version, which migrates it to " + SCRIPTS.size());
        }
    }

    /** Returns the version of the database; one that is newer than this program is rejected. */
    private static int version(Handle handle, Database database) throws StoreException {
        int version = handle.createQuery("SELECT coalesce(max(version), 0) FROM " + TABLE)
                .mapTo(int.class)
                .one();
        if (version > SCRIPTS.size()) {
            throw new StoreException(
                    database.location() + ": the database was written by a newer version (its schema is "
                            + version + ", this one supports up to " + SCRIPTS.size()
                            + "); run that version, or use another database");
        }
        return version;
    }

    private static String read(String resource) {
        try (InputStream in = Migrations.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("the program is incomplete: " + resource + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + resource, e);
        }
    }
}
