package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.testing.AuditLog;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * 2,000 Deployments with a pod each in 50 enabled of 500 namespaces, of 500 images: how long the agent takes to see
 * them, and which resources it needs. Run by a command of its own, see docs/benchmarks.md.
 */
class ScaleBenchmark {
    private static final int NAMESPACES = 500;
    private static final int ENABLED = 50;
    private static final int IMAGES = 500;
    private static final int DEPLOYMENTS = Integer.getInteger("scale.deployments", 2000);
    private static final int INTERVAL = 5;
    private static final Pattern USED = Pattern.compile("used (\\d+)K");

    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 25, unit = TimeUnit.MINUTES)
    void aLargeClusterIsSeenWithinAMinuteAndWatchedWithoutLists() throws Exception {
        try (Cluster cluster = Cluster.connect();
                DockerRegistry registry = DockerRegistry.start()) {
            List<String> enabled = new ArrayList<>();
            for (int i = 0; i < NAMESPACES; i++) {
                if (i < ENABLED) {
                    enabled.add(cluster.enabledNamespace());
                } else {
                    cluster.plainNamespace();
                }
            }
            for (int i = 0; i < IMAGES; i++) {
                registry.push("app-" + i, "latest", "app-" + i);
            }
            cluster.deployment(enabled.get(0), "first", registry.host() + "/app-0:latest", 1);
            Measured small = measure("one Deployment", cluster, registry, 1);

            ExecutorService threads = Executors.newFixedThreadPool(16);
            List<Future<?>> made = new ArrayList<>();
            for (int i = 1; i < DEPLOYMENTS; i++) {
                String namespace = enabled.get(i % ENABLED);
                String name = "web-" + i;
                String image = registry.host() + "/app-" + i % IMAGES + ":latest";
                made.add(threads.submit(() -> cluster.deployment(namespace, name, image, 1)));
            }
            for (Future<?> each : made) {
                each.get();
            }
            threads.shutdown();
            Await.until("all pods run", Duration.ofMinutes(15), () -> {
                Thread.sleep(5000);
                return enabled.stream()
                                .mapToLong(namespace -> cluster.pods(namespace).stream()
                                        .filter(pod ->
                                                pod.at("/status/phase").asText().equals("Running"))
                                        .count())
                                .sum()
                        == DEPLOYMENTS;
            });
            Measured large = measure(DEPLOYMENTS + " Deployments", cluster, registry, DEPLOYMENTS);
            assertThat(large.ready).isLessThan(Seen.within(Duration.ofSeconds(60)));
            assertThat(large.heapKilobytes).isLessThan(64 * 1024);
            assertThat(large.threads).isLessThanOrEqualTo(small.threads + 12);
        }
    }

    private record Measured(Duration ready, int threads, long heapKilobytes) {}

    private Measured measure(String what, Cluster cluster, DockerRegistry registry, int workloads) throws Exception {
        int port = FreePort.find();
        Map<String, String> settings =
                new HashMap<>(AgentProcess.settings(cluster, folder.resolve(what + ".db"), INTERVAL, registry.host()));
        settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
        long begun = System.nanoTime();
        try (AgentProcess agent = AgentProcess.start(folder.resolve(what + ".log"), settings, "run")) {
            Await.until("ready", Duration.ofMinutes(5), () -> isReady(port));
            Duration ready = Duration.ofNanos(System.nanoTime() - begun);
            assertThat(agent.log()).contains("synced with the cluster: " + workloads + " workloads");
            Thread.sleep(Duration.ofSeconds(INTERVAL).toMillis());
            AuditLog audit = cluster.auditLog().orElseThrow();
            long mark = audit.mark();
            Thread.sleep(Duration.ofSeconds(3 * INTERVAL).toMillis());
            assertThat(audit.since(mark, "urunner"))
                    .as("requests in three quiet passes")
                    .noneMatch(entry -> entry.verb().equals("list"));
            int threads = threads(agent.pid());
            jcmd(agent.pid(), "GC.run");
            long heap = used(jcmd(agent.pid(), "GC.heap_info"));
            System.out.printf(
                    "%s: ready after %.1f s, %d threads, heap %.1f MB after GC%n",
                    what, ready.toMillis() / 1000.0, threads, heap / 1024.0);
            return new Measured(ready, threads, heap);
        }
    }

    private static boolean isReady(int port) throws Exception {
        return HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/readyz"))
                                        .build(),
                                BodyHandlers.discarding())
                        .statusCode()
                == 200;
    }

    private static int threads(long pid) throws IOException {
        try (Stream<Path> tasks = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
            return (int) tasks.count();
        }
    }

    private static String jcmd(long pid, String command) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(), Long.toString(pid), command)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    /** Sums up the serial collector's generations, without the metaspace. */
    private static long used(String heapInfo) {
        Matcher used = USED.matcher(heapInfo.substring(0, heapInfo.indexOf("Metaspace")));
        long sum = 0;
        while (used.find()) {
            sum += Long.parseLong(used.group(1));
        }
        return sum;
    }
}
