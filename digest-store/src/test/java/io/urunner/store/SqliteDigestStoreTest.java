package io.urunner.store;

import static io.urunner.store.Batches.A;
import static io.urunner.store.Batches.B;
import static io.urunner.store.Batches.C;
import static io.urunner.store.Batches.WEB;
import static io.urunner.store.Batches.digest;
import static io.urunner.store.Batches.minute;
import static io.urunner.store.Batches.seen;
import static io.urunner.store.Batches.sightings;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.urunner.store.DigestStore.Batch;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TagDigest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteDigestStoreTest extends DigestStoreContract {
    @TempDir
    Path folder;

    private Path file;

    @Override
    DigestStore open(String cluster) {
        file = folder.resolve("urunner.db");
        return DigestStores.sqlite(file, cluster);
    }

    @BeforeEach
    void creatingAStoreOpensNothing() {
        assertThat(file).doesNotExist();
    }

    private Connection plainly() throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + file);
    }

    private void plainly(String... statements) throws SQLException {
        try (Connection connection = plainly();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private String plainlyAsked(String question) throws SQLException {
        try (Connection connection = plainly();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(question)) {
            return rows.next() ? rows.getString(1) : "";
        }
    }

    /** The store's error message, which always contains the file's name. */
    private String refusal() {
        StoreException error =
                catchThrowableOfType(StoreException.class, () -> store.write(sightings(seen(WEB, C, minute(9)))));
        assertThat(error).isNotNull();
        assertThat(error).hasMessageContaining(file.toString());
        return error.getMessage();
    }

    private List<String> digestsNow() throws StoreException {
        return store.digests(WEB, 10).stream().map(TagDigest::digest).toList();
    }

    private Set<String> filesInFolder() throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return Set.copyOf(files.map(f -> f.getFileName().toString()).toList());
        }
    }

    // ---- a valid file

    @Test
    void theHistorySurvivesClosingAndReopening() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        store.close();
        assertThat(filesInFolder()).containsExactly("urunner.db");

        store = another("blue");
        assertThat(digestsNow()).containsExactly(A);
    }

    @Test
    void theFileIsInWalModeAndIntactAfterUse() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        assertThat(plainlyAsked("PRAGMA journal_mode")).isEqualTo("wal");
        assertThat(plainlyAsked("PRAGMA integrity_check")).isEqualTo("ok");
        assertThat(plainlyAsked("PRAGMA foreign_key_check")).isEmpty();
    }

    @Test
    void eachTextIsStoredOnce() throws Exception {
        for (int i = 0; i < 10; i++) {
            store.write(sightings(seen(WEB, i % 2 == 0 ? A : B, minute(i)), seen("other:1", A, minute(i))));
            store.write(Batches.remember(Batches.TRACKED, A));
            store.write(Batches.rollouts(Batches.requested("r" + i, minute(i), B)));
        }
        assertThat(plainlyAsked("SELECT count(*) FROM reference")).isEqualTo("2");
        assertThat(plainlyAsked("SELECT count(*) FROM workload")).isEqualTo("1");
        assertThat(plainlyAsked("SELECT count(*) FROM media_type")).isEqualTo("1");
    }

    @Test
    void pruningDeletesUnreferencedTexts() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0)), seen("gone:1", B, minute(0))));
        store.write(Batches.labels(
                WEB,
                A,
                new DigestStore.ImageLabels(
                        java.util.Optional.of("x"), java.util.Optional.empty(), java.util.Optional.empty())));
        store.write(Batches.rollouts(Batches.requested("r1", minute(0), B)));
        store.prune(new DigestStore.Retention(1, 1), Set.of(), Batches.day(9));
        for (String table : List.of("reference", "workload", "image_label", "rollout_change")) {
            assertThat(plainlyAsked("SELECT count(*) FROM " + table)).as(table).isEqualTo("0");
        }
    }

    @Test
    void theHistoryIsReadableWhileAnotherProcessHoldsTheWriteLock() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        assertThat(digestsNow()).containsExactly(A);
        try (Connection other = plainly();
                Statement statement = other.createStatement()) {
            statement.execute("BEGIN IMMEDIATE");
            assertThat(refusal()).contains("another process keeps it locked");
            assertThat(digestsNow()).containsExactly(A);
            // Also by one that was opened in the meantime.
            assertThat(another("blue").digests(WEB, 10))
                    .extracting(TagDigest::digest)
                    .containsExactly(A);
            statement.execute("ROLLBACK");
        }
        store.write(sightings(seen(WEB, B, minute(1))));
        assertThat(digestsNow()).containsExactly(B, A);
    }

    @Test
    void anExclusiveLockIsReportedUntilItIsReleased() throws Exception {
        plainly("PRAGMA user_version = 0");
        try (Connection other = plainly();
                Statement statement = other.createStatement()) {
            statement.execute("BEGIN EXCLUSIVE");
            assertThat(refusal()).contains("another process keeps it locked");
            statement.execute("ROLLBACK");
        }
        store.check();
    }

    // ---- a path that cannot be used

    @Test
    void theFilesAreAccessibleOnlyByTheirOwner() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        assertThat(modes()).hasSize(3).containsOnly("rw-------");
    }

    @Test
    void theModeOfAFileThatOthersMayReadIsNarrowedOnOpening() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        store.close();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-r--"));
        try (DigestStore again = open("test")) {
            again.write(sightings(seen(WEB, B, minute(1))));
            assertThat(modes()).hasSize(3).containsOnly("rw-------");
        }
    }

    private List<String> modes() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(each -> {
                        try {
                            return PosixFilePermissions.toString(Files.getPosixFilePermissions(each));
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    })
                    .toList();
        }
    }

    @Test
    void aMissingFolderIsReportedAndUsedOnceItExists() throws Exception {
        store = DigestStores.sqlite(folder.resolve("data/urunner.db"), "blue");
        file = folder.resolve("data/urunner.db");
        assertThat(refusal()).contains("does not exist").contains("create it");

        Files.createDirectory(folder.resolve("data"));
        store.write(sightings(seen(WEB, A, minute(0))));
        assertThat(digestsNow()).containsExactly(A);
        store.close();
    }

    @Test
    void aFolderInThePlaceOfTheFileIsReportedUntilItIsRemoved() throws Exception {
        Files.createDirectory(file);
        assertThat(refusal()).contains("it is a folder");
        Files.delete(file);
        store.check();
    }

    @Test
    void aReadOnlyStoreCreatesAndWritesNothing() throws Exception {
        try (DigestStore look = DigestStores.readOnly(store)) {
            assertThat(catchThrowableOfType(StoreException.class, look::remembered))
                    .hasMessageContaining("does not exist yet");
            assertThat(file).doesNotExist();

            store.write(sightings(seen(WEB, A, minute(0))));
            look.check();
            assertThat(look.digests(WEB, 1)).extracting(TagDigest::digest).containsExactly(A);
            assertThat(catchThrowableOfType(StoreException.class, () -> look.write(sightings(seen(WEB, B, minute(1))))))
                    .hasMessageContaining("reading only");
        }
        assertThat(digestsNow()).containsExactly(A);
        try (DigestStore elsewhere = DigestStores.readOnly(DigestStores.sqlite(file, "green"))) {
            assertThat(catchThrowableOfType(StoreException.class, elsewhere::remembered))
                    .hasMessageContaining("no history of the cluster green");
        }
    }

    // ---- a broken file

    @Test
    void aForeignFileIsNotChangedAndANewOneIsCreatedOnceItIsRemoved() throws Exception {
        Files.writeString(file, "this has never been a database ".repeat(1_000));
        byte[] before = Files.readAllBytes(file);
        assertThat(refusal()).contains("not an SQLite database").contains("move it away");
        assertThat(catchThrowableOfType(StoreException.class, () -> store.digests(WEB, 1)))
                .isNotNull();
        assertThat(Files.readAllBytes(file)).isEqualTo(before);

        Files.move(file, folder.resolve("junk"));
        store.write(sightings(seen(WEB, A, minute(0))));
        assertThat(digestsNow()).containsExactly(A);
    }

    @Test
    void anEmptyFileBecomesADatabase() throws Exception {
        Files.createFile(file);
        store.check();
        assertThat(plainlyAsked("SELECT count(*) FROM cluster")).isEqualTo("1");
    }

    @Test
    void aTruncatedFileIsReportedAsDamagedAndABackupIsUsed() throws Exception {
        store.write(manyReferences());
        store.write(sightings(seen(WEB, A, minute(0))));
        store.close();
        Path backup = Files.copy(file, folder.resolve("backup"));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() / 2);
        }

        store = another("blue");
        assertThat(refusal()).contains("damaged").contains("backup");

        Files.delete(file);
        Files.move(backup, file);
        assertThat(digestsNow()).containsExactly(A);
        store.write(sightings(seen(WEB, B, minute(1))));
    }

    @Test
    void aDamagedPageIsReportedWhenItIsRead() throws Exception {
        store.write(manyReferences());
        store.close();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer rubbish = ByteBuffer.allocate(4096 * 200);
            while (rubbish.hasRemaining()) {
                rubbish.put((byte) 0x5a);
            }
            channel.write(rubbish.flip(), 4096 * 20L);
        }
        store = another("blue");
        StoreException error = catchThrowableOfType(StoreException.class, () -> {
            store.references();
            store.write(manyReferences());
        });
        assertThat(error).hasMessageContaining(file.toString()).hasMessageContaining("damaged");
    }

    private static Batch manyReferences() {
        List<Sighting> sightings = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            sightings.add(seen("many/" + i, digest(i), minute(0)));
        }
        return new Batch(sightings, Map.of(), Map.of(), Set.of(), List.of());
    }

    @Test
    void aFileThatIsDeletedUnderAnOpenStoreIsRecreated() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        assertThat(digestsNow()).containsExactly(A);
        for (String name : filesInFolder()) {
            Files.delete(folder.resolve(name));
        }
        store.write(sightings(seen(WEB, B, minute(1))));
        assertThat(digestsNow()).containsExactly(B);
        assertThat(plainlyAsked("PRAGMA integrity_check")).isEqualTo("ok");
        assertThat(plainlyAsked("SELECT count(*) FROM tag_now")).isEqualTo("1");
    }

    @Test
    void aReadOnlyStoreNoticesThatTheFileIsGone() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        assertThat(digestsNow()).containsExactly(A);
        for (String name : filesInFolder()) {
            Files.delete(folder.resolve(name));
        }
        assertThat(digestsNow()).isEmpty();
        assertThat(file).exists();
    }

    @Test
    void aFullDiskIsReportedKeepsTheHistoryAndRecovers() throws Exception {
        // A small file system of its own: only root can create one.
        Path disk = Files.createDirectory(folder.resolve("disk"));
        assumeTrue(mounted(disk), "no right to mount a small file system, so there is no full disk to try");
        try {
            file = disk.resolve("urunner.db");
            DigestStore full = DigestStores.sqlite(file, "blue");
            store = full;
            store.write(sightings(seen(WEB, A, minute(0))));
            Path ballast = disk.resolve("ballast");
            fill(ballast);
            assertThat(catchThrowableOfType(StoreException.class, () -> store.write(manyReferences())))
                    .hasMessageContaining(file.toString())
                    .hasMessageContaining("the disk is full");
            assertThat(digestsNow()).containsExactly(A);

            Files.delete(ballast);
            store.write(manyReferences());
            assertThat(store.references()).hasSize(5_001);
            full.close();
        } finally {
            execute("umount", disk.toString());
        }
    }

    @Test
    void aReadOnlyDiskIsReportedUntilItIsWritableAgain() throws Exception {
        Path disk = Files.createDirectory(folder.resolve("disk"));
        assumeTrue(mounted(disk), "no right to mount a small file system, so there is no read-only disk to try");
        try {
            file = disk.resolve("urunner.db");
            store = DigestStores.sqlite(file, "blue");
            store.write(sightings(seen(WEB, A, minute(0))));
            store.close();
            assertThat(execute("mount", "-o", "remount,ro", disk.toString())).isTrue();
            DigestStore readOnly = DigestStores.sqlite(file, "blue");
            store = readOnly;
            assertThat(refusal()).contains("read-only");

            assertThat(execute("mount", "-o", "remount,rw", disk.toString())).isTrue();
            store.write(sightings(seen(WEB, B, minute(1))));
            assertThat(digestsNow()).containsExactly(B, A);
            readOnly.close();
        } finally {
            execute("umount", disk.toString());
        }
    }

    private static boolean mounted(Path disk) throws Exception {
        return execute("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk.toString());
    }

    private static boolean execute(String... command) throws Exception {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (java.io.IOException e) {
            return false;
        }
    }

    private static void fill(Path ballast) throws Exception {
        byte[] block = new byte[4096];
        try (FileChannel channel = FileChannel.open(ballast, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            while (channel.write(ByteBuffer.wrap(block)) > 0) {
                // Until it throws.
            }
        } catch (java.io.IOException e) {
            assertThat(e).hasMessageContaining("No space left");
        }
    }

    // ---- databases of others

    @Test
    void anOlderDatabaseIsNotReadBeforeItIsMigrated() throws Exception {
        store.check();
        plainly("DELETE FROM schema_migration");
        try (DigestStore reading = DigestStores.readOnly(DigestStores.sqlite(file, "blue"))) {
            assertThat(catchThrowableOfType(StoreException.class, reading::references))
                    .hasMessageContaining("older version")
                    .hasMessageContaining("run an agent of this version");
        }
    }

    @Test
    void aNewerDatabaseIsRejectedAndNotChanged() throws Exception {
        store.check();
        plainly("INSERT INTO schema_migration VALUES (99, '099-the-future.sql')");
        DigestStore older = another("blue");
        store = older;
        assertThat(refusal()).contains("newer version").contains("99");
        try (DigestStore reading = DigestStores.readOnly(DigestStores.sqlite(file, "blue"))) {
            assertThat(catchThrowableOfType(StoreException.class, reading::references))
                    .hasMessageContaining("newer version");
        }
        assertThat(plainlyAsked("SELECT max(version) FROM schema_migration")).isEqualTo("99");
    }

    @Test
    void theDatabaseOfTheOriginalIsRenamed() throws Exception {
        plainly(
                "CREATE TABLE image (id INTEGER PRIMARY KEY, namespace TEXT, resource TEXT, image TEXT, tag TEXT,"
                        + " tag_digest TEXT, last_check_date TEXT)",
                "INSERT INTO image VALUES (1, 'shop', 'web', 'team/web', 'latest', 'sha256:x', '2024')");
        Files.writeString(folder.resolve("urunner.db.original"), "an older backup");

        store.write(sightings(seen(WEB, A, minute(0))));

        assertThat(digestsNow()).containsExactly(A);
        assertThat(folder.resolve("urunner.db.original")).hasContent("an older backup");
        file = folder.resolve("urunner.db.original-2");
        assertThat(plainlyAsked("SELECT tag_digest FROM image")).isEqualTo("sha256:x");
    }

    @Test
    void theLogOfTheOriginalIsRenamedWithIt() throws Exception {
        try (Connection original = plainly();
                Statement statement = original.createStatement()) {
            statement.execute("PRAGMA journal_mode = WAL");
            statement.execute("CREATE TABLE image (id, namespace, resource, image, tag, tag_digest, last_check_date)");
            statement.execute("INSERT INTO image (tag_digest) VALUES ('sha256:x')");
            store.check();
        }
        store.write(sightings(seen(WEB, A, minute(0))));
        assertThat(plainlyAsked("PRAGMA integrity_check")).isEqualTo("ok");
        assertThat(digestsNow()).containsExactly(A);
        file = folder.resolve("urunner.db.original");
        assertThat(plainlyAsked("SELECT tag_digest FROM image")).isEqualTo("sha256:x");
    }

    @Test
    void theDatabaseOfAnotherProgramIsNotChanged() throws Exception {
        plainly("CREATE TABLE orders (id INTEGER)", "CREATE TABLE image (id INTEGER, path TEXT)");
        assertThat(refusal()).contains("another program").contains("orders");
        assertThat(plainlyAsked("SELECT count(*) FROM orders")).isEqualTo("0");
        assertThat(plainlyAsked("PRAGMA journal_mode")).isEqualTo("delete");
    }

    // ---- connections

    @Test
    void noConnectionIsLeftBehind() throws Exception {
        Path open = Path.of("/proc/self/fd");
        assumeTrue(Files.isDirectory(open), "open files are counted in /proc/self/fd");
        for (int i = 0; i < 10; i++) {
            try (DigestStore each = DigestStores.sqlite(file, "cluster-" + i)) {
                each.write(sightings(seen(WEB, A, minute(0))));
                each.references();
            }
            Path junk = Files.writeString(folder.resolve("junk"), "not a database ".repeat(100));
            try (DigestStore broken = DigestStores.sqlite(junk, "blue")) {
                assertThat(catchThrowableOfType(StoreException.class, broken::check))
                        .isNotNull();
                assertThat(catchThrowableOfType(StoreException.class, broken::references))
                        .isNotNull();
            }
        }
        try (Stream<Path> files = Files.list(open)) {
            assertThat(files.filter(link -> link.toAbsolutePath().startsWith(folder) || pointsInto(link, folder)))
                    .isEmpty();
        }
    }

    private static boolean pointsInto(Path link, Path folder) {
        try {
            return Files.readSymbolicLink(link).startsWith(folder);
        } catch (java.io.IOException e) {
            return false;
        }
    }
}
