package io.urunner.agent.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.config.Overrides;
import io.urunner.agent.app.config.PluginDirectory;
import io.urunner.agent.app.config.SettingsLoader;
import io.urunner.agent.plan.Policy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Durations have the same form in the environment, the file, annotations and the command line. */
class DurationsEverywhereTest {
    @TempDir
    Path folder;

    private interface Entrance {
        Duration read(String text) throws Exception;
    }

    private Stream<Entrance> entrances() {
        return Stream.of(
                text -> settings(Map.of("URUNNER_CONF_COOLDOWN", text), Overrides.NONE),
                text -> settings(Map.of(), new Overrides(Optional.empty(), Map.of("policies.cooldown", text))),
                text -> inFile(text),
                text -> inFile("'" + text + "'"),
                DurationsEverywhereTest::annotation,
                text -> option(text, "once"),
                text -> option(text, "rollback", "shop/deploy/web"),
                text -> option(text, "resume", "shop/deploy/web"));
    }

    private Duration inFile(String text) throws Exception {
        Path file = Files.writeString(folder.resolve("urunner.yaml"), "policies:\n  cooldown: " + text + "\n");
        return settings(Map.of(), new Overrides(Optional.of(file), Map.of()));
    }

    private static Duration settings(Map<String, String> environment, Overrides overrides)
            throws ConfigurationException {
        Configuration configuration =
                new SettingsLoader(environment, new PluginDirectory()).loadWithoutDefaultRegistry(overrides);
        return configuration.settings().policies().cooldown();
    }

    private static Duration annotation(String text) {
        Policy.Reading reading = Policy.DEFAULT.override(Map.of("urunner.io/cooldown", text), Set.of());
        if (!reading.problems().isEmpty()) {
            throw new IllegalArgumentException(reading.problems().get(0));
        }
        return reading.policy().cooldown();
    }

    private static Duration option(String text, String... command) {
        CommandLine.ParseResult parsed = Cli.commandLine(CommandLines.context())
                .parseArgs(Stream.concat(Stream.of(command), Stream.of("--timeout=" + text))
                        .toArray(String[]::new));
        return parsed.subcommand().matchedOptionValue("--timeout", Duration.ZERO);
    }

    @ParameterizedTest
    @MethodSource("io.urunner.agent.text.DurationTexts#accepted")
    void allSourcesAcceptTheSameDurations(String text, Duration duration) {
        assertThat(entrances())
                .allSatisfy(entrance -> assertThat(entrance.read(text)).isEqualTo(duration));
    }

    @ParameterizedTest
    @MethodSource("io.urunner.agent.text.DurationTexts#refused")
    void allSourcesRefuseTheSameDurationsWithTheSameMessage(String text, String message) {
        assertThat(entrances())
                .allSatisfy(entrance ->
                        assertThatThrownBy(() -> entrance.read(text)).hasMessageContaining(message));
    }
}
