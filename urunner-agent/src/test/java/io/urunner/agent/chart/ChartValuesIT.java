package io.urunner.agent.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.config.Overrides;
import io.urunner.agent.app.config.PluginDirectory;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.config.SettingsLoader;
import io.urunner.agent.text.DurationTexts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ValueSource;

/** What the chart renders, and what it refuses. */
@Tag("heavy")
class ChartValuesIT {
    @TempDir
    private Path folder;

    @Test
    void lintFindsNothing() {
        LintResult result = new Helm(Chart.FOLDER).lint().strict().call();
        assertThat(result.isFailed()).as(result.getMessages().toString()).isFalse();
    }

    @Test
    void theValuesOfTheOriginalWorkUnchanged() throws Exception {
        Chart chart = Chart.render(Chart.resource("original.yaml"));

        assertThat(chart.environment())
                .containsEntry("URUNNER_CONF_DOCKER_API_VERIFY", "true")
                .containsEntry("URUNNER_CONF_FREQUENCY_CHECK_SECONDS", "20")
                .containsEntry("URUNNER_SECR_GITLAB_TOKEN", "XXXX")
                .doesNotContainKey("URUNNER_CONFIG");
        assertThat(chart.container().path("image").asText()).isEqualTo("urunner:dev");
        assertThat(mounts(chart)).containsEntry("data", "/app");
        assertThat(load(chart).settings().registries())
                .extracting(registry -> registry.host() + " " + registry.type())
                .containsExactly("registry.gitlab.com gitlab");
        assertThat(chart.podSpec().path("securityContext").path("runAsNonRoot").asBoolean())
                .as("the original's empty maps remove no default")
                .isTrue();
    }

    @Test
    void durationsArePassedThroughVerbatim() throws Exception {
        List<Object[]> texts = DurationTexts.accepted().map(Arguments::get).toList();
        Chart chart = Chart.render(
                folder,
                """
                config: {URUNNER_CONF_FREQUENCY_CHECK_SECONDS: 90, URUNNER_CONF_COOLDOWN: 1h30m}
                settings: {policies: {settle: 2d}}
                registries:
                """
                        + IntStream.range(0, texts.size())
                                .mapToObj(i -> "- {host: r" + i + ".example, interval: '" + texts.get(i)[0] + "'}\n")
                                .collect(Collectors.joining()));

        Settings settings = load(chart).settings();
        assertThat(settings.interval()).isEqualTo(Duration.ofSeconds(90));
        assertThat(settings.policies().cooldown()).isEqualTo(Duration.ofMinutes(90));
        assertThat(settings.policies().settle()).isEqualTo(Duration.ofDays(2));
        assertThat(settings.registries())
                .extracting(registry -> (Object) registry.interval().orElseThrow())
                .containsExactlyElementsOf(texts.stream().map(each -> each[1]).toList());
    }

    @Test
    void theRemainingValuesOfTheOriginalWork() {
        Chart chart = Chart.render(folder, """
                config:
                  configMapName: cm-urunner
                  DOCKER_API_ACCEPT_HEADER: application/vnd.oci.image.manifest.v1+json
                  URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH: a.example
                  URUNNER_CONF_FREQUENCY_CHECK_SECONDS: 2000000
                secret:
                  secretName: secret-urunner
                  gitlab: {token: t, auth_url: https://gitlab.example.com}
                  harbor: {username: robot$u, password: p}
                  aws: {access_key_id: k, secret_access_key: s, region: eu-west-1}
                  digitalocean: {token: d}
                """);
        chart.named("ConfigMap", "cm-urunner");
        assertThat(chart.named("Secret", "secret-urunner").path("data")).hasSize(8);
        assertThat(chart.environment())
                .containsEntry("URUNNER_SECR_GITLAB_AUTH_URL", "https://gitlab.example.com")
                .containsEntry("URUNNER_SECR_HARBOR_USER", "robot$u")
                .containsEntry("URUNNER_SECR_AWS_REGION", "eu-west-1")
                .containsEntry("URUNNER_SECR_DIGITAL_OCEAN_TOKEN", "d")
                .containsEntry("URUNNER_CONF_FREQUENCY_CHECK_SECONDS", "2000000")
                .containsKey("DOCKER_API_ACCEPT_HEADER");
    }

    @Test
    void onlyAChangedSecretRollsThePod() {
        JsonNode one = annotations(Chart.render(folder, "secret: {gitlab: {token: one}}"));
        assertThat(annotations(Chart.render(folder, "secret: {gitlab: {token: one}}")))
                .isEqualTo(one);
        assertThat(annotations(Chart.render(folder, "secret: {gitlab: {token: two}}")))
                .isNotEqualTo(one);
    }

