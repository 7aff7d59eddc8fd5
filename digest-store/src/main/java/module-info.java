/** Remembers which digests a tag has had and which rollouts followed, in SQLite or PostgreSQL. */
@SuppressWarnings("requires-automatic") // Jdbi is not a module; its jar declares the module name.
module io.urunner.store {
    requires java.sql;
    requires org.jdbi.v3.core;
    requires org.slf4j;
    requires org.xerial.sqlitejdbc;
    requires static org.jspecify;

    // What Jdbi and the PostgreSQL driver need: as they are not modules, they cannot declare it.
    requires io.leangen.geantyref;
    requires java.management;
    requires java.naming;
    requires java.security.jgss;

    exports io.urunner.store;
}
