package io.urunner.kube;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/**
 * A watch in its own process, with the JVM options of the image. It reads questions line by line and prints what it
 * sees.
 */
final class WatchInLittleMemory implements AutoCloseable {
    /** The beginning of its answers; other lines are its log. */
    private static final String ANSWER = "> ";

    private final Process process;
    private final BufferedReader out;
    private final PrintStream in;

    /** What it sees of a workload. */
    record Seen(int pods, int containers, int annotations, List<String> problems) {}

    WatchInLittleMemory(Path kubeconfig) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // A JVM older than that of the image does not know all of its options.
        command.add("-XX:+IgnoreUnrecognizedVMOptions");
        command.addAll(Files.readAllLines(Path.of("..", "urunner-agent", "image", "jvm.options")));
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                WatchInLittleMemory.class.getName(),
                kubeconfig.toString()));
        process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        out = process.inputReader();
        in = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    }

    private String ask(String question) {
        in.println(question);
        try {
            String answer = out.readLine();
            while (answer != null && !answer.startsWith(ANSWER)) {
                System.out.println(answer);
                answer = out.readLine();
            }
            if (answer == null) {
                throw new AssertionError("it ended: it had no memory left");
            }
            return answer.substring(ANSWER.length());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean synced() {
        return ask("synced").equals("true");
    }

    /** The workload, or null. */
    Seen find(String id) {
        String answer = ask(id);
        try {
            return answer.isEmpty() ? null : KubeConnection.JSON.readValue(answer, Seen.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String problems() {
        return ask("problems");
    }

    /** The largest use of memory after a garbage collection, in bytes. */
    long memory() {
        return Long.parseLong(ask("memory"));
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    public static void main(String[] args) throws Exception {
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
        KubeConnection connection = new KubeConnection(
                KubeConfiguration.kubeconfig(Path.of(args[0])),
                executor,
                "urunner",
                new Deadlines(Duration.ofSeconds(15), Duration.ofSeconds(5), Duration.ofSeconds(2)));
        WorkloadWatch watch = new WorkloadWatch(connection, WatchScope.cluster());
        watch.start();
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            System.out.println(ANSWER
                    + switch (line) {
                        case "synced" -> String.valueOf(watch.synced());
                        case "problems" -> watch.problems().toString();
                        case "memory" -> {
                            System.gc();
                            yield String.valueOf(ManagementFactory.getMemoryPoolMXBeans().stream()
                                    .filter(pool -> pool.getName().contains("Tenured"))
                                    .map(MemoryPoolMXBean::getCollectionUsage)
                                    .mapToLong(usage -> usage.getUsed())
                                    .sum());
                        }
                        default ->
                            watch.find(WorkloadId.parse(line))
                                    .map(WatchInLittleMemory::json)
                                    .orElse("");
                    });
        }
        executor.shutdownNow();
        System.exit(0);
    }

    private static String json(Workload workload) {
        ObjectNode json = KubeConnection.JSON.createObjectNode();
        json.put("pods", workload.pods().size())
                .put("containers", workload.containers().size())
                .put("annotations", workload.annotations().size());
        workload.problems().forEach(json.putArray("problems")::add);
        return json.toString();
    }
}