    @Test
    void withoutAnyRegistryDockerHubIsWatchedWithoutAnAccount() throws Exception {
        Chart chart = Chart.render();
        assertThat(load(chart).settings().registries())
                .extracting(registry -> registry.host() + " " + registry.type())
                .containsExactly("docker.io dockerhub");
        assertThat(chart.objects())
                .extracting(each -> each.path("kind").asText())
                .containsExactlyInAnyOrder(
                        "ServiceAccount",
                        "Secret",
                        "ConfigMap",
                        "ClusterRole",
                        "ClusterRoleBinding",
                        "Service",
                        "Deployment");
    }

    @Test
    void thePodIsLockedDown() {
        Chart chart = Chart.render();
        JsonNode pod = chart.podSpec();
        JsonNode container = chart.container();
        assertThat(pod.path("securityContext")
                        .path("seccompProfile")
                        .path("type")
                        .asText())
                .isEqualTo("RuntimeDefault");
        assertThat(pod.path("automountServiceAccountToken").asBoolean()).isTrue();
        assertThat(pod.path("enableServiceLinks").asBoolean(true)).isFalse();
        assertThat(chart.only("ServiceAccount")
                        .path("automountServiceAccountToken")
                        .asBoolean(true))
                .isFalse();
        assertThat(container.path("securityContext").toString())
                .isEqualTo("{\"allowPrivilegeEscalation\":false,\"capabilities\":{\"drop\":[\"ALL\"]},"
                        + "\"readOnlyRootFilesystem\":true}");
        assertThat(mounts(chart)).containsEntry("tmp", "/tmp").containsEntry("data", "/var/lib/urunner");
        for (String values :
                List.of("config: {URUNNER_CONF_KUBE_AUTH: kubeconfig}", "settings: {kubernetes: {auth: kubeconfig}}")) {
            assertThat(Chart.render(folder, values)
                            .podSpec()
                            .path("automountServiceAccountToken")
                            .asBoolean(true))
                    .as("a kubeconfig needs no token")
                    .isFalse();
        }
    }

    @Test
    void aClaimHasOneAgentAndSeveralAgentsTakeTurns() throws Exception {
        Chart claim = Chart.render(folder, "persistence: {enabled: true, size: 2Gi, storageClass: fast}");
        assertThat(claim.only("Deployment")
                        .path("spec")
                        .path("strategy")
                        .path("type")
                        .asText())
                .isEqualTo("Recreate");
        assertThat(claim.only("PersistentVolumeClaim").path("spec").toString())
                .contains("ReadWriteOnce", "2Gi", "\"storageClassName\":\"fast\"");
        assertThat(Chart.render(folder, "persistence: {enabled: true, storageClass: '-'}")
                        .only("PersistentVolumeClaim")
                        .path("spec")
                        .path("storageClassName")
                        .asText("unset"))
                .as("no class at all, for a volume that is bound by hand")
                .isEmpty();
        assertThat(Chart.render().podSpec().path("volumes").toString())
                .contains("{\"name\":\"data\",\"emptyDir\":{\"sizeLimit\":\"1Gi\"}}");
        assertThat(Chart.render(folder, "persistence: {emptyDirSize: 200Mi}")
                        .podSpec()
                        .path("volumes")
                        .toString())
                .contains("{\"name\":\"data\",\"emptyDir\":{\"sizeLimit\":\"200Mi\"}}");
        Chart existing = Chart.render(folder, "persistence: {enabled: true, existingClaim: mine}");
        assertThat(existing.all("PersistentVolumeClaim")).isEmpty();
        assertThat(existing.podSpec().path("volumes").findValuesAsText("claimName"))
                .containsExactly("mine");

        assertThatThrownBy(() -> Chart.render(folder, "{replicas: 2, persistence: {enabled: true}}"))
                .hasMessageContaining("replicas");
        Chart postgresql = Chart.render(folder, """
                replicas: 2
                persistence: {enabled: true}
                config: {URUNNER_CONF_DATABASE_URL: "jdbc:postgresql://db/urunner"}
                """);
        assertThat(postgresql.all("PersistentVolumeClaim")).isEmpty();
        assertThat(postgresql
                        .only("Deployment")
                        .path("spec")
                        .path("strategy")
                        .path("type")
                        .asText())
                .isEqualTo("RollingUpdate");
        assertThat(load(postgresql).settings().kubernetes().leaderElection()).isTrue();
        assertThat(postgresql.named("Role", "urunner-leader").path("rules").toString())
                .contains("\"create\"", "\"update\"");
    }

