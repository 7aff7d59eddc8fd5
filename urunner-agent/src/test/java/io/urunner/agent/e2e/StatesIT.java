package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.app.InProcess.Result;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.TestImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The results of last night's push: trouble shows on every surface, until it is fixed. */
class StatesIT {
    private static final Duration SOON = Duration.ofSeconds(120);

    @TempDir
    private Path folder;

    @RegisterExtension
    private final ClusterScene scene = new ClusterScene();

    private final Cluster cluster = scene.cluster();
    private final DockerRegistry registry = scene.registry();
    private final String namespace = scene.namespace();
    private ProbedAgent agent;

    @Test
    void troubleShowsOnEverySurfaceUntilItIsFixed() throws Exception {
        WorkloadId fine = workload(WorkloadKind.DEPLOYMENT, "fine", 1, json -> {});
        WorkloadId crash = workload(WorkloadKind.DEPLOYMENT, "crash", 1, json -> {});
        WorkloadId slow = workload(
                WorkloadKind.DEPLOYMENT,
                "slow",
                1,
                json -> json.withObject("/spec").put("progressDeadlineSeconds", 5));
        WorkloadId half = workload(WorkloadKind.STATEFUL_SET, "half", 3, json -> {});
        WorkloadId part = workload(
                WorkloadKind.STATEFUL_SET,
                "part",
                3,
                json -> json.withObject("/spec/updateStrategy/rollingUpdate").put("partition", 2));
        WorkloadId trapped = workload(
                WorkloadKind.DEPLOYMENT,
                "trapped",
                1,
                json -> ((ObjectNode) json.at("/spec/template/spec/containers/0"))
                        .put("imagePullPolicy", "IfNotPresent"));
        agent = scene.closing(agent("first"));
        for (WorkloadId id : List.of(fine, crash, slow, half, part, trapped)) {
            awaitState(id, "up_to_date", false);
        }

        push("fine", "two", null);
        push("crash", "two", "crash");
        push("slow", "two", "never-ready");
        push("half", "two", "crash");
        push("part", "two", null);
        push("trapped", "two", null);

        Map<WorkloadId, String> states = new LinkedHashMap<>();
        states.put(fine, "up_to_date");
        states.put(crash, "failed");
        states.put(slow, "failed");
        states.put(half, "partly_old");
        states.put(part, "partly_old");
        states.put(trapped, "still_the_old_image");
        List<WorkloadId> ill = List.of(crash, slow, half, trapped);
        states.forEach((id, state) -> awaitState(id, state, ill.contains(id)));
        assertTroubleShows(ill, List.of(fine, part));
        long told = events(crash);
        assertThat(told).isPositive();

        agent.close();
        agent = scene.closing(agent("second, which remembers nothing"));
        states.forEach((id, state) -> awaitState(id, state, ill.contains(id)));
        assertTroubleShows(ill, List.of(fine, part));

        push("crash", "three", null);
        awaitState(crash, "up_to_date", false);
        assertThat(agent.metrics().lines())
                .noneMatch(line -> line.contains("name=\"crash\"") && line.contains("state=\"failed\""));
        assertThat(agent.ask("doctor", "--wide").out()).doesNotContain(crash.toString());
    }

    private void assertTroubleShows(List<WorkloadId> ill, List<WorkloadId> well) throws Exception {
        Result doctor = agent.ask("doctor", "--wide");
        assertThat(doctor.code()).as(doctor.out()).isEqualTo(1);
        ill.forEach(id -> assertThat(doctor.out()).contains(id + ": "));
        well.forEach(id -> assertThat(doctor.out()).doesNotContain(id + ": "));

        JsonNode all =
                Cluster.json(agent.ask("explain", namespace, "-o", "json").out());
        for (JsonNode workload : all.path("workloads")) {
            WorkloadId id = WorkloadId.parse(workload.path("workload").asText());
            assertThat(workload.at("/state/well").asBoolean()).as(id.toString()).isEqualTo(!ill.contains(id));
            assertThat(workload.at("/state/since").asText()).as(id.toString()).isNotEmpty();
            int pods = 0;
            for (JsonNode running : workload.at("/containers/0/running")) {
                pods += running.path("pods").asInt();
            }
            assertThat(pods).as("pods of " + id).isPositive();
            switch (id.name()) {
                case "crash" ->
                    assertThat(workload.at("/state/reason").asText())
                            .contains("CrashLoopBackOff", "1 of 2 pods runs the old image");
                case "half" -> {
                    assertThat(workload.at("/state/reason").asText())
                            .contains("2 of 3 pods run the old image", "CrashLoopBackOff");
                    assertThat(workload.at("/containers/0/running")).hasSize(2);
                }
                case "part" ->
                    assertThat(workload.at("/state/reason").asText())
                            .isEqualTo("2 of 3 pods run the old image, below the partition 2");
                default -> {}
            }
        }
        assertThat(agent.metrics().lines())
                .filteredOn(line -> line.startsWith("urunner_workload_staleness_seconds{") && line.contains(namespace))
                .hasSize(6)
                .allMatch(line -> line.endsWith(" 0.0") == line.contains("name=\"fine\""));
        assertThat(agent.ask("explain").out()).contains("partly old", "failed", "still the old image");
    }

    private long events(WorkloadId id) {
        return cluster.events(namespace).stream()
                .filter(event -> event.at("/involvedObject/name").asText().equals(id.name())
                        && event.path("reason").asText().equals("RolloutFailed"))
                .count();
    }

    private ProbedAgent agent(String name) throws IOException {
        Path own = Files.createDirectory(folder.resolve(name));
        return new ProbedAgent(
                cluster,
                own,
                Duration.ofSeconds(1),
                "  - host: " + registry.host() + "\n    plainHttp: true\n",
                Map.of());
    }

    private void awaitState(WorkloadId id, String state, boolean ill) {
        agent.await(
                id + " is " + state,
                Seen.within(SOON),
                () -> agent.metrics()
                        .lines()
                        .anyMatch(line -> line.startsWith("urunner_workload_state{")
                                && line.contains("name=\"" + id.name() + "\"")
                                && line.contains("namespace=\"" + namespace + "\"")
                                && line.contains("state=\"" + state + "\"")
                                && line.contains("ill=\"" + ill + "\"")));
    }

    private WorkloadId workload(WorkloadKind kind, String name, int replicas, Consumer<ObjectNode> change) {
        String first = push(name, "one", null);
        WorkloadId id = cluster.workload(
                new WorkloadId(namespace, kind, name), registry.host() + "/" + name + ":dev", replicas, change);
        Await.until(id + " runs", Seen.within(SOON), () -> Seen.running(cluster, id, List.of(first)));
        return id;
    }

    private String push(String name, String content, String behaviour) {
        String own = namespace + name + content;
        String digest = TestImage.image(own).digest();
        if (behaviour != null) {
            Cluster.behaviour(digest, '"' + behaviour + '"');
        }
        assertThat(registry.push(name, "dev", own)).isEqualTo(digest);
        return digest;
    }
}
