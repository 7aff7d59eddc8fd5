package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.app.InProcess;
import io.urunner.agent.text.NastyStrings;
import io.urunner.agent.text.Printable;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.TestImage;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Texts that a tenant writes on workloads are sanitised before anybody sees them. */
class NastyTextIT {
    private static final Duration SOON = Duration.ofSeconds(90);
    private static final String TOKEN = "t0ken-of-the-nasty-test";

    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 4, unit = TimeUnit.MINUTES)
    void annotationsAreSanitisedInAllOutputOfTheAgent() throws Exception {
        List<String> nasty = nasty();
        try (Cluster cluster = Cluster.connect();
                DockerRegistry registry = DockerRegistry.start()) {
            registry.push("team/app", "latest", "one");
            String namespace = cluster.enabledNamespace();
            for (int i = 0; i < nasty.size(); i++) {
                String text = nasty.get(i);
                String annotation = i % 2 == 0 ? "urunner.io/settle" : "urunner.io/if-not-always";
                cluster.workload(
                        new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, "w" + i),
                        registry.host() + "/team/app:latest",
                        0,
                        workload -> workload.withObject("/metadata/annotations").put(annotation, text));
            }
            int port = FreePort.find();
            Map<String, String> settings = settings(cluster, registry, port);
            Map<String, String> asking = asking(settings, port);
            try (AgentProcess agent = AgentProcess.start(folder.resolve("log"), settings, "run")) {
                Await.until(
                        "all are told of",
                        Seen.within(SOON),
                        () -> events(cluster, namespace, "RolloutBlocked").stream()
                                        .map(event ->
                                                event.at("/involvedObject/name").asText())
                                        .distinct()
                                        .count()
                                == nasty.size());

                assertThat(events(cluster, namespace, "RolloutBlocked"))
                        .extracting(event -> event.path("message").asText())
                        .allSatisfy(message -> NastyStrings.assertHarmless(message, Printable.LINE));
                InProcess.Result text = InProcess.run(asking, "explain", "--wide");
                assertThat(text.code()).as(text.err()).isZero();
                assertThat(text.out().lines().filter(line -> line.contains(namespace)))
                        .hasSize(nasty.size());
                assertThat(text.out().lines())
                        .allSatisfy(line -> NastyStrings.assertHarmless(line, 3 * Printable.LINE));
                InProcess.Result json = InProcess.run(asking, "explain", "-o", "json");
                JsonNode workloads = new ObjectMapper().readTree(json.out()).path("workloads");
                assertThat(workloads)
                        .hasSizeGreaterThanOrEqualTo(nasty.size())
                        .allSatisfy(workload -> NastyStrings.assertHarmless(
                                workload.path("reason").asText(), Printable.LINE));
                assertThat(InProcess.run(asking, "doctor").out().lines())
                        .allSatisfy(line -> NastyStrings.assertHarmless(line, 3 * Printable.LINE));
                assertThat(metrics(port).lines()).allSatisfy(NastyStrings::assertHarmless);
                agent.terminate();

                assertThat(agent.log().lines()).hasSizeGreaterThan(nasty.size());
                assertLogHarmless(agent);
            }
        }
    }

    /** The kubelet quotes runtimes, registries and containers in a pod's status, which others may write, too. */
    @Test
    @Timeout(value = 4, unit = TimeUnit.MINUTES)
    void statesOfPodsAndLabelsOfImagesAreSanitisedToo() throws Exception {
        List<String> nasty = nasty();
        try (Cluster cluster = Cluster.connect();
                DockerRegistry registry = DockerRegistry.start()) {
            String namespace = cluster.enabledNamespace();
            String first = registry.push("team/app", "latest", "one");
            for (int i = 0; i < nasty.size(); i++) {
                registry.push("team/labels", "t" + i, "one");
                cluster.workload(
                        new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, "w" + i),
                        registry.host() + "/team/app:latest",
                        1,
                        workload -> workload.withObject("/spec/template/spec").put("schedulerName", "nobody"));
            }
            WorkloadId labels =
                    cluster.workload(new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, "labels"), "x", 0, workload -> {
                        ArrayNode containers =
                                workload.withObject("/spec/template/spec").putArray("containers");
                        for (int i = 0; i < nasty.size(); i++) {
                            containers
                                    .addObject()
                                    .put("name", "c" + i)
                                    .put("image", registry.host() + "/team/labels:t" + i);
                        }
                    });
            Map<String, JsonNode> old = new HashMap<>();
            Await.until("each has a pod", Seen.within(SOON), () -> {
                cluster.pods(namespace).forEach(pod -> old.put(name(pod), pod));
                return old.size() == nasty.size();
            });
            old.values().forEach(pod -> cluster.merge(status(pod), ready(registry.host() + "/team/app@" + first)));
            int port = FreePort.find();
            Map<String, String> settings = settings(cluster, registry, port);
            Map<String, String> asking = asking(settings, port);
            try (AgentProcess agent = AgentProcess.start(folder.resolve("log"), settings, "run")) {
                Await.until(
                        "all is seen",
                        Seen.within(SOON),
                        () -> count(InProcess.run(asking, "explain").out(), "up to date") >= nasty.size());
                for (int i = 0; i < nasty.size(); i++) {
                    String json = new ObjectMapper().writeValueAsString(nasty.get(i));
                    String text = json.substring(1, json.length() - 1);
                    boolean even = i % 2 == 0;
                    registry.push(
                            "team/labels",
                            "t" + i,
                            TestImage.labelled(
                                    "two",
                                    Map.of(
                                            "org.opencontainers.image.revision", even ? text : "read",
                                            "org.opencontainers.image.version", even ? "read" : text,
                                            "org.opencontainers.image.created", text)));
                }
                registry.push("team/app", "latest", "two");
                Set<String> written = new HashSet<>();
                Await.until("all are reported", Seen.within(SOON), () -> {
                    for (JsonNode pod : cluster.pods(namespace)) {
                        if (!old.containsKey(name(pod)) && !written.contains(name(pod))) {
                            int number = Integer.parseInt(name(pod).replaceFirst("w(\\d+)-.*", "$1"));
                            cluster.merge(status(pod), troubled(nasty.get(number), number));
                            written.add(name(pod));
                        }
                    }
                    return events(cluster, namespace, "RolloutFailed").stream()
                                    .map(event ->
                                            event.at("/involvedObject/name").asText())
                                    .distinct()
                                    .count()
                            == nasty.size();
                });

                assertThat(cluster.events(namespace).stream()
                                .filter(event ->
                                        event.at("/source/component").asText().equals("urunner")
                                                || event.path("reason").asText().startsWith("Rollout")))
                        .extracting(event -> event.path("message").asText())
                        .hasSizeGreaterThanOrEqualTo(2 * nasty.size())
                        .allSatisfy(message -> NastyStrings.assertHarmless(message, Printable.LINE));
                InProcess.Result text = InProcess.run(asking, "explain", "--wide");
                assertThat(text.code()).as(text.err()).isZero();
                assertThat(text.out().lines())
                        .hasSizeGreaterThan(nasty.size())
                        .allSatisfy(line -> NastyStrings.assertHarmless(line, 3 * Printable.LINE));
                JsonNode explained = new ObjectMapper()
                        .readTree(InProcess.run(asking, "explain", "-o", "json").out());
                assertThat(explained.path("workloads")).hasSizeGreaterThan(nasty.size());
                assertTextsHarmless(explained);
                assertThat(metrics(port).lines()).allSatisfy(NastyStrings::assertHarmless);

                // A configuration with a longer text is not read at all.
                long readable = nasty.stream()
                        .filter(label -> label.length() <= 64 * 1024)
                        .count();
                Await.until(
                        "the labels are read",
                        Seen.within(SOON),
                        () -> count(history(settings, labels, "json"), ": \"read\"") == readable);
                assertTextsHarmless(new ObjectMapper().readTree(history(settings, labels, "json")));
                assertThat(history(settings, labels, "text").lines())
                        .allSatisfy(line -> NastyStrings.assertHarmless(line, 3 * Printable.LINE));
                agent.terminate();

                assertThat(agent.log().lines().filter(line -> line.contains("container app: ")))
                        .hasSizeGreaterThan(nasty.size() / 2);
                assertLogHarmless(agent);
            }
        }
    }

    private static List<String> nasty() {
        // JSON in UTF-8 has no unpaired surrogates.
        return NastyStrings.all().stream()
                .filter(text -> StandardCharsets.UTF_8.newEncoder().canEncode(text))
                .toList();
    }

    private Map<String, String> settings(Cluster cluster, DockerRegistry registry, int port) {
        Map<String, String> settings =
                new HashMap<>(AgentProcess.settings(cluster, folder.resolve("db"), 1, registry.host()));
        settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
        settings.put("URUNNER_CONF_LOG_FORMAT", "json");
        settings.put("URUNNER_CONF_LOG_LEVEL", "DEBUG");
        settings.put("URUNNER_SECR_HTTP_TOKEN", TOKEN);
        return settings;
    }

    private static Map<String, String> asking(Map<String, String> settings, int port) {
        Map<String, String> asking = new HashMap<>(settings);
        asking.put("URUNNER_URL", "http://127.0.0.1:" + port);
        return asking;
    }

    private static String history(Map<String, String> settings, WorkloadId id, String form) {
        InProcess.Result result = InProcess.run(settings, "history", id.toString(), "-o", form);
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.err().lines()).allSatisfy(line -> NastyStrings.assertHarmless(line, 3 * Printable.LINE));
        return result.out();
    }

    private static int count(String text, String part) {
        return (int) text.lines().filter(line -> line.contains(part)).count();
    }

    private static String name(JsonNode pod) {
        return pod.at("/metadata/name").asText();
    }

    private static String status(JsonNode pod) {
        return "/api/v1/namespaces/" + pod.at("/metadata/namespace").asText() + "/pods/" + name(pod) + "/status";
    }

    private static ObjectNode container(ObjectNode pod, String imageId) {
        return pod.withObject("/status")
                .putArray("containerStatuses")
                .addObject()
                .put("name", "app")
                .put("image", "app")
                .put("imageID", imageId)
                .put("ready", false)
                .put("restartCount", 0);
    }

    private static ObjectNode ready(String imageId) {
        ObjectNode pod = JsonNodeFactory.instance.objectNode();
        container(pod, imageId)
                .put("ready", true)
                .putObject("state")
                .putObject("running")
                .put("startedAt", "2026-01-01T00:00:00Z");
        condition(pod.withObject("/status").put("phase", "Running"), "Ready", "True", "", "");
        return pod;
    }

    /**
     * A text in one of the places where a pod says why it does not run; at most twice, because the API server accepts 3
     * MB.
     */
    private static ObjectNode troubled(String text, int number) {
        ObjectNode pod = JsonNodeFactory.instance.objectNode();
        ObjectNode status = pod.withObject("/status");
        if (number % 4 == 3) {
            condition(status.put("reason", text), "PodScheduled", "False", "Unschedulable", text);
            return pod;
        }
        ObjectNode state = container(pod, "").putObject("state");
        switch (number % 4) {
            case 0 -> state.putObject("waiting").put("reason", text).put("message", text);
            case 1 -> {
                state.putObject("waiting").put("reason", "CrashLoopBackOff").put("message", text);
                status.put("message", text);
            }
            default -> {
                state.putObject("terminated").put("exitCode", 1).put("reason", text);
                condition(status, "Ready", "False", "ContainersNotReady", text);
            }
        }
        return pod;
    }

    private static void condition(ObjectNode status, String type, String value, String reason, String message) {
        status.putArray("conditions")
                .addObject()
                .put("type", type)
                .put("status", value)
                .put("reason", reason)
                .put("message", message);
    }

    private static void assertTextsHarmless(JsonNode json) {
        if (json.isTextual()) {
            NastyStrings.assertHarmless(json.asText(), Printable.LINE);
        }
        json.forEach(NastyTextIT::assertTextsHarmless);
    }

    private static void assertLogHarmless(AgentProcess agent) {
        assertThat(agent.log().lines()).allSatisfy(line -> {
            NastyStrings.assertHarmless(line);
            new ObjectMapper()
                    .readTree(line)
                    .forEach(field -> NastyStrings.assertHarmless(field.asText().replaceAll("[\\n\\t]", "")));
        });
    }

    private static List<JsonNode> events(Cluster cluster, String namespace, String reason) {
        return cluster.events(namespace).stream()
                .filter(event -> event.path("reason").asText().equals(reason))
                .toList();
    }

    private static String metrics(int port) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                                .build(),
                        BodyHandlers.ofString())
                .body();
    }
}
