package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.urunner.kube.WatchInLittleMemory.Seen;
import io.urunner.kube.testing.Await;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a tenant may put into one namespace, with a watch that has as much memory as the image. */
class CrowdedClusterIT {
    private static final Duration SOON = Duration.ofSeconds(120);
    private static final Pattern LIMIT = Pattern.compile("limit=(\\d+)");
    private static final Pattern CONTINUE = Pattern.compile("continue=(\\d+)");

    /**
     * An API server allows objects of 1.5 MB; an environment of this size is in the object, its ReplicaSets and its
     * pods.
     */
    private static final String ENVIRONMENT =
            "\"env\": [{\"name\": \"E\", \"value\": \"" + "\\u003c".repeat(200_000) + "\"}]";

    @TempDir
    Path folder;

    private final Map<String, Objects> lists = new ConcurrentHashMap<>();
    private final Map<String, Queue<String>> events = new ConcurrentHashMap<>();

    /** The watch of a path that gets its events: others may have been given up by their client. */
    private final Map<String, Object> newest = new ConcurrentHashMap<>();

    private final ExecutorService handlers = Executors.newCachedThreadPool();
    private HttpServer server;
    private WatchInLittleMemory watch;

    private record Objects(int number, IntFunction<String> object) {}

    @BeforeEach
    void start() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(handlers);
        server.createContext("/", this::answer);
        server.start();
        there("/api/v1/namespaces", 2, n -> namespace(n == 0 ? "evil" : "shop", ""));
        there(
                "/apis/apps/v1/namespaces/shop/deployments",
                1,
                n -> deployment("shop", "web", 1, "", container("app", "")));
        there("/apis/apps/v1/namespaces/shop/replicasets", 1, n -> replicaSet("shop", "web", 0));
        there("/api/v1/namespaces/shop/pods", 2, n -> pod("shop", "web", n, status("app", "")));
    }

    @AfterEach
    void stop() {
        if (watch != null) {
            watch.close();
        }
        server.stop(0);
        handlers.shutdownNow();
    }

    private void there(String path, int number, IntFunction<String> object) {
        lists.put(path, new Objects(number, object));
    }

    private Queue<String> events(String path) {
        return events.computeIfAbsent(path, added -> new ConcurrentLinkedQueue<>());
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String query = String.valueOf(exchange.getRequestURI().getRawQuery());
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
            if (query.contains("watch=1")) {
                Object watch = new Object();
                newest.put(path, watch);
                Queue<String> waiting = events(path);
                while (newest.get(path) == watch) {
                    String event = waiting.peek();
                    if (event == null) {
                        Thread.sleep(20);
                        out.flush();
                    } else {
                        write(out, event);
                        out.flush();
                        waiting.remove(event);
                    }
                }
            } else {
                list(out, path, query);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void list(OutputStream out, String path, String query) throws IOException {
        Objects objects = lists.getOrDefault(path, new Objects(0, n -> ""));
        int from = number(CONTINUE, query, 0);
        int to = Math.min(objects.number(), from + number(LIMIT, query, Integer.MAX_VALUE / 2));
        write(out, "{\"kind\": \"List\", \"metadata\": {\"resourceVersion\": \"1\"");
        write(out, to < objects.number() ? ", \"continue\": \"" + to + "\"" : "");
        write(out, "}, \"items\": [");
        for (int n = from; n < to; n++) {
            write(out, (n == from ? "" : ", ") + objects.object().apply(n));
        }
        write(out, "]}");
    }

    private static int number(Pattern pattern, String query, int otherwise) {
        Matcher matcher = pattern.matcher(query);
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : otherwise;
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String namespace(String name, String annotation) {
        return """
                {"metadata": {"uid": "%1$s", "name": "%1$s", "labels": {"urunner": "enable"}, "annotations": {"a": "%2$s"}}}""".formatted(name, annotation);
    }

    private static String deployment(
            String namespace, String name, int generation, String annotations, String containers) {
        return """
                {"metadata": {"namespace": "%1$s", "name": "%2$s", "uid": "%1$s-%2$s", "resourceVersion": "%3$d",
                  "generation": %3$d, "annotations": {"deployment.kubernetes.io/revision": "1"%4$s}},
                 "spec": {"replicas": 2, "template": {"spec": {"containers": [%5$s]}}},
                 "status": {"observedGeneration": %3$d, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}}""".formatted(namespace, name, generation, annotations, containers);
    }

    private static String container(String name, String more) {
        return """
                {"name": "%s", "image": "registry.example.com/a:1", "imagePullPolicy": "Always"%s}""".formatted(name, more);
    }

    private static String replicaSet(String namespace, String name, int n) {
        return """
                {"metadata": {"namespace": "%1$s", "name": "%2$s-%3$d", "uid": "rs-%1$s-%2$s-%3$d", "resourceVersion": "1",
                  "labels": {"pod-template-hash": "h%3$d"}, "annotations": {"deployment.kubernetes.io/revision": "%4$d"},
                  "ownerReferences": [{"kind": "Deployment", "controller": true, "uid": "%1$s-%2$s"}]},
                 "spec": {"template": {"spec": {"containers": [{"name": "app", %5$s}]}}}}""".formatted(namespace, name, n, n + 1, ENVIRONMENT);
    }

    private static String pod(String namespace, String name, int n, String statuses) {
        return """
                {"metadata": {"namespace": "%1$s", "name": "%2$s-0-%3$d", "uid": "pod-%1$s-%2$s-%3$d", "resourceVersion": "1",
                  "labels": {"pod-template-hash": "h0"},
                  "ownerReferences": [{"kind": "ReplicaSet", "controller": true, "uid": "rs-%1$s-%2$s-0"}]},
                 "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                   "containerStatuses": [%4$s]}}""".formatted(namespace, name, n, statuses);
    }

    private static String status(String name, String message) {
        return """
                {"name": "%s", "imageID": "registry.example.com/a@sha256:%s", "ready": true, "restartCount": 0,
                 "state": {"waiting": {"reason": "ImagePullBackOff", "message": "%s"}}}""".formatted(name, "0".repeat(64), message);
    }

    private static String event(String type, String object) {
        return "{\"type\": \"" + type + "\", \"object\": " + object + "}\n";
    }

    /** Starts watching, and waits until everything is seen. */
    private void look() throws IOException {
        Path kubeconfig = Files.writeString(
                folder.resolve("config"), """
                current-context: test
                contexts: [{name: test, context: {cluster: test, user: nobody}}]
                clusters: [{name: test, cluster: {server: "http://127.0.0.1:%d"}}]
                users: [{name: nobody, user: {}}]
                """.formatted(server.getAddress().getPort()));
        watch = new WatchInLittleMemory(kubeconfig);
        Await.until("synced", SOON, watch::synced);
        othersAreSeen();
    }

    private void othersAreSeen() {
        assertThat(watch.find("shop/Deployment/web")).satisfies(web -> {
            assertThat(web.pods()).isEqualTo(2);
            assertThat(web.problems()).isEmpty();
        });
    }

    @Test
    void anEnvironmentOfAMegabyteInEveryPodAndRevisionFitsIntoMemory() throws Exception {
        String pods = "/api/v1/namespaces/evil/pods";
        there("/api/v1/namespaces", 2, n -> namespace(n == 0 ? "evil" : "shop", "x".repeat(1_200_000)));
        there(
                "/apis/apps/v1/namespaces/evil/deployments",
                1,
                n -> deployment("evil", "big", 1, "", container("app", ", " + ENVIRONMENT)));
        there("/apis/apps/v1/namespaces/evil/replicasets", 10, n -> replicaSet("evil", "big", n));
        IntFunction<String> pod = n -> pod("evil", "big", n, status("app", ""))
                .replace("\"status\":", "\"spec\": {\"containers\": [{" + ENVIRONMENT + "}]}, \"status\":");
        there(pods, 60, pod);
        look();
        assertThat(watch.find("evil/Deployment/big")).isEqualTo(new Seen(60, 1, 0, List.of()));
        for (int n = 0; n < 120; n++) {
            events(pods).add(event(n < 60 ? "MODIFIED" : "DELETED", pod.apply(n % 60)));
        }
        Await.until(
                "its pods are gone",
                SOON,
                () -> watch.find("evil/Deployment/big").pods() == 0);
        assertThat(watch.memory()).isLessThan(20_000_000);
    }

    @Test
    void longAnnotationsOfOursAreReportedAndNotKept() throws Exception {
        there(
                "/apis/apps/v1/namespaces/evil/deployments",
                40,
                n -> deployment(
                        "evil",
                        "long-" + n,
                        1,
                        ", \"urunner.io/" + (n % 2 == 0 ? "window" : "state") + "\": \"" + "\\\"".repeat(255_000)
                                + "\"",
                        container("app", "")));
        there("/api/v1/namespaces/evil/pods", 0, n -> "");
        look();
        for (int n = 0; n < 40; n++) {
            Seen seen = watch.find("evil/Deployment/long-" + n);
            assertThat(seen.annotations()).isZero();
            assertThat(seen.problems())
                    .containsExactly("annotation urunner.io/" + (n % 2 == 0 ? "window" : "state")
                            + ": it has more than 4096 characters: shorten or remove it");
        }
    }

    @Test
    void podsOfAThousandContainersAreTooLargeToBeWatched() throws Exception {
        StringBuilder containers = new StringBuilder(container("first", ""));
        StringBuilder statuses = new StringBuilder(status("first", ""));
        for (int n = 0; n < 1_000; n++) {
            containers.append(", ").append(container("c" + n, ""));
            statuses.append(", ").append(status("c" + n, "not found ".repeat(10)));
        }
        there(
                "/apis/apps/v1/namespaces/evil/deployments",
                100,
                n -> deployment("evil", "many-" + n, 1, "", containers.toString()));
        there("/apis/apps/v1/namespaces/evil/replicasets", 100, n -> replicaSet("evil", "many-" + n, 0));
        there("/api/v1/namespaces/evil/pods", 500, n -> pod("evil", "many-" + n % 100, n, statuses.toString()));
        look();
        assertThat(watch.find("evil/Deployment/many-7").problems())
                .singleElement()
                .asString()
                .startsWith("it is too large to be watched: ");
    }

    @Test
    void theLargestWorkloadIsNotFollowedIfAllTogetherAreTooLarge() throws Exception {
        there(
                "/apis/apps/v1/namespaces/evil/deployments",
                2,
                n -> deployment("evil", n == 0 ? "large" : "small", 1, "", container("app", "")));
        there("/apis/apps/v1/namespaces/evil/replicasets", 2, n -> replicaSet("evil", n == 0 ? "large" : "small", 0));
        String statuses = status("app", "x".repeat(1_000));
        there("/api/v1/namespaces/evil/pods", 50_000, n -> pod("evil", n == 3 ? "small" : "large", n, statuses));
        look();
        assertThat(watch.find("evil/Deployment/large").problems())
                .singleElement()
                .asString()
                .matches("it is too large to be watched: it and its pods would take \\d+ kB of memory, of 1\\d{4} kB"
                        + " for all workloads");
        assertThat(watch.find("evil/Deployment/small")).isEqualTo(new Seen(1, 1, 0, List.of()));

        // After a change it gets another try.
        there("/api/v1/namespaces/evil/pods", 100, n -> pod("evil", n == 3 ? "small" : "large", n, statuses));
        there(
                "/apis/apps/v1/namespaces/evil/deployments",
                2,
                n -> deployment("evil", n == 0 ? "large" : "small", 2, "", container("app", "")));
        events("/apis/apps/v1/namespaces/evil/deployments")
                .add(event("MODIFIED", deployment("evil", "large", 2, "", container("app", ""))));
        Await.until(
                "it is followed",
                SOON,
                () -> watch.find("evil/Deployment/large").problems().isEmpty()
                        && watch.find("evil/Deployment/large").pods() == 99);
        othersAreSeen();
    }

    @Test
    void moreWorkloadsThanFitAreReported() throws Exception {
        there(
                "/apis/apps/v1/namespaces/evil/deployments",
                200_000,
                n -> deployment("evil", "small-" + n, 1, "", container("app", "")));
        look();
        assertThat(watch.problems()).contains("cannot watch namespace evil: it has more workloads than fit in memory");
        assertThat(watch.find("evil/Deployment/small-1")).isNull();
    }

    @Test
    void podsWithoutAWorkloadDoNoHarm() throws Exception {
        there(
                "/apis/apps/v1/namespaces/evil/deployments",
                1,
                n -> deployment("evil", "small", 1, "", container("app", "")));
        there("/api/v1/namespaces/evil/pods", 50_000, n -> pod("evil", "none-" + n % 20_000, n, status("app", "")));
        look();
        assertThat(watch.find("shop/Deployment/web").problems()).isEmpty();
    }

    @Test
    void anEndlessEventDoesNoHarm() throws Exception {
        there(
                "/apis/apps/v1/namespaces/evil/deployments",
                1,
                n -> deployment("evil", "small", 1, "", container("app", "")));
        look();
        String deployments = "/apis/apps/v1/namespaces/evil/deployments";
        String part = "x".repeat(1_000_000);
        // A watch that begins anew gets a list that has the change.
        there(deployments, 1, n -> deployment("evil", "small", 2, "", ""));
        events(deployments).add("{\"type\": \"MODIFIED\", \"object\": {\"metadata\": {\"uid\": \"");
        for (int n = 0; n < 200; n++) {
            events(deployments).add(part);
        }
        events(deployments).add("\", \"resourceVersion\": \"2\", \"other\": \"");
        for (int n = 0; n < 200; n++) {
            events(deployments).add(part);
        }
        events(deployments).add("\"}}}\n" + event("MODIFIED", deployment("evil", "small", 2, "", "")));
        Await.until(
                "the next one is seen",
                SOON,
                () -> watch.find("evil/Deployment/small").containers() == 0);
        assertThat(watch.memory()).isLessThan(20_000_000);
        othersAreSeen();
    }
}
