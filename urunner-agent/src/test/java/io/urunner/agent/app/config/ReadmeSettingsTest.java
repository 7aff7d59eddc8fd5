package io.urunner.agent.app.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The README's table of settings is the one of the records. {@code -Dtest.jvm.args=-Dreadme.update=true} writes it anew. */
class ReadmeSettingsTest {
    private static final Path README = Path.of("").toAbsolutePath().getParent().resolve("README.md");
    private static final String START = "<!-- settings:start -->\n";
    private static final String END = "<!-- settings:end -->";

    @Test
    void theTableOfTheReadmeIsTheOneOfTheRecords() throws IOException {
        String readme = Files.readString(README);
        int start = readme.indexOf(START) + START.length();
        int end = readme.indexOf(END);
        assertThat(readme).contains(START, END);

        String table = SettingsTable.markdown(new PluginDirectory().discover(Optional.empty()))
                        .strip() + "\n";
        if (Boolean.getBoolean("readme.update")) {
            Files.writeString(README, readme.substring(0, start) + table + readme.substring(end));
        } else {
            assertThat(readme.substring(start, end)).isEqualTo(table);
        }
    }
}
