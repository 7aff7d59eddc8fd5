package io.urunner.store;

import io.urunner.store.DigestStore.Batch;
import io.urunner.store.DigestStore.Change;
import io.urunner.store.DigestStore.Retention;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TrackedContainer;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What the store costs: 100,000 references, 1,000,000 rows of history. Every pass is compared with a baseline of the
 * same run: the same rows, written by plain JDBC into one table of three texts and a time, as the simplest thing that
 * could work.
 *
 * <p>Arguments: the number of references, the number of passes in which all their tags move, and {@code postgresql} for
 * a server that is started for the purpose instead of a file. {@code docs/benchmarks.md} has the command and the
 * results.
 */
final class StoreBenchmark {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final int REPEATS = 5;

    private final PrintStream out;
    private final int references;
    private final int moves;

    private StoreBenchmark(PrintStream out, int references, int moves) {
        this.out = out;
        this.references = references;
        this.moves = moves;
    }

    public static void main(String[] arguments) throws Exception {
        int references = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 100_000;
        int moves = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 10;
        Path folder = Files.createTempDirectory("store-benchmark");
        Path file = folder.resolve("urunner.db");
        StoreBenchmark benchmark = new StoreBenchmark(System.out, references, moves);
        try (PostgresqlServer server = arguments.length > 2 && arguments[2].equals("postgresql")
                        ? PostgresqlServer.start(true)
                        : null;
                DigestStore store = open(file, server);
                DigestStore later = open(file, server)) {
            benchmark.run(store, later, folder);
            if (Files.exists(file)) {
                benchmark.print("file", "%,d MB, log %,d MB", size(file), size(folder.resolve("urunner.db-wal")));
            }
            benchmark.prune(store);
        } finally {
            try (var files = Files.list(folder)) {
                for (Path each : files.toList()) {
                    Files.delete(each);
                }
            }
            Files.delete(folder);
        }
    }

    private static DigestStore open(Path file, PostgresqlServer server) {
        return server == null
                ? DigestStores.sqlite(file, "benchmark")
                : DigestStores.postgresql(
                        server.url(), PostgresqlServer.USER, () -> PostgresqlServer.PASSWORD, "benchmark");
    }

    private static long size(Path file) throws java.io.IOException {
        return Files.exists(file) ? Files.size(file) >> 20 : 0;
    }

