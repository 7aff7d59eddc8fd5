package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.e2e.FaultyRegistry.Fault;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The commands as processes: probes, signals, exit codes. */
class ProcessIT {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    @RegisterExtension
    private final ClusterScene scene = new ClusterScene();

    private final Cluster cluster = scene.cluster();
    private final DockerRegistry registry = scene.registry();
    private FaultyRegistry front;
    private final String namespace = scene.namespace();

    @BeforeEach
    void start() throws IOException {
        front = scene.closing(new FaultyRegistry(registry));
    }

    @Test
    void aHungRegistryFailsNoProbeAndDoesNotPreventTheProcessFromExiting() throws Exception {
        registry.push("team/app", "latest", "one");
        WorkloadId id = cluster.deployment(namespace, "web", front.host() + "/team/app:latest", 1);
        cluster.awaitRollout(id, Seen.within(SOON));
        int port = FreePort.find();
        front.fault(Fault.HANGS);
        try (AgentProcess agent = run(Map.of("URUNNER_CONF_HTTP_PORT", Integer.toString(port)))) {
            Await.until("the first question", Seen.within(SOON), () -> front.asked() > 0);
            assertThat(status(port, "/livez")).isEqualTo(200);
            assertThat(status(port, "/readyz"))
                    .as("the first pass is not complete")
                    .isEqualTo(503);
            front.fault(Fault.NONE);
            Await.until("ready", Seen.within(SOON), () -> status(port, "/readyz") == 200);
            front.fault(Fault.HANGS);
            int asked = front.asked();
            Await.until("it hangs", Seen.within(SOON), () -> front.asked() > asked);
            assertThat(status(port, "/livez")).isEqualTo(200);
            assertThat(status(port, "/readyz")).isEqualTo(200);
            assertThat(agent.terminate()).isLessThan(Seen.within(Duration.ofSeconds(5)));
            assertThat(agent.exitCode()).as(agent.log()).isZero();
        }
    }

    @Test
    void slowClientsDoNotBlockTheProbes() throws Exception {
        int port = FreePort.find();
        List<Socket> slow = new ArrayList<>();
        try (AgentProcess agent = run(Map.of("URUNNER_CONF_HTTP_PORT", Integer.toString(port)))) {
            Await.until("alive", Seen.within(SOON), () -> status(port, "/livez") == 200);
            for (int i = 0; i < 10; i++) {
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
                slow.add(socket);
                socket.getOutputStream().write("GET /livez HTTP/1.1\r\nHost: ".getBytes(StandardCharsets.US_ASCII));
            }
            Await.until(
                    "answered all the same", Seen.within(Duration.ofSeconds(20)), () -> status(port, "/livez") == 200);
            assertThat(agent.isAlive()).isTrue();
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
    }

    @Test
    void sigtermWhileActingLeavesNothingHalfDone() throws Exception {
        String first = registry.push("team/app", "latest", "one");
        List<WorkloadId> ids = Seen.deployments(cluster, namespace, front.host() + "/team/app:latest", 8);
        Await.until("all run", Seen.within(SOON), () -> Seen.running(cluster, namespace, 8, first));
        try (AgentProcess agent = run(Map.of())) {
            Await.until("a pass", Seen.within(SOON), () -> front.asked() > 0);
            String second = registry.push("team/app", "latest", "two");
            Await.until(
                    "a patch", Seen.within(SOON), () -> ids.stream().anyMatch(id -> Seen.actedOn(cluster, id, second)));
            assertThat(agent.terminate()).isLessThan(Seen.within(Duration.ofSeconds(5)));
            assertThat(agent.exitCode()).as(agent.log()).isZero();
        }
        String second = registry.push("team/app", "latest", "two");
        try (AgentProcess agent = run(Map.of())) {
            Await.until("all are patched", Seen.within(SOON), () -> Seen.actedOn(cluster, ids, second));
            agent.terminate();
        }
        assertThat(ids).allSatisfy(id -> assertThat(Seen.revision(cluster, id)).isEqualTo(2));
    }

    @Test
    void onceReportsDecisionsAndObstacles() throws Exception {
        String first = registry.push("team/app", "latest", "one");
        WorkloadId id = cluster.deployment(namespace, "web", front.host() + "/team/app:latest", 1);
        cluster.awaitRollout(id, Seen.within(SOON));
        try (AgentProcess once = once("quiet")) {
            assertThat(once.exitCode()).as(once.log()).isZero();
            assertThat(once.log())
                    .contains(id.toString(), "app", front.host() + "/team/app:latest", first, "up to date");
        }
        String second = registry.push("team/app", "latest", "two");
        try (AgentProcess once = once("stale")) {
            assertThat(once.exitCode()).as(once.log()).isZero();
            assertThat(once.log()).contains(second, "restart");
        }
        assertThat(Seen.actedOn(cluster, id, second)).isTrue();
        front.fault(Fault.ANSWERS_500);
        try (AgentProcess once = once("down")) {
            assertThat(once.exitCode()).as(once.log()).isEqualTo(1);
            assertThat(once.log()).contains(front.host(), "500");
        }
        Map<String, String> wrong =
                new HashMap<>(AgentProcess.settings(cluster, folder.resolve("db"), 1, front.host()));
        wrong.put("URUNNER_CONF_FREQUENCY_CHECK_SECONDS", "often");
        try (AgentProcess once = AgentProcess.start(folder.resolve("wrong.log"), wrong, "once")) {
            assertThat(once.exitCode()).as(once.log()).isEqualTo(2);
            assertThat(once.log()).contains("URUNNER_CONF_FREQUENCY_CHECK_SECONDS");
        }
    }

    private AgentProcess run(Map<String, String> more) {
        Map<String, String> settings =
                new HashMap<>(AgentProcess.settings(cluster, folder.resolve("db"), 1, front.host()));
        settings.putAll(more);
        return AgentProcess.start(folder.resolve("run.log"), settings, "run");
    }

    private AgentProcess once(String name) {
        return AgentProcess.start(
                folder.resolve(name + ".log"),
                AgentProcess.settings(cluster, folder.resolve("db"), 1, front.host()),
                "once",
                "-o",
                "wide");
    }

    private static int status(int port, String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .timeout(Duration.ofSeconds(10))
                                .build(),
                        BodyHandlers.discarding())
                .statusCode();
    }
}