    @Test
    void aListOfNamespacesCreatesARoleInEachAndNoClusterRole() throws Exception {
        Chart chart = Chart.render(folder, "scope: [shop, pay]");
        assertThat(chart.all("ClusterRole")).isEmpty();
        assertThat(chart.all("Role"))
                .extracting(role -> role.path("metadata").path("namespace").asText())
                .containsExactlyInAnyOrder("shop", "pay");
        assertThat(load(chart).settings().kubernetes().namespaces()).containsExactly("shop", "pay");
    }

    @Test
    void pullSecretsAreReadOnlyOnRequestAndInTheNamespacesOfTheScope() throws Exception {
        String rule = "[\"secrets\",\"serviceaccounts\"],\"verbs\":[\"get\"]";
        assertThat(Chart.render().objects().toString()).doesNotContain("\"secrets\"");
        assertThat(Chart.render(folder, "scope: [shop, pay]").objects().toString())
                .doesNotContain("\"secrets\"");
        Chart chart = Chart.render(folder, "{scope: [shop, pay], rbac: {pullSecrets: true}}");
        assertThat(chart.all("ClusterRole")).isEmpty();
        assertThat(chart.all("ClusterRoleBinding")).isEmpty();
        assertThat(chart.all("Role"))
                .hasSize(2)
                .allSatisfy(role -> assertThat(role.path("rules").toString()).contains(rule));
        assertThat(load(chart).settings().kubernetes().pullSecrets()).isTrue();
        assertThat(load(Chart.render()).settings().kubernetes().pullSecrets()).isFalse();
    }

    @Test
    void readingEverySecretInTheClusterIsExplicit() throws Exception {
        Chart chart = Chart.render(folder, "rbac: {readAllSecrets: true}");
        assertThat(chart.named("ClusterRole", "urunner-agents").path("rules").toString())
                .doesNotContain("secrets");
        assertThat(chart.named("ClusterRole", "urunner-agents-read-all-secrets")
                        .path("rules")
                        .toString())
                .isEqualTo(
                        "[{\"apiGroups\":[\"\"],\"resources\":[\"secrets\",\"serviceaccounts\"],\"verbs\":[\"get\"]}]");
        assertThat(chart.named("ClusterRoleBinding", "urunner-agents-read-all-secrets")
                        .path("roleRef")
                        .path("name")
                        .asText())
                .isEqualTo("urunner-agents-read-all-secrets");
        assertThat(load(chart).settings().kubernetes().pullSecrets()).isTrue();
        assertThatThrownBy(() -> Chart.render(folder, "rbac: {pullSecrets: true}"))
                .hasMessageContaining("rbac.readAllSecrets");
        assertThatThrownBy(() -> Chart.render(folder, "{scope: [shop], rbac: {readAllSecrets: true}}"))
                .hasMessageContaining("rbac.pullSecrets");
    }

    @Test
    void apiVersionsDependOnTheCluster() {
        Path values = Chart.file(folder, "podDisruptionBudget: {enabled: true}");
        assertThat(Chart.render("1.20.2", values)
                        .only("PodDisruptionBudget")
                        .path("apiVersion")
                        .asText())
                .isEqualTo("policy/v1beta1");
        assertThat(Chart.render("1.33.1", values)
                        .only("PodDisruptionBudget")
                        .path("apiVersion")
                        .asText())
                .isEqualTo("policy/v1");
    }

