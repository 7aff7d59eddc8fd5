package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.app.InProcess;
import io.urunner.agent.text.NastyStrings;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.FreePort;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** An agent under attack, which is probed all the time like by the kubelet, and observed from outside. */
final class ProbedAgent implements AutoCloseable {
    private static final String TOKEN = "token-of-the-commands";
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration PROBE = Duration.ofMillis(500);
    /** As with the kubelet: a probe must be answered within a second; after three failures the agent is restarted. */
    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(1);

    private static final int PROBES_LOST = 3;

    private static final Pattern LOG_LINE = Pattern.compile("\\d{4}-\\d\\d-\\d\\d\\S+ +(DEBUG|INFO|WARN|ERROR) .*");
    private static final int LONGEST_LINE = 2048;
    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(PROBE_TIMEOUT).build();

    private final Path folder;
    private final int port = FreePort.find();
    private final AgentProcess process;
    private final Thread probes = new Thread(this::probe, "probes");
    private volatile int lostProbes;

    /**
     * An agent that is ready.
     *
     * @param folder for all that it writes
     * @param registries the registries of its configuration file, in YAML
     * @param more further settings
     */
    ProbedAgent(Cluster cluster, Path folder, Duration interval, String registries, Map<String, String> more)
            throws IOException {
        this.folder = folder;
        Map<String, String> settings =
                new HashMap<>(AgentProcess.settings(cluster, folder.resolve("db"), (int) interval.toSeconds(), ""));
        settings.keySet().removeIf(name -> name.startsWith("URUNNER_CONF_CONTAINER_REGISTRY"));
        Path file = Files.writeString(folder.resolve("config.yaml"), "registries:\n" + registries);
        settings.put("URUNNER_CONFIG", file.toString());
        settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
        settings.put("URUNNER_SECR_HTTP_TOKEN", TOKEN);
        settings.putAll(more);
        process = AgentProcess.start(folder.resolve("log"), settings, "run");
        await("ready", Seen.within(SOON), () -> get("/readyz") == 200);
        probes.setDaemon(true);
        probes.start();
    }

    int port() {
        return port;
    }

    String log() {
        // The Java runtime's message about the test's options.
        return process.log().replaceFirst("^Picked up JAVA_TOOL_OPTIONS: .*\n", "");
    }

    /** Waits for an action of the agent, but no longer than it lives. */
    void await(String what, Duration timeout, Callable<Boolean> question) {
        Await.until(what, timeout, () -> !process.isAlive() || question.call());
        String log = log();
        assertThat(process.isAlive())
                .as("the agent lives; its log ends: %s", log.substring(Math.max(0, log.length() - 1000)))
                .isTrue();
    }

    private void probe() {
        int lost = 0;
        try {
            while (true) {
                try {
                    lost = get("/livez") == 200 ? 0 : lost + 1;
                } catch (IOException e) {
                    lost++;
                }
                lostProbes = Math.max(lostProbes, lost);
                Thread.sleep(PROBE.toMillis());
            }
        } catch (InterruptedException e) {
            // It is closed.
        }
    }

    private int get(String path) throws IOException, InterruptedException {
        return HTTP.send(request(path, PROBE_TIMEOUT), BodyHandlers.discarding())
                .statusCode();
    }

    String metrics() throws IOException, InterruptedException {
        return HTTP.send(request("/metrics", SOON), BodyHandlers.ofString()).body();
    }

    private HttpRequest request(String path, Duration timeout) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(timeout)
                .build();
    }

    /** The output of a command that asks the agent. */
    String command(String... arguments) throws InterruptedException {
        Map<String, String> settings =
                Map.of("URUNNER_URL", "http://127.0.0.1:" + port, "URUNNER_SECR_HTTP_TOKEN", TOKEN, "COLUMNS", "1000");
        try (AgentProcess command =
                AgentProcess.start(folder.resolve(String.join("", arguments)), settings, arguments)) {
            command.exitCode();
            return command.log();
        }
    }

    /** The result of a command that asks the agent. */
    InProcess.Result ask(String... arguments) {
        return InProcess.run(
                Map.of("URUNNER_URL", "http://127.0.0.1:" + port, "URUNNER_SECR_HTTP_TOKEN", TOKEN), arguments);
    }

    void assertAlive() {
        assertThat(process.isAlive()).as("the agent lives").isTrue();
        assertThat(lostProbes).as("probes in a row without an answer").isLessThan(PROBES_LOST);
    }

    /** Every line is one event, printable and short. */
    void assertLogHarmless() {
        assertThat(log().lines()
                        .filter(line ->
                                !LOG_LINE.matcher(line).matches() || line.length() > LONGEST_LINE || !isHarmless(line))
                        .map(line -> line.replaceAll("\\p{C}", "?"))
                        .map(line -> line.substring(0, Math.min(line.length(), 300)))
                        .limit(5))
                .as("log lines that are not events, too long or not printable")
                .isEmpty();
    }

    private static boolean isHarmless(String line) {
        try {
            NastyStrings.assertHarmless(line);
            return true;
        } catch (AssertionError e) {
            return false;
        }
    }

    /** The peak memory of the process. */
    long peakKilobytes() throws IOException {
        return Files.readAllLines(proc("status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .sum();
    }

    long threads() throws IOException {
        return count("task");
    }

    long files() throws IOException {
        return count("fd");
    }

    private long count(String folderOfProc) throws IOException {
        try (Stream<Path> entries = Files.list(proc(folderOfProc))) {
            return entries.count();
        }
    }

    private Path proc(String name) {
        return Path.of("/proc", Long.toString(process.pid()), name);
    }

    @Override
    public void close() {
        probes.interrupt();
        process.close();
    }
}
