package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.Release;
import io.urunner.agent.chart.Chart;
import io.urunner.agent.docs.Block;
import io.urunner.agent.docs.Document;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.AuditLog;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.Program;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The chart on a real API server. */
class ChartIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String MONITORING = "monitoring.coreos.com";

    @TempDir
    private Path folder;

    private Cluster cluster;
    private String namespace;

    @BeforeEach
    void start() {
        cluster = Cluster.connect();
        namespace = cluster.plainNamespace();
    }

    @AfterEach
    void stop() {
        if (cluster == null) {
            return;
        }
        try {
            Helm.uninstall("urunner")
                    .withNamespace(namespace)
                    .withKubeConfig(cluster.kubeconfig())
                    .ignoreNotFound()
                    .call();
        } finally {
            cluster.close();
        }
    }

    @Test
    void anUpgradeFromTheDefaultsToEveryDocumentedExampleWorks() {
        Map<String, String> examples = new TreeMap<>(Chart.examples());
        // Except those that depend on the particular cluster.
        String scope = "[%s, %s]".formatted(cluster.plainNamespace(), cluster.plainNamespace());
        examples.replaceAll((name, values) -> values.replace("[shop, pay]", scope));
        Release defaults = upgrade("");
        assertThat(defaults.getStatus()).isEqualTo("deployed");
        assertThat(defaults.getOutput())
                .containsSubsequence(
                        "As soon as a namespace is labelled",
                        "are restarted",
                        "URUNNER_CONF_SHADOW=true",
                        "kubectl label namespace YOUR-NAMESPACE urunner=enable");
        assertThat(examples).isNotEmpty().allSatisfy((name, values) -> {
            upgrade("");
            assertThat(upgrade(values).getStatus()).isEqualTo("deployed");
        });
    }

    @Test
    void everyObjectIsAccepted() throws IOException {
        define("ServiceMonitor", "servicemonitors");
        define("PodMonitor", "podmonitors");
        define("PrometheusRule", "prometheusrules");
        try {
            Path everything = Chart.file(
                    folder,
                    Files.readString(Chart.resource("everything.yaml")).replace("readAllSecrets", "pullSecrets")
                            + "scope: [%s, default]\n".formatted(namespace));
            List<JsonNode> objects = Chart.render("1.20.2", everything).objects();
            assertThat(objects)
                    .extracting(each -> each.path("kind").asText())
                    .contains(
                            "ServiceMonitor",
                            "PodMonitor",
                            "PrometheusRule",
                            "NetworkPolicy",
                            "PodDisruptionBudget",
                            "Role",
                            "Ingress");
            assertThat(objects).allSatisfy(this::isAccepted);
            assertThat(upgrade(Files.readString(everything)).getStatus()).isEqualTo("deployed");
            // With the ServiceAccount that now exists.
            isAccepted(Chart.test(folder, everything));
            assertThat(cluster.items("/apis/" + MONITORING + "/v1/namespaces/" + namespace + "/prometheusrules"))
                    .hasSize(1);
            upgrade("");
            assertThat(cluster.items("/apis/" + MONITORING + "/v1/namespaces/" + namespace + "/servicemonitors"))
                    .as("created automatically if the cluster knows the kind")
                    .hasSize(1);
            Helm.uninstall("urunner")
                    .withNamespace(namespace)
                    .withKubeConfig(cluster.kubeconfig())
                    .call();
        } finally {
            undefine("servicemonitors");
            undefine("podmonitors");
            undefine("prometheusrules");
        }
    }

    /** As on the page: with an image and settings of one's own. */
    @Test
    void thePlainManifestsAreAppliedWithoutHelm() throws Exception {
        String kubectl = Program.require("kubectl", "Kubernetes' own program").toString();
        Path mine = Files.createDirectory(folder.resolve("mine"));
        Path deploy = mine.toRealPath().relativize(Path.of("deploy").toRealPath());
        for (Block block : Document.at("docs/install/README.md").blocks("Without Helm")) {
            if (block.language().equals("yaml")) {
                // kubectl before 1.21 knows only `bases`.
                Files.writeString(
                        mine.resolve(block.lines().get(0).replace("# ", "")),
                        block.text()
                                .replace("resources:", "bases:")
                                .replace("urunner/urunner-agent/deploy", deploy.toString()));
            }
        }
        String here = cluster.kubeconfig().toString();
        try {
            assertThat(said(kubectl, "--kubeconfig", here, "apply", "-k", mine.toString()))
                    .contains("namespace/urunner created", "deployment.apps/urunner created");
            JsonNode pod = cluster.get("/apis/apps/v1/namespaces/urunner/deployments/urunner")
                    .at("/spec/template/spec");
            assertThat(pod.at("/containers/0/image").asText()).isEqualTo("registry.example/team/urunner:1.0.0");
            String settings = pod.path("volumes").findPath("secretName").asText();
            assertThat(new String(
                            Base64.getDecoder()
                                    .decode(cluster.get("/api/v1/namespaces/urunner/secrets/" + settings)
                                            .at("/data/urunner.yaml")
                                            .asText()),
                            StandardCharsets.UTF_8))
                    .contains("host: registry.example", "pass: s3cret");
            // kubectl before 1.21 breaks the Base64 of a longer file into lines, unlike the API server.
            assertThat(said(kubectl, "--kubeconfig", here, "apply", "-k", mine.toString())
                            .replaceAll("secret/urunner-settings-\\S+ configured", ""))
                    .contains("deployment.apps/urunner unchanged")
                    .doesNotContain("configured");
        } finally {
            said(kubectl, "--kubeconfig", here, "delete", "-k", mine.toString(), "--wait=false", "--ignore-not-found");
        }
    }

    private String said(String... command) throws Exception {
        Path log = folder.resolve("said");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        int code = process.waitFor();
        String said = Files.readString(log);
        assertThat(code).as(said).isZero();
        return said;
    }

    @Test
    void anExistingSecretIsUsedAndRollsThePodWhenItChanges() {
        String secrets = "/api/v1/namespaces/" + namespace + "/secrets";
        ObjectNode secret = Cluster.object("v1", "Secret", "mine");
        secret.putObject("stringData").put("URUNNER_SECR_GITLAB_TOKEN", "one");
        cluster.create(secrets, secret);
        String values = """
                config: {URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH: registry.gitlab.com}
                secret: {create: false, secretName: mine}
                """;
        upgrade(values);
        JsonNode first = template();
        assertThat(first.path("spec").findPath("envFrom").findValuesAsText("name"))
                .containsExactly("urunner", "mine");
        assertThat(cluster.find(secrets + "/urunner")).isEmpty();
        upgrade(values);
        assertThat(template()).isEqualTo(first);
        secret.withObject("/stringData").put("URUNNER_SECR_GITLAB_TOKEN", "two");
        cluster.merge(secrets + "/mine", secret);
        upgrade(values);
        assertThat(template().path("metadata")).isNotEqualTo(first.path("metadata"));
    }

    @Test
    void theAgentRunsWithExactlyThePermissionsOfTheClusterRole() throws Exception {
        runs(
                cluster.enabledNamespace(),
                "{scope: cluster, replicas: 2, ",
                List.of("clusterroles/urunner-" + namespace, "namespaces/" + namespace + "/roles/urunner-leader"));
    }

    @Test
    void theAgentRunsWithExactlyThePermissionsOfARole() throws Exception {
        String watched = cluster.enabledNamespace();
        runs(watched, "{scope: [" + watched + "], ", List.of("namespaces/" + watched + "/roles/urunner"));
    }

    /** Runs the main loop as the rendered ServiceAccount and with the rendered settings. */
    private void runs(String watched, String scope, List<String> roles) throws Exception {
        try (DockerRegistry registry = DockerRegistry.start()) {
            String values = scope + """
                    registries: [{host: "%s", type: generic}],
                    config: {URUNNER_CONF_FREQUENCY_CHECK_SECONDS: 1, URUNNER_CONF_HTTP_PORT: 0}}
                    """.formatted(registry.host());
            upgrade(values);
            String first = registry.push("team/app", "latest", "one");
            WorkloadId web = cluster.deployment(watched, "web", registry.host() + "/team/app:latest", 1);
            WorkloadId db = cluster.statefulSet(watched, "db", registry.host() + "/team/app:latest", 1);
            WorkloadId every = cluster.daemonSet(watched, "every", registry.host() + "/team/app:latest");
            cluster.awaitRollout(every, Seen.within(SOON));
            cluster.awaitRollout(web, Seen.within(SOON));
            cluster.awaitRollout(db, Seen.within(SOON));
            assertThat(Seen.running(cluster, watched, 3, first)).isTrue();
            AuditLog audit = cluster.auditLog().orElseThrow();
            long mark = audit.mark();

            Chart chart = Chart.render(folder, values);
            Map<String, String> settings = new HashMap<>(chart.environment());
            settings.put(
                    "KUBECONFIG", cluster.tokenKubeconfig(namespace, "urunner").toString());
            settings.put("URUNNER_CONF_KUBE_AUTH", "kubeconfig");
            settings.put("URUNNER_CONF_SQLLIGHT_PATH", folder.resolve("db").toString());
            settings.put(
                    "URUNNER_CONFIG",
                    Files.writeString(folder.resolve("urunner.yaml"), chart.settings())
                            .toString());
            try (AgentProcess agent = AgentProcess.start(folder.resolve("log"), settings, "run")) {
                Await.until("synced", Seen.within(SOON), () -> agent.log().contains("synced with the cluster"));
                String second = registry.push("team/app", "latest", "two");
                Await.until("all run the push", Seen.within(SOON), () -> Seen.running(cluster, watched, 3, second));
                Await.until("told", Seen.within(SOON), () -> agent.log().split("rollout succeeded", -1).length > 3);
                agent.terminate();
                assertThat(agent.log()).doesNotContain("not allowed to");
            }
            List<AuditLog.Entry> asked = audit.since(mark, "urunner");
            assertThat(asked).filteredOn(entry -> entry.status() == 403).isEmpty();
            Set<String> used = new TreeSet<>();
            asked.forEach(entry -> used.add(entry.verb() + " " + entry.resource()));
            Set<String> granted = granted(roles);
            assertThat(granted).containsAll(used);
            granted.removeAll(used);
            assertThat(granted)
                    .as("granted, but not used in a plain loop: for conflicts and repeated Events")
                    .isSubsetOf("get deployments", "get statefulsets", "get daemonsets", "patch events");
        }
    }

    private Set<String> granted(List<String> roles) {
        Set<String> granted = new TreeSet<>();
        for (String role : roles) {
            for (JsonNode rule :
                    cluster.get("/apis/rbac.authorization.k8s.io/v1/" + role).path("rules")) {
                rule.path("resources")
                        .forEach(resource -> rule.path("verbs")
                                .forEach(verb -> granted.add(verb.asText() + " " + resource.asText())));
            }
        }
        return granted;
    }

    private void isAccepted(JsonNode object) {
        ObjectNode copy = object.deepCopy();
        copy.withObject("/metadata").put("namespace", namespace);
        assertThat(cluster.send("POST", collection(object) + "?dryRun=All&fieldManager=test", "application/json", copy)
                        .status())
                .as(object.toString())
                .isEqualTo(201);
    }

    private Release upgrade(String values) {
        return new Helm(Chart.FOLDER)
                .upgrade()
                .install()
                .resetValues()
                .withName("urunner")
                .withNamespace(namespace)
                .withKubeConfig(cluster.kubeconfig())
                .withValuesFile(Chart.file(folder, values))
                // The real registry is not asked: nothing listens on port 1.
                .set("image.repository", "127.0.0.1:1/urunner")
                .call();
    }

    private JsonNode template() {
        return cluster.get("/apis/apps/v1/namespaces/" + namespace + "/deployments/urunner")
                .path("spec")
                .path("template");
    }

    /** Defines a kind of the Prometheus operator in the API server. */
    private void define(String kind, String plural) {
        ObjectNode definition =
                Cluster.object("apiextensions.k8s.io/v1", "CustomResourceDefinition", plural + "." + MONITORING);
        definition.set("spec", Cluster.json("""
                {"group": "%s", "scope": "Namespaced", "names": {"kind": "%s", "plural": "%s"},
                 "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                   {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}
                """.formatted(MONITORING, kind, plural)));
        cluster.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
        Await.until(
                kind,
                Seen.within(SOON),
                () -> cluster.find("/apis/" + MONITORING + "/v1/namespaces/default/" + plural)
                        .isPresent());
    }

    private void undefine(String plural) {
        cluster.delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + plural + "." + MONITORING);
    }

    private String collection(JsonNode object) {
        String version = object.path("apiVersion").asText();
        String kind = object.path("kind").asText().toLowerCase(java.util.Locale.ROOT);
        String plural = kind.endsWith("y")
                ? kind.substring(0, kind.length() - 1) + "ies"
                : kind + (kind.endsWith("s") ? "es" : "s");
        return (version.contains("/") ? "/apis/" : "/api/") + version + "/namespaces/" + namespace + "/" + plural;
    }
}
