package io.urunner.agent.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import io.urunner.agent.config.Configuration;
import io.urunner.agent.config.ConfigurationException;
import io.urunner.agent.config.Overrides;
import io.urunner.agent.config.PluginDirectory;
import io.urunner.agent.config.SettingsLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the chart renders, and what it refuses. */
class ChartTest {
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
                .as("the original's empty maps take no default away")
                .isTrue();
    }

    @Test
    void theOtherValuesOfTheOriginalWorkToo() {
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
    void aChangedSecretRollsThePodAndNothingElseDoes() {
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
        assertThat(Chart.render(folder, "config: {URUNNER_CONF_KUBE_AUTH: kubeconfig}")
                        .podSpec()
                        .path("automountServiceAccountToken")
                        .asBoolean(true))
                .as("a kubeconfig needs no token")
                .isFalse();
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
    void aListOfNamespacesMeansARoleInEachAndNoClusterRole() throws Exception {
        Chart chart = Chart.render(folder, "scope: [shop, pay]");
        assertThat(chart.all("ClusterRole")).isEmpty();
        assertThat(chart.all("Role"))
                .extracting(role -> role.path("metadata").path("namespace").asText())
                .containsExactlyInAnyOrder("shop", "pay");
        assertThat(load(chart).settings().kubernetes().namespaces()).containsExactly("shop", "pay");
    }

    @Test
    void pullSecretsAreReadOnlyIfAsked() {
        assertThat(Chart.render().only("ClusterRole").path("rules").toString()).doesNotContain("secrets");
        assertThat(Chart.render(folder, "rbac: {pullSecrets: true}")
                        .only("ClusterRole")
                        .path("rules")
                        .toString())
                .contains("[\"secrets\",\"serviceaccounts\"],\"verbs\":[\"get\"]");
    }

    @Test
    void versionsFollowTheCluster() {
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

    @ParameterizedTest
    @ValueSource(
            strings = {
                "replica: 2",
                "secret: {gitlab: {tokn: x}}",
                "config: {URUNNER_SECR_GITLAB_TOKEN: x}",
                "scope: all",
                "scope: []",
                "registries: [{type: gitlab}]",
                "registries: [{host: a.example, intervall: 5}]",
                "serviceMonitor: {enabled: maybe}",
                "config: {URUNNER_CONF_SQLLIGHT_PATH: urunner.db}",
                "config: {URUNNER_CONF_SQLLIGHT_PATH: /urunner.db}"
            })
    void whatCannotBeMeantIsRefused(String values) {
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

    /** What the agent makes of what is rendered; the paths of mounted Secrets are of this machine, with a secret in each. */
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
}
