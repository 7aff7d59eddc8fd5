package io.urunner.agent.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * The table in the chart's README is generated from the comments in values.yaml. {@code
 * -Dtest.jvm.args=-Dreadme.update=true} regenerates it.
 */
class ChartReadmeTest {
    private static final Path README = Chart.FOLDER.resolve("README.md");
    private static final String START = "<!-- values:start -->\n";
    private static final String END = "<!-- values:end -->";

    private static final String VALUES = read(Chart.FOLDER.resolve("values.yaml"));

    @Test
    void theTableInTheReadmeMatchesTheValues() throws IOException {
        String readme = read(README);
        int start = readme.indexOf(START) + START.length();
        int end = readme.indexOf(END);
        assertThat(readme).contains(START, END);
        if (Boolean.getBoolean("readme.update")) {
            Files.writeString(README, readme.substring(0, start) + table() + readme.substring(end));
        } else {
            assertThat(readme.substring(start, end)).isEqualTo(table());
        }
    }

    @Test
    void theSchemaKnowsEveryValue() {
        JsonNode schema = Chart.documents(read(Chart.FOLDER.resolve("values.schema.json")))
                .get(0);
        comments().keySet().forEach(key -> {
            JsonNode at = schema;
            for (String part : key.split("\\.")) {
                at = at.path("properties").path(part);
            }
            assertThat(at.isMissingNode())
                    .as("%s is missing in the schema", key)
                    .isFalse();
        });
    }

    @Test
    void everyValueHasAComment() {
        List<String> missing = new ArrayList<>();
        undocumented("", Chart.documents(VALUES).get(0), missing);
        assertThat(missing).isEmpty();
    }

    private static void undocumented(String prefix, JsonNode values, List<String> missing) {
        values.properties().forEach(entry -> {
            String key = prefix + entry.getKey();
            if (comments().containsKey(key)) {
                return;
            }
            if (entry.getValue().isObject() && !entry.getValue().isEmpty()) {
                undocumented(key + ".", entry.getValue(), missing);
            } else {
                missing.add(key);
            }
        });
    }

    /** The values that the README lists. */
    static Set<String> documented() {
        return comments().keySet();
    }

    private static String table() {
        StringBuilder table = new StringBuilder("| Value | Default | Meaning |\n| --- | --- | --- |\n");
        JsonNode values = Chart.documents(VALUES).get(0);
        comments().forEach((key, comment) -> {
            JsonNode value = values.at("/" + key.replace('.', '/'));
            String text = value.isTextual() ? value.asText() : value.toString();
            table.append("| `%s` | %s | %s |\n"
                    .formatted(key, text.isEmpty() ? "" : "`" + text + "`", comment.replace("|", "\\|")));
        });
        return table.toString();
    }

    /** The comments by the key that follows them; a comment ends at the first line that is not a comment. */
    private static Map<String, String> comments() {
        Map<String, String> comments = new LinkedHashMap<>();
        List<String> path = new ArrayList<>();
        StringBuilder comment = new StringBuilder();
        for (String line : VALUES.lines().toList()) {
            String text = line.strip();
            if (text.startsWith("# ")) {
                comment.append(comment.isEmpty() ? "" : " ").append(text.substring(2));
                continue;
            }
            if (text.matches("\\w+:.*")) {
                int depth = (line.length() - line.stripLeading().length()) / 2;
                path.subList(Math.min(depth, path.size()), path.size()).clear();
                path.add(text.substring(0, text.indexOf(':')));
                if (!comment.isEmpty()) {
                    comments.put(String.join(".", path), comment.toString());
                }
            }
            comment.setLength(0);
        }
        return comments;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
