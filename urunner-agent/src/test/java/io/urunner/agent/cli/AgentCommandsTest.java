package io.urunner.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.config.Configuration;
import io.urunner.agent.config.PluginDirectory;
import io.urunner.agent.config.Settings;
import io.urunner.agent.config.SettingsLoader;
import io.urunner.agent.run.OnceReport;
import io.urunner.agent.text.NastyStrings;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code once} and {@code run} print and how they exit, with an agent that says what the test wants. */
class AgentCommandsTest {
    private final Map<String, String> environment =
            new HashMap<>(Map.of("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic"));
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final List<String> calls = new ArrayList<>();
    private OnceReport report = new OnceReport(List.of(), List.of());
    private Optional<CommandException> failure = Optional.empty();
    private Termination termination = () -> {};

    private int run(String... arguments) {
        return Cli.execute(
                new CommandContext(
                        environment, new PrintWriter(out), new PrintWriter(err), new ScriptedWiring(), termination),
                arguments);
    }

    private final class ScriptedWiring implements Wiring {
        @Override
        public SettingsLoader.PluginDiscovery plugins() {
            return new PluginDirectory();
        }

        @Override
        public void configureLogging(Settings.Log log, boolean toStdout) {
            calls.add("log " + log.level() + (toStdout ? " to stdout" : " to stderr"));
        }

        @Override
        public Registries registries(Configuration configuration, Map<String, String> variables) {
            throw new IllegalStateException("not asked for in these tests");
        }

        @Override
        public ByHand byHand(Configuration configuration, Map<String, String> variables) {
            throw new IllegalStateException("not asked for in these tests");
        }

        @Override
        public Look look(Configuration configuration, Map<String, String> variables) {
            throw new IllegalStateException("not asked for in these tests");
        }

        @Override
        public AgentProcess agent(Configuration configuration, Map<String, String> variables) throws CommandException {
            if (failure.isPresent()) {
                throw failure.get();
            }
            return new AgentProcess() {
                @Override
                public void start(ConfigurationReader reader) {
                    calls.add("start");
                }

                @Override
                public OnceReport once(Duration timeout) {
                    calls.add("once within " + timeout.toSeconds() + " s");
                    return report;
                }

                @Override
                public void close() {
                    calls.add("close");
                }
            };
        }
    }

    @Test
    void once_prints_a_row_per_container_and_exits_with_0() {
        report = new OnceReport(
                List.of(
                        new OnceReport.Row(
                                "shop/Deployment/web",
                                "app",
                                Optional.of("reg.example/app:latest"),
                                Optional.of("sha256:1"),
                                "restart",
                                "the tag moved"),
                        new OnceReport.Row(
                                "shop/Deployment/db", "pg", Optional.empty(), Optional.empty(), "none", "not watched")),
                List.of());

        assertThat(run("once")).isZero();

        assertThat(out.toString().lines())
                .containsExactly(
                        "WORKLOAD             CONTAINER  REFERENCE               DIGEST    DECISION  REASON",
                        "shop/Deployment/web  app        reg.example/app:latest  sha256:1  restart   the tag moved",
                        "shop/Deployment/db   pg         -                       -         none      not watched");
        assertThat(err.toString()).isEmpty();
        assertThat(calls).containsExactly("log WARNING to stderr", "once within 120 s", "close");
    }

    @Test
    void once_exits_with_1_and_names_what_was_in_the_way() {
        report = new OnceReport(List.of(), List.of("reg.example refused the credential"));

        assertThat(run("once", "--timeout", "5")).isEqualTo(1);

        assertThat(err.toString().strip()).isEqualTo("urunner: reg.example refused the credential");
        assertThat(out.toString()).startsWith("WORKLOAD");
        assertThat(calls).contains("once within 5 s");
    }

    @Test
    void a_wrong_configuration_keeps_the_agent_from_being_made() {
        environment.put("URUNNER_CONF_HTTP_PORT", "eighty");

        assertThat(run("once")).isEqualTo(2);
        assertThat(run("run")).isEqualTo(2);
        assertThat(calls).isEmpty();
        assertThat(err.toString()).contains("URUNNER_CONF_HTTP_PORT: 'eighty' is not a whole number");
    }

    @Test
    void an_agent_that_cannot_be_made_is_explained_with_its_exit_code() {
        failure = Optional.of(new CommandException("no kubeconfig", ExitCode.WRONG_CONFIGURATION));

        assertThat(run("run")).isEqualTo(2);
        assertThat(err.toString().strip()).isEqualTo("urunner: no kubeconfig");
    }

    @Test
    void run_goes_on_until_it_is_told_to_end_and_exits_with_0() {
        termination = () -> calls.add("told to end");

        assertThat(run("run")).isZero();
        assertThat(calls).containsExactly("log INFO to stdout", "start", "told to end", "close");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void an_interruption_ends_run_as_well() {
        termination = () -> {
            throw new InterruptedException("of the test");
        };

        assertThat(run("run")).isZero();
        assertThat(calls).endsWith("start", "close");
    }

    @Test
    void a_level_that_somebody_asked_for_holds_for_every_command() {
        environment.put("URUNNER_CONF_LOG_LEVEL", "DEBUG");

        assertThat(run("once")).isZero();
        assertThat(calls).contains("log DEBUG to stderr");
    }

    @Test
    void a_defect_is_not_shown_as_a_stack_trace() {
        termination = () -> {
            throw new IllegalStateException("of the test");
        };

        assertThat(run("run")).isEqualTo(1);
        assertThat(err.toString())
                .contains("failed unexpectedly", "of the test")
                .doesNotContain("\tat ");
        assertThat(calls).endsWith("close");
    }

    static List<String> nasty() {
        return NastyStrings.all();
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void once_prints_a_row_per_container_whatever_others_wrote(String text) {
        report = new OnceReport(
                List.of(
                        new OnceReport.Row(text, text, Optional.of(text), Optional.of(text), text, text),
                        new OnceReport.Row(
                                "shop/Deployment/db", "pg", Optional.empty(), Optional.empty(), "none", "not watched")),
                List.of("registry.example: " + text));

        assertThat(run("once")).isEqualTo(1);

        assertThat(out.toString().lines()).hasSize(3).allSatisfy(NastyStrings::assertHarmless);
        assertThat(out.toString().lines().toList().get(2)).hasSizeLessThan(1000);
        assertThat(err.toString().lines()).singleElement().satisfies(line -> NastyStrings.assertHarmless(line, 20_000));
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void what_is_wrongly_asked_for_is_repeated_harmlessly(String text) {
        run("explain", text);
        run("digest", text);
        run("history", "--" + text);
        run("once", "--set", text);
        run("once", "--timeout", text);
        run("once", "--config", "/" + text.replace('\0', 'x'));
        failure = Optional.of(new CommandException(text, ExitCode.HINDERED));
        run("once");

        assertThat((out.toString() + err).lines()).allSatisfy(line -> NastyStrings.assertHarmless(line, 20_000));
        assertThat(err.toString().lines()).hasSizeLessThan(30);
    }
}
