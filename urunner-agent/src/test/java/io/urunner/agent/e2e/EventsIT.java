package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The Events in {@code kubectl describe}: each once, on the workload that it is about. */
class EventsIT {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    @RegisterExtension
    private final ClusterScene scene = new ClusterScene();

    private final Cluster cluster = scene.cluster();
    private final DockerRegistry registry = scene.registry();
    private final String namespace = scene.namespace();

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void eventsReportTheHistoryOfAWorkload() throws Exception {
        String first = registry.push("team/app", "latest", "1");
        // A tag of its own: a node that pulled a tag for one pod has it for all.
        assertThat(registry.push("team/trap", "latest", "1")).isEqualTo(first);
        deployment("web", "team/app", workload -> {});
        deployment("trap", "team/trap", workload -> container(workload).put("imagePullPolicy", "IfNotPresent"));
        deployment("paused", "team/app", workload -> {});
        deployment("wrong", "team/app", workload -> {});
        Await.until("all run", Seen.within(SOON), () -> Seen.running(cluster, namespace, 4, first));
        deployment("missing", "team/none", workload -> {});
        edit("paused", "{\"spec\": {\"paused\": true}}");
        edit("wrong", "{\"metadata\": {\"annotations\": {\"urunner.io/settle\": \"soon\"}}}");

        try (TestAgent agent =
                new TestAgent(cluster.configuration(), folder.resolve("db"), INTERVAL, registry.host())) {
            agent.start();
            Await.until(
                    "ready", Seen.within(SOON), () -> agent.agent().notReady().isEmpty());
            String moved = registry.push("team/app", "latest", "2");
            registry.push("team/trap", "latest", "2");
            await("web", "DigestChanged", moved);
            await("web", "RolloutStarted", "is " + moved.substring(0, 19) + " now");
            await("web", "RolloutSucceeded", moved.substring(0, 19));
            await("trap", "PullPolicy", "urunner.io/if-not-always");
            await("trap", "StillOldImage", "set imagePullPolicy: Always");
            await("paused", "RolloutBlocked", "paused: the Deployment is paused");
            await("wrong", "RolloutBlocked", "annotation urunner.io/settle: ");
            await("missing", "RolloutBlocked", "tag not found");
            agent.awaitPasses(4);
        }
        assertThat(List.of("paused", "wrong", "missing"))
                .allSatisfy(name -> assertThat(counts(name, "RolloutBlocked")).containsExactly(1));
        assertThat(counts("web", "RolloutStarted")).containsExactly(1);

        try (TestAgent again =
                new TestAgent(cluster.configuration(), folder.resolve("db"), INTERVAL, registry.host())) {
            again.start();
            Await.until(
                    "ready", Seen.within(SOON), () -> again.agent().notReady().isEmpty());
            again.awaitPasses(3);
            String moved = registry.push("team/app", "latest", "3");
            await("web", "RolloutSucceeded", moved.substring(0, 19));
        }
        // Another process reports only what is new; older facts have been reported, or are not repeated.
        assertThat(counts("web", "RolloutStarted")).containsExactly(1, 1);
        assertThat(counts("trap", "StillOldImage")).containsExactly(1);
        assertThat(counts("paused", "RolloutBlocked")).containsExactly(2);
        assertThat(counts("wrong", "RolloutBlocked")).containsExactly(1);
        assertThat(counts("missing", "RolloutBlocked")).containsExactly(1);
    }

    private void await(String name, String reason, String words) {
        try {
            Await.until(
                    name + ": " + reason + ": " + words,
                    Seen.within(SOON),
                    () -> events(name, reason).stream()
                            .anyMatch(event -> event.path("message").asText().contains(words)));
        } catch (AssertionError e) {
            throw new AssertionError("there is " + cluster.events(namespace), e);
        }
    }

    private List<Integer> counts(String name, String reason) {
        return events(name, reason).stream()
                .map(event -> event.path("count").asInt())
                .toList();
    }

    private List<JsonNode> events(String name, String reason) {
        return cluster.events(namespace).stream()
                .filter(event ->
                        event.path("involvedObject").path("name").asText().equals(name)
                                && event.path("reason").asText().equals(reason))
                .toList();
    }

    private void edit(String name, String mergePatch) {
        cluster.edit(new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, name), mergePatch);
    }

    private static ObjectNode container(ObjectNode workload) {
        return (ObjectNode) workload.withObject("/spec/template/spec")
                .withArray("containers")
                .get(0);
    }

    private void deployment(String name, String repository, Consumer<ObjectNode> change) {
        cluster.workload(
                new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, name),
                registry.host() + "/" + repository + ":latest",
                1,
                change);
    }
}
