package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.UsedSecrets;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** An agent that cannot watch, or must not ask, reports it everywhere: all cases at once, on one agent. */
class BlindAndWaitingIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String TOKEN = "token-of-the-blind";
    private static final String UNUSED = "nowhere.invalid:5000";
    private static final Pattern FRACTIONS = Pattern.compile("\\d\\d:\\d\\d:\\d\\d\\.\\d+Z");

    @TempDir
    private static Path folder;

    @RegisterExtension
    private static final ClusterScene SCENE = new ClusterScene();

    private static Cluster cluster;
    private static DockerRegistry registry;
    private static DockerRegistry away;
    private static DockerRegistry locked;
    private static FaultyRegistry limited;
    private static FaultyRegistry thrifty;
    private static String namespace;
    private static Served agent;

    /** A running agent that answers over HTTP. */
    private static final class Served implements AutoCloseable {
        private final HttpClient http = HttpClient.newHttpClient();
        private final int port = FreePort.find();
        private final AgentProcess process;

        Served(String name, Map<String, String> more) {
            UsedSecrets.add(TOKEN);
            Map<String, String> settings =
                    AgentProcess.settings(cluster, folder.resolve(name + ".db"), 1, registry.host());
            settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
            settings.put("URUNNER_SECR_HTTP_TOKEN", TOKEN);
            settings.put("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + folder);
            settings.putAll(more);
            if (more.containsKey("URUNNER_CONFIG")) {
                settings.keySet().removeIf(one -> one.startsWith("URUNNER_CONF_CONTAINER_REGISTRY"));
            }
            process = AgentProcess.start(folder.resolve(name + ".log"), settings, "run");
        }

        HttpResponse<String> get(String path) throws Exception {
            return http.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                            .header("Authorization", "Bearer " + TOKEN)
                            .timeout(SOON)
                            .build(),
                    BodyHandlers.ofString());
        }

        boolean isReady() throws Exception {
            try {
                return get("/readyz").statusCode() == 200;
            } catch (IOException e) {
                return false; // it does not listen yet
            }
        }

        JsonNode status() throws Exception {
            return Cluster.json(get("/status").body());
        }

        JsonNode workload(WorkloadId id) throws Exception {
            return find(status().path("workloads"), "workload", id.toString()).orElseGet(ObjectNodes::empty);
        }

        JsonNode host(String host) throws Exception {
            return find(status().path("registries"), "host", host).orElseThrow();
        }

        /** The findings with this name, each as its result and its text; one examination at a time. */
        synchronized List<String> findings(String check) throws Exception {
            HttpResponse<String> answer = get("/doctor");
            return StreamSupport.stream(
                            Cluster.json(answer.body()).path("findings").spliterator(), false)
                    .filter(finding -> finding.path("check").asText().equals(check))
                    .map(finding -> finding.path("result").asText() + " "
                            + finding.path("finding").asText())
                    .toList();
        }

        void awaitFinding(String check, String... words) {
            Await.until("finding " + check + " with " + List.of(words), Seen.within(SOON), () -> {
                assertThat(findings(check)).anyMatch(finding -> Stream.of(words).allMatch(finding::contains));
                return true;
            });
        }

        Optional<Double> metric(String series) throws Exception {
            return get("/metrics")
                    .body()
                    .lines()
                    .filter(line -> line.startsWith(series + " "))
                    .map(line -> Double.parseDouble(line.substring(series.length() + 1)))
                    .findFirst();
        }

        List<String> lines(String... words) {
            return process.log()
                    .lines()
                    .filter(line -> Stream.of(words).allMatch(line::contains))
                    .toList();
        }

        void awaitLine(String... words) {
            Await.until(
                    "a line with " + List.of(words),
                    Seen.within(SOON),
                    () -> !lines(words).isEmpty());
        }

        @Override
        public void close() {
            process.close();
        }
    }

    private static final class ObjectNodes {
        private static JsonNode empty() {
            return Cluster.json("{}");
        }
    }

    private static Optional<JsonNode> find(JsonNode list, String field, String value) {
        return StreamSupport.stream(list.spliterator(), false)
                .filter(one -> one.path(field).asText().equals(value))
                .findFirst();
    }

    @BeforeAll
    static void start() throws Exception {
        cluster = SCENE.cluster();
        registry = SCENE.registry();
        away = SCENE.closing(DockerRegistry.start());
        locked = SCENE.closing(
                DockerRegistry.builder().user("ci", "right-pass-5678").start());
        limited = SCENE.closing(new FaultyRegistry(registry));
        thrifty = SCENE.closing(new FaultyRegistry(registry));
        limited.useUpLimit();
        namespace = SCENE.namespace();
        for (String repository : List.of("team/one", "team/two", "team/three")) {
            registry.push(repository, "latest", repository);
        }
        Path file = Files.writeString(folder.resolve("urunner.yaml"), """
                registries:
                  - {host: %s}
                  - {host: %s}
                  - {host: %s}
                  - {host: %s}
                  - {host: %s, budget: 1}
                  - {host: %s}
                """.formatted(
                        registry.host(), away.host(), locked.host(), limited.host(), thrifty.host(), UNUSED));
        agent = SCENE.closing(
                new Served("agent", Map.of("URUNNER_CONFIG", file.toString(), "URUNNER_CONF_LOG_LEVEL", "DEBUG")));
        Await.until("ready", Seen.within(SOON), agent::isReady);
    }

    private static WorkloadId deployment(String name, String image) {
        return cluster.deployment(namespace, name, image, 1);
    }

    @AtOnce
    void anExhaustedLimitIsReportedEverywhereWithTheSameTime() throws Exception {
        WorkloadId first = deployment("limited-one", limited.host() + "/team/one:latest");
        Await.until(
                "the first is known",
                Seen.within(SOON),
                () -> !agent.workload(first).path("state").isMissingNode());
        WorkloadId second = deployment("limited-two", limited.host() + "/team/two:latest");
        // One was asked before and is not reported again, the other was never asked.
        for (WorkloadId id : List.of(first, second)) {
            Await.until(
                    id + " waits",
                    Seen.within(SOON),
                    () -> agent.workload(id)
                            .path("state")
                            .path("cause")
                            .asText()
                            .equals("rate limited"));
        }
        JsonNode wait = agent.host(limited.host()).path("waits").path(0);
        String until = wait.path("until").asText();
        assertThat(Instant.parse(until)).isAfter(Instant.now().plus(Duration.ofHours(5)));
        for (WorkloadId id : List.of(first, second)) {
            JsonNode told = agent.workload(id);
            JsonNode state = told.path("state");
            assertThat(state.path("kind").asText()).isEqualTo("waiting");
            assertThat(state.path("until").asText()).isEqualTo(until);
            assertThat(state.path("since").asText())
                    .isEqualTo(wait.path("since").asText());
            assertThat(told.path("nextLook").asText()).isEqualTo(until);
            assertThat(told.path("reason").asText()).contains("limit is used up", until);
        }
        assertThat(agent.lines("WARN", "registry " + limited.host(), "limit is used up", until))
                .hasSize(1);
        agent.awaitFinding("registry", "wrong", limited.host(), "limit is used up", until);
        assertThat(agent.metric("urunner_registry_waits_until_timestamp_seconds{registry=\"" + limited.host() + "\"}"))
                .contains((double) Instant.parse(until).getEpochSecond());
        assertThat(FRACTIONS.matcher(agent.status().toString()).results()).isEmpty();
    }

    @AtOnce
    void workloadsWaitForAnUnreachableRegistryEvenIfItAnsweredBefore() throws Exception {
        away.push("team/one", "latest", "one");
        away.push("team/two", "latest", "two");
        List<WorkloadId> ids = List.of(
                deployment("away-one", away.host() + "/team/one:latest"),
                deployment("away-two", away.host() + "/team/two:latest"));
        for (WorkloadId id : ids) {
            Await.until(
                    id + " is known",
                    Seen.within(SOON),
                    () -> agent.workload(id).path("containers").path(0).has("digest"));
        }
        away.stop();
        for (WorkloadId id : ids) {
            Await.until(id + " waits", Seen.within(SOON), () -> {
                JsonNode state = agent.workload(id).path("state");
                return state.path("cause").asText().equals("registry unreachable")
                        && Instant.parse(state.path("until").asText()).isAfter(Instant.now());
            });
        }
        assertThat(agent.lines("WARN", "registry " + away.host(), "asked again at"))
                .hasSize(1);
        agent.awaitFinding("registry", "wrong", away.host(), "is not asked until");
    }

    @AtOnce
    void aBudgetThatIsTooSmallIsReported() throws Exception {
        List<WorkloadId> ids = Stream.of("one", "two", "three")
                .map(name -> deployment("thrifty-" + name, thrifty.host() + "/team/" + name + ":latest"))
                .toList();
        Await.until(
                "some wait for the budget",
                Seen.within(SOON),
                () -> ids.stream().anyMatch(id -> waitsFor(id, "request budget")));
        agent.awaitLine("INFO", "budget of registry " + thrifty.host());
        agent.awaitFinding("registry", "note", thrifty.host(), "budget");
        assertThat(agent.metric("urunner_registry_waits_until_timestamp_seconds{registry=\"" + thrifty.host() + "\"}"))
                .isPresent();
    }

    private static boolean waitsFor(WorkloadId id, String cause) {
        try {
            return agent.workload(id).path("state").path("cause").asText().equals(cause);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @AtOnce
    void anUnusedRegistryIsNotUp() throws Exception {
        agent.awaitLine("WARN", "use of registry " + UNUSED, "no watched workload uses an image from it");
        JsonNode host = agent.host(UNUSED);
        assertThat(host.path("asked").asBoolean()).isFalse();
        assertThat(host.path("healthy").asBoolean()).isFalse();
        assertThat(agent.metric("urunner_registry_up{registry=\"" + UNUSED + "\"}"))
                .contains(0.0);
        assertThat(agent.metric("urunner_registry_references{registry=\"" + UNUSED + "\"}"))
                .contains(0.0);
        agent.awaitFinding("registry", "wrong", UNUSED);
        assertThat(agent.lines("WARN", "use of registry " + UNUSED)).hasSize(1);
    }

    @AtOnce
    void aWrongAnnotationIsReportedAsAWarningAnEventAndAFinding() {
        WorkloadId id = cluster.workload(
                new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, "wrong"),
                registry.host() + "/team/one:latest",
                1,
                json -> json.withObject("/metadata/annotations").put("urunner.io/settle", "soon"));
        agent.awaitLine("WARN", id.toString(), "wrong policy annotation", "urunner.io/settle");
        Await.until(
                "the Event",
                Seen.within(SOON),
                () -> cluster.events(namespace).stream()
                        .anyMatch(event -> event.path("reason").asText().equals("RolloutBlocked")
                                && event.path("message").asText().contains("urunner.io/settle")));
        agent.awaitFinding("workload", "wrong", id.toString(), "urunner.io/settle");
        assertThat(agent.lines("WARN", id.toString())).hasSize(1);
    }

    @AtOnce
    void debugShowsEveryQuestionAndEveryPass() {
        deployment("debugged", registry.host() + "/team/three:latest");
        agent.awaitLine("DEBUG", "image " + registry.host() + "/team/three:latest: found after", " ms");
        agent.awaitLine("DEBUG", "registry " + registry.host() + ": a pass over", " ms");
    }

    @AtOnce
    void everyUselessPullSecretIsReportedToItsOwnNamespaceOnly() throws Exception {
        String own = cluster.enabledNamespace();
        String entry = "{\"auth\": \"" + base64("ci:right-pass-5678") + "\"}";
        String host = locked.host();
        secret(own, "opaque", "Opaque", "{\"auths\": {\"" + host + "\": " + entry + "}}");
        secret(own, "no-port", DOCKER, "{\"auths\": {\"127.0.0.1\": " + entry + "}}");
        secret(own, "token-only", DOCKER, "{\"auths\": {\"" + host + "\": {\"identitytoken\": \"t0ken-5678\"}}}");
        Map<String, String> said = Map.of(
                "opaque", "the secret opaque is not a pull secret: its type is Opaque",
                "no-port", "only one for 127.0.0.1",
                "token-only", "no user and password",
                "missing", "there is no secret missing");
        UsedSecrets.add("t0ken-5678");
        Map<String, WorkloadId> ids = new HashMap<>();
        for (String name : said.keySet()) {
            locked.push("team/" + name, "latest", name);
            ids.put(name, pulling(own, name, name));
        }
        String other = cluster.enabledNamespace();
        WorkloadId stranger = pulling(other, "opaque", "");
        for (Map.Entry<String, WorkloadId> one : ids.entrySet()) {
            String words = said.get(one.getKey());
            Await.until(one + " is told " + words, Seen.within(SOON), () -> {
                JsonNode told = agent.workload(one.getValue());
                assertThat(told.path("containers").path(0).path("reason").asText())
                        .contains(words, one.getKey());
                assertThat(told.path("decision").asText()).isEqualTo("deferred: no credential");
                return true;
            });
            agent.awaitFinding(
                    "image", "wrong", host + "/team/" + one.getKey() + ":latest for namespace " + own, words);
            agent.awaitLine("WARN", "with the pull secrets of namespace " + own, words);
        }
        Await.until(
                "the stranger is told",
                Seen.within(SOON),
                () -> agent.workload(stranger).path("decision").asText().equals("deferred: no credential"));
        assertThat(agent.workload(stranger).toString()).doesNotContain("the secret opaque", own);
        assertThat(agent.get("/status").body() + agent.process.log()).doesNotContain("t0ken-5678", "right-pass-5678");
    }

    private static final String DOCKER = "kubernetes.io/dockerconfigjson";

    private static WorkloadId pulling(String where, String repository, String secret) {
        return cluster.workload(
                new WorkloadId(where, WorkloadKind.DEPLOYMENT, repository),
                locked.host() + "/team/" + repository + ":latest",
                1,
                workload -> {
                    if (!secret.isEmpty()) {
                        workload.withObject("/spec/template/spec")
                                .withArray("imagePullSecrets")
                                .addObject()
                                .put("name", secret);
                    }
                });
    }

    private static void secret(String where, String name, String type, String config) {
        ObjectNode secret = Cluster.object("v1", "Secret", name);
        secret.put("type", type);
        secret.putObject("data").put(".dockerconfigjson", base64(config));
        cluster.create("/api/v1/namespaces/" + where + "/secrets", secret);
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    @AtOnce
    void namespacesGettingOrLosingTheLabelAreReportedAndSoIsHavingNone() throws Exception {
        String plain = cluster.plainNamespace();
        try (Served one = new Served("scoped", Map.of("URUNNER_CONF_NAMESPACES", plain))) {
            one.awaitLine("WARN", "namespaces: no namespace", "urunner=enable");
            assertThat(one.metric("urunner_namespaces")).contains(0.0);
            one.awaitFinding("namespaces", "wrong", "no namespace is labelled");
            cluster.labelNamespace(plain, "enable");
            one.awaitLine("INFO", "now watched: " + plain);
            assertThat(one.metric("urunner_namespaces")).contains(1.0);
            one.awaitFinding("namespaces", "ok", plain);
            cluster.labelNamespace(plain, null);
            one.awaitLine("WARN", "no longer watched", plain);
            Await.until(
                    "none",
                    Seen.within(SOON),
                    () -> one.lines("WARN", "namespaces: no namespace").size() == 2);
        }
    }

    @AtOnce
    void anExpiredTokenIsNotMistakenForAnEmptyCluster() throws Exception {
        Path kubeconfig = Files.writeString(
                folder.resolve("expired"),
                Files.readString(cluster.tokenKubeconfig(namespace, "default"))
                        .replaceAll("(\"token\":\")[^\"]+", "$1expired"));
        Map<String, String> everywhere = Map.of("KUBECONFIG", kubeconfig.toString());
        Map<String, String> scoped = new HashMap<>(everywhere);
        scoped.put("URUNNER_CONF_NAMESPACES", namespace);
        for (Map<String, String> settings : List.of(everywhere, scoped)) {
            try (Served one = new Served("expired-" + settings.size(), settings)) {
                one.awaitLine("WARN", "does not accept the agent's credential (401)");
                HttpResponse<String> ready = one.get("/readyz");
                assertThat(ready.statusCode()).isEqualTo(503);
                assertThat(ready.body()).contains("not synced with the cluster yet", "401");
                one.awaitFinding("namespaces", "wrong", "is not known which are labelled", "401");
                one.awaitFinding("cluster", "wrong", "401");
                assertThat(one.findings("namespaces")).noneMatch(words -> words.contains("no namespace is labelled"));
                assertThat(one.lines("synced with the cluster")).isEmpty();
                assertThat(one.lines("WARN", "401")).hasSize(1);
            }
        }
    }
}
