package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.KubeAccess.Permission;
import io.urunner.kube.KubeEvents.Type;
import io.urunner.kube.testing.ApiServer;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.kube.testing.TestContainerState;
import io.urunner.kube.testing.TestPod;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** All requests to the API server, on a real one without controllers. */
class RestarterIT {
    private static final Instant NOW = Instant.parse("2026-11-23T10:00:00Z");
    private static final Duration SOON = Duration.ofSeconds(30);

    @AutoClose
    private static ApiServer server;

    private Cluster cluster;
    private String namespace;
    private ScheduledExecutorService executor;
    private KubeConnection connection;
    private Restarter restarter;

    @BeforeAll
    static void startServer() {
        server = ApiServer.start();
    }

    @BeforeEach
    void connect() {
        cluster = Cluster.of(server.kubeconfig());
        namespace = cluster.enabledNamespace();
        executor = Executors.newScheduledThreadPool(2);
        connection = new KubeConnection(server.configuration(), executor);
        restarter = new Restarter(connection);
    }

    @AfterEach
    void disconnect() {
        connection.close();
        executor.shutdownNow();
        cluster.close();
    }

    private static DigestsAnnotation digests(String digest) {
        return new DigestsAnnotation(new TreeMap<>(Map.of("app", "registry.example/app:latest@" + digest)));
    }

    private static WorkloadState state(String digest) {
        return new WorkloadState(
                new TreeMap<>(Map.of(
                        "app",
                        TestContainerState.of("registry.example/app:latest")
                                .acted(digest)
                                .at(NOW)
                                .build())),
                Optional.empty());
    }

    private static Restart restart(String digest) {
        return new Restart(digests(digest), state(digest), NOW);
    }

    private Workload read(WorkloadId id) throws KubeException {
        return restarter.read(id).orElseThrow();
    }

    @Test
    void onePatchWritesTemplateAndStateTogether() throws Exception {
        WorkloadId id = cluster.deployment(namespace, "web", "registry.example/app:latest", 1);
        Workload planned = read(id);
        PatchResult result = restarter.restart(planned, restart("sha256:1"));
        JsonNode json = cluster.read(id);
        assertThat(result)
                .isEqualTo(new PatchResult.Patched(
                        json.path("metadata").path("resourceVersion").asText(), planned.generation() + 1));
        JsonNode template = json.path("spec").path("template");
        assertThat(template.path("metadata")
                        .path("annotations")
                        .path("kubectl.kubernetes.io/restartedAt")
                        .asText())
                .isEqualTo("2026-11-23T10:00:00Z");
        Workload patched = read(id);
        assertThat(DigestsAnnotation.parse(patched.templateAnnotations().get(Workload.DIGESTS)))
                .contains(digests("sha256:1"));
        assertThat(WorkloadState.parse(patched.annotations().get(Workload.STATE)))
                .contains(state("sha256:1"));
        assertThat(json.at("/metadata/managedFields").findValuesAsText("manager"))
                .contains("urunner");
        assertThat(patched.containers()).isEqualTo(planned.containers());
        assertThat(json.path("spec")
                        .path("template")
                        .path("metadata")
                        .path("labels")
                        .path("app")
                        .asText())
                .isEqualTo("web");
    }

    @Test
    void theSamePatchAgainChangesNothing() throws Exception {
        WorkloadId id = cluster.statefulSet(namespace, "base", "registry.example/app:latest", 1);
        Workload planned = read(id);
        PatchResult first = restarter.restart(planned, restart("sha256:1"));
        assertThat(restarter.restart(planned, restart("sha256:1"))).isEqualTo(new PatchResult.Conflict());
        assertThat(restarter.restart(read(id), restart("sha256:1"))).isEqualTo(first);
    }

