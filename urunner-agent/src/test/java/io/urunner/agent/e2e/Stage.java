package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.AgentListener;
import io.urunner.agent.Rollout;
import io.urunner.agent.plan.Outcome;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.TestImage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** One of many concurrent tries: a namespace and a repository of its own, and observations of them. */
final class Stage {
    private static final Duration SOON = Duration.ofSeconds(90);

    private final Cluster cluster;
    private final DockerRegistry registry;
    private final TestAgent agent;
    private final String host;
    private final String repository;
    private final String namespace;

    Stage(Cluster cluster, DockerRegistry registry, String host, TestAgent agent, String repository, boolean enabled) {
        this.cluster = cluster;
        this.registry = registry;
        this.host = host;
        this.agent = agent;
        this.repository = repository;
        namespace = enabled ? cluster.enabledNamespace() : cluster.plainNamespace();
    }

    String namespace() {
        return namespace;
    }

    String image(String tag) {
        return host + "/" + repository + ":" + tag;
    }

    /** Pushes an image that is only in this repository; the same content gives the same digest. */
    String push(String tag, String content) {
        return registry.push(repository, tag, namespace + content);
    }

    /** Pushes an image whose containers have this behaviour, see {@code nodes --help}. */
    String push(String tag, String content, String behaviour) {
        String digest = TestImage.image(namespace + content).digest();
        Cluster.behaviour(digest, behaviour);
        assertThat(push(tag, content)).isEqualTo(digest);
        return digest;
    }

    WorkloadId deployment(String name, String tag) {
        return workload(WorkloadKind.DEPLOYMENT, name, tag, json -> {});
    }

    /** A Deployment of the tag {@code dev}, which runs its first image. */
    WorkloadId runningDeployment() {
        String first = push("dev", "one");
        WorkloadId id = deployment("web", "dev");
        awaitRunning(id, first);
        return id;
    }

    WorkloadId workload(WorkloadKind kind, String name, String tag, Consumer<ObjectNode> change) {
        return cluster.workload(new WorkloadId(namespace, kind, name), image(tag), 1, change);
    }

    /** Adds a container. */
    ObjectNode container(ObjectNode workload, String list, String name, String tag) {
        ObjectNode podSpec = (ObjectNode) workload.at("/spec/template/spec");
        return podSpec.withArray(list)
                .addObject()
                .put("name", name)
                .put("image", image(tag))
                .put("imagePullPolicy", "Always");
    }

    void awaitRunning(WorkloadId id, String... digests) {
        Await.until(
                id + " runs " + List.of(digests), Seen.within(SOON), () -> Seen.running(cluster, id, List.of(digests)));
    }

    void awaitActed(WorkloadId id, String digest) {
        Await.until(id + " is patched for " + digest, Seen.within(SOON), () -> Seen.actedOn(cluster, id, digest));
    }

    /** Waits until new pods are being started for a digest: nodes have requested it. */
    void awaitUnderway(WorkloadId id, String digest) throws InterruptedException {
        awaitActed(id, digest);
        Await.until(
                "a pod of " + id + " is on a node",
                Seen.within(SOON),
                () -> cluster.pods(namespace).stream()
                        .anyMatch(pod -> pod.at("/metadata/labels/app").asText().equals(id.name())
                                && pod.at("/metadata/annotations")
                                        .path("urunner.io/digests")
                                        .asText()
                                        .contains(digest)
                                && !pod.at("/spec/nodeName").asText().isEmpty()));
        awaitPasses(2);
    }

    /** Waits for an Event with this reason whose message has all of these words. */
    void awaitEvent(WorkloadId id, String reason, String... words) {
        Await.until("Event " + reason + " on " + id + " with " + List.of(words), Seen.within(SOON), () -> {
            List<String> told = events(id);
            assertThat(told)
                    .anyMatch(event ->
                            event.startsWith(reason + " ") && Stream.of(words).allMatch(event::contains));
            return true;
        });
    }

    /** The Events on a workload, each as its reason and its message. */
    List<String> events(WorkloadId id) {
        return cluster.events(namespace).stream()
                .filter(event -> event.at("/involvedObject/name").asText().equals(id.name())
                        && event.at("/involvedObject/kind")
                                .asText()
                                .equals(id.kind().kind())
                        && event.at("/source/component").asText().equals("urunner"))
                .map(event -> event.path("reason").asText() + " "
                        + event.path("message").asText())
                .toList();
    }

    JsonNode state(WorkloadId id) {
        String text = cluster.read(id)
                .path("metadata")
                .path("annotations")
                .path("urunner.io/state")
                .asText("{}");
        return Cluster.json(text);
    }

    /** How often the specification was changed since its creation, by anybody. */
    long changes(WorkloadId id) {
        return cluster.read(id).path("metadata").path("generation").asLong() - 1;
    }

    /** Verifies that it was changed this often, and is not changed again in three passes. */
    void staysChanged(WorkloadId id, long times) throws InterruptedException {
        awaitPasses(3);
        assertThat(changes(id)).as("changes of %s, Events %s", id, events(id)).isEqualTo(times);
    }

    void awaitPasses(int more) throws InterruptedException {
        long passes = passes();
        Await.until(more + " passes more", Seen.within(SOON), () -> passes() >= passes + more);
    }

    private long passes() throws InterruptedException {
        return agent.agent().status().orElseThrow().registries().stream()
                .filter(queue -> queue.host().startsWith(host))
                .findFirst()
                .orElseThrow()
                .passes();
    }

    /** The outcomes of the rollouts, in order. */
    static final class Outcomes implements AgentListener {
        private final Map<WorkloadId, List<String>> outcomes = new ConcurrentHashMap<>();

        @Override
        public void rolloutEnded(Rollout rollout, Outcome outcome) {
            outcomes.computeIfAbsent(rollout.workload(), added -> new CopyOnWriteArrayList<>())
                    .add(outcome.name() + ": " + outcome.words());
        }

        List<String> of(WorkloadId id) {
            return outcomes.getOrDefault(id, List.of());
        }
    }
}
