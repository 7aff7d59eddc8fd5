package io.urunner.agent.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/**
 * The plain manifests match what the chart renders. {@code -Dtest.jvm.args=-Dmanifests.update=true} regenerates them.
 */
class ManifestsTest {
    private static final Path DEPLOY = Path.of("deploy");
    private static final String FROM = "# Generated from the chart by ManifestsTest: change the chart instead.\n";

    @TempDir
    private Path folder;

    @Test
    void theManifestsMatchWhatTheChartRenders() throws IOException {
        Chart chart =
                Chart.render("1.30.0", "urunner", Chart.file(folder, "image: {repository: urunner.invalid/urunner}"));

        assertIs("agent.yaml", FROM + agent(chart));
        assertIs("urunner.yaml", FROM + chart.settings() + "\n");
    }

    @Test
    void theImageIsAPlaceholderUntilOneIsSet() throws IOException {
        assertThat(Files.readString(DEPLOY.resolve("agent.yaml")).lines().filter(line -> line.contains("image: ")))
                .hasSize(1)
                .allMatch(line -> line.contains("image: urunner.invalid/urunner:"));
    }

    /** Without Helm's own labels and hooks, and without the settings, from which kustomize generates the Secret. */
    private static String agent(Chart chart) {
        List<Object> objects = chart.objects().stream()
                .filter(object -> !object.at("/metadata/annotations").has("helm.sh/hook"))
                .filter(object -> !object.at("/metadata/name").asText().endsWith("-settings"))
                .map(ManifestsTest::plain)
                .toList();
        return new Dump(DumpSettings.builder()
                        .setDefaultFlowStyle(FlowStyle.BLOCK)
                        .setExplicitStart(true)
                        .setIndicatorIndent(2)
                        .setIndentWithIndicator(true)
                        .build())
                .dumpAllToString(objects.iterator());
    }

    private static Object plain(JsonNode object) {
        ObjectNode copy = object.deepCopy();
        ObjectNode labels = (ObjectNode) copy.at("/metadata/labels");
        labels.remove(List.of("helm.sh/chart", "app.kubernetes.io/managed-by"));
        if (copy.at("/spec/template/metadata/annotations") instanceof ObjectNode annotations) {
            // The name of the generated Secret changes with its content.
            annotations.remove(List.of("checksum/config", "checksum/secret"));
            if (annotations.isEmpty()) {
                ((ObjectNode) copy.at("/spec/template/metadata")).remove("annotations");
            }
        }
        return new ObjectMapper().convertValue(copy, Object.class);
    }

    private static void assertIs(String name, String text) throws IOException {
        Path file = DEPLOY.resolve(name);
        if (Boolean.getBoolean("manifests.update")) {
            Files.writeString(file, text);
        } else {
            assertThat(Files.readString(file)).isEqualTo(text);
        }
    }
}
