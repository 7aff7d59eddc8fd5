package io.urunner.agent.e2e;

import io.urunner.agent.app.Main;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.UsedSecrets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * The agent as users run it: a process of its own with the JVM options of the image, configured by environment
 * variables, that can be killed.
 */
final class AgentProcess implements AutoCloseable {
    private static final Path IMAGE_OPTIONS = Path.of("image", "jvm.options").toAbsolutePath();
    private static final Pattern SECRET = Pattern.compile("URUNNER_SECR_.*(TOKEN|PASS|SECRET|KEY)");

    private final Process process;
    private final Path log;

    private AgentProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /** The settings of every agent in these tests. */
    static Map<String, String> settings(Cluster cluster, Path database, int interval, String registry) {
        Map<String, String> settings = new HashMap<>();
        settings.put("KUBECONFIG", cluster.kubeconfig().toString());
        settings.put("URUNNER_CONF_KUBE_AUTH", "kubeconfig");
        settings.put("URUNNER_CONF_SQLLIGHT_PATH", database.toString());
        settings.put("URUNNER_CONF_FREQUENCY_CHECK_SECONDS", Integer.toString(interval));
        settings.put("URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", registry);
        settings.put("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic");
        settings.put("URUNNER_CONF_HTTP_PORT", "0");
        // Wide enough that the texts that tests search for are not wrapped.
        settings.put("COLUMNS", "1000");
        return settings;
    }

    static AgentProcess start(Path log, Map<String, String> settings, String... arguments) {
        return startMain(Main.class, log, settings, arguments);
    }

    /** Another main class, which runs the program in its own way. */
    static AgentProcess startMain(Class<?> main, Path log, Map<String, String> settings, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                // The machine's JDK may not know all options of the image's.
                "-XX:+IgnoreUnrecognizedVMOptions",
                "@" + IMAGE_OPTIONS,
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("URUNNER_"));
        builder.environment().putAll(settings);
        settings.forEach((name, value) -> {
            if (SECRET.matcher(name).matches()) {
                UsedSecrets.add(value);
            }
        });
        builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        try {
            return new AgentProcess(builder.start(), log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** {@code kill -9}. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** SIGTERM; returns how long it took to exit. */
    Duration terminate() throws InterruptedException {
        long begun = System.nanoTime();
        process.destroy();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            throw new AssertionError("the agent does not end: " + log());
        }
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    /** SIGHUP. */
    void hangUp() throws IOException, InterruptedException {
        int code = new ProcessBuilder("sh", "-c", "kill -HUP " + process.pid())
                .start()
                .waitFor();
        if (code != 0) {
            throw new IOException("kill -HUP failed with exit code " + code);
        }
    }

    int exitCode() throws InterruptedException {
        if (!process.waitFor(Seen.within(Duration.ofSeconds(60)).toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError("the agent does not end: " + log());
        }
        return process.exitValue();
    }

    String log() {
        try {
            return Files.readString(log, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Stops it; its log is kept with the test's own output. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        System.out.println(log());
    }
}
