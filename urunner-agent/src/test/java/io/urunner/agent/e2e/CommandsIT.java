package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.app.InProcess;
import io.urunner.agent.app.InProcess.Result;
import io.urunner.agent.chart.Chart;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.kube.testing.Requirement;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.UsedSecrets;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The commands as operators use them, all at once: each test with workloads of its own. */
class CommandsIT {
    private static final Duration SOON = RollbackScene.SOON;
    private static final String TOKEN = "t0ken-of-the-commands-test";

    @TempDir
    private static Path folder;

    @AutoClose
    private static RollbackScene scene;

    private static TestAgent agent;

    @BeforeAll
    static void start() throws Exception {
        scene = new RollbackScene(folder);
        agent = scene.agent();
        Await.until("ready", Seen.within(SOON), () -> agent.agent().notReady().isEmpty());
    }

    /** A Deployment that has run some versions of a repository of its own. */
    private static List<String> rolledOut(String name, String... versions) throws InterruptedException {
        scene.push("shop/" + name, versions[0]);
        WorkloadId id = scene.cluster.deployment(scene.namespace, name, scene.image("shop/" + name), 1);
        return scene.rollOut("shop/" + name, List.of(id), versions);
    }

    private static WorkloadId id(String name) {
        return new WorkloadId(scene.namespace, WorkloadKind.DEPLOYMENT, name);
    }

    private static String cause(WorkloadId id) {
        return scene.cluster
                .read(id)
                .at("/metadata/annotations")
                .path("kubernetes.io/change-cause")
                .asText();
    }

    private static List<JsonNode> events(WorkloadId id) {
        return scene.cluster.events(scene.namespace).stream()
                .filter(event -> event.at("/involvedObject/name").asText().equals(id.name()))
                .toList();
    }

    @AtOnce
    void theAuthorAndTheReasonOfARollbackAreShownEverywhere() throws Exception {
        List<String> v = rolledOut("web", "v1", "v2", "v3");
        WorkloadId web = id("web");
        String image = scene.image("shop/web") + ":latest";
        assertThat(cause(web))
                .isEqualTo("URunner: " + image + " moved to " + v.get(2).substring(0, 19));

        String said = scene.done(
                "rollback",
                "deploy/web",
                "-n",
                scene.namespace,
                "--to",
                v.get(0).substring(7, 19),
                "--as",
                "bert",
                "--reason",
                "v3 crashes");
        assertThat(said)
                .contains("container app: " + image + " from " + v.get(2).substring(0, 19) + " to "
                        + v.get(0).substring(0, 19));
        assertThat(scene.runs(web, "app", v.get(0))).isTrue();

        String back = "rolled back by bert because v3 crashes";
        assertThat(events(web).stream()
                        .filter(event -> event.path("reason").asText().equals("RolledBack")))
                .singleElement()
                .satisfies(event -> {
                    assertThat(event.path("type").asText()).isEqualTo("Normal");
                    assertThat(event.path("message").asText()).startsWith(back);
                });
        assertThat(cause(web))
                .isEqualTo("URunner: rolled back to " + v.get(0).substring(0, 19) + " by bert because v3 crashes");
        // The text that "kubectl rollout history" shows.
        assertThat(scene.cluster.replicaSets(scene.namespace).stream()
                        .filter(set -> set.at("/metadata/ownerReferences/0/name")
                                .asText()
                                .equals("web"))
                        .map(set -> set.at("/metadata/annotations")
                                .path("kubernetes.io/change-cause")
                                .asText()))
                .contains(cause(web));
        agent.awaitPasses(2);
        assertThat(events(web).stream()
                        .filter(event -> event.path("message").asText().contains("held")))
                .as("a hold is intended, and reported once, by its author")
                .singleElement()
                .satisfies(event -> assertThat(event.path("reason").asText()).isEqualTo("RolledBack"));
        assertThat(scene.done("history", "deployment.apps/web", "-n", scene.namespace))
                .contains("by bert because v3 crashes", v.get(2).substring(7, 19));
        assertThat(Cluster.json(scene.done("history", web.toString(), "-o", "json"))
                        .at("/hold/reason")
                        .asText())
                .isEqualTo("v3 crashes");

        // The same request again does nothing, and keeps the reason.
        assertThat(scene.done("rollback", web.toString(), "--to", v.get(0))).contains("already held there");
        assertThat(scene.state(web)).contains("v3 crashes");

        scene.done("resume", web.toString(), "--reason", "v3 was not it");
        assertThat(events(web).stream()
                        .filter(event -> event.path("reason").asText().equals("Resumed")))
                .singleElement()
                .satisfies(event ->
                        assertThat(event.path("message").asText()).startsWith("resumed by anna because v3 was not it"));
        assertThat(cause(web)).startsWith("URunner: resumed by anna because v3 was not it");
    }

