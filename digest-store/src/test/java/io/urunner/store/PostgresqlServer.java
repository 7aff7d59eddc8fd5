package io.urunner.store;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** A real PostgreSQL server from Debian's package, on a free port, with its data in a temporary folder. */
final class PostgresqlServer implements AutoCloseable {
    static final String USER = "tester";
    static final String PASSWORD = "s3cret & sound/ünicode";

    private final Path programs;
    private final Path folder;
    private final int port;
    private final boolean durable;
    private Process process;

    private PostgresqlServer(Path programs, Path folder, int port, boolean durable) {
        this.programs = programs;
        this.folder = folder;
        this.port = port;
        this.durable = durable;
    }

    /** Starts a server, or skips the test if PostgreSQL is missing; in CI that is a failure. */
    static PostgresqlServer start() throws Exception {
        return start(false);
    }

    /** The same; a durable one is as slow as a real one, and keeps what it committed if the machine stops. */
    static PostgresqlServer start(boolean durable) throws Exception {
        Optional<Path> programs = programs();
        if (programs.isEmpty()) {
            String reason = "no PostgreSQL server in /usr/lib/postgresql/*/bin (Debian's package postgresql)";
            if ("true".equals(System.getenv("CI"))) {
                throw new IllegalStateException(reason);
            }
            Assumptions.abort(reason);
        }
        Path folder = Files.createTempDirectory("postgresql");
        PostgresqlServer server = new PostgresqlServer(programs.get(), folder, freePort(), durable);
        Runtime.getRuntime().addShutdownHook(new Thread(server::kill));
        boolean up = false;
        try {
            server.initialise();
            server.run();
            up = true;
            return server;
        } finally {
            if (!up) {
                server.close();
            }
        }
    }

    private static Optional<Path> programs() {
        File[] versions = new File("/usr/lib/postgresql").listFiles();
        return Stream.of(versions == null ? new File[0] : versions)
                .map(version -> version.toPath().resolve("bin"))
                .filter(bin -> Files.isExecutable(bin.resolve("initdb")) && Files.isExecutable(bin.resolve("postgres")))
                .max(Comparator.comparing(
                        bin -> Integer.parseInt(bin.getParent().getFileName().toString())));
    }

    /** Below the ports that systems use for connections, and below those that control planes of tests choose from. */
    private static int freePort() {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(10_240, 20_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException e) {
                // Something listens there: the next one.
            }
        }
    }

    /** PostgreSQL refuses to run as root: then its own user runs it. */
    private List<String> command(String program, String... arguments) {
        List<String> command = new ArrayList<>();
        if ("root".equals(System.getProperty("user.name"))) {
            command.addAll(List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"));
        }
        command.add(programs.resolve(program).toString());
        command.addAll(Arrays.asList(arguments));
        return command;
    }

    private void initialise() throws Exception {
        Path password = Files.writeString(folder.resolve("password"), PASSWORD);
        // At the end of the build no log may contain it.
        Files.writeString(Path.of("target", "used-secrets.txt"), PASSWORD + "\n");
        if ("root".equals(System.getProperty("user.name"))) {
            execute(List.of("chown", "-R", "postgres", folder.toString()));
        }
        execute(command(
                "initdb",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "--auth=scram-sha-256",
                "--username=" + USER,
                "--pwfile=" + password,
                "--pgdata=" + folder.resolve("data")));
    }

    private void execute(List<String> command) throws Exception {
        Path log = Files.createTempFile("postgresql", ".log");
        try {
            Process started = new ProcessBuilder(command)
                    .directory(new File("/"))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            if (!started.waitFor(60, TimeUnit.SECONDS) || started.exitValue() != 0) {
                started.destroyForcibly();
                throw new IllegalStateException(String.join(" ", command) + ": " + Files.readString(log));
            }
        } finally {
            Files.delete(log);
        }
    }

    /** Starts the server, also again on the same data. */
    void run() throws Exception {
        process = new ProcessBuilder(command(
                        "postgres",
                        "-D",
                        folder.resolve("data").toString(),
                        "-p",
                        String.valueOf(port),
                        "-c",
                        "listen_addresses=127.0.0.1",
                        "-c",
                        "unix_socket_directories=",
                        "-c",
                        "fsync=" + (durable ? "on" : "off"),
                        "-c",
                        "max_connections=30"))
                .directory(new File("/"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (true) {
            try {
                DriverManager.getConnection(url(), USER, PASSWORD).close();
                return;
            } catch (SQLException e) {
                if (!process.isAlive() || System.nanoTime() > deadline) {
                    throw new IllegalStateException("PostgreSQL does not start", e);
                }
                Thread.sleep(50);
            }
        }
    }

    /** Closes every connection and stops the server, as an administrator in a hurry would. */
    void stop() throws Exception {
        if (process != null && process.isAlive()) {
            // kill is built into the shell; the program of that name is not available everywhere.
            execute(List.of("sh", "-c", "kill -INT " + process.pid()));
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        }
    }

    /** For a JVM that is stopped in the middle of a test. */
    private void kill() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    String url() {
        return "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
    }

    void administer(String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url(), USER, PASSWORD);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection(url(), USER, PASSWORD);
    }

    @Override
    public void close() throws Exception {
        stop();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
