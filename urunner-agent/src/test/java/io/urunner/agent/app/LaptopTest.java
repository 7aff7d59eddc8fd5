package io.urunner.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.urunner.agent.app.InProcess.Result;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands on a machine that has only a kubeconfig, with an API server whose answers the test sets. */
class LaptopTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String AGENT = """
            {"metadata": {"namespace": "agents", "name": "urunner"},
             "spec": {"selector": {"matchLabels": {"app": "urunner"}}, "template": {"spec": {
               "serviceAccountName": "watcher",
               "containers": [{"name": "urunner", "ports": [{"name": "http", "containerPort": 8080}],
                 "envFrom": [{"secretRef": {"name": "urunner", "optional": true}}],
                 "env": [{"name": "URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", "value": "127.0.0.1:1"},
                   {"name": "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "value": "generic"}]}]}}}}""";

    @TempDir
    private Path folder;

    private final CountDownLatch end = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<JsonNode> reviews = new CopyOnWriteArrayList<>();
    /** The lists by path and selector, separated by {@code ?}. */
    private final Map<String, String> lists = new HashMap<>();
    /** The requests to refuse, by method and path. */
    private Predicate<String> refused = request -> false;
    /** The permissions that the agent's account lacks, as attributes of a review. */
    private Predicate<JsonNode> lacked = attributes -> false;

    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.setExecutor(threads);
        server.start();
        lists.put("/apis/apps/v1/namespaces/agents/deployments?app.kubernetes.io/name=urunner", AGENT);
        lists.put("/apis/apps/v1/deployments?app.kubernetes.io/name=urunner", AGENT);
        lists.put("/api/v1/namespaces?urunner=enable", namespace("pay", "enable"));
    }

    @AfterEach
    void stop() {
        end.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    private static String namespace(String name, String label) {
        return "{\"metadata\": {\"name\": \"%s\", \"uid\": \"%s\", \"resourceVersion\": \"1\", \"labels\": {\"urunner\": \"%s\"}}}"
                .formatted(name, name, label);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            String query =
                    Optional.ofNullable(exchange.getRequestURI().getRawQuery()).orElse("");
            if (refused.test(exchange.getRequestMethod() + " " + path)) {
                send(exchange, 403, "{\"kind\": \"Status\", \"message\": \"not you\", \"reason\": \"Forbidden\"}");
            } else if (path.endsWith("reviews")) {
                JsonNode review = JSON.readTree(exchange.getRequestBody());
                reviews.add(review);
                boolean allowed = path.contains("selfsubject")
                        || !lacked.test(review.path("spec").path("resourceAttributes"));
                send(exchange, 201, "{\"status\": {\"allowed\": " + allowed + "}}");
            } else if (query.contains("watch=")) {
                exchange.sendResponseHeaders(200, 0);
                exchange.getResponseBody().flush();
                end.await();
            } else if (path.contains("/secrets/")) {
                send(exchange, 404, "{\"kind\": \"Status\", \"message\": \"there is none\", \"reason\": \"NotFound\"}");
            } else {
                String selector = query.contains("labelSelector=")
                        ? "?"
                                + URLDecoder.decode(
                                        query.replaceFirst(".*labelSelector=([^&]*).*", "$1"), StandardCharsets.UTF_8)
                        : "";
                send(
                        exchange,
                        200,
                        "{\"kind\": \"List\", \"metadata\": {\"resourceVersion\": \"1\"}, \"items\": ["
                                + lists.getOrDefault(path + selector, "") + "]}");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private Result run(String... arguments) throws IOException {
        Path kubeconfig = Files.writeString(
                folder.resolve("kubeconfig"), """
                {apiVersion: v1, kind: Config, current-context: one,
                 contexts: [{name: one, context: {cluster: one, user: anna, namespace: shop}}],
                 users: [{name: anna, user: {}}],
                 clusters: [{name: one, cluster: {server: "http://127.0.0.1:%d"}}]}
                """.formatted(server.getAddress().getPort()));
        return InProcess.run(
                Map.of("KUBECONFIG", kubeconfig.toString(), "HOME", folder.toString(), "COLUMNS", "1000"), arguments);
    }

    private Result doctor() throws IOException {
        return run("doctor", "--agent-namespace", "agents");
    }

    private static List<String> rows(Result of, String check) {
        return of.out()
                .lines()
                .filter(line -> line.startsWith(check + " "))
                .map(line -> line.replaceAll(" {2,}", " "))
                .toList();
    }

    @Test
    void theReasonForALookFromHereIsPrintedOnceWithTheValueThatChangesIt() throws Exception {
        Result told = doctor();

        String why = "the agent agents/urunner has no token for queries"
                + " (set secret.extra.URUNNER_SECR_HTTP_TOKEN in the chart's values)";
        assertThat(told.out())
                .startsWith("checked from here, without changing anything, because " + why
                        + "; to ask the agent itself: 'kubectl -n agents exec deploy/urunner -- urunner ...'");
        assertThat(rows(told, "last pass")).containsExactly("last pass note not known from here, because " + why);
        assertThat(told.out() + told.err()).doesNotContain("no running agent", "was found");
        assertThat(told.err().lines())
                .containsExactly("urunner: using the settings of the agent agents/urunner in the kubeconfig's cluster");
    }

    @Test
    void aHistoryInThePodIsNotSeen() throws Exception {
        assertThat(rows(doctor(), "history"))
                .singleElement()
                .asString()
                .startsWith("history note the history of the agent agents/urunner is a file in its pod: ");
        assertThat(run("explain", "--agent-namespace", "agents").out())
                .contains("no history: the history of the agent agents/urunner is a file in its pod: ");
    }

    @Test
    void thePermissionsOfTheAgentAreCheckedWithARowForEachNamespace() throws Exception {
        lacked = attributes -> !attributes.path("resource").asText().equals("namespaces");
        Result told = doctor();

        assertThat(reviews).isNotEmpty().allSatisfy(review -> {
            assertThat(review.path("spec").path("user").asText()).isEqualTo("system:serviceaccount:agents:watcher");
            assertThat(review.path("spec").path("groups").toString())
                    .isEqualTo(
                            "[\"system:serviceaccounts\",\"system:serviceaccounts:agents\",\"system:authenticated\"]");
        });
        assertThat(rows(told, "permission"))
                .containsExactly(
                        "permission ok 2 of the permissions that the agent uses are granted to system:serviceaccount:agents:watcher",
                        "permission WRONG in namespace pay the agent is not allowed to get, list, watch, patch deployments.apps,"
                                + " statefulsets.apps, daemonsets.apps; list, watch replicasets.apps,"
                                + " controllerrevisions.apps, pods; create, patch events",
                        "permission note in namespace pay the agent is not allowed to get secrets, serviceaccounts (optional)",
                        "permission note in namespace pay the agent is not allowed to delete pods (optional)");
        assertThat(told.out()).contains("rbac.create=true", "rbac.readAllSecrets", "rbac.deleteStuckPods");

        lists.put("/api/v1/namespaces?urunner=enable", namespace("pay", "enable") + "," + namespace("shop", "enable"));
        assertThat(rows(doctor(), "permission"))
                .hasSize(5)
                .contains(
                        "permission note in namespace pay, in namespace shop the agent is not allowed to delete pods (optional)");
    }

    @Test
    void withoutPermissionToReviewTheDoctorSaysThatTheAgentIsNotChecked() throws Exception {
        refused = request -> request.equals("POST /apis/authorization.k8s.io/v1/subjectaccessreviews");
        assertThat(rows(doctor(), "permission"))
                .singleElement()
                .asString()
                .startsWith("permission note ")
                .endsWith("are granted to you; the agent's own are not checked");
    }

    @Test
    void aLabelWithAWrongValueIsNamed() throws Exception {
        lists.put("/api/v1/namespaces?urunner,urunner!=enable", namespace("shop", "enabled"));
        lists.put("/apis/apps/v1/statefulsets?urunner,urunner!=disable", """
                {"metadata": {"namespace": "pay", "name": "db", "labels": {"urunner": "disabled"}}}""");
        Result told = doctor();
        assertThat(rows(told, "namespaces"))
                .containsExactly(
                        "namespaces ok 1 labelled: pay",
                        "namespaces WRONG namespace shop has urunner=enabled, which is not urunner=enable, so it is not"
                                + " watched");
        assertThat(rows(told, "workload"))
                .containsExactly(
                        "workload WRONG pay/StatefulSet/db has urunner=disabled, which is not urunner=disable, so"
                                + " it is watched");
        assertThat(told.out())
                .contains("-> kubectl label --overwrite namespace shop urunner=enable")
                .contains("-> kubectl -n pay label --overwrite statefulsets db urunner=disable");

        lists.put("/api/v1/namespaces?urunner=enable", "");
        lists.put("/api/v1/namespaces?urunner,urunner!=enable", namespace("shop", "Enable"));
        assertThat(rows(doctor(), "namespaces"))
                .singleElement()
                .asString()
                .startsWith("namespaces WRONG namespace shop has urunner=Enable");
        lists.put("/api/v1/namespaces?urunner,urunner!=enable", namespace("shop", "team-a"));
        assertThat(rows(doctor(), "namespaces"))
                .hasSize(2)
                .anyMatch(row -> row.startsWith("namespaces note namespace shop has urunner=team-a"))
                .contains("namespaces WRONG no namespace is labelled urunner=enable");
        lists.put("/api/v1/namespaces?urunner,urunner!=enable", namespace("shop", "disable"));
        assertThat(rows(doctor(), "namespaces"))
                .containsExactly("namespaces WRONG no namespace is labelled urunner=enable");
    }

    @Test
    void nothingIsReportedAboutAClusterThatCannotBeSeen() throws Exception {
        refused = request -> request.equals("GET /api/v1/namespaces");
        Result told = doctor();
        assertThat(rows(told, "due"))
                .containsExactly("due note not known: not everything in the cluster has been seen");
        assertThat(told.out()).doesNotContain("check that their namespaces are labelled", "no namespace is labelled");
        assertThat(rows(told, "cluster")).singleElement().asString().contains("not allowed to list namespaces");
        assertThat(told.out()).contains("this concerns your own access, not the agent's: ask for this permission");
    }

    @Test
    void aNamespaceIsRequestedOnlyIfItHelps() throws Exception {
        refused = request -> request.contains("/secrets/");
        assertThat(run("history", "shop/deploy/web").err())
                .contains("not allowed to get secrets in namespace agents", "kubectl exec")
                .doesNotContain("--agent-namespace");
        refused = request -> request.endsWith("/deployments");
        assertThat(run("history", "shop/deploy/web").err())
                .contains("not allowed to list deployments", "name the agent's namespace with --agent-namespace");
        refused = request -> false;
        lists.clear();
        assertThat(run("history", "shop/deploy/web").err()).contains("no agent was found", "install it (docs/install)");
    }
}
