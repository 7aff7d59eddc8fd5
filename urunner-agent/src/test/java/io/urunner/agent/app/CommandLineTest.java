package io.urunner.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What the command line does with its arguments and the configuration. */
class CommandLineTest extends WiredCommands {
    @Test
    void helpNamesEveryCommandAndTheExitCodes() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString()).contains("digest", "config", "Exit codes of all commands:", "0  done as asked");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void eachCommandHasItsOwnHelp() {
        assertThat(run("digest", "--help")).isZero();
        assertThat(out.toString()).contains("Usage: urunner digest", "--config", "--set", "IMAGE");
    }

    @Test
    void theVersionIsPrinted() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).startsWith("urunner ");
    }

    @Test
    void aMissingOrUnknownCommandOrOptionIsWrongUsage() {
        assertThat(run()).isEqualTo(2);
        assertThat(err.toString()).contains("missing command", "Try 'urunner --help'.");
        assertThat(run("digst")).isEqualTo(2);
        assertThat(err.toString()).contains("digest");
        assertThat(run("digest", "--colour")).isEqualTo(2);
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void configPrintsWhatIsInForceWithOriginsAndWithoutSecrets() throws IOException {
        Path file = Files.writeString(folder.resolve("urunner.yaml"), """
                interval: 1m
                registries:
                  - host: registry.gitlab.com
                    credentials: {token: {env: CI_TOKEN}}
                """);
        environment.put("CI_TOKEN", "glpat-0123456789");
        environment.put("URUNNER_CONF_HTTP_PORT", "0");

        assertThat(run("config", "--wide", "--config", file.toString(), "--set", "log.level=DEBUG"))
                .isZero();

        assertThat(out.toString().lines())
                .anyMatch(line -> line.matches("SETTING +ORIGIN +VALUE"))
                .anyMatch(line -> line.matches("interval +\\S+urunner.yaml:1 +1m"))
                .anyMatch(line -> line.matches("http.port +URUNNER_CONF_HTTP_PORT +0"))
                .anyMatch(line -> line.matches("log.level +--set log.level +DEBUG"))
                .anyMatch(line -> line.matches("registries\\[0].type +default +gitlab"))
                .anyMatch(line -> line.matches(
                        "registries\\[0].credentials.token +\\S+urunner.yaml:4 +\\[secret] of the variable CI_TOKEN"));
        assertThat(out + err.toString()).doesNotContain("glpat-0123456789");
    }

    @Test
    void aWrongConfigurationExitsWith2AndSaysEverythingThatIsWrong() {
        environment.put("URUNNER_CONF_LOG_LEVEL", "LOUD");
        environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "gitlab");

        assertThat(run("config")).isEqualTo(2);

        assertThat(err.toString())
                .startsWith("urunner: the configuration has 2 problems:")
                .contains("URUNNER_CONF_LOG_LEVEL: 'LOUD' is not one of", "URUNNER_SECR_GITLAB_TOKEN: missing")
                .doesNotContain("\tat ");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void wrongSettingsOfARegistryAreAWrongConfiguration() {
        environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "aws_ecr");
        environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", "registry.example.com");

        assertThat(run("digest", "registry.example.com/app:1")).isEqualTo(2);
        assertThat(err.toString()).contains("the settings of the registry registry.example.com are wrong");
    }

    @Test
    void digestRefusesInvalidReferencesBeforeAskingForAny() {
        assertThat(run("digest", "localhost:1/app", "Not A Reference")).isEqualTo(2);
        assertThat(err.toString()).contains("Not A Reference");
        assertThat(out.toString()).isEmpty();
    }
}
