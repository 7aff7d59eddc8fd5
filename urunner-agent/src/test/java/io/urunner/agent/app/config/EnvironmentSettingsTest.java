package io.urunner.agent.app.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.urunner.agent.plan.Admission;
import io.urunner.agent.plan.Policy;
import io.urunner.agent.plan.Window;
import io.urunner.agent.text.NastyStrings;
import io.urunner.agent.text.Printable;
import io.urunner.registry.auth.CredentialException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EnvironmentSettingsTest {
    /** The minimum: a registry without a login. */
    private static final Map<String, String> LEAST = Map.of("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic");

    @TempDir
    Path folder;

    static Configuration load(Map<String, String> environment) throws ConfigurationException {
        return new SettingsLoader(environment, TestPlugins::discover).load(Overrides.NONE);
    }

    private static Settings with(String variable, String value) throws ConfigurationException {
        Map<String, String> environment = new HashMap<>(LEAST);
        environment.put(variable, value);
        return load(environment).settings();
    }

    private static List<Problem> problems(Map<String, String> environment) {
        try {
            load(environment);
            return List.of();
        } catch (ConfigurationException e) {
            return e.problems();
        }
    }

    private static List<Problem> problemsWith(String variable, String value) {
        Map<String, String> environment = new HashMap<>(LEAST);
        environment.put(variable, value);
        return problems(environment);
    }

    @Test
    void theDefaultsAreThoseOfTheOriginal() throws ConfigurationException {
        Settings settings = load(LEAST).settings();

        assertThat(settings.interval()).isEqualTo(Duration.ofSeconds(30));
        assertThat(settings.log().level()).isEqualTo(Settings.LogLevel.INFO);
        assertThat(settings.kubernetes().auth()).isEqualTo(Settings.KubeAuth.INCLUSTER);
        assertThat(settings.store().path()).isEqualTo(Path.of("./urunner.db"));
        assertThat(settings.http().port()).isEqualTo(8080);
        assertThat(settings.policies().toPolicy()).isEqualTo(Policy.DEFAULT);
        assertThat(settings.rollouts().toLimits()).isEqualTo(Admission.Limits.NONE);
        assertThat(settings.registries()).singleElement().satisfies(registry -> {
            assertThat(registry.host()).hasToString("harbor.default.svc.cluster.local:8080");
            assertThat(registry.tls().verify()).isTrue();
        });
        assertThat(ManifestTypes.of(settings.acceptHeader())).hasSize(4);
    }

    @Test
    void policiesAndLimitsReachThePlanner() throws ConfigurationException {
        Map<String, String> environment = new HashMap<>(LEAST);
        environment.put("URUNNER_CONF_FIRST_SIGHT", "adopt");
        environment.put("URUNNER_CONF_COOLDOWN", "10m");
        environment.put("URUNNER_CONF_SETTLE", "90");
        environment.put("URUNNER_CONF_WINDOW", "Mon-Fri 20:00-06:00 Europe/Rome");
        environment.put("URUNNER_CONF_CONTAINERS", "web, worker");
        environment.put("URUNNER_CONF_IF_NOT_ALWAYS", "pin");
        environment.put("URUNNER_CONF_SHADOW", "true");
        environment.put("URUNNER_CONF_MAX_ROLLOUTS", "5");
        environment.put("URUNNER_CONF_MAX_ROLLOUTS_PER_NAMESPACE", "2");
        environment.put("URUNNER_CONF_CANARY", "true");
        Settings settings = load(environment).settings();

        assertThat(settings.policies().toPolicy())
                .isEqualTo(new Policy(
                        Policy.FirstSight.ADOPT,
                        Duration.ofMinutes(10),
                        Duration.ofSeconds(90),
                        Window.parse("Mon-Fri 20:00-06:00 Europe/Rome"),
                        Set.of("web", "worker"),
                        Policy.IfNotAlways.PIN,
                        true));
        assertThat(settings.rollouts().toLimits())
                .isEqualTo(new Admission.Limits(
                        OptionalInt.of(5), OptionalInt.of(2), true, Admission.Limits.NONE.patience()));
    }

    @Test
    void thereAreNoDefaultCredentials() {
        assertThat(problems(Map.of())).singleElement().satisfies(problem -> {
            assertThat(problem.where()).isEqualTo("registries");
            assertThat(problem.what())
                    .startsWith("no registry is configured: set URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH")
                    .contains("URUNNER_SECR_HARBOR_USER and URUNNER_SECR_HARBOR_PASS");
        });
        Map<String, String> user = Map.of("URUNNER_SECR_HARBOR_USER", "robot");
        assertThat(problems(user)).extracting(Problem::where).containsExactly("URUNNER_SECR_HARBOR_PASS");
        assertThat(problems(user))
                .extracting(Problem::what)
                .allSatisfy(what -> assertThat(what)
                        .contains("no registry is configured", "set URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH"));
    }

    @ParameterizedTest
    @CsvSource({
        "URUNNER_CONF_LOG_LEVEL, DEBUG",
        "URUNNER_CONF_LOG_LEVEL, info",
        "URUNNER_CONF_LOG_LEVEL, WARNING",
        "URUNNER_CONF_LOG_LEVEL, ERROR",
        "URUNNER_CONF_LOG_LEVEL, CRITICAL",
        "URUNNER_CONF_LOG_FORMAT, text",
        "URUNNER_CONF_LOG_FORMAT, json",
        "URUNNER_CONF_KUBE_AUTH, incluster",
        "URUNNER_CONF_KUBE_AUTH, kubeconfig",
        "URUNNER_CONF_DOCKER_API_VERIFY, True",
        "URUNNER_CONF_DOCKER_API_VERIFY, true",
        "URUNNER_CONF_DOCKER_API_VERIFY, False",
        "URUNNER_CONF_DOCKER_API_VERIFY, false",
        "URUNNER_CONF_SQLLIGHT_PATH, /app/urunner.db",
        "URUNNER_CONF_FREQUENCY_CHECK_SECONDS, 20",
        "URUNNER_CONF_FREQUENCY_CHECK_SECONDS, 5m",
        "URUNNER_CONF_FREQUENCY_CHECK_SECONDS, PT1H",
        "URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH, registry.gitlab.com",
        "URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH, localhost:5000",
        "URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH, registry.gitlab.com/group/project",
        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE, dockerhub",
        "URUNNER_CONF_HTTP_PORT, 0",
        "URUNNER_CONF_HTTP_PORT, 65535",
        "URUNNER_CONF_HTTP_PORT, ' 8080 '",
        "URUNNER_CONF_CLUSTER_NAME, prod",
        "URUNNER_CONF_DATABASE_URL, jdbc:postgresql://db/urunner",
        "URUNNER_CONF_FIRST_SIGHT, adopt",
        "URUNNER_CONF_COOLDOWN, 10m",
        "URUNNER_CONF_SETTLE, 90",
        "URUNNER_CONF_WINDOW, Mon-Fri 20:00-06:00 Europe/Rome",
        "URUNNER_CONF_CONTAINERS, 'web, worker'",
        "URUNNER_CONF_IF_NOT_ALWAYS, pin",
        "URUNNER_CONF_SHADOW, true",
        "URUNNER_CONF_NAMESPACES, 'shop,blog'",
        "URUNNER_CONF_MAX_ROLLOUTS, 5",
        "URUNNER_CONF_MAX_ROLLOUTS_PER_NAMESPACE, 1",
        "URUNNER_CONF_CANARY, True",
        "URUNNER_SECR_REGISTRY_USER, me",
    })
    void goodValuesAreAccepted(String variable, String value) {
        assertThat(problemsWith(variable, value)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "URUNNER_CONF_LOG_LEVEL | LOUD | 'LOUD' is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
                "URUNNER_CONF_LOG_LEVEL | WARN | not one of DEBUG, INFO, WARNING",
                "URUNNER_CONF_LOG_FORMAT | xml | 'xml' is not one of text, json",
                "URUNNER_CONF_KUBE_AUTH | token | 'token' is not one of incluster, kubeconfig",
                "URUNNER_CONF_DOCKER_API_VERIFY | yes | 'yes' is neither true nor false",
                "URUNNER_CONF_FREQUENCY_CHECK_SECONDS | soon | 'soon' is not a duration",
                "URUNNER_CONF_FREQUENCY_CHECK_SECONDS | -5 | '-5' is not a duration",
                "URUNNER_CONF_FREQUENCY_CHECK_SECONDS | 0 | interval must be at least one second",
                "URUNNER_CONF_FREQUENCY_CHECK_SECONDS | PT999999999999999H | is longer than 36500 days",
                "URUNNER_CONF_COOLDOWN | 999999999d | is longer than 36500 days",
                "URUNNER_CONF_HTTP_PORT | eighty | 'eighty' is not a whole number",
                "URUNNER_CONF_HTTP_PORT | 70000 | port must be from 0 (none) to 65535, not 70000",
                "URUNNER_CONF_WINDOW | at night | 'at night' is not a window",
                "URUNNER_CONF_FIRST_SIGHT | ignore | 'ignore' is not one of restart, adopt",
                "URUNNER_CONF_IF_NOT_ALWAYS | never | 'never' is not one of",
                "URUNNER_CONF_SHADOW | 1 | '1' is neither true nor false",
                "URUNNER_CONF_MAX_ROLLOUTS | 0 | max must be at least 1",
                "URUNNER_CONF_MAX_ROLLOUTS_PER_NAMESPACE | 0 | maxPerNamespace must be at least 1",
                "URUNNER_CONF_COOLDOWN | a while | 'a while' is not a duration",
                "URUNNER_CONF_DATABASE_URL | jdbc:mysql://db | url must start with jdbc:postgresql:",
                "URUNNER_CONF_CONTAINER_REGISTRY_TYPE | gitlub | is not a known type of registry; did you mean gitlab?",
                "URUNNER_CONF_CONTAINER_REGISTRY_TYPE | oops-no | known: aws_ecr, digitalocean, dockerhub, generic",
                "URUNNER_CONF_PLUGIN_DIR | /no/such/directory | the plugin directory /no/such/directory is not there",
            })
    void badValuesAreNamedWithTheirVariableAndWhatIsWrong(String variable, String value, String what) {
        assertThat(problemsWith(variable, value)).singleElement().satisfies(problem -> {
            assertThat(problem.where()).isEqualTo(variable);
            assertThat(problem.what()).contains(what);
        });
    }

    @Test
    void allProblemsAreReportedAtOnce() {
        assertThatThrownBy(() -> load(Map.of(
                        "URUNNER_CONF_LOG_LEVEL", "LOUD",
                        "URUNNER_CONF_KUBE_AUTH", "magic",
                        "URUNNER_CONF_HTTP_PORT", "x",
                        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "gitlab",
                        "URUNNER_CONF_CONTAINER_REGISTRI_TO_WATCH", "x")))
                .isInstanceOfSatisfying(
                        ConfigurationException.class,
                        e -> assertThat(e.problems())
                                .extracting(Problem::where)
                                .containsExactlyInAnyOrder(
                                        "URUNNER_CONF_LOG_LEVEL",
                                        "URUNNER_CONF_KUBE_AUTH",
                                        "URUNNER_CONF_HTTP_PORT",
                                        "URUNNER_SECR_GITLAB_TOKEN",
                                        "URUNNER_CONF_CONTAINER_REGISTRI_TO_WATCH"))
                .hasMessageContaining("5 problems");
    }

    @ParameterizedTest
    @CsvSource({
        "URUNNER_CONF_SQLLITE_PATH, URUNNER_CONF_SQLLIGHT_PATH",
        "URUNNER_CONF_LOGLEVEL, URUNNER_CONF_LOG_LEVEL",
        "URUNNER_CONF_FREQUENCY_CHECK_SECOND, URUNNER_CONF_FREQUENCY_CHECK_SECONDS",
        "URUNNER_SECR_GITLAB_TOKN, URUNNER_SECR_GITLAB_TOKEN",
        "URUNNER_SECR_GITLAB_PASS, URUNNER_SECR_GITLAB_USER",
        "DOCKER_API_ACCEPT_HEDAER, DOCKER_API_ACCEPT_HEADER",
        "URUNNER_CONFG, URUNNER_CONFIG",
    })
    void aMisspeltNameIsReportedWithTheOneThatWasMeant(String misspelt, String meant) {
        assertThat(problemsWith(misspelt, "glpat-secret")).singleElement().satisfies(problem -> {
            assertThat(problem.where()).isEqualTo(misspelt);
            assertThat(problem.what()).isEqualTo("unknown name; did you mean " + meant + "?");
        });
    }

    @ParameterizedTest
    @CsvSource({
        "URUNNER_SERVICE_HOST, 10.0.0.1",
        "URUNNER_SERVICE_PORT, 8080",
        "URUNNER_SERVICE_PORT_HTTP, 8080",
        "URUNNER_PORT, tcp://10.0.0.1:8080",
        "URUNNER_PORT_8080_TCP, tcp://10.0.0.1:8080",
        "URUNNER_PORT_8080_TCP_ADDR, 10.0.0.1",
        "URUNNER_METRICS_PORT, tcp://10.0.0.1:8080",
        "URUNNER_METRICS_SERVICE_HOST, 10.0.0.1",
        "URUNNER_JAVA_OPTS, -Xmx64m",
        "URUNNER_TEST_KUBECONFIG, /tmp/kubeconfig",
        "HOME, /root",
    })
    void variablesOfKubernetesAndTheLauncherAreNotMistakenForMisspellings(String name, String value) {
        assertThat(problemsWith(name, value)).isEmpty();
    }

    @Test
    void aMisspeltPortIsNotMistakenForAServiceLink() {
        assertThat(problemsWith("URUNNER_CONF_HTP_PORT", "8080"))
                .extracting(Problem::what)
                .containsExactly("unknown name; did you mean URUNNER_CONF_HTTP_PORT?");
    }

    @Test
    void anEmptyVariableCountsAsNotSet() throws ConfigurationException {
        assertThat(with("URUNNER_CONF_HTTP_PORT", "").http().port()).isEqualTo(8080);
        assertThat(problems(Map.of(
                        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "gitlab",
                        "URUNNER_SECR_GITLAB_TOKEN", " ")))
                .singleElement()
                .satisfies(problem -> assertThat(problem.what())
                        .startsWith("missing (or URUNNER_SECR_GITLAB_TOKEN_FILE")
                        .contains("a registry of the type 'gitlab' needs it"));
    }

    @Test
    void thePluginOfTheRegistrysTypeGetsItsSettingsByTheOriginalsNames()
            throws ConfigurationException, CredentialException {
        Record gitlab = load(Map.of(
                        "URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", "registry.gitlab.com",
                        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "gitlab",
                        "URUNNER_SECR_GITLAB_TOKEN", "glpat-secret\n",
                        "URUNNER_SECR_GITLAB_USER", "ci",
                        "URUNNER_SECR_GITLAB_AUTH_URL", "gitlab.example.com",
                        "URUNNER_SECR_HARBOR_PASS", "of another plugin"))
                .settings()
                .registries()
                .get(0)
                .credentials();

        assertThat(gitlab).isInstanceOfSatisfying(TestPlugins.GitLab.class, settings -> {
            assertThat(settings.user()).contains("ci");
            assertThat(settings.authUrl()).contains(URI.create("https://gitlab.example.com"));
        });
        assertThat(((TestPlugins.GitLab) gitlab).token().read().reveal()).isEqualTo("glpat-secret");
    }

    @Test
    void everyTypeOfTheOriginalHasItsVariables() throws ConfigurationException {
        assertThat(credentials("harbor", "URUNNER_SECR_HARBOR_USER", "u", "URUNNER_SECR_HARBOR_PASS", "p"))
                .isInstanceOf(TestPlugins.Harbor.class);
        assertThat(credentials(
                        "aws_ecr",
                        "URUNNER_SECR_AWS_ACCESS_KEY_ID",
                        "id",
                        "URUNNER_SECR_AWS_SECRET_ACCESS_KEY",
                        "key",
                        "URUNNER_SECR_AWS_REGION",
                        "us-east-2"))
                .isInstanceOfSatisfying(
                        TestPlugins.Aws.class, aws -> assertThat(aws.region()).contains("us-east-2"));
        assertThat(credentials("aws_ecr"))
                .isEqualTo(new TestPlugins.Aws(Optional.empty(), Optional.empty(), Optional.empty()));
        assertThat(credentials("digitalocean", "URUNNER_SECR_DIGITAL_OCEAN_TOKEN", "t"))
                .isInstanceOf(TestPlugins.Ocean.class);
        assertThat(credentials("dockerhub", "URUNNER_SECR_REGISTRY_USER", "u", "URUNNER_SECR_REGISTRY_PASS", "p"))
                .isInstanceOfSatisfying(
                        TestPlugins.Generic.class,
                        generic -> assertThat(generic.user()).contains("u"));
        assertThat(credentials(
                        "outside",
                        "URUNNER_SECR_OUTSIDE_LOUD",
                        "True",
                        "URUNNER_SECR_OUTSIDE_RETRIES",
                        "3",
                        "URUNNER_SECR_OUTSIDE_PATIENCE",
                        "90",
                        "URUNNER_SECR_OUTSIDE_ISSUER",
                        "http://issuer"))
                .isEqualTo(new TestPlugins.Outside(true, 3, Duration.ofSeconds(90), URI.create("http://issuer")));
    }

    private static Record credentials(String type, String... variables) throws ConfigurationException {
        Map<String, String> environment = new HashMap<>(Map.of("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", type));
        for (int i = 0; i < variables.length; i += 2) {
            environment.put(variables[i], variables[i + 1]);
        }
        return load(environment).settings().registries().get(0).credentials();
    }

    @Test
    void errorsInAPluginsSettingsAreReportedWithTheirVariables() {
        assertThat(problems(Map.of(
                        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "aws_ecr",
                        "URUNNER_SECR_AWS_ACCESS_KEY_ID", "id")))
                .containsExactly(new Problem(
                        "URUNNER_SECR_AWS_ACCESS_KEY_ID, URUNNER_SECR_AWS_SECRET_ACCESS_KEY, URUNNER_SECR_AWS_REGION",
                        "give both the access key id and the secret access key, or neither"));
        assertThat(problems(Map.of(
                        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "outside",
                        "URUNNER_SECR_OUTSIDE_LOUD", "false",
                        "URUNNER_SECR_OUTSIDE_RETRIES", "11",
                        "URUNNER_SECR_OUTSIDE_PATIENCE", "1",
                        "URUNNER_SECR_OUTSIDE_ISSUER", "x")))
                .containsExactly(new Problem("URUNNER_SECR_OUTSIDE_RETRIES", "retries must be at most 10"));
    }

    @Test
    void aSecretMayBeInAFileThatIsReadEachTime() throws Exception {
        Path file = Files.writeString(folder.resolve("token"), "first\n");
        Record settings = credentials("digitalocean", "URUNNER_SECR_DIGITAL_OCEAN_TOKEN_FILE", file.toString());

        assertThat(((TestPlugins.Ocean) settings).token().read().reveal()).isEqualTo("first");
        Files.writeString(file, "second\n");
        assertThat(((TestPlugins.Ocean) settings).token().read().reveal()).isEqualTo("second");
    }

    @Test
    void aSecretThatIsGivenTwiceOrInAMissingFileIsAProblem() {
        assertThat(problems(Map.of(
                        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "digitalocean",
                        "URUNNER_SECR_DIGITAL_OCEAN_TOKEN", "x",
                        "URUNNER_SECR_DIGITAL_OCEAN_TOKEN_FILE", "/no/such/file")))
                .containsExactly(
                        new Problem(
                                "URUNNER_SECR_DIGITAL_OCEAN_TOKEN",
                                "set together with URUNNER_SECR_DIGITAL_OCEAN_TOKEN_FILE; unset one of them"),
                        new Problem(
                                "URUNNER_SECR_DIGITAL_OCEAN_TOKEN_FILE",
                                "the secret file /no/such/file does not exist or cannot be read"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"URUNNER_SECR_GITLAB_TOKEN", "URUNNER_SECR_GITLAB_TOKN"})
    void aSecretsValueIsInNoProblemAndNoEffectiveValue(String variable) {
        Map<String, String> environment = new HashMap<>(Map.of(
                "URUNNER_CONF_CONTAINER_REGISTRY_TYPE",
                "gitlab",
                variable,
                "glpat-secret",
                "URUNNER_CONF_HTTP_PORT",
                "x"));
        assertThatThrownBy(() -> load(environment)).message().doesNotContain("glpat-secret");
    }

    @Test
    void thereIsAWarningAboutMissingManifestTypes() throws ConfigurationException {
        Map<String, String> environment = new HashMap<>(LEAST);
        environment.put(
                "DOCKER_API_ACCEPT_HEADER",
                "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json");

        assertThat(load(environment).warnings())
                .singleElement()
                .satisfies(warning ->
                        assertThat(warning).contains("manifest.list.v2+json").contains("image.index.v1+json"));
        assertThat(load(LEAST).warnings()).isEmpty();
    }

    @Test
    void proxiesOfTheEnvironmentNeedNoWarning() throws ConfigurationException {
        Map<String, String> environment = new HashMap<>(LEAST);
        environment.putAll(Map.of("HTTPS_PROXY", "http://me:s3cret@proxy:3128", "no_proxy", "x", "ALL_PROXY", " "));

        assertThat(load(environment).warnings()).isEmpty();
    }

    @Test
    void everyProxyThatCannotBeUsedIsNamedWithoutItsPassword() {
        Map<String, String> environment = new HashMap<>(LEAST);
        environment.putAll(Map.of(
                "HTTPS_PROXY", "https://me:s3cret@proxy:3128",
                "http_proxy", "http://me:s3cret@proxy:0",
                "ALL_PROXY", "http://proxy:3128"));

        assertThatThrownBy(() -> load(environment))
                .asInstanceOf(type(ConfigurationException.class))
                .satisfies(failure -> assertThat(failure.problems().stream().map(Problem::toString))
                        .hasSize(2)
                        .anySatisfy(problem -> assertThat(problem).contains("HTTPS_PROXY", "TLS to the proxy"))
                        .anySatisfy(problem -> assertThat(problem).contains("http_proxy", "the port 0"))
                        .noneSatisfy(problem -> assertThat(problem).contains("s3cret")));
    }

    @Test
    void thereIsAWarningAboutDisabledVerification() throws ConfigurationException {
        Map<String, String> environment = new HashMap<>(LEAST);
        environment.put("URUNNER_CONF_DOCKER_API_VERIFY", "False");

        assertThat(load(environment).warnings())
                .singleElement()
                .satisfies(warning -> assertThat(warning).contains("TLS"));
    }

    @Test
    void everyValueHasItsOriginAndNoSecret() throws ConfigurationException {
        List<EffectiveValue> values = load(Map.of(
                        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "gitlab",
                        "URUNNER_SECR_GITLAB_TOKEN", "glpat-secret",
                        "URUNNER_CONF_DATABASE_URL", "jdbc:postgresql://u:hunter2@db/x?password=hunter2&ssl=true"))
                .values();

        assertThat(values)
                .contains(
                        new EffectiveValue(
                                "registries[0].type",
                                "gitlab",
                                new Origin.Variable("URUNNER_CONF_CONTAINER_REGISTRY_TYPE")),
                        new EffectiveValue(
                                "registries[0].credentials.token",
                                "[secret]",
                                new Origin.Variable("URUNNER_SECR_GITLAB_TOKEN")),
                        new EffectiveValue("interval", "30", Origin.DEFAULT),
                        new EffectiveValue(
                                "store.url",
                                "jdbc:postgresql://[secret]@db/x?password=[secret]&ssl=true",
                                new Origin.Variable("URUNNER_CONF_DATABASE_URL")));
    }

    static List<String> nasty() {
        return NastyStrings.all();
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void aProblemIsOneHarmlessLineWhateverTheValue(String text) {
        for (String variable : List.of(
                "URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH",
                "URUNNER_CONF_CONTAINER_REGISTRY_TYPE",
                "URUNNER_CONF_FREQUENCY_CHECK_SECONDS",
                "URUNNER_CONF_LOG_LEVEL",
                "URUNNER_CONF_DATABASE_URL",
                "URUNNER_CONF_HTTP_PORT",
                "URUNNER_SECR_HTTP_TOKEN_FILE",
                "URUNNER_CONF_" + text)) {
            try {
                load(Map.of(variable, text)).values().forEach(value -> NastyStrings.assertHarmless(value.text()));
            } catch (ConfigurationException e) {
                assertThat(e.problems())
                        .allSatisfy(problem -> NastyStrings.assertHarmless(problem.toString(), 2 * Printable.LINE + 2));
            }
        }
    }
}
