package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.marcnuri.helm.Helm;
import io.urunner.agent.chart.Chart;
import io.urunner.agent.docs.Block;
import io.urunner.agent.docs.Document;
import io.urunner.agent.docs.HelmLine;
import io.urunner.agent.docs.ShellLine;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.Program;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The commands in the documents, run one after the other as a reader would: with a real helm and kubectl, on a real
 * cluster. Each has to succeed. The pod of the agent is simulated, so the agent is a process that runs with the
 * settings and the ServiceAccount that the pod was given, and {@code kubectl exec} runs a command beside it.
 */
class DocumentsIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    /** kubectl's messages for lines that it does not understand. */
    private static final Pattern NOT_UNDERSTOOD = Pattern.compile("(?i)unknown (shorthand )?(flag|command)"
            + "|flag needs an argument|invalid argument|unexpected args|error parsing|error validating");
    /** Its messages for lines that it understands, but that the user is not allowed to run. */
    private static final Pattern REFUSED = Pattern.compile("(?i)forbidden|doesn't have a resource type");

    @TempDir
    private Path folder;

    private final Map<String, String> namespaces = new HashMap<>();
    private final Map<String, String> variables = new HashMap<>();
    private final List<AgentProcess> agents = new ArrayList<>();
    private Path kubectl;
    private Cluster cluster;
    private DockerRegistry registry;
    private String volume;
    private Map<String, String> settings = Map.of();
    private String lastPush = "";
    /** The last values on the page that have not been used yet. */
    private Optional<Block> values = Optional.empty();

    private int commands;

    @BeforeEach
    void start() {
        kubectl = Program.require("kubectl", "Debian's package kubernetes-client");
        cluster = Cluster.connect();
        registry = DockerRegistry.start();
        namespaces.put("urunner", "urunner-docs-" + UUID.randomUUID().toString().substring(0, 8));
        namespaces.put("shop", cluster.plainNamespace());
    }

    @AfterEach
    void stop() {
        agents.forEach(AgentProcess::close);
        if (registry != null) {
            registry.close();
        }
        if (cluster != null) {
            String namespace = namespaces.get("urunner");
            for (String release : List.of("urunner", "urunner-java")) {
                Helm.uninstall(release)
                        .withNamespace(namespace)
                        .withKubeConfig(cluster.kubeconfig())
                        .ignoreNotFound()
                        .call();
            }
            cluster.delete("/api/v1/namespaces/" + namespace);
            if (volume != null) {
                cluster.delete("/api/v1/persistentvolumes/" + volume);
            }
            cluster.close();
        }
    }

    @Test
    void fromInstallationThroughTheFirstRolloutToUninstallation() throws Exception {
        pushed("team/urunner", "1.0.0", "the agent");
        volume("urunner");
        pushed("shop/web", "latest", "one");
        WorkloadId web = cluster.deployment(namespaces.get("shop"), "web", registry.host() + "/shop/web:latest", 1);
        cluster.awaitRollout(web, Seen.within(SOON));
        String drift = pushed("shop/web", "latest", "two, while nobody looks");

        String told = read(Document.at("docs/install/README.md").blocks());

        String now = lastPush;
        assertThat(now).as("the page pushes").isNotEqualTo(drift);
        assertThat(Seen.running(cluster, web, List.of(now))).isTrue();
        assertThat(told)
                .as("in shadow mode it says what it would do")
                .contains("would be rolled out")
                .contains("up to date")
                .contains("RolloutSucceeded");
        assertThat(Seen.revision(cluster, web))
                .as("one rollout for each digest")
                .isEqualTo(3);
        assertThat(headers(told)).as("the table in the README is up to date").contains(shownHeader());

        read(Document.at("docs/upgrading.md").blocks("From one version to the next"));
        read(Document.at("README.md").blocks());
        read(Document.at("docs/uninstall.md").blocks());
        assertThat(cluster.find("/apis/apps/v1/namespaces/" + namespaces.get("urunner") + "/deployments/urunner"))
                .isEmpty();
        JsonNode left = cluster.read(web);
        assertThat(left.at("/metadata/annotations").toString()).doesNotContain("urunner.io/");
        assertThat(cluster.get("/api/v1/namespaces/" + namespaces.get("shop"))
                        .at("/metadata/labels")
                        .toString())
                .doesNotContain("urunner");
    }

    /** A release of this chart with the original's values stands in for the original's release. */
    @Test
    void upgradingFromTheOriginalLeavesNoTimeWithoutAnAgent() throws Exception {
        pushed("team/urunner", "1.0.0", "the agent");
        pushed("shop/web", "latest", "one");
        ObjectNode namespace = Cluster.object("v1", "Namespace", namespaces.get("urunner"));
        cluster.create("/api/v1/namespaces", namespace);
        cluster.labelNamespace(namespaces.get("shop"), "enable");
        WorkloadId web = cluster.deployment(namespaces.get("shop"), "web", registry.host() + "/shop/web:latest", 1);
        cluster.awaitRollout(web, Seen.within(SOON));
        new Helm(Chart.FOLDER)
                .install()
                .withName("urunner")
                .withNamespace(namespaces.get("urunner"))
                .withKubeConfig(cluster.kubeconfig())
                .withValuesFile(Chart.resource("original.yaml"))
                .set("image.repository", registry.host() + "/team/urunner")
                .set("config.URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", registry.host())
                .set("config.URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic")
                .call();

        String told = read(Document.at("docs/upgrading.md").blocks("From the Python original"));

        assertThat(told).contains(web.namespace(), "up to date");
        String deployments = "/apis/apps/v1/namespaces/" + namespaces.get("urunner") + "/deployments/";
        assertThat(cluster.find(deployments + "urunner")).isEmpty();
        assertThat(cluster.get("/api/v1/namespaces/" + namespaces.get("urunner") + "/configmaps/urunner-java")
                        .path("data")
                        .has("URUNNER_CONF_SHADOW"))
                .as("finally it acts")
                .isFalse();
        String second = pushed("shop/web", "latest", "two");
        Await.until("rolled out", Seen.within(SOON), () -> Seen.running(cluster, web, List.of(second)));
    }

    /** Even if their objects do not exist here: run by a user without permissions, so that nothing is changed. */
    @Test
    void kubectlUnderstandsEveryLine() throws Exception {
        Path nobody = cluster.serviceAccount(namespaces.get("shop"), "nobody", "[]");
        try {
            Map<String, ShellLine> lines = new TreeMap<>();
            for (Document document : Document.all()) {
                Map<String, String> set = new HashMap<>();
                for (Block block : document.blocks()) {
                    if (block.isCommands() && block.notRun().isEmpty()) {
                        block.commands(set).stream()
                                .filter(line -> line.program().equals("kubectl")
                                        && !line.words().contains("exec"))
                                .forEach(line -> lines.put(line.toString(), line));
                    }
                }
            }
            assertThat(lines).hasSizeGreaterThan(10);
            for (ShellLine line : lines.values()) {
                assertThat(kubectl(nobody, line))
                        .as("%s: %s", line.at(), line)
                        .containsPattern(REFUSED)
                        .doesNotContainPattern(NOT_UNDERSTOOD);
            }
            for (Document document : Document.all()) {
                for (ShellLine line : document.mentioned()) {
                    if (line.program().equals("kubectl") && line.urunner().isEmpty()) {
                        assertThat(kubectl(nobody, line)).as(line.at()).doesNotContainPattern(NOT_UNDERSTOOD);
                    }
                }
            }
        } finally {
            cluster.deleteRole(namespaces.get("shop"), "nobody");
        }
    }

    /** With the variables of the page. */
    @Test
    void theDocumentedProxyIsUsedForRegistriesAndNotForTheApiServer() throws Exception {
        Block shown = Document.at("docs/proxies.md").blocks().stream()
                .filter(block -> block.text().contains("HTTPS_PROXY"))
                .findFirst()
                .orElseThrow();
        String kubeconfig = """
                {"clusters": [{"name": "c", "cluster": {"server": "https://api.invalid:6443"}}],
                 "users": [{"name": "u", "user": {"token": "t"}}], "current-context": "x",
                 "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}]}""";
        Set<String> asked = ConcurrentHashMap.newKeySet();
        int port = FreePort.find();
        try (ServerSocket proxy = new ServerSocket(port, 50, InetAddress.getLoopbackAddress())) {
            Thread answering = new Thread(
                    () -> {
                        while (!proxy.isClosed()) {
                            try (Socket connection = proxy.accept()) {
                                asked.add(String.valueOf(new BufferedReader(new InputStreamReader(
                                                connection.getInputStream(), StandardCharsets.US_ASCII))
                                        .readLine()));
                            } catch (IOException e) {
                                // It is closed.
                            }
                        }
                    },
                    "test-proxy");
            answering.start();
            Map<String, String> environment = new HashMap<>();
            Pattern.compile("name: (\\S+)\\s+value: (\\S+)")
                    .matcher(shown.text())
                    .results()
                    .forEach(variable -> environment.put(
                            variable.group(1),
                            variable.group(2)
                                    .replace("proxy.example", "127.0.0.1")
                                    .replace("3128", Integer.toString(port))));
            environment.put(
                    "KUBECONFIG",
                    Files.writeString(folder.resolve("kubeconfig"), kubeconfig).toString());
            environment.put("URUNNER_CONF_KUBE_AUTH", "kubeconfig");
            environment.put("URUNNER_CONF_SQLLIGHT_PATH", folder.resolve("db").toString());
            environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", "registry.example");
            environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic");
            try (AgentProcess digest = AgentProcess.start(
                            folder.resolve("digest"), environment, "digest", "registry.example/a:1");
                    AgentProcess once =
                            AgentProcess.start(folder.resolve("once"), environment, "once", "--timeout", "5")) {
                Await.until("the registry is reached through it", Seen.within(SOON), () -> {
                    assertThat(asked).anyMatch(line -> line.startsWith("CONNECT registry.example:443 "));
                    return true;
                });
                digest.kill();
                once.exitCode();
            }
            assertThat(asked).noneMatch(line -> line.contains("api.invalid"));
            proxy.close();
            answering.join();
        }
    }

    /** Runs the commands in blocks of a page, and returns their output. */
    private String read(List<Block> blocks) throws Exception {
        StringBuilder told = new StringBuilder();
        for (Block block : blocks) {
            if (block.isValues()) {
                values = Optional.of(block);
            }
            if (block.isCommands() && block.notRun().isEmpty()) {
                for (ShellLine line : block.commands(variables)) {
                    told.append(run(line));
                }
            }
        }
        values = Optional.empty();
        return told.toString();
    }

    private String run(ShellLine line) throws Exception {
        List<String> words = line.words().stream().map(this::here).collect(Collectors.toCollection(ArrayList::new));
        for (int i = 0; i < words.size(); i++) {
            String before = i == 0 ? "" : words.get(i - 1);
            words.set(i, named(before, words.get(i)));
        }
        ShellLine mine = new ShellLine(line.at(), words, line.output());
        Optional<List<String>> asked = mine.urunner();
        String told;
        if (asked.isPresent()) {
            told = urunner(line, asked.get(), line.program().equals("./urunner") ? exported() : settings);
        } else if (line.program().equals("docker")) {
            WorkloadId web = WorkloadId.parse(namespaces.get("shop") + "/deploy/web");
            awaitSuccess(web, lastPush);
            String[] image =
                    words.get(2).substring(registry.host().length() + 1).split(":", 2);
            // The page says that it takes one interval.
            awaitSuccess(web, pushed(image[0], image[1], line.at()));
            told = "";
        } else if (line.program().equals("helm")) {
            if (values.isPresent()) {
                Files.writeString(
                        folder.resolve("values.yaml"), here(values.get().text()));
                values = Optional.empty();
            }
            told = HelmLine.of(mine).run(cluster.kubeconfig(), folder);
        } else if (line.program().equals("kubectl")) {
            Result result = kubectl(cluster.kubeconfig(), words.subList(1, words.size()));
            assertThat(result.code())
                    .as("%s: %s: %s", line.at(), mine, result.out())
                    .isZero();
            told = result.out();
            if (words.contains("rollout") && words.contains("status")) {
                restart(words.get(words.indexOf("-n") + 1), words.get(words.size() - 1));
            } else if (words.contains("urunner=enable") && !result.out().contains("not labeled")) {
                AgentProcess agent = agents.get(agents.size() - 1);
                Await.until("it looked", Seen.within(SOON), () -> agent.log().contains("shadow mode"));
            }
        } else {
            throw new AssertionError(line.at() + ": nothing here runs " + line);
        }
        System.out.println("$ " + mine + "\n" + told);
        if (line.output().isPresent()) {
            Files.writeString(folder.resolve(line.output().get()), told);
            return "";
        }
        return told + "\n";
    }

    private void awaitSuccess(WorkloadId web, String digest) {
        Await.until(digest + " is rolled out, and told", Seen.within(SOON), () -> {
            List<String> told = cluster.events(web.namespace()).stream()
                    .filter(event -> event.path("reason").asText().equals("RolloutSucceeded"))
                    .map(event -> event.path("message").asText())
                    .toList();
            return Seen.running(cluster, web, List.of(digest))
                    && told.stream().anyMatch(message -> message.contains(digest.substring(0, 19)));
        });
    }

    /** Replaces registry and secrets with those of this test. */
    private String here(String text) {
        return text.replace("registry.example/", registry.host() + "/")
                .replaceAll("registry\\.example\\b", registry.host())
                .replace("…", "s3cret-of-the-page");
    }

    /** Replaces namespaces with those of this test. */
    private String named(String before, String word) {
        if (Set.of("-n", "--namespace", "namespace").contains(before)) {
            return namespaces.getOrDefault(word, word);
        }
        return word.startsWith("shop/") ? namespaces.get("shop") + word.substring("shop".length()) : word;
    }

    /** The variables that the page exported, for a user with a kubeconfig. */
    private Map<String, String> exported() {
        Map<String, String> exported = new HashMap<>();
        variables.forEach((name, value) -> exported.put(name, here(value)));
        exported.keySet().removeIf(name -> !name.startsWith("URUNNER_"));
        exported.put("KUBECONFIG", cluster.kubeconfig().toString());
        exported.put("URUNNER_CONF_SQLLIGHT_PATH", folder.resolve("laptop.db").toString());
        return exported;
    }

    /** Runs a command, beside the agent or on its own. */
    private String urunner(ShellLine line, List<String> words, Map<String, String> with) throws Exception {
        assertThat(with).as("%s: no agent runs yet", line.at()).isNotEmpty();
        Path log = folder.resolve("command-" + commands++);
        Map<String, String> environment = new HashMap<>(with);
        environment.remove("URUNNER_CONF_HTTP_PORT");
        try (AgentProcess command = AgentProcess.start(log, environment, words.toArray(String[]::new))) {
            assertThat(command.exitCode())
                    .as("%s: %s: %s", line.at(), line, command.log())
                    .isZero();
            return command.log().replaceFirst("Picked up JAVA_TOOL_OPTIONS: .*\n", "");
        }
    }

    /** Does what the kubelet does for the pod of a Deployment. */
    private void restart(String namespace, String target) throws Exception {
        for (AgentProcess agent : agents) {
            agent.terminate();
        }
        String name = target.replaceFirst(".*/", "");
        JsonNode pod = cluster.get("/apis/apps/v1/namespaces/" + namespace + "/deployments/" + name)
                .at("/spec/template/spec");
        JsonNode container = pod.at("/containers/0");
        int port = FreePort.find();
        Map<String, String> environment = new HashMap<>();
        for (JsonNode from : container.path("envFrom")) {
            String map = from.at("/configMapRef/name").asText();
            if (!map.isEmpty()) {
                data(namespace, "configmaps", map).forEach(environment::put);
            }
            String secret = from.at("/secretRef/name").asText();
            if (!secret.isEmpty()) {
                data(namespace, "secrets", secret).forEach((key, value) -> environment.put(key, decoded(value)));
            }
        }
        container
                .path("env")
                .forEach(each -> environment.put(
                        each.path("name").asText(), each.path("value").asText()));
        if (environment.containsKey("URUNNER_CONFIG")) {
            String file = decoded(data(namespace, "secrets", name + "-settings").get("urunner.yaml"));
            for (JsonNode mounted : pod.path("volumes")) {
                String secret = mounted.at("/secret/secretName").asText();
                if (mounted.path("name").asText().startsWith("credentials-")) {
                    Path mount =
                            Files.createDirectories(folder.resolve("secrets").resolve(secret));
                    for (Map.Entry<String, String> entry :
                            data(namespace, "secrets", secret).entrySet()) {
                        Files.writeString(mount.resolve(entry.getKey()), decoded(entry.getValue()));
                    }
                }
            }
            environment.put(
                    "URUNNER_CONFIG",
                    Files.writeString(
                                    folder.resolve("urunner.yaml"),
                                    file.replace(
                                            "/etc/urunner/secrets",
                                            folder.resolve("secrets").toString()))
                            .toString());
        }
        environment.put(
                "KUBECONFIG",
                cluster.tokenKubeconfig(
                                namespace, pod.path("serviceAccountName").asText())
                        .toString());
        environment.put("URUNNER_CONF_KUBE_AUTH", "kubeconfig");
        environment.put(
                "URUNNER_CONF_SQLLIGHT_PATH", folder.resolve("urunner.db").toString());
        environment.put("URUNNER_CONF_FREQUENCY_CHECK_SECONDS", "1");
        environment.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
        // Agents of other tests also run on this machine.
        environment.put("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + Files.createDirectories(folder.resolve("tmp")));
        settings = environment;
        agents.add(AgentProcess.start(folder.resolve("agent-" + agents.size()), environment, "run"));
        Await.until("ready", Seen.within(SOON), () -> {
            HttpURLConnection connection = (HttpURLConnection)
                    URI.create("http://127.0.0.1:" + port + "/readyz").toURL().openConnection();
            return connection.getResponseCode() == 200;
        });
    }

    private Map<String, String> data(String namespace, String plural, String name) {
        Map<String, String> data = new HashMap<>();
        cluster.get("/api/v1/namespaces/" + namespace + "/" + plural + "/" + name)
                .path("data")
                .properties()
                .forEach(entry -> data.put(entry.getKey(), entry.getValue().asText()));
        return data;
    }

    private static String decoded(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
    }

    private record Result(int code, String out) {}

    private String kubectl(Path nobody, ShellLine line) throws IOException, InterruptedException {
        List<String> words =
                new ArrayList<>(line.words().subList(1, line.words().size()));
        words.add("--request-timeout=5s");
        return kubectl(nobody, words).out();
    }

    private Result kubectl(Path kubeconfig, List<String> words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(kubectl.toString()));
        command.addAll(words);
        Path out = folder.resolve("kubectl-" + commands++);
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile());
        builder.environment().put("KUBECONFIG", kubeconfig.toString());
        Process process = builder.start();
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                throw new AssertionError("does not terminate: " + words + ": " + Files.readString(out));
            }
            return new Result(process.exitValue(), Files.readString(out));
        } finally {
            process.destroyForcibly();
        }
    }

    private String pushed(String repository, String tag, String content) {
        lastPush = registry.push(repository, tag, namespaces.get("shop") + content);
        return lastPush;
    }

    /** A volume for the claim of a release, because no StorageClass creates one. */
    private void volume(String claim) {
        String namespace = namespaces.get("urunner");
        volume = namespace;
        ObjectNode object = Cluster.object("v1", "PersistentVolume", volume);
        object.set("spec", Cluster.json("""
                {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/nowhere"},
                 "claimRef": {"namespace": "%s", "name": "%s"}}""".formatted(namespace, claim)));
        cluster.create("/api/v1/persistentvolumes", object);
    }

    /** The headings of the tables in the output. */
    private static List<String> headers(String printed) {
        return printed.lines()
                .filter(line -> line.startsWith("WORKLOAD "))
                .map(line -> line.strip().replaceAll(" {2,}", "  "))
                .toList();
    }

    /** The heading on the README's first screen. */
    private static String shownHeader() {
        String printed = Document.at("README.md").blocks().stream()
                .filter(block -> block.language().equals("text"))
                .map(Block::text)
                .collect(Collectors.joining());
        return headers(printed).get(0);
    }
}