    @Test
    void theNetworkPolicyAllowsThePortsOfTheRegistries() {
        Path enabled = Chart.file(folder, "networkPolicy: {enabled: true}");
        assertThat(ports(Chart.render(enabled))).containsExactly(53, 53, 443, 6443, 5432);
        assertThat(ports(Chart.render(enabled, Chart.file(folder, """
                        registries:
                          - {host: registry.example.com:5000/team}
                          - {host: ghcr.io}
                          - {host: harbor.example.com:8443}
                          - {host: registry.example.com:5000/other}
                        """))))
                .containsExactly(53, 53, 443, 6443, 5432, 5000, 8443);
        assertThat(ports(Chart.render(enabled, Chart.resource("original.yaml"))))
                .doesNotContain(0);
        assertThat(ports(Chart.render(
                        enabled,
                        Chart.file(folder, "config: {URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH: 'harbor.svc:8080'}"))))
                .contains(8080);
        assertThat(ports(Chart.render(enabled, Chart.file(folder, """
                        registries:
                          - {host: plain.example.com, plainHttp: true}
                          - host: gitlab.example.com
                            credentials: {token: t, authUrl: "https://auth.example.com:7001/jwt"}
                            trustedHosts: ["tokens.example.com:7002", storage.example.com]
                            address: "10.0.0.1:7008"
                            mirrors: [{url: "https://mirror.example.com:7009/v2/hub"}, {url: "http://far.example.com", tags: false}]
                        settings:
                          registries: [{host: other.example.com, credentials: {endpoint: "http://127.0.0.1:7003"}}]
                        """))))
                .containsExactlyInAnyOrder(53, 53, 443, 6443, 5432, 80, 7001, 7002, 7003, 7008, 7009);
        assertThat(ports(Chart.render(enabled, Chart.file(folder, """
                        config:
                          URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH: "[::1]:7001/team"
                          URUNNER_CONF_DATABASE_URL: "jdbc:postgresql://one:7002,two:7003/urunner?a=b:1"
                        secret:
                          gitlab: {auth_url: "gitlab.example.com:7004"}
                          extra: {URUNNER_SECR_AWS_ENDPOINT: "https://aws.example.com:7005/x", URUNNER_SECR_GHCR_TOKEN: "a:1"}
                        extraEnv:
                          - {name: JAVA_TOOL_OPTIONS, value: "-Xss1m -Dhttps.proxyHost=proxy -Dhttps.proxyPort=3128 -Dhttp.proxyPort=3129"}
                          - {name: TZ, value: "a:1"}
                          - {name: HTTPS_PROXY, value: "http://u:p%40@proxy:3130/"}
                          - {name: all_proxy, value: "socks5h://proxy:3131"}
                          - {name: http_proxy, value: "proxy:3132"}
                          - {name: NO_PROXY, value: "a:1"}
                        """))))
                .containsExactlyInAnyOrder(
                        53, 53, 443, 6443, 5432, 7001, 7002, 7003, 7004, 7005, 3128, 3129, 3130, 3131, 3132);
    }

    private static List<Integer> ports(Chart chart) {
        return chart.only("NetworkPolicy").path("spec").path("egress").findValues("port").stream()
                .map(JsonNode::asInt)
                .toList();
    }

    @Test
    void aSingleAgentWithLeaderElectionMayWriteItsLease() throws Exception {
        for (String values : List.of(
                "config: {URUNNER_CONF_LEADER_ELECTION: true}", "settings: {kubernetes: {leaderElection: true}}")) {
            Chart chart = Chart.render(folder, values);
            chart.named("Role", "urunner-leader");
            assertThat(load(chart).settings().kubernetes()).satisfies(kubernetes -> {
                assertThat(kubernetes.leaderElection()).isTrue();
                assertThat(kubernetes.lease()).isEqualTo("urunner");
            });
        }
    }

    @Test
    void probesFollowThePort() {
        Chart chart =
                Chart.render(folder, "{config: {URUNNER_CONF_HTTP_PORT: 9090}, readinessProbe: {periodSeconds: 1}}");
        assertThat(chart.container().path("ports").findValuesAsText("containerPort"))
                .containsExactly("9090");
        assertThat(chart.container()
                        .path("livenessProbe")
                        .path("httpGet")
                        .path("path")
                        .asText())
                .isEqualTo("/livez");
        assertThat(chart.container()
                        .path("readinessProbe")
                        .path("periodSeconds")
                        .asInt())
                .isEqualTo(1);
        Chart silent = Chart.render(folder, "settings: {http: {port: 0}}");
        assertThat(silent.container().has("livenessProbe")).isFalse();
        assertThat(silent.all("Service")).isEmpty();
    }

    @Test
    void theServiceMonitorSendsTheTokenThatTheAgentRequires() throws Exception {
        Chart mounted = Chart.render(
                folder, "{metricsToken: {secretName: scrape, key: metrics}, serviceMonitor: {enabled: true}}");
        assertThat(credentials(mounted)).isEqualTo("{\"name\":\"scrape\",\"key\":\"metrics\"}");
        JsonNode env = mounted.container().path("env");
        assertThat(env.toString())
                .contains("{\"name\":\"URUNNER_SECR_METRICS_TOKEN_FILE\",\"value\":\"/etc/urunner/metrics/token\"}");
        assertThat(mounts(mounted)).containsEntry("metrics-token", "/etc/urunner/metrics");
        assertThat(load(mounted).settings().http().metricsToken()).isPresent();
        assertThat(mounted.podSpec().path("volumes").toString())
                .contains("\"secretName\":\"scrape\",\"items\":[{\"key\":\"metrics\",\"path\":\"token\"}]");
        Chart variable = Chart.render(
                folder,
                "{secret: {extra: {URUNNER_SECR_METRICS_TOKEN: in-the-values}}, serviceMonitor: {enabled: true}}");
        assertThat(credentials(variable)).isEqualTo("{\"name\":\"urunner\",\"key\":\"URUNNER_SECR_METRICS_TOKEN\"}");
        assertThat(load(variable).settings().http().metricsToken()).isPresent();
        Chart open = Chart.render(folder, "serviceMonitor: {enabled: true}");
        assertThat(credentials(open)).isEmpty();
        assertThat(load(open).settings().http().metricsToken()).isEmpty();
    }

