/** Which digests a tag has had, and which rollouts followed, in SQLite or PostgreSQL. */
@SuppressWarnings("requires-automatic") // Jdbi is no module; its jar says how it is called.
module io.urunner.store {
    requires java.sql;
    requires org.jdbi.v3.core;
    requires org.slf4j;
    requires org.xerial.sqlitejdbc;
    requires static org.jspecify;

    // What Jdbi and the driver of PostgreSQL need: as they are no modules, they cannot say so.
    requires io.leangen.geantyref;
    requires java.management;
    requires java.naming;
    requires java.security.jgss;

    exports io.urunner.store;
}
