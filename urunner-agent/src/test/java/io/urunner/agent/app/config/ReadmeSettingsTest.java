package io.urunner.agent.app.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.docs.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The tables of settings in the documents are generated from the records. {@code -Dtest.jvm.args=-Dreadme.update=true}
 * regenerates them.
 */
class ReadmeSettingsTest {
    private static final String START = "<!-- settings:start -->\n";
    private static final String END = "<!-- settings:end -->";
    private static final int HEADER = 2;

    private static final List<String> ALL = SettingsTable.markdown(new PluginDirectory().discover(Optional.empty()))
            .lines()
            .toList();

    @Test
    void theTableInTheDocsHasEverySetting() throws IOException {
        assertTable("docs/settings.md", ALL);
    }

    @Test
    void theTableInTheReadmeHasTheSameRowsForTheTenSettingsThatMatterMost() throws IOException {
        List<String> chosen = table(Document.ROOT.resolve("README.md")).lines().toList();
        List<String> rows = chosen.stream()
                .map(row -> ALL.stream()
                        .filter(each -> variable(each).equals(variable(row)))
                        .findFirst()
                        .orElse("there is no setting " + variable(row)))
                .toList();
        assertThat(rows).hasSize(HEADER + 10).startsWith(ALL.get(0), ALL.get(1));
        assertTable("README.md", rows);
    }

    @Test
    void theFileInTheDocsIsAccepted(@TempDir Path folder) throws Exception {
        Path token = Files.writeString(folder.resolve("token"), "t");
        String example = Document.at("docs/settings.md").blocks().stream()
                .filter(block -> block.language().equals("yaml"))
                .findFirst()
                .orElseThrow()
                .text()
                .replace("/etc/urunner/gitlab-token", token.toString());
        Path file = Files.writeString(folder.resolve("urunner.yaml"), example);

        Configuration configuration = new SettingsLoader(
                        Map.of("HARBOR_PASSWORD", "p"), directory -> new PluginDirectory().discover(directory))
                .load(new Overrides(Optional.of(file), Map.of()));

        assertThat(configuration.settings().registries()).hasSize(2);
        assertThat(configuration.settings().policies().cooldown()).hasMinutes(90);
    }

    private static String variable(String row) {
        return row.split(" \\| ", -1)[0];
    }

    private static String table(Path document) throws IOException {
        String text = Files.readString(document);
        assertThat(text).contains(START, END);
        return text.substring(text.indexOf(START) + START.length(), text.indexOf(END));
    }

    private static void assertTable(String name, List<String> rows) throws IOException {
        Path document = Document.ROOT.resolve(name);
        String table = rows.stream().map(row -> row + "\n").collect(Collectors.joining());
        if (Boolean.getBoolean("readme.update")) {
            Files.writeString(document, Files.readString(document).replace(table(document), table));
        } else {
            assertThat(table(document)).isEqualTo(table);
        }
    }
}