    private static String credentials(Chart chart) {
        JsonNode endpoint =
                chart.only("ServiceMonitor").path("spec").path("endpoints").path(0);
        return endpoint.path("authorization").path("credentials").toString();
    }

    /** IRSA and similar mechanisms find the ServiceAccount by its annotations. */
    @Test
    void annotationsGoToTheServiceAccount() {
        JsonNode account = Chart.render(folder, """
                        fullnameOverride: agent
                        serviceAccount: {annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/r"}}
                        """).only("ServiceAccount");
        assertThat(account.path("metadata").toString())
                .contains("\"name\":\"agent\"", "{\"eks.amazonaws.com/role-arn\":\"arn:aws:iam::1:role/r\"}");
        Chart own = Chart.render(folder, "serviceAccount: {create: false, name: mine}");
        assertThat(own.all("ServiceAccount")).isEmpty();
        assertThat(own.podSpec().path("serviceAccountName").asText()).isEqualTo("mine");
        assertThat(own.only("ClusterRoleBinding").path("subjects").findValuesAsText("name"))
                .containsExactly("mine");
    }

    @Test
    void additionalSettingsReachThePod() {
        Chart chart = Chart.render(Chart.resource("everything.yaml"));
        assertThat(mounts(chart)).containsEntry("ca", "/etc/urunner/ca").containsEntry("plugins", "/plugins");
        assertThat(chart.podSpec().path("volumes").findValuesAsText("name"))
                .contains("ca", "plugins", "settings", "credentials-0", "tmp")
                .doesNotContain("data");
        assertThat(chart.environment())
                .containsEntry("JAVA_TOOL_OPTIONS", "-Dhttps.proxyHost=proxy -Dhttps.proxyPort=3128");
        assertThat(chart.container().path("envFrom").findValuesAsText("name"))
                .containsExactly("cm-urunner", "secret-urunner", "more");
        assertThat(chart.podSpec().path("priorityClassName").asText()).isEqualTo("system-cluster-critical");
        assertThat(chart.podSpec().path("nodeSelector").path("kubernetes.io/os").asText())
                .isEqualTo("linux");
    }

    @Test
    void theAlertsUseMetricsAndLabelsThatAreServed() throws IOException {
        Map<String, String> documented = new HashMap<>();
        Pattern row = Pattern.compile("\\| `(urunner_[a-z_]+)` \\| \\w+ \\| ([^|]*)\\|.*");
        Files.readAllLines(Path.of("..", "docs", "metrics.md")).stream()
                .map(row::matcher)
                .filter(Matcher::matches)
                .forEach(match -> documented.put(match.group(1), match.group(2)));
        Pattern selector = Pattern.compile("(urunner_[a-z_]+)\\{([^}]*)}");
        List<JsonNode> rules = Chart.render(folder, "prometheusRule: {enabled: true, staleSeconds: 4711}")
                .only("PrometheusRule")
                .findValues("expr");
        assertThat(rules).hasSizeGreaterThan(5).anyMatch(rule -> rule.asText().contains("> 4711 "));
        assertThat(rules).allSatisfy(rule -> {
            List<MatchResult> selectors =
                    selector.matcher(rule.asText()).results().toList();
            assertThat(selectors).as(rule.asText()).isNotEmpty();
            for (MatchResult one : selectors) {
                assertThat(documented).containsKey(one.group(1));
                for (String label : one.group(2).split(",")) {
                    String name = label.replaceFirst("[=!].*", "");
                    assertThat(name.equals("urunner_release")
                                    || documented.get(one.group(1)).contains("`" + name + "`"))
                            .as("%s in %s", name, rule)
                            .isTrue();
                }
            }
        });
    }

    /**
     * The default must not be a name that is not ours: its owner's image would run with the agent's credentials and
     * rights.
     */
    @Test
    void withoutAnImageTheChartSaysHowToBuildAndPushOne() {
        for (String values : List.of("{}", "image: {repository: ''}", "image: {tag: 1.0.0}")) {
            assertThatThrownBy(() -> new Helm(Chart.FOLDER)
                            .template()
                            .withName("agent")
                            .withNamespace("tools")
                            .withValuesFile(Chart.file(folder, values))
                            .call())
                    .hasMessageContaining("image.repository")
                    .hasMessageContaining("./mvnw -Pimage -Dquick -DskipTests -Dimage.goal=build -Dimage.name=")
                    .hasMessageContaining("helm upgrade --install agent urunner-agent/helm/urunner -n tools"
                            + " --create-namespace --set image.repository=");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"registry.example:5000/team/urunner:1.0.0", "registry.example/urunner@sha256:0123"})
    void theRepositoryOfTheImageHasNoTag(String repository) {
        assertThatThrownBy(() -> new Helm(Chart.FOLDER)
                        .template()
                        .withValuesFile(Chart.file(folder, "image: {repository: '" + repository + "'}"))
                        .call())
                .hasMessageContaining(
                        "image.repository is " + repository + ", with a tag or digest: these are image.tag");
    }

