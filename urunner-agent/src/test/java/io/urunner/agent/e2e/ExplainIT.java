package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.UsedSecrets;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The output of {@code explain} and {@code doctor} beside a running agent, without one, and from elsewhere. */
class ExplainIT {
    private static final Duration SOON = Duration.ofSeconds(60);

    /** The agent's permissions, except for patching Deployments. */
    private static final String RULES = """
            [{"apiGroups":[""],"resources":["namespaces","pods"],"verbs":["list","watch"]},
             {"apiGroups":[""],"resources":["events"],"verbs":["create","patch"]},
             {"apiGroups":["apps"],"resources":["deployments"],"verbs":["get","list","watch"]},
             {"apiGroups":["apps"],"resources":["statefulsets","daemonsets"],"verbs":["get","list","watch","patch"]},
             {"apiGroups":["apps"],"resources":["replicasets","controllerrevisions"],"verbs":["list","watch"]}]""";

    @TempDir
    private Path folder;

    @RegisterExtension
    private final ClusterScene scene = new ClusterScene();

    private final Cluster cluster = scene.cluster();
    private final DockerRegistry registry = scene.registry();
    private final String namespace = scene.namespace();
    private WorkloadId web;
    private int commands;

    @BeforeEach
    void start() throws IOException {
        web = cluster.deployment(namespace, "web", registry.host() + "/team/app:latest", 1);
    }

    @Test
    void theRunningAgentExplainsAndWithoutItASingleLookDoes() throws Exception {
        String digest = registry.push("team/app", "latest", "one");
        cluster.awaitRollout(web, Seen.within(SOON));
        int port = FreePort.find();
        Map<String, String> settings = settings();
        settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
        settings.put("URUNNER_SECR_HTTP_TOKEN", "t0ken-of-the-test");
        try (AgentProcess agent = AgentProcess.start(folder.resolve("run.log"), settings, "run")) {
            Await.until("ready", Seen.within(SOON), () -> status(port, "/readyz", "") == 200);
            String short12 = digest.substring(0, "sha256:".length() + 12);

            String one = command(0, settings(), "explain", namespace + "/deploy/web");
            assertThat(one)
                    .startsWith("the running agent")
                    .contains(web.toString(), "app", short12, "up to date", "anonymous at");
            assertThat(command(0, settings(), "explain", "--output", "json"))
                    .contains("\"digest\" : \"" + digest + "\"", "\"decision\" : \"up to date\"")
                    .doesNotContain("t0ken");
            assertThat(command(1, settings(), "explain", namespace + "/sts/none"))
                    .contains("there is no StatefulSet");
            assertThat(command(1, settings(), "explain", "web"))
                    .contains(
                            "did you mean " + web + "?",
                            "nothing is tracked in the namespace web: there is no namespace web");
            assertThat(command(1, settings(), "explain", "default/deploy/web"))
                    .contains("did you mean " + web + "?", "there is no Deployment web in the namespace default");
            for (String asked : List.of("default/deploy/web", "web")) {
                assertThat(command(1, settings(), "history", asked)).contains("did you mean " + web + "?");
            }
            for (String change : List.of("rollback", "resume")) {
                assertThat(command(1, settings(), change, "default/deploy/web", "--as", "anna"))
                        .contains("there is no default/Deployment/web in this cluster; did you mean " + web + "?");
            }
            assertThat(command(2, settings(), "explain", "Web")).contains("[NAMESPACE/]KIND/NAME");
            String plain = cluster.plainNamespace();
            cluster.deployment(plain, "web", registry.host() + "/team/app:latest", 1);
            assertThat(command(1, settings(), "explain", plain + "/Deployment/web"))
                    .contains("no label urunner=enable", "kubectl label");
            cluster.workload(
                    new WorkloadId(namespace, web.kind(), "off"),
                    registry.host() + "/team/app:latest",
                    0,
                    json -> json.withObject("/metadata/labels").put("urunner", "disable"));
            assertThat(command(1, settings(), "explain", namespace + "/Deployment/off"))
                    .contains("urunner=disable");
            WorkloadId foreign = cluster.deployment(namespace, "foreign", "elsewhere.example/app:latest", 0);
            Await.until(
                    "it is seen",
                    Seen.within(SOON),
                    () -> command(0, settings(), "explain", foreign.toString()).contains("no watched registry"));

            assertThat(command(0, settings(), "doctor"))
                    .contains(registry.host() + ": answers for", "last pass", namespace, "nothing would be restarted")
                    .doesNotContain("WRONG");

            String second = registry.push("team/app", "latest", "two");
            Await.until(
                    "the rollout is over and told",
                    Seen.within(SOON),
                    () -> command(0, settings(), "explain", "-o", "json", web.toString())
                            .contains("\"outcome\" : \"succeeded\""));
            assertThat(command(0, settings(), "explain", web.toString()))
                    .contains(" succeeded", second.substring(0, "sha256:".length() + 12))
                    .doesNotContain(short12);

            assertThat(status(port, "/status", "")).isEqualTo(401);
            assertThat(status(port, "/doctor", "Bearer wrong")).isEqualTo(401);
            assertThat(status(port, "/status", "Bearer t0ken-of-the-test")).isEqualTo(200);
            Map<String, String> wrong = settings();
            wrong.put("URUNNER_SECR_HTTP_TOKEN", "wrong");
            wrong.put("URUNNER_URL", "http://127.0.0.2:" + port);
            assertThat(command(1, wrong, "explain")).contains("refuses the token");
            assertThat(agent.log()).doesNotContain("t0ken");
            agent.kill();
        }
        assertThat(command(0, settings(), "explain", web.toString()))
                .startsWith("checked from here, without changing anything, because no running agent was found here")
                // The last rollout is known from the database file.
                .contains(web.toString(), "up to date", " succeeded");
        registry.push("team/app", "latest", "three");
        int revision = Seen.revision(cluster, web);
        assertThat(command(0, settings(), "explain", web.toString()))
                .contains("restart")
                // No second look is taken.
                .doesNotContain("in 1 s");
        assertThat(command(0, settings(), "doctor")).contains("would be restarted: " + web);
        assertThat(Seen.revision(cluster, web)).isEqualTo(revision);
    }

