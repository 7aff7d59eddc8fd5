package io.urunner.agent.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The chart's alerts as texts; {@link AlertsIT} evaluates them. */
class AlertsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    @Test
    void theSchemaKnowsTheAlerts() throws Exception {
        Set<String> names = alerts();
        JsonNode schema = JSON.readTree(Files.readString(Chart.FOLDER.resolve("values.schema.json")))
                .at("/properties/prometheusRule/properties");
        for (JsonNode known : List.of(schema.at("/disabled/items/enum"), schema.at("/alerts/propertyNames/enum"))) {
            Set<String> listed = new TreeSet<>();
            known.forEach(each -> listed.add(each.asText()));
            assertThat(listed).isEqualTo(names);
        }
    }

    /** Each alert links to its section of the troubleshooting page, and each section is about an alert. */
    @Test
    void everyRunbookExists() throws Exception {
        Path page = Path.of("..", "docs", "troubleshooting.md");
        Set<String> anchors = Files.readAllLines(page).stream()
                .filter(line -> line.startsWith("#"))
                .map(line -> line.replaceFirst("#+ ", "")
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\w -]", "")
                        .replace(' ', '-'))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> linked = new TreeSet<>();
        for (JsonNode rule : rules("prometheusRule: {enabled: true}")) {
            String url = rule.at("/annotations/runbook_url").asText();
            assertThat(url).startsWith("docs/troubleshooting.md#");
            linked.add(url.replaceFirst(".*#", ""));
        }
        assertThat(anchors).containsAll(linked);
        assertThat(linked)
                .containsAll(anchors.stream()
                        .filter(each -> each.startsWith("urunner"))
                        .toList());
        for (JsonNode rule :
                rules("prometheusRule: {enabled: true, runbookUrl: 'https://git.example.com/troubleshooting.md'}")) {
            assertThat(rule.at("/annotations/runbook_url").asText())
                    .startsWith("https://git.example.com/troubleshooting.md#urunner");
        }
    }

    private JsonNode rules(String values) {
        return Chart.render(folder, values).only("PrometheusRule").at("/spec/groups/0/rules");
    }

    private static Set<String> alerts() throws IOException {
        Set<String> names = new TreeSet<>();
        Chart.documents(Files.readString(Chart.FOLDER.resolve("alerts.yaml")))
                .get(0)
                .fieldNames()
                .forEachRemaining(names::add);
        return names;
    }
}