    private void run(DigestStore store, DigestStore later, Path folder) throws Exception {
        time("open", store::check);
        double[] baseline = new double[REPEATS];
        try (Connection plain = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("baseline.db"))) {
            try (Statement statement = plain.createStatement()) {
                statement.execute("PRAGMA journal_mode = WAL");
                statement.execute("PRAGMA synchronous = FULL");
                statement.execute("CREATE TABLE sighting (reference TEXT, digest TEXT, media_type TEXT, seen INTEGER)");
            }
            for (int move = 0; move < moves; move++) {
                Batch pass = pass(move, move);
                double store1 = millis(() -> store.write(pass));
                double plain1 = millis(() -> insert(plain, pass.sightings()));
                print(
                        "a pass in which every tag moves",
                        "%,.0f ms, plain inserts %,.0f ms, ratio %.1f",
                        store1,
                        plain1,
                        store1 / plain1);
            }
            double[] steady = new double[REPEATS];
            for (int i = 0; i < REPEATS; i++) {
                Batch pass = pass(moves - 1, moves + i);
                steady[i] = millis(() -> store.write(pass));
                baseline[i] = millis(() -> insert(plain, pass.sightings()));
            }
            double here = median(steady);
            double there = median(baseline);
            print(
                    "a pass in which none moves",
                    "%,.0f ms, plain inserts %,.0f ms, ratio %.1f",
                    here,
                    there,
                    here / there);
        }
        Batch few = pass(moves - 1, moves + REPEATS);
        List<Sighting> sightings = new ArrayList<>(few.sightings());
        for (int i = 0; i < references; i += 100) {
            Sighting old = sightings.get(i);
            sightings.set(i, new Sighting(old.reference(), digest(i, moves), old.mediaType(), old.seen()));
        }
        time("a pass in which one in a hundred moves", () -> store.write(batch(sightings)));
        Batch first = pass(moves - 1, moves + REPEATS + 1);
        time("the first pass of another writer", () -> later.write(first));
        rollouts(store);
        questions(store);
    }

    private void rollouts(DigestStore store) throws Exception {
        List<RolloutRecord> records = new ArrayList<>();
        Map<TrackedContainer, String> remembered = new HashMap<>();
        int workloads = references / 10;
        for (int i = 0; i < workloads; i++) {
            for (int n = 0; n < 3; n++) {
                records.add(new RolloutRecord(
                        "r" + n,
                        workload(i),
                        "the tag moved",
                        List.of(new Change("main", reference(i), Optional.of(digest(i, n)), digest(i, n + 1))),
                        at(n),
                        Optional.of(at(n).plusSeconds(30)),
                        Optional.of("succeeded"),
                        Optional.empty()));
            }
            remembered.put(new TrackedContainer(workload(i), "main", reference(i)), digest(i, moves - 1));
        }
        time(
                "%,d rollouts in a batch".formatted(records.size()),
                () -> store.write(new Batch(List.of(), Map.of(), Map.of(), Set.of(), records)));
        time(
                "%,d containers remembered".formatted(workloads),
                () -> store.write(new Batch(List.of(), Map.of(), remembered, Set.of(), List.of())));
    }

    private void questions(DigestStore store) throws Exception {
        print(
                "a reference's digests",
                "%.2f ms",
                each(i -> store.digests(reference(i), 50).size()));
        print(
                "its digest at a time",
                "%.2f ms",
                each(i -> store.digestAt(reference(i), at(moves / 2)).hashCode()));
        print(
                "two digests back",
                "%.2f ms",
                each(i -> store.previousDigest(reference(i), 2).hashCode()));
        print(
                "a workload's rollouts",
                "%.2f ms",
                each(i -> store.rollouts(workload(i / 10), 20).size()));
        print(
                "the rollouts to a digest",
                "%.2f ms",
                each(i -> store.rolloutsTo(reference(i / 10), digest(i / 10, 1)).size()));
        time("what is remembered", store::remembered);
        time("all references", store::references);
        time("rollouts that have not ended", store::unfinishedRollouts);
    }

    private void prune(DigestStore store) throws Exception {
        int[] deleted = new int[1];
        double all =
                millis(() -> deleted[0] = store.prune(new Retention(Math.max(1, moves / 2), 180), Set.of(), at(moves)));
        print("prune to half", "%,.0f ms for %,d entries", all, deleted[0]);
        double none = millis(() -> store.prune(new Retention(50, 180), Set.of(), at(moves)));
        print("prune, nothing to do", "%,.0f ms", none);
    }

    // ---- the data

    private static Instant at(int pass) {
        return START.plus(Duration.ofMinutes(pass));
    }

    private static String reference(int i) {
        return "registry.example.com/group-" + i % 997 + "/project-" + i + "/service:latest";
    }

    private static String workload(int i) {
        return "namespace-" + i % 500 + "/Deployment/service-" + i;
    }

    private static String digest(int reference, int move) {
        long mixed = (reference * 31L + move + 1) * 0x9E3779B97F4A7C15L;
        return String.format(Locale.ROOT, "sha256:%016x%016x%016x%016x", mixed, mixed * 3, mixed * 5, mixed * 7);
    }

    private Batch pass(int move, int pass) {
        Optional<String> type = Optional.of(Batches.INDEX);
        return batch(IntStream.range(0, references)
                .mapToObj(i -> new Sighting(reference(i), digest(i, move), type, at(pass)))
                .toList());
    }

    private static Batch batch(List<Sighting> sightings) {
        return new Batch(sightings, Map.of(), Map.of(), Set.of(), List.of());
    }

    private static void insert(Connection connection, List<Sighting> sightings) throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO sighting VALUES (?, ?, ?, ?)")) {
            for (Sighting sighting : sightings) {
                insert.setString(1, sighting.reference());
                insert.setString(2, sighting.digest());
                insert.setString(3, sighting.mediaType().orElse(null));
                insert.setLong(4, sighting.seen().toEpochMilli());
                insert.addBatch();
            }
            insert.executeBatch();
        }
        connection.commit();
    }

    // ---- time

    private interface Step {
        void run() throws Exception;
    }

    private interface Question {
        int ask(int reference) throws Exception;
    }

    private static double millis(Step step) throws Exception {
        long start = System.nanoTime();
        step.run();
        return (System.nanoTime() - start) / 1e6;
    }

    private void time(String what, Step step) throws Exception {
        print(what, "%,.0f ms", millis(step));
    }

    private double each(Question question) throws Exception {
        int count = 2_000;
        int[] sum = new int[1];
        double all = millis(() -> {
            for (int i = 0; i < count; i++) {
                sum[0] += question.ask((int) (i * 7919L % references));
            }
        });
        return all / count;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        java.util.Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private void print(String what, String format, Object... values) {
        out.printf(Locale.ROOT, "%-40s %s%n", what, String.format(Locale.ROOT, format, values));
    }
}