    @Test
    void aDigestNamesTheImageExactly() {
        String digest = "sha256:" + "0123456789abcdef".repeat(4);
        Chart chart = Chart.render(folder, "image: {tag: 1.0.0, digest: '" + digest + "'}");
        assertThat(chart.container().path("image").asText()).isEqualTo("registry.example.com/tools/urunner@" + digest);
        assertThatThrownBy(() -> Chart.render(folder, "image: {digest: '1.0.0'}"))
                .hasMessageContaining("image");
    }

    @Test
    void everyObjectHasTheRequestedNamespaceAndLabels() {
        Chart chart = Chart.render(Chart.resource("everything.yaml"), Chart.file(folder, "namespaceOverride: tools"));
        assertThat(chart.objects()).hasSizeGreaterThan(10).allSatisfy(object -> {
            JsonNode metadata = object.path("metadata");
            if (metadata.path("name").asText().endsWith("-more")) {
                return;
            }
            assertThat(metadata.path("labels").path("example.com/owner").asText())
                    .as(object.toString())
                    .isEqualTo("platform");
            if (!object.path("kind").asText().startsWith("Cluster")) {
                assertThat(metadata.path("namespace").asText())
                        .as(object.toString())
                        .isEqualTo("tools");
            }
        });
        assertThat(chart.only("Deployment").at("/spec/template/metadata/labels").toString())
                .contains("\"example.com/owner\":\"platform\"", "\"team\":\"platform\"");
        assertThat(chart.only("Deployment").at("/spec/selector").toString()).doesNotContain("owner");
        assertThat(chart.all("ClusterRoleBinding")
                        .get(0)
                        .at("/subjects/0/namespace")
                        .asText())
                .isEqualTo("tools");
        assertThatThrownBy(() -> Chart.render(folder, "commonLabels: {app.kubernetes.io/name: other}"))
                .hasMessageContaining("app.kubernetes.io/name");
    }

    /** Commands on a laptop use this to find it. */
    @Test
    void theDeploymentIsRecognisableUnderAnyReleaseName() {
        for (String values : List.of("{}", "nameOverride: rollouts", "fullnameOverride: rollouts")) {
            assertThat(Chart.render(folder, values)
                            .only("Deployment")
                            .at("/metadata/labels")
                            .path("urunner.io/component")
                            .asText())
                    .as(values)
                    .isEqualTo("agent");
        }
    }

    /** The alerts select by a label that no workload has, and that both monitors add. */
    @Test
    void bothMonitorsLabelTheSeriesWithTheirRelease() {
        Chart chart = Chart.render(
                folder,
                "{serviceMonitor: {enabled: true}, podMonitor: {enabled: true}, metricsToken: {secretName: s}}");
        String label =
                "{\"action\":\"replace\",\"targetLabel\":\"urunner_release\",\"replacement\":\"agents/urunner\"}";
        JsonNode service = chart.only("ServiceMonitor").at("/spec/endpoints/0");
        JsonNode pod = chart.only("PodMonitor").at("/spec/podMetricsEndpoints/0");
        assertThat(service).isEqualTo(pod);
        assertThat(pod.path("relabelings").toString()).isEqualTo("[" + label + "]");
        assertThat(pod.path("honorLabels").asBoolean()).isTrue();
        assertThat(pod.at("/authorization/credentials/name").asText()).isEqualTo("s");
        Chart alone = Chart.render(folder, "{service: {create: false}, podMonitor: {enabled: true}}");
        assertThat(alone.all("Service")).isEmpty();
        assertThat(alone.only("PodMonitor").at("/spec/selector"))
                .isEqualTo(alone.only("Deployment").at("/spec/selector"));
    }

    @Test
    void theIngressExposesOnlyTheHooks() {
        Chart chart = Chart.render(folder, "ingress: {enabled: true, host: urunner.example.com}");
        assertThat(chart.only("Ingress").at("/spec/rules").toString())
                .isEqualTo("[{\"host\":\"urunner.example.com\",\"http\":{\"paths\":[{\"path\":\"/hooks\","
                        + "\"pathType\":\"Prefix\",\"backend\":{\"service\":{\"name\":\"urunner\",\"port\":"
                        + "{\"name\":\"http\"}}}}]}}]");
        assertThatThrownBy(() -> Chart.render(folder, "{ingress: {enabled: true}, service: {create: false}}"))
                .hasMessageContaining("service.create");
    }

