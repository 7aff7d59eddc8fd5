package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.agent.InProcess;
import io.urunner.agent.text.NastyStrings;
import io.urunner.agent.text.Printable;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a tenant writes on his workloads reaches nobody as he wrote it. */
class NastyTextIT {
    private static final Duration SOON = Duration.ofSeconds(90);
    private static final String TOKEN = "t0ken-of-the-nasty-test";

    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 4, unit = TimeUnit.MINUTES)
    void annotationsAreShownHarmlesslyByEverythingThatTheAgentSays() throws Exception {
        // A JSON text in UTF-8 has no half characters.
        List<String> nasty = NastyStrings.all().stream()
                .filter(text -> StandardCharsets.UTF_8.newEncoder().canEncode(text))
                .toList();
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
            Map<String, String> settings =
                    new HashMap<>(AgentProcess.settings(cluster, folder.resolve("db"), 1, registry.host()));
            settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
            settings.put("URUNNER_CONF_LOG_FORMAT", "json");
            settings.put("URUNNER_CONF_LOG_LEVEL", "DEBUG");
            settings.put("URUNNER_SECR_HTTP_TOKEN", TOKEN);
            Map<String, String> asking = new HashMap<>(settings);
            asking.put("URUNNER_URL", "http://127.0.0.1:" + port);
            try (AgentProcess agent = AgentProcess.start(folder.resolve("log"), settings, "run")) {
                Await.until(
                        "all are told of",
                        Seen.within(SOON),
                        () -> blocked(cluster, namespace).stream()
                                        .map(event ->
                                                event.at("/involvedObject/name").asText())
                                        .distinct()
                                        .count()
                                == nasty.size());

                assertThat(blocked(cluster, namespace))
                        .extracting(event -> event.path("message").asText())
                        .allSatisfy(message -> NastyStrings.assertHarmless(message, Printable.LINE));
                InProcess.Result text = InProcess.run(asking, "explain");
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

                assertThat(agent.log().lines()).hasSizeGreaterThan(nasty.size()).allSatisfy(line -> {
                    NastyStrings.assertHarmless(line);
                    new ObjectMapper()
                            .readTree(line)
                            .forEach(field ->
                                    NastyStrings.assertHarmless(field.asText().replaceAll("[\\n\\t]", "")));
                });
            }
        }
    }

    private static List<JsonNode> blocked(Cluster cluster, String namespace) {
        return cluster.events(namespace).stream()
                .filter(event -> event.path("reason").asText().equals("RolloutBlocked"))
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
