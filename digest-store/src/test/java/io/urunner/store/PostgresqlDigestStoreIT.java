package io.urunner.store;

import static io.urunner.store.Batches.A;
import static io.urunner.store.Batches.B;
import static io.urunner.store.Batches.WEB;
import static io.urunner.store.Batches.minute;
import static io.urunner.store.Batches.seen;
import static io.urunner.store.Batches.sightings;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.urunner.store.DigestStore.TagDigest;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PostgresqlDigestStoreIT extends DigestStoreContract {
    private static PostgresqlServer server;

    @BeforeAll
    static void startServer() throws Exception {
        server = PostgresqlServer.start();
    }

    @AfterAll
    static void stopServer() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    @Override
    DigestStore open(String cluster) {
        return DigestStores.postgresql(server.url(), PostgresqlServer.USER, () -> PostgresqlServer.PASSWORD, cluster);
    }

    @AfterEach
    void dropEverything() throws Exception {
        closeStores();
        server.administer("DROP SCHEMA IF EXISTS urunner CASCADE");
    }

    private static StoreException refusal(DigestStore store) {
        return catchThrowableOfType(StoreException.class, store::check);
    }

    private static String everythingSaid(Throwable error) {
        StringWriter all = new StringWriter();
        error.printStackTrace(new PrintWriter(all));
        return all.toString();
    }

    @Test
    void credentialsMayBeParametersOfTheUrl() throws Exception {
        String password = URLEncoder.encode(PostgresqlServer.PASSWORD, StandardCharsets.UTF_8);
        String url = server.url() + "?user=" + PostgresqlServer.USER + "&password=" + password;
        try (DigestStore inUrl = DigestStores.postgresql(url, "blue")) {
            inUrl.write(sightings(seen(WEB, A, minute(0))));
        }
        assertThat(store.digests(WEB, 1)).hasSize(1);
    }

    @Test
    void aWrongPasswordIsReportedAndNotRepeated() {
        String url = server.url() + "?user=" + PostgresqlServer.USER + "&password=hunter2hunter2&sslpassword=hunter2";
        try (DigestStore wrong = DigestStores.postgresql(url, "blue")) {
            StoreException error = refusal(wrong);
            assertThat(error).hasMessageContaining("127.0.0.1").hasMessageContaining("check user, password");
            assertThat(everythingSaid(error)).doesNotContain("hunter2");
            assertThat(wrong.toString()).doesNotContain("hunter2");
        }
    }

    @Test
    void aChangedPasswordIsReadAgain() throws Exception {
        String[] password = {"old"};
        try (DigestStore rotated =
                DigestStores.postgresql(server.url(), PostgresqlServer.USER, () -> password[0], "blue")) {
            assertThat(refusal(rotated)).isNotNull();
            password[0] = PostgresqlServer.PASSWORD;
            rotated.check();
        }
    }

    @Test
    void aMissingDatabaseIsReported() {
        String url = server.url().replace("/postgres", "/nowhere");
        try (DigestStore missing =
                DigestStores.postgresql(url, PostgresqlServer.USER, () -> PostgresqlServer.PASSWORD, "blue")) {
            assertThat(refusal(missing)).hasMessageContaining("nowhere").hasMessageContaining("create the database");
        }
    }

    @Test
    void anUnreachableServerIsReported() {
        try (DigestStore away = DigestStores.postgresql("jdbc:postgresql://127.0.0.1:1/db", "u", () -> "p", "blue")) {
            assertThat(refusal(away)).hasMessageContaining("127.0.0.1:1").hasMessageContaining("cannot be reached");
        }
    }

    @Test
    void aBrokenConnectionIsReopenedWithinTheCall() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        assertThat(store.digests(WEB, 1)).hasSize(1);

        server.administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'urunner'");

        store.write(sightings(seen(WEB, B, minute(1))));
        assertThat(store.digests(WEB, 10)).extracting(TagDigest::digest).containsExactly(B, A);
    }

    @Test
    void theStoreWorksAgainWhenTheServerDoes() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        server.stop();
        assertThat(refusal(store)).hasMessageContaining("cannot");
        assertThat(catchThrowableOfType(StoreException.class, () -> store.digests(WEB, 1)))
                .isNotNull();

        server.run();

        store.write(sightings(seen(WEB, B, minute(1))));
        assertThat(store.digests(WEB, 10)).extracting(TagDigest::digest).containsExactly(B, A);
    }

    @Test
    void anotherWriterOfTheSameClusterThatHoldsTheLockIsReported() throws Exception {
        store.check();
        try (Connection other = server.connect();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("SELECT * FROM urunner.cluster FOR UPDATE");
            assertThat(refusal(store)).hasMessageContaining("another writer of the same cluster");
        }
        store.check();
    }

    @Test
    void severalStoresMigrateAndWriteConcurrently() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Callable<Boolean>> work = IntStream.range(0, 4)
                    .<Callable<Boolean>>mapToObj(i -> () -> {
                        try (DigestStore mine = open(i < 2 ? "same" : "own-" + i)) {
                            for (int n = 0; n < 20; n++) {
                                mine.write(sightings(seen("ref:" + i, Batches.digest(n), minute(n))));
                            }
                            return mine.digests("ref:" + i, 100).size() == 20;
                        }
                    })
                    .toList();
            for (Future<Boolean> each : threads.invokeAll(work)) {
                assertThat(each.get()).isTrue();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void theMessageForAUserWithoutPermissionsSaysWhatToGrantAndASchemaOfTheirOwnWorks() throws Exception {
        server.administer(
                "DROP SCHEMA IF EXISTS history CASCADE",
                "DROP ROLE IF EXISTS poor",
                "CREATE ROLE poor LOGIN PASSWORD 'poor'",
                "REVOKE CREATE ON DATABASE postgres FROM PUBLIC");
        try (DigestStore poor = DigestStores.postgresql(server.url(), "poor", () -> "poor", "blue")) {
            assertThat(refusal(poor)).hasMessageContaining("create the schema urunner for this user");
        }
        server.administer("CREATE SCHEMA history AUTHORIZATION poor");
        try (DigestStore poor =
                DigestStores.postgresql(server.url() + "?currentSchema=history", "poor", () -> "poor", "blue")) {
            poor.write(sightings(seen(WEB, A, minute(0))));
            assertThat(poor.references()).containsExactly(WEB);
        }
        assertThat(store.references()).isEmpty();
        server.administer("DROP SCHEMA history CASCADE", "DROP ROLE poor");
    }

    @Test
    void aNewerDatabaseIsRejected() throws Exception {
        store.check();
        server.administer("INSERT INTO urunner.schema_migration VALUES (99, 'the future')");
        store.close();
        assertThat(refusal(another("blue")))
                .hasMessageContaining("newer version")
                .hasMessageContaining("99");
    }

    @Test
    void noConnectionIsLeftBehind() throws Exception {
        for (int i = 0; i < 40; i++) {
            try (DigestStore each = open("cluster-" + i % 3)) {
                each.references();
            }
            try (DigestStore wrong = DigestStores.postgresql(server.url(), "nobody", () -> "x", "blue")) {
                assertThat(refusal(wrong)).isNotNull();
            }
        }
        closeStores();
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            long deadline = System.nanoTime() + 10_000_000_000L;
            int open = -1;
            while (open != 0 && System.nanoTime() < deadline) {
                try (ResultSet rows = statement.executeQuery(
                        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'urunner'")) {
                    rows.next();
                    open = rows.getInt(1);
                }
            }
            assertThat(open).isZero();
        }
    }
}
