package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.app.InProcess;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.TestImage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Workloads that have run v1, v2 and v3 of {@code :latest}, the agent that rolled them out, and the commands. */
final class RollbackScene implements AutoCloseable {
    static final Duration INTERVAL = Duration.ofSeconds(1);
    static final Duration SOON = Duration.ofSeconds(60);

    final Cluster cluster;
    final DockerRegistry registry;
    final String namespace;
    final Path folder;
    private final List<TestAgent> agents = new ArrayList<>();

    RollbackScene(Path folder) {
        this.folder = folder;
        cluster = Cluster.connect();
        registry = DockerRegistry.builder().deleteEnabled().start();
        namespace = cluster.enabledNamespace();
    }

    /** The image of a repository of this test, under {@code :latest} in its usual spelling. */
    String image(String repository) {
        return registry.host() + "/" + repository;
    }

    Path database() {
        return folder.resolve("db");
    }

    TestAgent agent() {
        return agent("db");
    }

    TestAgent agent(String database) {
        TestAgent agent = new TestAgent(cluster.configuration(), folder.resolve(database), INTERVAL, registry.host());
        agents.add(agent);
        agent.start();
        return agent;
    }

    void stopAgents() {
        agents.forEach(TestAgent::close);
        agents.clear();
    }

    /** Pushes an image whose configuration says which version it is. */
    String push(String repository, String version) {
        return registry.push(
                repository,
                "latest",
                TestImage.labelled(
                        version,
                        Map.of(
                                "org.opencontainers.image.version",
                                version,
                                "org.opencontainers.image.revision",
                                "commit-" + version)));
    }

    /** Pushes versions one after the other, each rolled out by the agent before the next; returns their digests. */
    List<String> rollOut(String repository, List<WorkloadId> ids, String... versions) throws InterruptedException {
        List<String> digests = new ArrayList<>();
        for (String version : versions) {
            String digest = push(repository, version);
            digests.add(digest);
            Await.until(
                    version + " runs", Seen.within(SOON), () -> ids.stream().allMatch(id -> runs(id, "app", digest)));
            if (digests.size() == 1 && !agents.isEmpty()) {
                // The pods may have pulled the first one by themselves: the agent must have seen it, too.
                agents.get(agents.size() - 1).awaitPasses(2);
            }
        }
        return digests;
    }

    /** Whether all pods of a workload run exactly this digest in a container, and the controllers are done. */
    boolean runs(WorkloadId id, String container, String digest) {
        JsonNode workload = cluster.read(id);
        int wanted = workload.path("spec").path("replicas").asInt();
        List<JsonNode> pods = pods(id);
        return workload.path("status").path("readyReplicas").asInt() == wanted
                && pods.size() == wanted
                && pods.stream().allMatch(pod -> imageId(pod, container).endsWith(digest));
    }

    List<JsonNode> pods(WorkloadId id) {
        return cluster.pods(namespace).stream()
                .filter(pod ->
                        pod.path("metadata").path("labels").path("app").asText().equals(id.name()))
                .toList();
    }

    private static String imageId(JsonNode pod, String container) {
        for (JsonNode status : pod.path("status").path("containerStatuses")) {
            if (status.path("name").asText().equals(container)) {
                return status.path("imageID").asText();
            }
        }
        return "";
    }

    /** The image in the template of a container. */
    String templateImage(WorkloadId id, String container) {
        for (JsonNode each :
                cluster.read(id).path("spec").path("template").path("spec").path("containers")) {
            if (each.path("name").asText().equals(container)) {
                return each.path("image").asText();
            }
        }
        return "";
    }

    String state(WorkloadId id) {
        return cluster.read(id)
                .path("metadata")
                .path("annotations")
                .path("urunner.io/state")
                .asText();
    }

    boolean held(WorkloadId id) {
        return state(id).contains("\"hold\"");
    }

    Map<String, String> settings(String database) {
        Map<String, String> settings =
                new HashMap<>(AgentProcess.settings(cluster, folder.resolve(database), 1, registry.host()));
        settings.put("URUNNER_CONF_CLUSTER_NAME", "test");
        settings.put("SUDO_USER", "anna");
        return settings;
    }

    InProcess.Result run(String... arguments) {
        return runOn("db", arguments);
    }

    InProcess.Result runOn(String database, String... arguments) {
        return InProcess.run(settings(database), arguments);
    }

    /** Runs a command that must succeed. */
    String done(String... arguments) {
        InProcess.Result result = run(arguments);
        assertThat(result.code()).as(Arrays.toString(arguments) + ": " + result).isZero();
        return result.out();
    }

    boolean eventSaid(WorkloadId id, String reason, String words) {
        return events(id, reason, words) > 0;
    }

    long events(WorkloadId id, String reason, String words) {
        return cluster.events(namespace).stream()
                .filter(event ->
                        event.path("involvedObject").path("name").asText().equals(id.name())
                                && event.path("reason").asText().equals(reason)
                                && (event.path("message").asText()
                                                + event.path("note").asText())
                                        .contains(words))
                .count();
    }

    WorkloadId twoContainers(String name, String app, String side) {
        return cluster.workload(new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, name), app, 1, json -> {
            ObjectNode second = ((ObjectNode) json.at("/spec/template/spec"))
                    .withArray("containers")
                    .addObject();
            second.put("name", "side").put("image", side).put("imagePullPolicy", "Always");
        });
    }

    @Override
    public void close() {
        stopAgents();
        registry.close();
        cluster.close();
    }
}