    /** {@code helm test} finds the agent's problems, with everything that the agent has. */
    @Test
    void theTestRunsDoctorAsTheAgentWould() {
        Chart chart = Chart.render(Chart.resource("everything.yaml"));
        JsonNode pod = Chart.test(folder, Chart.resource("everything.yaml"));
        assertThat(pod.at("/metadata/annotations").path("hook").asText()).isEqualTo("test");
        JsonNode spec = pod.path("spec");
        assertThat(spec.path("restartPolicy").asText()).isEqualTo("Never");
        assertThat(spec.path("containers")).hasSize(1);
        JsonNode container = spec.path("containers").path(0);
        assertThat(container.path("args").toString()).isEqualTo("[\"doctor\"]");
        for (String same : List.of("image", "env", "envFrom", "volumeMounts", "securityContext")) {
            assertThat(container.path(same))
                    .as(same)
                    .isEqualTo(chart.container().path(same));
        }
        assertThat(spec.path("serviceAccountName")).isEqualTo(chart.podSpec().path("serviceAccountName"));
        assertThat(container.has("livenessProbe")).isFalse();
        assertThat(pod.at("/metadata/labels").path("app.kubernetes.io/name").asText())
                .as("no Service selects it")
                .isNotEqualTo("urunner");
        assertThat(Chart.test(folder, Chart.file(folder, "persistence: {enabled: true}"))
                        .findValues("persistentVolumeClaim"))
                .as("the agent's volume may be on another node")
                .isEmpty();
    }