    @Test
    void theDoctorNamesAMissingPermission() throws Exception {
        registry.push("team/app", "latest", "one");
        try {
            Map<String, String> settings = settings();
            settings.put(
                    "KUBECONFIG",
                    cluster.serviceAccount(namespace, "agent", RULES).toString());
            assertThat(command(1, settings, "doctor"))
                    .contains(
                            "in namespace " + namespace + " the agent is not allowed to patch deployments.apps",
                            "rbac.create=true")
                    .doesNotContain("statefulsets");
        } finally {
            cluster.deleteRole(namespace, "agent");
        }
    }

    @Test
    void theDoctorDiagnosesEachRegistryAndGivesARemedy() throws Exception {
        HeldCertificate authority = DockerRegistry.newAuthority();
        Path ca = Files.writeString(folder.resolve("ca.pem"), authority.certificatePem());
        Path wrong = Files.writeString(folder.resolve("wrong"), "wr0ng-pass-1234");
        UsedSecrets.add("wr0ng-pass-1234");
        try (DockerRegistry locked =
                        DockerRegistry.builder().user("ci", "right-pass-1234").start();
                DockerRegistry unknown = DockerRegistry.builder().tls(authority).start();
                DockerRegistry trusted = DockerRegistry.builder().tls(authority).start();
                DockerRegistry away = DockerRegistry.start()) {
            for (DockerRegistry each : List.of(locked, unknown, trusted, away)) {
                each.push("team/app", "latest", "one");
                cluster.deployment(namespace, "web-" + each.port(), each.host() + "/team/app:latest", 0);
            }
            away.stop();
            Path file = Files.writeString(folder.resolve("urunner.yaml"), """
                    kubernetes: {auth: kubeconfig}
                    store: {path: %s}
                    registries:
                      - {host: %s, credentials: {user: ci, pass: {file: %s}}}
                      - {host: %s}
                      - {host: %s, tls: {ca: %s}}
                      - {host: %s}
                    """.formatted(
                    folder.resolve("db"), locked.host(), wrong, unknown.host(), trusted.host(), ca, away.host()));
            Map<String, String> settings = settings();
            settings.keySet().removeIf(name -> name.startsWith("URUNNER_CONF_"));
            String told = command(1, settings, "doctor", "--config", file.toString());
            assertThat(finding(told, locked))
                    .contains("WRONG", "team/app", "HTTP 401", "-> give the agent a valid credential", "ci");
            assertThat(finding(told, unknown)).contains("WRONG", "is not trusted", "-> ", "registries[].tls.ca");
            assertThat(finding(told, trusted)).contains(" ok ").doesNotContain("->");
            assertThat(finding(told, away)).contains("WRONG", "cannot be reached", "-> ", "host and port");
            assertThat(told).doesNotContain("wr0ng-pass");
        }
    }

    /** The line of a registry, and its remedy if there is one. */
    private static String finding(String told, DockerRegistry registry) {
        List<String> lines = told.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith("registry ") && lines.get(i).contains(" " + registry.host() + ": ")) {
                return lines.get(i) + "\n" + (lines.get(i + 1).contains("-> ") ? lines.get(i + 1) : "");
            }
        }
        throw new AssertionError("nothing of " + registry.host() + " in:\n" + told);
    }

    private Map<String, String> settings() {
        Map<String, String> settings =
                new HashMap<>(AgentProcess.settings(cluster, folder.resolve("db"), 1, registry.host()));
        // Agents of other tests also run on this machine.
        settings.put("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + folder);
        return settings;
    }

    private String command(int code, Map<String, String> settings, String... arguments) throws Exception {
        Path log = folder.resolve("command-" + commands++ + ".log");
        Map<String, String> environment = new HashMap<>(settings);
        environment.remove("URUNNER_CONF_HTTP_PORT");
        try (AgentProcess command = AgentProcess.start(log, environment, arguments)) {
            assertThat(command.exitCode()).as(command.log()).isEqualTo(code);
        }
        return Files.readString(log).replaceFirst("Picked up JAVA_TOOL_OPTIONS: .*\n", "");
    }

    private static int status(int port, String path, String authorization) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
        if (!authorization.isEmpty()) {
            request.header("Authorization", authorization);
        }
        try {
            return HttpClient.newHttpClient()
                    .send(request.build(), BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException e) {
            return 0;
        }
    }
}