    @AtOnce
    void aChangeCauseWrittenBySomebodyElseIsKept() throws Exception {
        scene.push("shop/git", "v1");
        WorkloadId git = scene.cluster.workload(
                id("git"),
                scene.image("shop/git"),
                1,
                json -> json.withObject("/metadata/annotations")
                        .put("kubernetes.io/change-cause", "release 7 by the pipeline"));
        List<String> v = scene.rollOut("shop/git", List.of(git), "v1", "v2");
        scene.done("rollback", git.toString(), "--to", v.get(0));
        assertThat(cause(git)).isEqualTo("release 7 by the pipeline");
    }

    @AtOnce
    void resumingToADigestThatFailedHereNeedsForce() throws Exception {
        String first = rolledOut("fails", "v1").get(0);
        WorkloadId fails = id("fails");
        TestImage second = TestImage.image("crash " + scene.namespace);
        Cluster.behaviour(second.digest(), "\"crash\"");
        assertThat(scene.registry.push("shop/fails", "latest", "crash " + scene.namespace))
                .isEqualTo(second.digest());
        Await.until(
                "it failed",
                Seen.within(Duration.ofSeconds(90)),
                () -> scene.state(fails).contains("\"failed\":\"" + second.digest()));

        scene.done("rollback", fails.toString(), "--to", first);
        Result refused = scene.run("resume", fails.toString());
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err())
                .contains(
                        second.digest().substring(0, 19) + " failed here at ",
                        "CrashLoopBackOff",
                        "--force",
                        "nothing was changed");
        assertThat(scene.held(fails)).isTrue();
        assertThat(scene.done("resume", fails.toString(), "--force", "--dry-run"))
                .contains("nothing was changed; this would be done: ", "no longer held", "no longer quarantined")
                .contains("\nmetadata:\n", "\nspec:\n  template:\n")
                .contains("      containers:\n        app:\n          reference: ");
        String third = scene.push("shop/fails", "v3");
        scene.done("resume", fails.toString());
        assertThat(scene.runs(fails, "app", third)).isTrue();
    }

    @AtOnce
    void machineReadableResultsHaveTheVersionOfTheirFormat() throws Exception {
        List<String> v = rolledOut("json", "v1", "v2");
        WorkloadId id = id("json");
        JsonNode back = Cluster.json(
                scene.done("rollback", id.toString(), "--to", v.get(0), "--reason", "of the test", "-o", "json"));
        assertThat(back.path("schema").asInt()).isEqualTo(1);
        assertThat(back.path("by").asText()).isEqualTo("anna");
        assertThat(back.path("reason").asText()).isEqualTo("of the test");
        assertThat(back.path("outcome").asText()).isEqualTo("succeeded");
        assertThat(scene.done("history", id.toString(), "-o", "yaml")).startsWith("schema: 1\nworkload: " + id + "\n");
        assertThat(scene.done("config", "-o", "yaml")).startsWith("schema: 1\nsettings:\n");
        assertThat(Cluster.json(scene.done("digest", scene.image("shop/json"), "-o", "json"))
                        .at("/images/0/digest")
                        .asText())
                .isEqualTo(v.get(1));
    }

    /** The objects of the chart, with settings in a ConfigMap, a Secret and a file. */
    private static String installed(int port) throws Exception {
        return installed("""
                config: {URUNNER_CONF_FREQUENCY_CHECK_SECONDS: 1, URUNNER_CONF_HTTP_PORT: %d}
                registries: [{host: "%s", type: generic}]
                secret: {extra: {URUNNER_SECR_HTTP_TOKEN: %s}}
                """.formatted(port, scene.registry.host(), TOKEN));
    }

    private static String installed(String values) throws Exception {
        String namespace = scene.cluster.plainNamespace();
        Chart chart = Chart.render(folder, values);
        UsedSecrets.add(TOKEN);
        for (JsonNode object : chart.objects()) {
            ObjectNode copy = object.deepCopy();
            copy.withObject("/metadata").put("namespace", namespace);
            String path = switch (object.path("kind").asText()) {
                case "ConfigMap" -> "/api/v1/namespaces/" + namespace + "/configmaps";
                case "Secret" -> "/api/v1/namespaces/" + namespace + "/secrets";
                case "Deployment" -> "/apis/apps/v1/namespaces/" + namespace + "/deployments";
                default -> "";
            };
            if (copy.path("kind").asText().equals("Deployment")) {
                copy.withObject("/spec").put("replicas", 0);
            }
            if (!path.isEmpty()) {
                scene.cluster.create(path, copy);
            }
        }
        return namespace;
    }

    /** A command on a machine that has a kubeconfig and nothing else. */
    private static Result laptop(Path kubeconfig, String... arguments) throws Exception {
        Path home = Files.createTempDirectory(folder, "laptop");
        Path log = home.resolve("log");
        Map<String, String> environment = Map.of(
                "KUBECONFIG",
                kubeconfig.toString(),
                "HOME",
                home.toString(),
                "COLUMNS",
                "1000",
                // Agents of other tests also run on this machine.
                "JAVA_TOOL_OPTIONS",
                "-Djava.io.tmpdir=" + home);
        try (AgentProcess command = AgentProcess.start(log, environment, arguments)) {
            int code = command.exitCode();
            try (Stream<Path> left = Files.list(home)) {
                assertThat(left.filter(file -> file.getFileName().toString().startsWith("urunner-agent")))
                        .as("settings that were left behind")
                        .isEmpty();
            }
            return new Result(code, command.log(), command.log());
        }
    }

    @AtOnce
    void onALaptopAKubeconfigIsEnough() throws Exception {
        List<String> v = rolledOut("far", "v1", "v2");
        WorkloadId far = id("far");
        String agents = installed(8080);
        Path admin = scene.cluster.kubeconfig();

        Result explained = laptop(admin, "explain", "deploy/far", "-n", scene.namespace, "--agent-namespace", agents);
        assertThat(explained.code()).as(explained.out()).isZero();
        assertThat(explained.out())
                .contains(far.toString(), "up to date", v.get(1).substring(0, 19));
        Result history = laptop(admin, "history", far.toString(), "--agent-namespace", agents);
        assertThat(history.out())
                .contains(v.get(0).substring(7, 19), v.get(1).substring(7, 19))
                .contains("is a file in its pod", "kubectl -n " + agents + " exec deploy/urunner -- urunner");
        Result back = laptop(admin, "rollback", far.toString(), "--agent-namespace", agents, "--as", "bert");
        assertThat(back.code()).as(back.out()).isZero();
        assertThat(scene.runs(far, "app", v.get(0))).isTrue();
        // Without --as it is the name in the kubeconfig's certificate.
        Result on = laptop(admin, "resume", far.toString(), "--agent-namespace", agents);
        assertThat(on.code()).as(on.out()).isZero();
        String user = scene.cluster.configuration().user().orElseThrow();
        assertThat(cause(far)).startsWith("URunner: resumed by " + user + ": ");
        assertThat(Stream.of(explained, history, back, on).map(Result::out))
                .allSatisfy(out -> assertThat(out).doesNotContain(TOKEN));
    }

    @AtOnce
    void theSettingsOfAnAgentOfAnyNameArePrintedUnchanged() throws Exception {
        String agents = installed("""
                fullnameOverride: rollouts
                nameOverride: rollouts
                registries: [{host: "%s", type: generic}]
                """.formatted(scene.registry.host()));
        Path admin = scene.cluster.kubeconfig();
        Result config = laptop(admin, "config", "--wide", "--agent-namespace", agents);
        assertThat(config.code()).as(config.out()).isZero();
        assertThat(config.out())
                .contains("using the settings of the agent " + agents + "/rollouts", scene.registry.host())
                .containsPattern("store.path +URUNNER_CONF_SQLLIGHT_PATH +/var/lib/urunner/urunner.db")
                .containsPattern("kubernetes.auth +\\S+ +incluster")
                .contains("/etc/urunner/")
                .doesNotContain("mount-0");
        scene.push("shop/named", "v1");
        Result digest = laptop(admin, "digest", scene.image("shop/named") + ":latest", "--agent-namespace", agents);
        assertThat(digest.out()).contains("sha256:");
        Result once = laptop(admin, "once");
        assertThat(once.code()).isEqualTo(2);
        assertThat(once.out()).contains("once does not use the settings of an agent", "urunner explain");
    }

    @AtOnce
    void credentialsInTheAgentsFilesAreUsedToo() throws Exception {
        String password = "p4ss-of-the-commands-test";
        UsedSecrets.add(password);
        try (DockerRegistry locked =
                DockerRegistry.builder().user("ci", password).start()) {
            String digest = locked.push("team/app", "latest", "one");
            String agents = installed("""
                    registries:
                      - host: "%s"
                        type: generic
                        credentials: {user: ci, pass: {file: /etc/urunner/secrets/registry-ci/pass}}
                    credentialSecrets: [registry-ci]
                    """.formatted(locked.host()));
            ObjectNode secret = Cluster.object("v1", "Secret", "registry-ci");
            secret.putObject("stringData").put("pass", password);
            scene.cluster.create("/api/v1/namespaces/" + agents + "/secrets", secret);

            Result history = laptop(
                    scene.cluster.kubeconfig(), "history", locked.host() + "/team/app", "--agent-namespace", agents);
            assertThat(history.code()).as(history.out()).isEqualTo(1);
            assertThat(history.out()).contains("is a file in its pod").doesNotContain(password);
            Result digests = laptop(
                    scene.cluster.kubeconfig(),
                    "explain",
                    scene.cluster
                            .deployment(scene.namespace, "locked", locked.host() + "/team/app:latest", 0)
                            .toString(),
                    "--agent-namespace",
                    agents);
            assertThat(digests.out()).contains("Tag now:       " + digest.substring(0, 19));
        }
    }

    @AtOnce
    void obstaclesToReachingTheAgentAreNamed() throws Exception {
        String agents = installed(8080);
        Result none = laptop(scene.cluster.kubeconfig(), "explain", "--agent-namespace", scene.namespace);
        assertThat(none.code()).isEqualTo(1);
        assertThat(none.out())
                .contains(
                        "no agent was found in the namespace " + scene.namespace,
                        "urunner.io/component=agent",
                        "app.kubernetes.io/name=urunner");
        Path nowhere = laptopHome().resolve("none");
        Result without = laptop(nowhere, "doctor");
        assertThat(without.code()).isEqualTo(2);
        assertThat(without.out()).contains("there are no settings here", nowhere.toString(), "does not exist");
        try {
            Path blind = scene.cluster.serviceAccount(agents, "blind", "[]");
            assertThat(laptop(blind, "explain").out())
                    .contains("not allowed to list deployments", "--agent-namespace", "kubectl exec");
            Path half = scene.cluster.serviceAccount(agents, "half", """
                    [{"apiGroups":["apps"],"resources":["deployments"],"verbs":["list"]},
                     {"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}]""");
            Result secret = laptop(half, "history", "deploy/web", "--agent-namespace", agents);
            assertThat(secret.code()).isEqualTo(1);
            assertThat(secret.out()).contains("not allowed to get secrets in namespace " + agents);
        } finally {
            scene.cluster.deleteRole(agents, "blind");
            scene.cluster.deleteRole(agents, "half");
        }
    }

    /**
     * Anybody may create a Deployment: it must not be able to send files of this machine to a registry as passwords.
     */
    @AtOnce
    void settingsFromAClusterCannotReadOtherFilesOnThisMachine() throws Exception {
        String agents = installed("""
                registries: [{host: "%s", type: generic}]
                extraEnv:
                  - {name: URUNNER_SECR_HTTP_TOKEN_FILE, value: /etc/hostname}
                """.formatted(scene.registry.host()));
        Result refused =
                laptop(scene.cluster.kubeconfig(), "history", scene.image("shop/web"), "--agent-namespace", agents);
        assertThat(refused.code()).isEqualTo(2);
        assertThat(refused.out())
                .contains("name the file /etc/hostname, which only its pod has", "kubectl -n " + agents);
    }

    private static Path laptopHome() throws Exception {
        return Files.createTempDirectory(folder, "home");
    }

    @AtOnce
    void theRunningAgentIsAskedThroughTheApiServer() throws Exception {
        InetAddress address = ownAddress()
                .orElseThrow(() -> Requirement.missing(
                        "this machine has no address but 127.0.0.1, to which an API server passes no requests"));
        int port = FreePort.find();
        String agents = installed(port);
        String first = rolledOut("near", "v1").get(0);
        ObjectNode pod = Cluster.object("v1", "Pod", "urunner-0");
        pod.withObject("/metadata/labels")
                .put("app.kubernetes.io/name", "urunner")
                .put("app.kubernetes.io/instance", "urunner");
        pod.withObject("/spec").put("schedulerName", "nobody");
        pod.withObject("/spec")
                .putArray("containers")
                .addObject()
                .put("name", "urunner")
                .put("image", "x");
        scene.cluster.create("/api/v1/namespaces/" + agents + "/pods", pod);
        ObjectNode status = new ObjectMapper().createObjectNode();
        status.withObject("/status").put("phase", "Running").put("podIP", address.getHostAddress());
        status.withObject("/status").putArray("podIPs").addObject().put("ip", address.getHostAddress());
        status.withObject("/status")
                .putArray("conditions")
                .addObject()
                .put("type", "Ready")
                .put("status", "True");
        scene.cluster.merge("/api/v1/namespaces/" + agents + "/pods/urunner-0/status", status);

        Map<String, String> serving = new HashMap<>(scene.settings("served"));
        serving.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
        serving.put("URUNNER_SECR_HTTP_TOKEN", TOKEN);
        serving.put("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + laptopHome());
        try (AgentProcess process = AgentProcess.start(folder.resolve("served.log"), serving, "run")) {
            Await.until("it serves", Seen.within(SOON), () -> process.log().contains("HTTP on port"));
            Path admin = scene.cluster.kubeconfig();
            Await.until(
                    "it has seen it",
                    Seen.within(SOON),
                    () -> laptop(admin, "explain", id("near").toString(), "--agent-namespace", agents)
                            .out()
                            .contains("up to date"));
            Result one = laptop(admin, "explain", id("near").toString(), "--agent-namespace", agents);
            assertThat(one.out()).contains("the running agent", first.substring(0, 19));
            Result list = laptop(admin, "explain", scene.namespace, "--agent-namespace", agents, "-o", "json");
            JsonNode json = Cluster.json(list.out().substring(list.out().indexOf("\n{") + 1));
            assertThat(json.path("source").asText()).startsWith("the running agent");
            assertThat(json.path("workloads"))
                    .isNotEmpty()
                    .allSatisfy(
                            each -> assertThat(each.path("workload").asText()).startsWith(scene.namespace + "/"));
            assertThat(json.toString()).doesNotContainPattern("\\dT\\d\\d:\\d\\d:\\d\\d[.]");
            assertThat(laptop(admin, "doctor", "--agent-namespace", agents).out())
                    .contains("the running agent");

            Map<String, String> narrow = new HashMap<>();
            narrow.put("URUNNER_URL", "http://127.0.0.1:" + port);
            narrow.put("URUNNER_SECR_HTTP_TOKEN", TOKEN);
            for (int width : List.of(60, 80, 120)) {
                narrow.put("COLUMNS", Integer.toString(width));
                for (List<String> command : List.of(
                        List.of("explain"), List.of("explain", id("near").toString()), List.of("doctor"))) {
                    Result shown = InProcess.run(narrow, command.toArray(String[]::new));
                    assertThat(shown.out().lines())
                            .as("%s in %d columns", command, width)
                            .isNotEmpty()
                            .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(width));
                }
            }
            assertThat(process.log()).doesNotContain(TOKEN);
        }
    }

    @AtOnce
    void commandsSurviveAShortOutageOfTheApiServer() throws Exception {
        rolledOut("late", "v1");
        String apart = scene.cluster.plainNamespace();
        Map<String, String> settings = scene.settings("late");
        try (LateDoor door = new LateDoor(Duration.ofSeconds(2))) {
            settings.put("KUBECONFIG", door.kubeconfig().toString());
            Result history = InProcess.run(settings, "history", id("late").toString());
            assertThat(history.code()).as(history.toString()).isZero();
            assertThat(history.out()).contains("BACK");
        }
        // A look waits longer, because it watches.
        try (LateDoor door = new LateDoor(Duration.ofSeconds(8))) {
            settings.put("KUBECONFIG", door.kubeconfig().toString());
            settings.put("URUNNER_CONF_NAMESPACES", apart);
            Result once = InProcess.run(settings, "once", "--timeout", "120");
            assertThat(once.code()).as(once.toString()).isZero();
            assertThat(once.out()).contains("nothing is tracked").doesNotContain("WORKLOAD");
        }
    }

    /** A proxy for the API server that refuses connections at first. */
    private static final class LateDoor implements AutoCloseable {
        private final int port = FreePort.find();
        private final Thread opening;
        private volatile ServerSocket door;

        LateDoor(Duration shut) {
            opening = new Thread(() -> open(shut), "late-door");
            opening.setDaemon(true);
            opening.start();
        }

        Path kubeconfig() throws IOException {
            return Files.writeString(
                    Files.createTempFile(folder, "late", ""),
                    Files.readString(scene.cluster.kubeconfig())
                            .replaceFirst("(\"?server\"?: ?)[^,}\\s]+", "$1\"https://127.0.0.1:" + port + "\""));
        }

        private void open(Duration shut) {
            URI server = scene.cluster.configuration().server();
            try {
                Thread.sleep(shut.toMillis());
                door = new ServerSocket(port, 50, InetAddress.getByName("127.0.0.1"));
                while (true) {
                    Socket from = door.accept();
                    Socket to = new Socket(server.getHost(), server.getPort());
                    pass(from, to);
                    pass(to, from);
                }
            } catch (IOException | InterruptedException e) {
                // It is closed.
            }
        }

        private static void pass(Socket from, Socket to) {
            Thread thread = new Thread(
                    () -> {
                        try (from;
                                to) {
                            from.getInputStream().transferTo(to.getOutputStream());
                        } catch (IOException e) {
                            // One of them hung up.
                        }
                    },
                    "late-door-passes");
            thread.setDaemon(true);
            thread.start();
        }

        @Override
        public void close() throws Exception {
            opening.interrupt();
            if (door != null) {
                door.close();
            }
            opening.join();
        }
    }

    /** An address of this machine that others can reach: an API server does not proxy to 127.0.0.1. */
    private static Optional<InetAddress> ownAddress() throws Exception {
        return NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(each -> each instanceof Inet4Address && !each.isLoopbackAddress() && !each.isLinkLocalAddress())
                .findFirst();
    }
}