    @Test
    void aChangedOrDeletedWorkloadIsNotPatched() throws Exception {
        WorkloadId id = cluster.deployment(namespace, "web", "app", 1);
        Workload planned = read(id);
        cluster.edit(id, "{\"spec\": {\"replicas\": 3}}");
        assertThat(restarter.restart(planned, restart("sha256:1"))).isEqualTo(new PatchResult.Conflict());
        assertThat(restarter.remember(planned, state("sha256:1"))).isEqualTo(new PatchResult.Conflict());
        Workload again = read(id);
        cluster.delete(id);
        assertThat(restarter.restart(again, restart("sha256:1"))).isEqualTo(new PatchResult.Gone());
        assertThat(restarter.read(id)).isEmpty();
        cluster.deployment(namespace, "web", "app", 1);
        assertThat(restarter.restart(again, restart("sha256:1"))).isEqualTo(new PatchResult.Conflict());
    }

    @Test
    void rememberingStartsNoRollout() throws Exception {
        WorkloadId id = cluster.daemonSet(namespace, "agent", "app");
        Workload planned = read(id);
        PatchResult result = restarter.remember(planned, state("sha256:1"));
        assertThat(((PatchResult.Patched) result).generation()).isEqualTo(planned.generation());
        assertThat(read(id).annotations()).containsKey(Workload.STATE);
        assertThat(restarter.remember(read(id), WorkloadState.EMPTY)).isInstanceOf(PatchResult.Patched.class);
        assertThat(read(id).annotations()).isEmpty();
    }

