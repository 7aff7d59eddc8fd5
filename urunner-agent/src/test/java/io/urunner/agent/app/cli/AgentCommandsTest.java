package io.urunner.agent.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.agent.OnceReport;
import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.PluginDirectory;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.config.SettingsLoader;
import io.urunner.agent.app.doctor.Vantage;
import io.urunner.agent.app.rollback.Surroundings;
import io.urunner.agent.text.NastyStrings;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The output and the exit codes of {@code once} and {@code run}, with an agent whose answers the test sets. */
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
        @SuppressWarnings("DataFlowIssue") // who asks is found out before anything is done
        public ByHand byHand(Configuration configuration, Map<String, String> variables, Duration patience) {
            calls.add("by hand, patient for " + patience.toSeconds() + " s");
            return new ByHand(new Surroundings(null, null, null, null, null, null, null), () -> {});
        }

        @Override
        public Caller caller(Configuration configuration, Map<String, String> variables) {
            return new Caller(Optional.empty(), Optional.empty());
        }

        @Override
        public FoundAgent find(Map<String, String> variables, Optional<String> namespace) throws CommandException {
            throw new CommandException("no agent was found", ExitCode.HINDERED);
        }

        @Override
        public Look look(Configuration configuration, Map<String, String> variables, Vantage vantage) {
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
    void oncePrintsARowPerContainerAndExitsWith0() {
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

        assertThat(run("once", "-o", "wide")).isZero();

        assertThat(out.toString().lines())
                .containsExactly(
                        "WORKLOAD             CONTAINER  REFERENCE               DIGEST    DECISION  REASON",
                        "shop/Deployment/web  app        reg.example/app:latest  sha256:1  restart   the tag moved",
                        "shop/Deployment/db   pg         -                       -         none      not watched");
        assertThat(err.toString()).isEmpty();
        assertThat(calls).containsExactly("log WARNING to stderr", "once within 120 s", "close");
    }

    @Test
    void onceExitsWith1AndNamesTheObstacles() {
        report = new OnceReport(List.of(), List.of("reg.example refused the credential"));

        assertThat(run("once", "--timeout", "5")).isEqualTo(1);

        assertThat(err.toString().strip()).isEqualTo("urunner: reg.example refused the credential");
        assertThat(out.toString()).as("no table without rows").isEmpty();
        assertThat(calls).contains("once within 5 s");
    }

    @Test
    void onceNamesEachObstacleOnce() {
        report = new OnceReport(
                List.of(new OnceReport.Row(
                        "shop/Deployment/web",
                        "app",
                        Optional.of("reg.example/app:latest"),
                        Optional.empty(),
                        "deferred: registry unreachable",
                        "container app: reg.example cannot be reached, since 10:00")),
                List.of(
                        "reg.example: reg.example cannot be reached",
                        "shop/Deployment/web: container app: reg.example cannot be reached, since 10:00",
                        "may not list pods"));

        assertThat(run("once")).isEqualTo(1);

        assertThat(err.toString().strip()).isEqualTo("urunner: may not list pods");
        assertThat(out.toString()).contains("shop/Deployment/web", "reached, since 10:00");
    }

    @Test
    void missingAndWrongArgumentsAreExplainedInPlainWords() {
        for (Map.Entry<String, String> each : Map.of(
                        "history", "[NAMESPACE/]KIND/NAME|IMAGE is missing: a workload, for example deploy/web",
                        "rollback shop/deploy/web --as", "--as requires a value: NAME",
                        "explain Web", "'Web' is not a workload: use [NAMESPACE/]KIND/NAME",
                        "explain shop/web", "'shop/web' is not a workload: 'shop' is not a kind of workload",
                        "once --timeout x", "--timeout: 'x' is not a duration",
                        "explain --state well", "--state: 'well' is not a state",
                        "--agent-namespace x explain", "'--agent-namespace' belongs after the command: urunner explain",
                        "explain --url 127.0.0.1:1", "--url: '127.0.0.1:1' does not start with http:// or https://",
                        "once --set registries[0].host=a.example",
                                "the configuration has a problem: --set registries[0].host: is an entry of a list")
                .entrySet()) {
            err.getBuffer().setLength(0);
            assertThat(run(each.getKey().split(" ", -1))).as(each.getKey()).isEqualTo(2);
            assertThat(err.toString().replaceAll("\\s+", " "))
                    .as(each.getKey())
                    .startsWith("urunner: " + each.getValue())
                    .doesNotContain("positional parameter", "Illegal character");
        }
        err.getBuffer().setLength(0);
        run("explain", "shop/web");
        assertThat(err.toString()).contains("use shop/deploy/web");
    }

    @Test
    void helpIsWrappedAtWordsWithOneIndent() {
        for (String command :
                List.of("explain", "doctor", "history", "rollback", "resume", "once", "digest", "config")) {
            out.getBuffer().setLength(0);
            assertThat(run("help", command)).isZero();
            List<String> lines = out.toString().lines().toList();
            assertThat(lines).as(command).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
            assertThat(lines.stream()
                            .dropWhile(line -> line.startsWith("Usage:") || line.startsWith(" "))
                            .filter(line -> line.startsWith(" ".repeat(20)))
                            .map(line -> line.length() - line.stripLeading().length())
                            .distinct())
                    .as(command)
                    .hasSizeLessThanOrEqualTo(1);
        }
        out.getBuffer().setLength(0);
        run("help", "explain");
        assertThat(out.toString()).contains("http://10.0.0.7:8080", "log.level=DEBUG. Can be repeated.");
    }

    @Test
    void onceSaysSoIfNothingIsTracked() {
        assertThat(run("once")).isZero();
        assertThat(out.toString()).contains("nothing is tracked");
    }

    @Test
    void oncePrintsJsonWithTheVersionOfTheSchema() throws Exception {
        report = new OnceReport(
                List.of(new OnceReport.Row(
                        "shop/Deployment/web", "app", Optional.empty(), Optional.empty(), "none", "not watched")),
                List.of("reg.example refused the credential"));

        assertThat(run("once", "-o", "json")).isEqualTo(1);

        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.path("schema").asInt()).isEqualTo(1);
        assertThat(json.at("/containers/0/workload").asText()).isEqualTo("shop/Deployment/web");
        assertThat(json.at("/hindrances/0").asText()).isEqualTo("reg.example refused the credential");
    }

    @Test
    void unknownWordsAreNamedWithASuggestion() {
        for (Map.Entry<String, String> each : Map.of(
                        "explain --foo", "unknown option '--foo'",
                        "explain --namspace=shop", "unknown option '--namspace'; did you mean '--namespace'?",
                        "explain deploy/web --colour", "unknown option '--colour'",
                        "rollback shop/deploy/web --dryrun", "unknown option '--dryrun'; did you mean '--dry-run'?",
                        "history -x shop/deploy/web", "unknown option '-x'",
                        "explian", "unknown command 'explian'; did you mean 'explain'?",
                        "once more", "'more' is an unexpected argument",
                        "nonsense", "unknown command 'nonsense'",
                        "--verbose", "unknown option '--verbose'")
                .entrySet()) {
            err.getBuffer().setLength(0);
            assertThat(run(each.getKey().split(" ", -1))).as(each.getKey()).isEqualTo(2);
            assertThat(err.toString().lines().toList().get(0))
                    .as(each.getKey())
                    .startsWith("urunner: " + each.getValue());
        }
    }

    @Test
    void helpAndVersionAreCommandsToo() {
        assertThat(run("help")).isZero();
        assertThat(out.toString()).contains("rollback", "Exit codes of all commands:");
        assertThat(run("help", "rollback")).isZero();
        assertThat(out.toString()).contains("Usage: urunner rollback", "--reason");
        assertThat(run("version")).isZero();
        assertThat(out.toString()).contains("urunner (not from a jar)");
        assertThat(run("help", "nonsense")).isEqualTo(2);
    }

    @Test
    void theExitCodesAreTheSameInTheHelpAndInTheDocuments() throws Exception {
        assertThat(run("help")).isZero();
        String help = out.toString().replaceAll("\\s+", " ");
        String document = Files.readString(Path.of("..", "docs", "commands.md"));
        for (int code = 0; code < ExitCode.MEANINGS.size(); code++) {
            assertThat(help).contains(" " + code + " " + ExitCode.MEANINGS.get(code));
            assertThat(document).contains("| " + code + " | " + ExitCode.MEANINGS.get(code) + " |");
        }
        assertThat(document).doesNotContain("| " + ExitCode.MEANINGS.size() + " |");
    }

    @Test
    void inAPodTheNameOfTheUserIsRequired() {
        for (String command : List.of("rollback shop/deploy/web", "resume shop/deploy/web --timeout 5")) {
            err.getBuffer().setLength(0);
            assertThat(run(command.split(" ", -1))).as(command).isEqualTo(2);
            assertThat(err.toString()).as(command).contains("set --as to your name");
        }
        assertThat(calls).contains("by hand, patient for 30 s", "by hand, patient for 5 s");
        err.getBuffer().setLength(0);
        assertThat(run("resume", "deploy/web", "--as", "anna")).isEqualTo(2);
        assertThat(err.toString()).contains("in which namespace", "-n NAMESPACE");
        assertThat(run("resume", "shop/deploy/web", "--as", "x".repeat(1000))).isEqualTo(2);
        assertThat(err.toString()).contains("--as must have 1 to 128 characters, not 1000");
        assertThat(run("resume", "shop/deploy/web", "--as", "anna", "--reason", " "))
                .isEqualTo(2);
        assertThat(err.toString()).contains("--reason must have 1 to 256 characters, not 0");
    }

    @Test
    void withoutSettingsTheAgentIsLookedUpInTheCluster() {
        environment.clear();
        // With a namespace, agents that run on this machine beside this test are not asked.
        for (String command : List.of(
                "explain --agent-namespace urunner",
                "doctor --agent-namespace urunner",
                "history shop/deploy/web",
                "resume shop/deploy/web")) {
            err.getBuffer().setLength(0);
            assertThat(run(command.split(" ", -1))).as(command).isEqualTo(1);
            assertThat(err.toString()).as(command).contains("no agent was found");
        }
    }

    @Test
    void variablesForQueriesAndForTheLogDoNotCountAsSettings() {
        for (String name : List.of(
                "URUNNER_SECR_HTTP_TOKEN",
                "URUNNER_SECR_HTTP_TOKEN_FILE",
                "URUNNER_URL",
                "URUNNER_CONF_LOG_LEVEL",
                "URUNNER_CONF_LOG_FORMAT")) {
            environment.clear();
            environment.put(name, "x");
            err.getBuffer().setLength(0);
            assertThat(run("history", "shop/deploy/web")).as(name).isEqualTo(1);
            assertThat(err.toString()).as(name).contains("no agent was found");
        }
    }

    @Test
    void noAgentIsCreatedWithAWrongConfiguration() {
        environment.put("URUNNER_CONF_HTTP_PORT", "eighty");

        assertThat(run("once")).isEqualTo(2);
        assertThat(run("run")).isEqualTo(2);
        assertThat(calls).isEmpty();
        assertThat(err.toString()).contains("URUNNER_CONF_HTTP_PORT: 'eighty' is not a whole number");
    }

    @Test
    void aFailureToCreateTheAgentIsExplainedAndSetsTheExitCode() {
        failure = Optional.of(new CommandException("no kubeconfig", ExitCode.WRONG_CONFIGURATION));

        assertThat(run("run")).isEqualTo(2);
        assertThat(err.toString().strip()).isEqualTo("urunner: no kubeconfig");
    }

    @Test
    void runContinuesUntilItIsTerminatedAndExitsWith0() {
        termination = () -> calls.add("terminated");

        assertThat(run("run")).isZero();
        assertThat(calls).containsExactly("log INFO to stdout", "start", "terminated", "close");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void anInterruptionStopsRunAsWell() {
        termination = () -> {
            throw new InterruptedException("of the test");
        };

        assertThat(run("run")).isZero();
        assertThat(calls).endsWith("start", "close");
    }

    @Test
    void aConfiguredLogLevelAppliesToEveryCommand() {
        environment.put("URUNNER_CONF_LOG_LEVEL", "DEBUG");

        assertThat(run("once")).isZero();
        assertThat(calls).contains("log DEBUG to stderr");
    }

    @Test
    void aDefectIsNotShownAsAStackTrace() {
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
    void oncePrintsARowPerContainerForAnyText(String text) {
        report = new OnceReport(
                List.of(
                        new OnceReport.Row(text, text, Optional.of(text), Optional.of(text), text, text),
                        new OnceReport.Row(
                                "shop/Deployment/db", "pg", Optional.empty(), Optional.empty(), "none", "not watched")),
                List.of("registry.example is away: " + text));

        assertThat(run("once")).isEqualTo(1);

        assertThat(out.toString().lines())
                .allSatisfy(NastyStrings::assertHarmless)
                .allSatisfy(line -> assertThat(line).hasSizeLessThan(160));
        assertThat(err.toString().lines()).singleElement().satisfies(line -> NastyStrings.assertHarmless(line, 20_000));
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void wrongArgumentsAreQuotedSanitised(String text) {
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
