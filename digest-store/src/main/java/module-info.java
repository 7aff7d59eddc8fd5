/** Which digests a tag has had, and which rollouts followed, in SQLite or PostgreSQL. */
@SuppressWarnings("requires-automatic") // Jdbi is no module; its jar says how it is called.
module io.urunner.store {
    requires java.sql;
    requires org.jdbi.v3.core;
    requires org.slf4j;
    requires org.xerial.sqlitejdbc;
    requires static transitive org.jspecify;

    exports io.urunner.store;
}