    @TestFactory
    Stream<DynamicTest> eachValueHasAnEffect() throws IOException {
        JsonNode samples = Chart.documents(Files.readString(Chart.resource("each-value.yaml")))
                .get(0);
        assertThat(samples.fieldNames()).toIterable().containsExactlyInAnyOrderElementsOf(ChartReadmeTest.documented());
        List<JsonNode> defaults = Chart.render().objects();
        return samples.properties().stream()
                .map(sample -> DynamicTest.dynamicTest(sample.getKey(), () -> {
                    JsonNode values = sample.getValue();
                    List<JsonNode> before = values.isArray()
                            ? Chart.render(folder, values.path(0).toString()).objects()
                            : defaults;
                    JsonNode after = values.isArray() ? values.path(1) : values;
                    assertThat(Chart.render(folder, after.toString()).objects()).isNotEqualTo(before);
                }));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{replicas: 2, persistence: {enabled: true}, settings: {store: {url: ''}}}",
                "replica: 2",
                "secret: {gitlab: {tokn: x}}",
                "config: {URUNNER_SECR_GITLAB_TOKEN: x}",
                "scope: all",
                "scope: []",
                "scope: ['../kube-system']",
                "scope: [Shop]",
                "registries: [{type: gitlab}]",
                "registries: [{host: a.example, intervall: 5}]",
                "serviceMonitor: {enabled: maybe}",
                "prometheusRule: {disabled: [URunnerNoSuchAlert]}",
                "prometheusRule: {alerts: {URunnerNoSuchAlert: {for: 5m}}}",
                "prometheusRule: {alerts: {URunnerTagNotFound: {for: soon}}}",
                "config: {URUNNER_CONF_SQLLIGHT_PATH: urunner.db}",
                "config: {URUNNER_CONF_SQLLIGHT_PATH: /urunner.db}"
            })
    void invalidValuesAreRefused(String values) {
        assertThatThrownBy(() -> Chart.render(folder, values)).isInstanceOf(RuntimeException.class);
    }

    @TestFactory
    Stream<DynamicTest> theAgentAcceptsTheConfigurationOfEveryDocumentedExample() throws IOException {
        Map<String, String> examples = new HashMap<>(Chart.examples());
        examples.put("everything", Files.readString(Chart.resource("everything.yaml")));
        assertThat(examples)
                .containsKeys(
                        "gitlab.md 1", "harbor.md 1", "ecr.md 1", "digitalocean.md 1", "dockerhub.md 1", "ghcr.md 1");
        return examples.entrySet().stream()
                .map(example -> DynamicTest.dynamicTest(
                        example.getKey(),
                        () -> assertThat(load(Chart.render(folder, example.getValue()))
                                        .settings()
                                        .registries())
                                .isNotEmpty()));
    }

    /**
     * The agent's configuration from the rendered objects; paths of mounted Secrets are replaced with a local secret.
     */
    private Configuration load(Chart chart) throws IOException, ConfigurationException {
        Path secret = Files.writeString(folder.resolve("secret"), "from-a-file");
        String settings = chart.settings().replaceAll("/etc/urunner/secrets/\\S+?(?=[\\s}\"])", secret.toString());
        Map<String, String> environment = new HashMap<>(chart.environment());
        if (environment.containsKey("URUNNER_CONFIG")) {
            environment.put(
                    "URUNNER_CONFIG",
                    Files.writeString(folder.resolve("urunner.yaml"), settings + "\n")
                            .toString());
        }
        environment.computeIfPresent("URUNNER_CONF_PLUGIN_DIR", (name, value) -> folder.toString());
        environment.computeIfPresent("URUNNER_SECR_METRICS_TOKEN_FILE", (name, value) -> secret.toString());
        try {
            return new SettingsLoader(environment, directory -> new PluginDirectory().discover(directory))
                    .load(Overrides.NONE);
        } catch (ConfigurationException e) {
            throw new AssertionError(e.problems() + "\n" + settings, e);
        }
    }

    private static JsonNode annotations(Chart chart) {
        return chart.only("Deployment")
                .path("spec")
                .path("template")
                .path("metadata")
                .path("annotations");
    }

    private static Map<String, String> mounts(Chart chart) {
        Map<String, String> mounts = new HashMap<>();
        chart.container()
                .path("volumeMounts")
                .forEach(mount -> mounts.put(
                        mount.path("name").asText(), mount.path("mountPath").asText()));
        return mounts;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "config: {URUNNER_CONF_DATABASE_URL: 'jdbc:postgresql://db/x?user=u&password=hunter2'}",
                "config: {URUNNER_CONF_DATABASE_URL: 'jdbc:postgresql://db/x?user=u&sslpassword=hunter2'}",
                "config: {URUNNER_CONF_DATABASE_URL: 'jdbc:postgresql://db/x;PASSWORD=hunter2'}",
                "config: {URUNNER_CONF_DATABASE_URL: 'jdbc:postgresql://u:hunter2@db/x'}",
                "config: {URUNNER_CONF_DATABASE_URL: 'jdbc:postgresql://u:hunter/2@db/x'}",
                "config: {URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH: 'u:hunter2@registry.example'}",
                "config: {URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH: 'https://hunter2@registry.example'}",
                "extraEnv: [{name: X, value: 'jdbc:postgresql://db/x?password=hunter2'}]"
            })
    void aPasswordIsRefusedWhereEverybodyCanReadIt(String values) {
        assertThatThrownBy(() -> Chart.render(folder, values))
                .hasMessageContaining("secret.extra.URUNNER_SECR_DATABASE_PASS")
                .hasMessageContaining("config.URUNNER_CONF_DATABASE_USER")
                .message()
                .doesNotContain("hunter");
    }

    @Test
    void aDatabaseUrlWithoutPasswordIsAccepted() throws Exception {
        Chart chart = Chart.render(folder, """
                config:
                  URUNNER_CONF_DATABASE_URL: "jdbc:postgresql://db:5432/urunner?ssl=true&currentSchema=passes"
                  URUNNER_CONF_DATABASE_USER: user@server
                secret: {extra: {URUNNER_SECR_DATABASE_PASS: hunter2}}
                """);
        assertThat(load(chart).settings().store().password()).isPresent();
        assertThat(chart.only("ConfigMap").toString()).doesNotContain("hunter2");
    }

    @Test
    void theChecksumOfASecretIsSaltedAndChangesWithIt() throws Exception {
        String first = checksum("secret: {harbor: {username: u, password: hunter2}}");
        assertThat(checksum("secret: {harbor: {username: u, password: hunter2}}"))
                .isEqualTo(first);
        assertThat(checksum("secret: {harbor: {username: u, password: hunter3}}"))
                .isNotEqualTo(first);
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        for (JsonNode secret : Chart.render(folder, "secret: {harbor: {username: u, password: hunter2}}")
                .all("Secret")) {
            for (JsonNode value : secret.path("data")) {
                byte[] plain = Base64.getDecoder().decode(value.asText());
                assertThat(HexFormat.of().formatHex(sha256.digest(plain))).isNotEqualTo(first);
            }
        }
        String template = Files.readString(Chart.FOLDER.resolve("templates/deployment.yaml"));
        assertThat(template.lines().filter(line -> line.contains("checksum/") && line.contains("ecret")))
                .hasSize(2)
                .allMatch(line -> line.contains("urunner.checksum") && !line.contains("sha256sum"));
    }

    private String checksum(String values) {
        return Chart.render(folder, values)
                .only("Deployment")
                .at("/spec/template/metadata/annotations/checksum~1secret")
                .asText();
    }
}
