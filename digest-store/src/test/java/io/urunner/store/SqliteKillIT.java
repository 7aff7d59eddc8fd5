package io.urunner.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TagDigest;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A writer is killed repeatedly at any point: everything that it reported as written is there, and no batch is partial.
 */
class SqliteKillIT {
    private static final int KILLS = 100;

    /** Without the log, which takes longer to start than the writer. */
    private static final String CLASS_PATH = Stream.of(
                    System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.contains("logback"))
            .collect(Collectors.joining(File.pathSeparator));

    @TempDir
    Path folder;

    @Test
    void committedBatchesSurviveAHundredKillsAndNoneIsPartial() throws Exception {
        Path file = folder.resolve("urunner.db");
        Path temporary = Files.createDirectory(folder.resolve("natives"));
        Random random = new Random(7);
        int last = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            // Fresh processes that die at once, in their first batches, or after some dozens.
            int announced = runAndKill(file, temporary, last + 1, random.nextInt(kill % 4 == 0 ? 2 : 30));
            int found = checkWhole(file);
            assertThat(found).as("kill %d", kill).isBetween(Math.max(last, announced), Math.max(last, announced) + 1);
            last = found;
        }
        checkAll(file, last);
    }

    /** The number of the last batch that the writer reported as committed; 0 for none. */
    private static int runAndKill(Path file, Path temporary, int from, int batches) throws Exception {
        Process writer = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Xshare:auto",
                        "-Xmx48m",
                        "-Dorg.sqlite.tmpdir=" + temporary,
                        "-cp",
                        CLASS_PATH,
                        KilledWriter.class.getName(),
                        file.toString(),
                        String.valueOf(from))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        int announced = 0;
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(writer.getInputStream(), StandardCharsets.US_ASCII))) {
            for (int i = 0; i <= batches; i++) {
                String line = lines.readLine();
                assertThat(line).as("the writer ended by itself").isNotNull();
                announced = Integer.parseInt(line);
            }
            // By its handle: its output until then can still be read.
            writer.toHandle().destroyForcibly();
            String line;
            while ((line = lines.readLine()) != null) {
                announced = line.matches("\\d+") ? Integer.parseInt(line) : announced;
            }
        } finally {
            writer.destroyForcibly().waitFor();
        }
        return announced;
    }

    /** The number of the last batch; all its parts must be there, and none of a later one. */
    private static int checkWhole(Path file) throws Exception {
        try (DigestStore store = DigestStores.sqlite(file, "blue")) {
            List<RolloutRecord> newest = store.rollouts(Batches.WORKLOAD, 1);
            int n = newest.isEmpty() ? 0 : Integer.parseInt(newest.get(0).id());
            Set<String> digests = new HashSet<>(store.remembered().values());
            for (int i = 0; i < KilledWriter.REFERENCES; i++) {
                store.digests(KilledWriter.reference(i), 1).forEach(stay -> digests.add(stay.digest()));
            }
            assertThat(digests).isEqualTo(n == 0 ? Set.of() : Set.of(Batches.digest(n)));
            return n;
        }
    }

    private static void checkAll(Path file, int last) throws Exception {
        List<String> newestFirst =
                IntStream.range(0, last).mapToObj(i -> Batches.digest(last - i)).toList();
        try (DigestStore store = DigestStores.sqlite(file, "blue")) {
            for (int i = 0; i < KilledWriter.REFERENCES; i++) {
                assertThat(store.digests(KilledWriter.reference(i), last + 1))
                        .extracting(TagDigest::digest)
                        .isEqualTo(newestFirst);
            }
            assertThat(store.rollouts(Batches.WORKLOAD, last + 1)).hasSize(last);
            assertThat(store.unfinishedRollouts()).hasSize(last);
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("PRAGMA integrity_check")) {
            rows.next();
            assertThat(rows.getString(1)).isEqualTo("ok");
        }
    }
}
