package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A private registry without a configured credential: the workloads' pull secrets are used. */
class PullSecretsIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String ALL_BUT_SECRETS = """
            [{"apiGroups": [""], "resources": ["namespaces", "pods"], "verbs": ["get", "list", "watch"]},
             {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
             {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets", "daemonsets"],
              "verbs": ["get", "list", "watch", "patch"]},
             {"apiGroups": ["apps"], "resources": ["replicasets", "controllerrevisions"],
              "verbs": ["get", "list", "watch"]}]""";

    @TempDir
    private Path folder;

    @RegisterExtension
    private final ClusterScene scene = new ClusterScene();

    private final Cluster cluster = scene.cluster();
    private DockerRegistry registry;
    private final String namespace = scene.namespace();
    private String digest;
    private final List<AgentProcess> agents = new ArrayList<>();

    @BeforeEach
    void start() {
        registry = scene.closing(DockerRegistry.builder()
                .user("ci", "right")
                .user("other", "right-too")
                .start());
        digest = registry.push("team/app", "latest", "1");
    }

    @AfterEach
    void stop() {
        agents.forEach(AgentProcess::close);
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void theTemplatesPullSecretsAreUsedOtherwiseTheServiceAccountsOtherwiseNone() throws Exception {
        String byAccount = registry.push("team/by-account", "latest", "2");
        registry.push("team/by-none", "latest", "3");
        secret(namespace, "regcred", "ci", "right");
        deployment(namespace, "by-template", "team/app", "regcred");
        String second = cluster.enabledNamespace();
        secret(second, "of-account", "other", "right-too");
        String account = "/api/v1/namespaces/" + second + "/serviceaccounts/default";
        Await.until(
                "it is created", Seen.within(SOON), () -> cluster.find(account).isPresent());
        cluster.merge(account, Cluster.json("{\"imagePullSecrets\": [{\"name\": \"of-account\"}]}"));
        deployment(second, "by-account", "team/by-account");
        // Its own namespace has no secret, and a tenant cannot use another one's secret.
        deployment(cluster.enabledNamespace(), "by-none", "team/by-none");

        AgentProcess once = agent("once", cluster.kubeconfig(), "once", "-o", "wide");
        assertThat(once.exitCode()).as(once.log()).isEqualTo(1);
        assertThat(once.log()).contains(digest).contains(byAccount).contains("no credential");
        assertThat(lines(once, "by-template")).doesNotContain("no credential");
        assertThat(lines(once, "by-account")).doesNotContain("no credential");
        assertThat(lines(once, "by-none")).contains("no credential").doesNotContain("right");
    }

    @Test
    @Timeout(value = 4, unit = TimeUnit.MINUTES)
    void aSecretThatIsCreatedOrReplacedTakesEffectWithoutARestartOfTheAgent() throws Exception {
        secret(namespace, "regcred", "ci", "wrong");
        deployment(namespace, "web", "team/app", "regcred");
        AgentProcess agent = agent("run", cluster.kubeconfig(), "run");
        Await.until(
                "the wrong one is refused",
                Seen.within(SOON),
                () -> agent.log().contains("pull secrets regcred in namespace " + namespace));
        cluster.delete("/api/v1/namespaces/" + namespace + "/secrets/regcred");
        secret(namespace, "regcred", "ci", "right");
        awaitSeen("team/app", digest);

        registry.push("team/later", "latest", "4");
        String later = registry.push("team/later", "latest", "5");
        deployment(namespace, "later", "team/later", "later");
        Await.until("there is none", Seen.within(SOON), () -> agent.log().contains("team/later"));
        secret(namespace, "later", "other", "right-too");
        awaitSeen("team/later", later);
        assertThat(agent.log()).doesNotContain("right");
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void aMissingPermissionIsReportedOnceAndTheRestContinues() throws Exception {
        secret(namespace, "regcred", "ci", "right");
        deployment(namespace, "private", "team/app", "regcred");
        try (DockerRegistry open = DockerRegistry.start()) {
            String first = open.push("team/web", "latest", "1");
            WorkloadId web = cluster.deployment(namespace, "web", open.host() + "/team/web:latest", 1);
            Await.until(
                    "it runs",
                    Seen.within(SOON),
                    () -> cluster.pods(namespace).stream()
                            .anyMatch(pod -> pod.toString().contains(first)));
            Path kubeconfig = cluster.serviceAccount(namespace, "agent", ALL_BUT_SECRETS);
            try {
                Map<String, String> settings = settings("forbidden", kubeconfig);
                Path file = folder.resolve("config.yaml");
                Files.writeString(
                        file,
                        "registries:\n- {host: '" + registry.host() + "', type: generic}\n- {host: '" + open.host()
                                + "', type: generic}\n");
                settings.keySet().removeIf(name -> name.startsWith("URUNNER_CONF_CONTAINER_REGISTRY"));
                settings.put("URUNNER_CONFIG", file.toString());
                AgentProcess agent = start("forbidden", settings, "run");
                String moved = open.push("team/web", "latest", "2");
                Await.until("the other one is rolled out", Seen.within(SOON), () -> Seen.actedOn(cluster, web, moved));
                Await.until(
                        "no credential",
                        Seen.within(SOON),
                        () -> agent.log().contains("none are configured")
                                || agent.log().contains("no credential"));
                assertThat(agent.log().lines().filter(line -> line.contains("get secrets in namespace")))
                        .as(agent.log())
                        .hasSize(1);
            } finally {
                cluster.deleteRole(namespace, "agent");
            }
        }
    }

    private static String lines(AgentProcess agent, String workload) {
        return String.join(
                "\n",
                agent.log()
                        .lines()
                        .filter(line -> line.contains("/" + workload))
                        .toList());
    }

    private void awaitSeen(String repository, String expected) throws Exception {
        String reference = registry.host() + "/" + repository + ":latest";
        Await.until("the registry answers", Seen.within(SOON), () -> {
            try (DigestStore store = DigestStores.sqlite(folder.resolve("run.db"), "default")) {
                return store.digests(reference, 1).stream()
                        .anyMatch(seen -> seen.digest().equals(expected));
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    private void deployment(String where, String name, String repository, String... secrets) {
        WorkloadId id = new WorkloadId(where, WorkloadKind.DEPLOYMENT, name);
        cluster.workload(id, registry.host() + "/" + repository + ":latest", 1, workload -> {
            ObjectNode pod = workload.withObject("/spec/template/spec");
            for (String secret : secrets) {
                pod.withArray("imagePullSecrets").addObject().put("name", secret);
            }
        });
    }

    private void secret(String where, String name, String user, String password) {
        String config =
                "{\"auths\": {\"" + registry.host() + "\": {\"auth\": \"" + base64(user + ":" + password) + "\"}}}";
        ObjectNode secret = Cluster.object("v1", "Secret", name);
        secret.put("type", "kubernetes.io/dockerconfigjson");
        secret.putObject("data").put(".dockerconfigjson", base64(config));
        cluster.create("/api/v1/namespaces/" + where + "/secrets", secret);
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private Map<String, String> settings(String name, Path kubeconfig) {
        Map<String, String> settings = AgentProcess.settings(cluster, folder.resolve(name + ".db"), 1, registry.host());
        settings.put("KUBECONFIG", kubeconfig.toString());
        return settings;
    }

    private AgentProcess agent(String name, Path kubeconfig, String... command) {
        return start(name, settings(name, kubeconfig), command);
    }

    private AgentProcess start(String name, Map<String, String> settings, String... command) {
        AgentProcess agent = AgentProcess.start(folder.resolve(name + ".log"), settings, command);
        agents.add(agent);
        return agent;
    }
}
