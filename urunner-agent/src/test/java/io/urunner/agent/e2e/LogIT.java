package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.agent.e2e.FaultyRegistry.Fault;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The machine-readable log: an object per line, an event per change of state, the documented fields. */
class LogIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Path DOCUMENT = Path.of("..", "docs", "logs.md");
    private static final Pattern WORD = Pattern.compile("`([a-z_]+)`");

    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 2, unit = TimeUnit.MINUTES)
    void everyChangeOfStateIsOneEvent() throws Exception {
        try (Cluster cluster = Cluster.connect();
                DockerRegistry registry = DockerRegistry.start();
                FaultyRegistry front = new FaultyRegistry(registry)) {
            String first = registry.push("team/app", "latest", "one");
            String namespace = cluster.enabledNamespace();
            WorkloadId id = cluster.deployment(namespace, "web", front.host() + "/team/app:latest", 1);
            cluster.awaitRollout(id, Seen.within(SOON));
            Map<String, String> settings =
                    new HashMap<>(AgentProcess.settings(cluster, folder.resolve("db"), 1, front.host()));
            settings.put("URUNNER_CONF_LOG_FORMAT", "json");
            settings.put("URUNNER_CONF_LOG_LEVEL", "DEBUG");
            try (AgentProcess agent = AgentProcess.start(folder.resolve("log"), settings, "run")) {
                Await.until("up to date", Seen.within(SOON), () -> agent.log().contains("\"decision\":\"up to date\""));
                String second = registry.push("team/app", "latest", "two");
                Await.until("rolled out", Seen.within(SOON), () -> agent.log().contains("rollout_ended"));
                front.fault(Fault.ANSWERS_500);
                Await.until("down", Seen.within(SOON), () -> agent.log().contains("\"event\":\"problem\""));
                front.fault(Fault.NONE);
                Await.until("recovered", Seen.within(SOON), () -> agent.log().contains("\"event\":\"well\""));
                agent.terminate();

                List<JsonNode> lines = lines(agent.log());
                assertThat(events(lines, "moved")).hasSize(1).allSatisfy(moved -> {
                    assertThat(moved.path("reference").asText()).isEqualTo(front.host() + "/team/app:latest");
                    assertThat(moved.path("from").asText()).isEqualTo(first);
                    assertThat(moved.path("to").asText()).isEqualTo(second);
                });
                assertThat(events(lines, "rollout_started")).hasSize(1);
                assertThat(events(lines, "rollout_ended")).hasSize(1).allSatisfy(ended -> {
                    assertThat(ended.path("workload").asText()).isEqualTo(id.toString());
                    assertThat(ended.path("outcome").asText()).isEqualTo("succeeded");
                });
                assertThat(events(lines, "problem")).hasSize(1).allSatisfy(problem -> {
                    assertThat(problem.path("subject").asText()).isEqualTo("registry " + front.host());
                    assertThat(problem.path("cause").asText()).isEqualTo("registry unreachable");
                });
                assertThat(events(lines, "well")).hasSize(1);
                assertThat(documented()).containsAll(used(lines));
            }
        }
    }

    private static List<JsonNode> lines(String log) throws Exception {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : log.lines().toList()) {
            lines.add(new ObjectMapper().readTree(line));
        }
        return lines;
    }

    private static List<JsonNode> events(List<JsonNode> lines, String event) {
        return lines.stream()
                .filter(line -> line.path("event").asText().equals(event))
                .toList();
    }

    /** The names of fields and events. */
    private static Set<String> used(List<JsonNode> lines) {
        Set<String> used = new TreeSet<>();
        for (JsonNode line : lines) {
            line.fieldNames().forEachRemaining(used::add);
            if (line.has("event")) {
                used.add(line.path("event").asText());
            }
        }
        return used;
    }

    private static Set<String> documented() throws Exception {
        return WORD.matcher(Files.readString(DOCUMENT))
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toSet());
    }
}
