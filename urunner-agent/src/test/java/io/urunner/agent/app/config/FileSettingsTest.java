package io.urunner.agent.app.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.auth.CredentialPlugins;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FileSettingsTest {
    @TempDir
    Path folder;

    private Path file = Path.of("");
    private final Map<String, String> environment = new HashMap<>();
    private final Map<String, String> flags = new HashMap<>();

    @BeforeEach
    void nameTheFile() {
        file = folder.resolve("urunner.yaml");
        environment.put("URUNNER_CONFIG", file.toString());
    }

    private Configuration load(String... lines) throws IOException, ConfigurationException {
        Files.writeString(file, String.join("\n", lines));
        return new SettingsLoader(environment, TestPlugins::discover).load(new Overrides(Optional.empty(), flags));
    }

    private List<String> problems(String... lines) throws IOException {
        try {
            load(lines);
            return List.of();
        } catch (ConfigurationException e) {
            return texts(e);
        }
    }

    private List<String> texts(ConfigurationException e) {
        return e.problems().stream()
                .map(problem -> problem.toString().replace(folder + "/", ""))
                .toList();
    }

    @Test
    void aFileNamesSeveralRegistriesEachWithItsOwnSettings() throws Exception {
        Path token = Files.writeString(folder.resolve("token"), "of the file");
        environment.put("HARBOR_PASSWORD", "of the environment");

        Configuration configuration = load(
                "interval: 1m",
                "log: {level: DEBUG, format: json}",
                "store:",
                "  path: /data/urunner.db",
                "  retention: {digests: 5, days: 7}",
                "http: {port: 0}",
                "registries:",
                "  - host: registry.gitlab.com/group",
                "    type: gitlab",
                "    credentials:",
                "      user: ci",
                "      token: {file: " + token + "}",
                "    interval: 10s",
                "  - host: harbor.example.com:8443",
                "    type: harbor",
                "    credentials:",
                "      user: robot$ci",
                "      pass: {env: HARBOR_PASSWORD}",
                "    tls: {ca: /etc/ca.pem, verify: true}",
                "    concurrency: 2",
                "    budget: 60",
                "  - host: localhost:5000");
        Settings settings = configuration.settings();

        assertThat(settings.interval()).isEqualTo(Duration.ofMinutes(1));
        assertThat(settings.store()).satisfies(store -> {
            assertThat(store.path()).isEqualTo(Path.of("/data/urunner.db"));
            assertThat(store.retention()).isEqualTo(new Settings.Retention(5, 7));
        });
        assertThat(settings.registries()).hasSize(3);
        Settings.Registry gitlab = settings.registries().get(0);
        assertThat(gitlab.interval()).contains(Duration.ofSeconds(10));
        assertThat(((TestPlugins.GitLab) gitlab.credentials()).token().read().reveal())
                .isEqualTo("of the file");
        Settings.Registry harbor = settings.registries().get(1);
        assertThat(((TestPlugins.Harbor) harbor.credentials()).user()).isEqualTo("robot$ci");
        assertThat(((TestPlugins.Harbor) harbor.credentials()).pass().read().reveal())
                .isEqualTo("of the environment");
        assertThat(harbor.tls().ca()).contains(Path.of("/etc/ca.pem"));
        assertThat(harbor.concurrency()).contains(2);
        assertThat(settings.registries().get(2).type()).isEqualTo("generic");
        assertThat(configuration.values())
                .contains(
                        new EffectiveValue("interval", "1m", new Origin.FileLine(file, 1)),
                        new EffectiveValue(
                                "registries[0].credentials.token",
                                "[secret] of the file " + token,
                                new Origin.FileLine(file, 12)),
                        new EffectiveValue(
                                "registries[1].credentials.pass",
                                "[secret] of the variable HARBOR_PASSWORD",
                                new Origin.FileLine(file, 18)));
    }

    @Test
    void theEnvironmentOverridesTheFileAndFlagsOverrideBoth() throws Exception {
        environment.put("URUNNER_CONF_HTTP_PORT", "2");
        environment.put("URUNNER_CONF_LOG_LEVEL", "ERROR");
        flags.put("log.level", "CRITICAL");

        Configuration configuration =
                load("http: {port: 1}", "log: {level: INFO, format: json}", "registries: [{host: a.example}]");

        assertThat(configuration.settings().http().port()).isEqualTo(2);
        assertThat(configuration.settings().log())
                .isEqualTo(new Settings.Log(Settings.LogLevel.CRITICAL, Settings.LogFormat.JSON));
        assertThat(configuration.values())
                .contains(
                        new EffectiveValue("log.level", "CRITICAL", new Origin.Flag("--set log.level")),
                        new EffectiveValue("http.port", "2", new Origin.Variable("URUNNER_CONF_HTTP_PORT")));
        assertThat(configuration.isSet("log.level")).isTrue();
        assertThat(configuration.isSet("interval")).isFalse();
    }

    @Test
    void theSecretOfTheHooksIsAValueAVariableOrAFileThatIsReadEachTime() throws Exception {
        Path secret = Files.writeString(folder.resolve("hooks"), "before\n");
        assertThat(hooks("http: {hooks: {secret: {file: " + secret + "}}}")).isEqualTo("before");
        assertThat(hooks("http: {hooks: {secret: inline}}")).isEqualTo("inline");
        environment.put("URUNNER_SECR_HOOKS_SECRET_FILE", secret.toString());
        Files.writeString(secret, "after\n");
        assertThat(hooks("")).isEqualTo("after");
        assertThat(load("registries: [{host: a.example}]").files()).contains(secret, file);
        environment.remove("URUNNER_SECR_HOOKS_SECRET_FILE");
        environment.put("URUNNER_SECR_HOOKS_SECRET", "of the variable");
        assertThat(hooks("http: {hooks: {secret: inline}}")).isEqualTo("of the variable");
        assertThat(problems("registries: [{host: a.example}]", "http: {port: 0}"))
                .containsExactly(
                        "urunner.yaml:2: http.port, URUNNER_SECR_HOOKS_SECRET: port must not be 0 if 'hooks' has a secret: hooks are served there");
    }

    private String hooks(String line) throws Exception {
        return load("registries: [{host: a.example}]", line)
                .settings()
                .http()
                .hooks()
                .secret()
                .orElseThrow()
                .read()
                .reveal();
    }

    @Test
    void theRegistryInTheEnvironmentIsOneInTheFileOrAnotherOne() throws Exception {
        environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", "a.example");
        environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "gitlab");
        environment.put("URUNNER_SECR_GITLAB_TOKEN", "t");

        assertThat(load("registries: [{host: a.example, concurrency: 3}, {host: b.example}]")
                        .settings()
                        .registries())
                .extracting(registry -> registry.host() + " " + registry.type())
                .containsExactly("a.example gitlab", "b.example generic");
        assertThat(load("registries: [{host: b.example}]").settings().registries())
                .extracting(registry -> registry.host() + " " + registry.type())
                .containsExactly("b.example generic", "a.example gitlab");
    }

    @ParameterizedTest
    @CsvSource({
        "DOCKER.IO, docker.io dockerhub",
        "registry.hub.docker.com/team, docker.io/team dockerhub",
        "https://index.docker.io/v1/, docker.io dockerhub",
        "GHCR.IO, ghcr.io ghcr",
        "docker.io.evil.example, docker.io.evil.example generic",
    })
    void aHostDeterminesItsTypeInWhicheverWayItIsWritten(String host, String expected) throws Exception {
        Files.writeString(file, "registries: [{host: '" + host + "'}]");
        Configuration configuration = new SettingsLoader(environment, directory -> CredentialPlugins.discover())
                .load(new Overrides(Optional.empty(), flags));
        assertThat(configuration.settings().registries())
                .extracting(registry -> registry.host() + " " + registry.type())
                .containsExactly(expected);
    }

    @Test
    void theEnvironmentsCredentialsBelongToTheOneRegistryOfTheirType() throws Exception {
        environment.put("URUNNER_SECR_GITLAB_TOKEN", "t");

        assertThat(load("registries: [{host: a.example, type: gitlab}, {host: b.example}]")
                        .settings()
                        .registries())
                .hasSize(2);
        assertThat(problems("registries:", "- {host: a.example, type: gitlab}", "- {host: b.example, type: gitlab}"))
                .containsExactly(
                        "urunner.yaml:2: registries[0].credentials.token: missing; a registry of the type 'gitlab' needs it;"
                                + " for a registry without login use the type 'generic'",
                        "urunner.yaml:3: registries[1].credentials.token: missing; a registry of the type 'gitlab' needs it;"
                                + " for a registry without login use the type 'generic'",
                        "URUNNER_SECR_GITLAB_TOKEN: could belong to several registries: say in the file which one, as {env:"
                                + " URUNNER_SECR_GITLAB_TOKEN}");
        assertThat(problems(
                        "registries:",
                        "- {host: a.example, type: gitlab, credentials: {token: {env: URUNNER_SECR_GITLAB_TOKEN}}}",
                        "- {host: b.example, type: gitlab, credentials: {token: b}}"))
                .isEmpty();
        assertThat(problems("registries:", "- {host: registry.gitlab.com}", "- {host: b.example}"))
                .isEmpty();
    }

    @Test
    void aVariableThatCouldMeanAnyOfSeveralRegistriesIsAProblem() throws Exception {
        environment.put("URUNNER_CONF_DOCKER_API_VERIFY", "false");

        assertThat(problems("registries: [{host: a.example}, {host: b.example}]"))
                .containsExactly(
                        "URUNNER_CONF_DOCKER_API_VERIFY: does not say which registry it is for, and the file lists several: set it in the file");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "intervall: 5s | urunner.yaml:2: intervall: unknown key; did you mean interval?",
                "log: {levle: INFO} | urunner.yaml:2: log.levle: unknown key; did you mean level?",
                "log: {zzz: 1} | urunner.yaml:2: log.zzz: unknown key; known here: level, format",
                "log: loud | urunner.yaml:2: log: expected keys with values here: level, format",
                "interval: [1, 2] | urunner.yaml:2: interval: expected a single value here",
                "http: {port: 70000} | urunner.yaml:2: http.port: port must be from 0 (none) to 65535, not 70000",
                "http: {port: 1, port: 2} | urunner.yaml:2: http.port: specified twice",
                "store: {path: {env: NOT_SET}} | urunner.yaml:2: store.path: the environment variable NOT_SET is not set",
                "store: {path: {env: A, file: b}} | urunner.yaml:2: store.path: specify exactly one of value, env and file, as a string",
                "kubernetes: {namespaces: [shop, ..]} | urunner.yaml:2: kubernetes.namespaces: namespaces cannot be '..': a Kubernetes name consists of lower-case letters, digits and '-'",
                "kubernetes: {lease: a/b} | urunner.yaml:2: kubernetes.lease: lease cannot be 'a/b': a Kubernetes name consists of lower-case letters, digits and '-'",
                "kubernetes: {leaseNamespace: A} | urunner.yaml:2: kubernetes.leaseNamespace: leaseNamespace cannot be 'A': a Kubernetes name consists of lower-case letters, digits and '-'",
                "log: {level: ] | urunner.yaml:2: not YAML: expected the node content, but found ']'",
                "a: *hunter2 | urunner.yaml:2: not YAML: found undefined alias; put quotes around text that starts with *, & or !",
                "a: &x {b: *x} | urunner.yaml:2: a.b.b.b.b.b.b.b.b.b.b.b.b: nested too deeply",
            })
    void problemsAreReportedWithTheirLine(String line, String problem) throws IOException {
        assertThat(problems("registries: [{host: a.example}]", line)).first().isEqualTo(problem);
    }

    @Test
    void problemsWithinARegistryNameIt() throws IOException {
        assertThat(problems(
                        "registries:",
                        "  - host: a.example",
                        "    type: gitlab",
                        "    credentials:",
                        "      tokn: x",
                        "  - type: generic",
                        "    tls:",
                        "      certificate: /c.pem",
                        "  - host: c.example",
                        "    budget: 0",
                        "  - nonsense"))
                .containsExactly(
                        "urunner.yaml:5: registries[0].credentials.tokn: unknown key; did you mean token?",
                        "urunner.yaml:4: registries[0].credentials.token: missing (here and in URUNNER_SECR_GITLAB_TOKEN); a registry of the type 'gitlab' needs it;"
                                + " for a registry without login use the type 'generic'",
                        "urunner.yaml:6: registries[1].host: missing",
                        "urunner.yaml:8: registries[1].tls.certificate: certificate and key belong together: set both or neither",
                        "urunner.yaml:10: registries[2].budget: budget must be at least 1 request per minute",
                        "urunner.yaml:11: registries[3]: expected keys with values here: host, type, credentials, tls,"
                                + " interval, concurrency, budget, plainHttp, trustedHosts, address, mirrors");
    }

    @Test
    void aPlaceThatIsNoHostIsAProblem() throws IOException {
        assertThat(problems(
                        "registries:",
                        "  - host: a.example",
                        "    trustedHosts: ['https://login.example/token', b.example]",
                        "  - host: b.example",
                        "    address: https://c.example",
                        "  - host: c.example",
                        "    mirrors: [{url: 'https://d.example?x=y'}]"))
                .containsExactly(
                        "urunner.yaml:3: registries[0].trustedHosts: trustedHosts cannot be used: not a host: \"https://login.example/token\": write"
                                + " \"login.example\"",
                        "urunner.yaml:5: registries[1].address: address cannot be used: an address must be host or host:port, without scheme and"
                                + " path",
                        "urunner.yaml:7: registries[2].mirrors[0].url: url: a mirror is an http or https URL without user,"
                                + " password, query and fragment; configure its credentials as those of a registry");
    }

    @Test
    void aHostThatIsListedTwiceIsAProblem() throws IOException {
        assertThat(problems("interval: 5s", "registries: [{host: a.example}, {host: a.example}]"))
                .containsExactly("urunner.yaml:2: registries: registries name a.example twice");
    }

    @Test
    void anUnreadableFileIsReportedWithoutFollowUpProblems() throws IOException {
        assertThat(problemsOfTheFile()).containsExactly("urunner.yaml:1: configuration file: no such file");
        assertThat(problems("\tinterval: 5s"))
                .singleElement()
                .asString()
                .startsWith("urunner.yaml:1: not YAML: found character '\\t(TAB)' that cannot start any token");
        assertThat(problems("interval: 5s", "---", "interval: 6s"))
                .singleElement()
                .asString()
                .startsWith("urunner.yaml:2: not YAML:");
        Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 'x'});
        assertThat(problemsOfTheFile()).containsExactly("urunner.yaml:1: configuration file: not UTF-8 text");
        Files.delete(file);
        Files.createDirectory(file);
        assertThat(problemsOfTheFile())
                .containsExactly(
                        "urunner.yaml:1: configuration file: cannot be read: java.io.IOException: Is a directory");
        environment.put("URUNNER_CONF_LOG_LEVEL", "LOUD");
        assertThat(problemsOfTheFile()).hasSize(2).last().asString().startsWith("URUNNER_CONF_LOG_LEVEL: ");
    }

    @Test
    void aFileThatExpandsBeyondMemoryIsRefused() throws IOException {
        assertThat(problems("registries: [{host: a.example}]", "# " + "x".repeat(1024 * 1024)))
                .containsExactly("urunner.yaml:1: configuration file: longer than 1048576 bytes");
        List<String> lines = new ArrayList<>(List.of("registries: [{host: a.example}]", "a0: &a0 [x, x, x, x]"));
        for (int i = 1; i <= 10; i++) {
            lines.add("a" + i + ": &a" + i + " [*a" + (i - 1) + ", *a" + (i - 1) + ", *a" + (i - 1) + ", *a" + (i - 1)
                    + "]");
        }
        assertThat(problems(lines.toArray(String[]::new)))
                .first()
                .asString()
                .startsWith("urunner.yaml:")
                .endsWith("too many values: its aliases stand for more than 50000");
    }

    @Test
    void anchorsAreResolvedAndAByteOrderMarkIsIgnored() throws Exception {
        assertThat(load(
                                "\uFEFFregistries:",
                                "  - {host: a.example, tls: &tls {ca: /ca.pem}}",
                                "  - {host: b.example, tls: *tls}")
                        .settings()
                        .registries())
                .extracting(registry -> registry.tls().ca())
                .containsOnly(Optional.of(Path.of("/ca.pem")));
    }

    @Test
    void aPasswordInAHostsTextIsInNoProblem() throws IOException {
        assertThat(problems("registries: [{host: 'user:hunter2@a.example'}]"))
                .singleElement()
                .asString()
                .contains("\"[secret]@a.example\"")
                .doesNotContain("hunter2");
        assertThat(problems(
                        "registries:",
                        "- {host: a.example, type: gitlab, credentials: {token: t, authUrl: 'https://u:hun ter2@x'}}"))
                .singleElement()
                .asString()
                .doesNotContain("ter2");
    }

    private List<String> problemsOfTheFile() {
        try {
            new SettingsLoader(environment, TestPlugins::discover).load(Overrides.NONE);
            return List.of();
        } catch (ConfigurationException e) {
            return texts(e);
        }
    }

    @Test
    void anEmptyFileChangesNothing() throws Exception {
        environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic");
        assertThat(load("").settings().registries()).hasSize(1);
        assertThat(load("log:", "  level:", "registries:").settings().log().level())
                .isEqualTo(Settings.LogLevel.INFO);
    }

    @Test
    void aFlagDoesNotReachIntoAList() throws IOException {
        flags.put("registries[0].host", "b.example");
        assertThat(problems("registries: [{host: a.example}]"))
                .containsExactly(
                        "--set registries[0].host: is an entry of a list, which --set cannot change: put the list into the file");
    }

    @Test
    void aFlagWithAnUnknownKeyIsAProblem() throws IOException {
        flags.put("log.lvl", "INFO");
        assertThat(problems("registries: [{host: a.example}]"))
                .containsExactly("--set log.lvl: unknown key; did you mean level?");
    }

    @Test
    void aSecretInTheWrongPlaceIsInNoProblem() throws IOException {
        environment.put("URUNNER_CONF_HTTP_PORT", "0");
        for (String token : List.of(
                "*hunter2",
                "&hunter2 &hunter2 x",
                "!hunter2!x y",
                "{env: hunter2-x}",
                "{file: hunter2}",
                "{file: \"hunter2\\0\"}",
                "[hunter2, hunter2]",
                "{hunter2: hunter2}: x",
                "'hunter2",
                "hunter2: x: y",
                "@hunter2",
                "`hunter2",
                "%hunter2")) {
            assertThat(problems(
                            "registries:",
                            "- host: a.example",
                            "  type: gitlab",
                            "  credentials:",
                            "    token: " + token))
                    .as(token)
                    .isNotEmpty()
                    .allSatisfy(problem -> assertThat(problem).doesNotContain("hunter2"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "interval: wJalrXUtnFEMI/K7MDENG/bPxRfiCYhunter2",
                "http: {port: wJalrXUtnFEMI/K7MDENG/bPxRfiCYhunter2}",
                "log: {level: wJalrXUtnFEMI/K7MDENG/bPxRfiCYhunter2}",
                "kubernetes: {pullSecrets: wJalrXUtnFEMI/K7MDENG/bPxRfiCYhunter2}",
                "registries: [{host: b.example, type: glpat-4711abcdEFGHhunter2}]",
            })
    void aSecretThatWasGivenToAnotherSettingIsInNoProblem(String line) throws IOException {
        assertThat(problems(line))
                .isNotEmpty()
                .allSatisfy(problem -> assertThat(problem).doesNotContain("hunter2"));
    }

    @Test
    void aHostIsOneRegistryInLettersOfAnyCase() throws Exception {
        environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", "https://REGISTRY.example/");
        environment.put("URUNNER_SECR_REGISTRY_USER", "ci");
        environment.put("URUNNER_SECR_REGISTRY_PASS", "hunter2");
        assertThat(load("registries: [{host: Registry.Example, type: generic}]")
                        .settings()
                        .registries())
                .singleElement()
                .satisfies(registry -> assertThat(registry.credentials().toString())
                        .contains("ci")
                        .doesNotContain("hunter2"));

        environment.keySet().removeIf(name -> name.startsWith("URUNNER_SECR_") || name.endsWith("_TO_WATCH"));
        assertThat(
                        problems(
                                "registries: [{host: Registry.Example, type: generic}, {host: registry.example, type: generic}]"))
                .singleElement()
                .asString()
                .contains("registries name registry.example twice");
    }
}