    @Test
    void imagesArePinnedAndUnpinnedWithoutTouchingTheOthers() throws Exception {
        WorkloadId id =
                cluster.workload(new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, "web"), "app:latest", 1, object -> {
                    ObjectNode spec =
                            (ObjectNode) object.path("spec").path("template").path("spec");
                    spec.withArray("containers").addObject().put("name", "side").put("image", "side:latest");
                    spec.withArray("initContainers")
                            .addObject()
                            .put("name", "init")
                            .put("image", "init:latest");
                });
        restarter.restart(
                read(id),
                new Restart(
                        digests("sha256:1"),
                        WorkloadState.EMPTY,
                        NOW,
                        Map.of("app", "app:latest@sha256:1", "init", "init:latest@sha256:2")));
        assertThat(read(id).containers())
                .extracting(Container::image)
                .containsExactly("init:latest@sha256:2", "app:latest@sha256:1", "side:latest");
    }

    @Test
    void aMissingPermissionIsNamed() throws Exception {
        WorkloadId id = cluster.deployment(namespace, "web", "app", 1);
        Path kubeconfig = cluster.serviceAccount(
                namespace,
                "reader",
                "[{\"apiGroups\": [\"apps\", \"\"], \"resources\": [\"*\"], \"verbs\": [\"get\", \"list\"]}]");
        try (KubeConnection reader = new KubeConnection(KubeConfiguration.kubeconfig(kubeconfig), executor)) {
            Restarter weak = new Restarter(reader);
            Workload planned = weak.read(id).orElseThrow();
            assertThatThrownBy(() -> weak.restart(planned, restart("sha256:1")))
                    .isInstanceOfSatisfying(
                            KubeException.class, e -> assertThat(e.forbidden()).isTrue())
                    .hasMessageStartingWith("not allowed to patch deployments in namespace " + namespace + " (web)");
            KubeAccess access = new KubeAccess(reader);
            assertThat(access.allowed(new Permission("get", "apps", "deployments", Optional.of(namespace))))
                    .isTrue();
            assertThat(access.allowed(new Permission("patch", "apps", "deployments", Optional.of(namespace))))
                    .isFalse();
            assertThat(access.allowed(new Permission("list", "", "namespaces", Optional.empty())))
                    .isTrue();
        } finally {
            cluster.deleteRole(namespace, "reader");
        }
    }

    @Test
    void anUnreachableApiServerIsNamed() throws Exception {
        String gone = java.nio.file.Files.readString(cluster.tokenKubeconfig(namespace, accountNamed("a")))
                .replaceAll("https://[^\"]+", "https://127.0.0.1:1");
        Path kubeconfig = java.nio.file.Files.createTempFile("gone", "");
        java.nio.file.Files.writeString(kubeconfig, gone);
        try (KubeConnection nowhere = new KubeConnection(KubeConfiguration.kubeconfig(kubeconfig), executor)) {
            assertThatThrownBy(() -> new KubeAccess(nowhere).version())
                    .isInstanceOfSatisfying(
                            KubeException.class, e -> assertThat(e.status()).isEqualTo(KubeException.NO_ANSWER))
                    .hasMessageContaining("https://127.0.0.1:1");
        }
    }

    private String accountNamed(String name) {
        cluster.create(
                "/api/v1/namespaces/" + namespace + "/serviceaccounts", Cluster.object("v1", "ServiceAccount", name));
        return name;
    }

    @Test
    void pullSecretsAreReadByName() throws Exception {
        KubeAccess access = new KubeAccess(connection);
        assertThat(access.version()).startsWith("v1.");
        ObjectNode secret = Cluster.object("v1", "Secret", "pull");
        secret.withObject("/stringData").put("key", "välue");
        cluster.create("/api/v1/namespaces/" + namespace + "/secrets", secret);
        assertThat(new String(
                        access.secret(namespace, "pull").orElseThrow().data().get("key"), StandardCharsets.UTF_8))
                .isEqualTo("välue");
        assertThat(access.secret(namespace, "none")).isEmpty();
        ObjectNode account = Cluster.object("v1", "ServiceAccount", "robot");
        account.putArray("imagePullSecrets").addObject().put("name", "pull");
        cluster.create("/api/v1/namespaces/" + namespace + "/serviceaccounts", account);
        assertThat(access.pullSecrets(namespace, "robot")).containsExactly("pull");
        assertThat(access.pullSecrets(namespace, "none")).isEmpty();
    }

    @Test
    void onlyTheIntendedPodIsDeleted() throws Exception {
        ObjectNode pod = Cluster.object("v1", "Pod", "p");
        pod.withObject("/spec")
                .putArray("containers")
                .addObject()
                .put("name", "app")
                .put("image", "app");
        String uid = cluster.create("/api/v1/namespaces/" + namespace + "/pods", pod)
                .path("metadata")
                .path("uid")
                .asText();
        assertThat(restarter.deletePod(namespace, pod("p", "another"))).isFalse();
        assertThat(cluster.pods(namespace)).hasSize(1);
        assertThat(restarter.deletePod(namespace, pod("p", uid))).isTrue();
        Await.until("the pod is gone", SOON, () -> cluster.pods(namespace).isEmpty());
        assertThat(restarter.deletePod(namespace, pod("p", uid))).isFalse();
    }

    private static Pod pod(String name, String uid) {
        return TestPod.named(name).uid(uid).build();
    }

    @Test
    void theSameEventIsCounted() throws Exception {
        Workload workload = read(cluster.deployment(namespace, "web", "app", 1));
        KubeEvents events = new KubeEvents(connection, "urunner", "pod-1", InstantSource.fixed(NOW));
        events.write(workload, Type.NORMAL, "DigestChanged", "a to b");
        events.write(workload, Type.NORMAL, "DigestChanged", "a to b");
        events.write(workload, Type.NORMAL, "DigestChanged", "b to c");
        // Another instance, or this one after a restart, continues counting.
        new KubeEvents(connection, "urunner", "pod-2", InstantSource.fixed(NOW.plusSeconds(60)))
                .write(workload, Type.NORMAL, "DigestChanged", "b to c");
        events.write(workload, Type.WARNING, "Blocked", "x".repeat(2000));
        assertThat(cluster.events(namespace))
                .extracting(each ->
                        each.path("type").asText() + " " + each.path("reason").asText() + " "
                                + each.path("count").asInt() + " "
                                + each.path("lastTimestamp").asText() + " "
                                + each.path("involvedObject").path("name").asText())
                .containsExactlyInAnyOrder(
                        "Normal DigestChanged 2 2026-11-23T10:00:00Z web",
                        "Normal DigestChanged 2 2026-11-23T10:01:00Z web",
                        "Warning Blocked 1 2026-11-23T10:00:00Z web");
        cluster.events(namespace)
                .forEach(each -> cluster.delete("/api/v1/namespaces/" + namespace + "/events/"
                        + each.path("metadata").path("name").asText()));
        events.write(workload, Type.NORMAL, "DigestChanged", "a to b");
        assertThat(cluster.events(namespace)).hasSize(1);
    }

    @Test
    void aTerminatingNamespaceAcceptsNoEventAndThatIsNotAMissingPermission() throws Exception {
        Workload workload = read(cluster.deployment(namespace, "web", "app", 1));
        // Without controllers it stays terminating.
        cluster.delete("/api/v1/namespaces/" + namespace);
        new KubeEvents(connection, "urunner", "pod-1", InstantSource.fixed(NOW))
                .write(workload, Type.NORMAL, "DigestChanged", "a to b");
        assertThat(cluster.events(namespace)).isEmpty();
    }

    @Test
    void oneInstanceLeadsAndHandsOver() {
        AtomicLong nanos = new AtomicLong();
        List<String> told = new CopyOnWriteArrayList<>();
        LeaderElection first = election("first", nanos, told);
        LeaderElection second = election("second", nanos, told);
        first.start();
        Await.until("the first leads", SOON, first::leads);
        second.start();
        Await.until("the second knows", SOON, () -> second.leader().equals(Optional.of("first")));
        assertThat(second.leads()).isFalse();
        first.close();
        assertThat(first.leads()).isFalse();
        Await.until("the second leads", SOON, second::leads);
        List<String> inTurn = List.of("first elected", "first deposed", "second elected");
        Await.until("it is told", SOON, () -> told.equals(inTurn));
        assertThat(second.problem()).isEmpty();
        second.close();
    }

    @Test
    void aLeaderThatDisappearsIsReplaced() {
        AtomicLong firstNanos = new AtomicLong();
        AtomicLong secondNanos = new AtomicLong();
        List<String> told = new CopyOnWriteArrayList<>();
        KubeConnection dying = new KubeConnection(server.configuration(), executor);
        LeaderElection first = new LeaderElection(
                dying,
                namespace,
                "urunner",
                "first",
                // Its clock is a day behind: the time that it writes is long past for all others.
                InstantSource.fixed(NOW.minus(Duration.ofDays(1))),
                firstNanos::get,
                executorOfItsOwn(),
                listener("first", told));
        AtomicInteger rounds = new AtomicInteger();
        ExecutorService worker = executorOfItsOwn();
        LeaderElection second = election(
                "second",
                secondNanos,
                told,
                round -> worker.execute(() -> {
                    round.run();
                    rounds.incrementAndGet();
                }));
        first.start();
        Await.until("the first leads", SOON, first::leads);
        dying.close();
        second.start();
        Await.until("the second knows", SOON, () -> second.leader().equals(Optional.of("first")));
        secondNanos.set(Duration.ofSeconds(14).toNanos());
        int looks = rounds.get();
        Await.until("the second has looked again", SOON, () -> rounds.get() >= looks + 2);
        assertThat(second.leads()).isFalse();
        firstNanos.set(Duration.ofSeconds(10).toNanos());
        assertThat(first.leads()).isFalse();
        secondNanos.set(Duration.ofSeconds(16).toNanos());
        Await.until("the second leads", SOON, second::leads);
        Await.until("the first is told", SOON, () -> told.contains("first deposed"));
        assertThat(first.problem()).isPresent();
        first.close();
        second.close();
    }

    private final List<ExecutorService> workers = new CopyOnWriteArrayList<>();

    private ExecutorService executorOfItsOwn() {
        ExecutorService worker = Executors.newSingleThreadExecutor();
        workers.add(worker);
        return worker;
    }

    @AfterEach
    void endWorkers() {
        workers.forEach(ExecutorService::shutdownNow);
    }

    private LeaderElection election(String identity, AtomicLong nanos, List<String> told) {
        return election(identity, nanos, told, executorOfItsOwn());
    }

    private LeaderElection election(String identity, AtomicLong nanos, List<String> told, Executor worker) {
        return new LeaderElection(
                connection,
                namespace,
                "urunner",
                identity,
                InstantSource.fixed(NOW),
                nanos::get,
                worker,
                listener(identity, told));
    }

    private static LeaderElection.Listener listener(String identity, List<String> told) {
        return new LeaderElection.Listener() {
            @Override
            public void elected() {
                told.add(identity + " elected");
            }

            @Override
            public void deposed() {
                told.add(identity + " deposed");
            }
        };
    }
}
