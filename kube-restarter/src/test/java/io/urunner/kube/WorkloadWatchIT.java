package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.KubeAccess.Permission;
import io.urunner.kube.testing.ApiServer;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** On a real API server without controllers: only the test changes anything. */
class WorkloadWatchIT {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String PERMISSIONS = """
            [{"apiGroups": [""], "resources": ["namespaces", "pods"], "verbs": ["get", "list", "watch"]},
             {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets", "daemonsets", "replicasets"],
              "verbs": ["list", "watch"]}]""";

    @AutoClose
    private static ApiServer server;

    private final List<AutoCloseable> toClose = new ArrayList<>();
    private Cluster cluster;
    private ScheduledExecutorService executor;

    @BeforeAll
    static void startServer() {
        server = ApiServer.start();
    }

    @BeforeEach
    void connect() {
        cluster = Cluster.of(server.kubeconfig());
        executor = Executors.newScheduledThreadPool(2);
    }

    @AfterEach
    void disconnect() throws Exception {
        for (int i = toClose.size() - 1; i >= 0; i--) {
            toClose.get(i).close();
        }
        executor.shutdownNow();
        cluster.close();
    }

    private WorkloadWatch watch(KubeConfiguration configuration, WatchScope scope, String userAgent) {
        KubeConnection connection = new KubeConnection(configuration, executor, userAgent);
        toClose.add(connection);
        WorkloadWatch watch = new WorkloadWatch(connection, scope);
        toClose.add(watch);
        watch.start();
        return watch;
    }

    private WorkloadWatch watch() {
        return watch(server.configuration(), WatchScope.cluster(), "urunner");
    }

    private static void seen(WorkloadWatch watch, WorkloadId id) {
        Await.until(id + " is seen", SOON, () -> watch.find(id).isPresent());
    }

    private static void unseen(WorkloadWatch watch, WorkloadId id) {
        Await.until(id + " is not seen", SOON, () -> watch.find(id).isEmpty());
    }

    @Test
    void namespacesAreFollowedAsTheirLabelComesAndGoes() {
        WorkloadId before = cluster.deployment(cluster.enabledNamespace(), "before", "app", 1);
        String plain = cluster.plainNamespace();
        WorkloadId later = cluster.deployment(plain, "later", "app", 1);
        WorkloadWatch watch = watch();
        List<WorkloadId> told = new ArrayList<>();
        watch.listen(id -> {
            synchronized (told) {
                told.add(id);
            }
        });
        Await.until("synced", SOON, watch::synced);
        assertThat(watch.find(before)).isPresent();
        assertThat(watch.find(later)).isEmpty();
        assertThat(watch.namespaces()).contains(before.namespace()).doesNotContain(plain);

        cluster.labelNamespace(plain, "enable");
        seen(watch, later);
        cluster.labelNamespace(plain, "disable");
        unseen(watch, later);
        cluster.labelNamespace(plain, "enable");
        seen(watch, later);
        // Without controllers a namespace is never deleted: it stays terminating.
        cluster.delete("/api/v1/namespaces/" + plain);
        unseen(watch, later);
        synchronized (told) {
            assertThat(told).contains(later);
        }
        assertThat(watch.problems()).isEmpty();
    }

    @Test
    void workloadsOfEveryKindAreFollowedUnlessTheyAreDisabled() {
        String namespace = cluster.enabledNamespace();
        WorkloadWatch watch = watch();
        WorkloadId web = cluster.deployment(namespace, "web", "app", 1);
        WorkloadId base = cluster.statefulSet(namespace, "base", "app", 1);
        WorkloadId agent = cluster.daemonSet(namespace, "agent", "app");
        for (WorkloadId id : List.of(web, base, agent)) {
            seen(watch, id);
            cluster.edit(id, "{\"metadata\": {\"labels\": {\"urunner\": \"disable\"}}}");
            unseen(watch, id);
            cluster.edit(id, "{\"metadata\": {\"labels\": {\"urunner\": null}}}");
            seen(watch, id);
            cluster.edit(id, "{\"metadata\": {\"annotations\": {\"urunner.io/hold\": \"yes\"}}}");
            Await.until(
                    "the change is seen",
                    SOON,
                    () -> watch.find(id).orElseThrow().annotations().containsKey("urunner.io/hold"));
        }
        cluster.delete(web);
        unseen(watch, web);
        assertThat(watch.workloads()).extracting(Workload::id).contains(base, agent);
    }

    @Test
    void podsBelongToTheirWorkloadAndItsCurrentRevision() throws Exception {
        String namespace = cluster.enabledNamespace();
        WorkloadId id = cluster.deployment(namespace, "web", "app", 2);
        String uid = cluster.read(id).path("metadata").path("uid").asText();
        WorkloadWatch watch = watch();
        String old = replicaSet(namespace, uid, "web-1", "1");
        String current = replicaSet(namespace, uid, "web-2", "2");
        pod(namespace, old, "pod-old", "web-1");
        pod(namespace, current, "pod-new", "web-2");
        pod(namespace, "somebody-else", "stranger", "x");
        cluster.edit(id, "{\"metadata\": {\"annotations\": {\"deployment.kubernetes.io/revision\": \"2\"}}}");
        Await.until(
                "both pods are seen",
                SOON,
                () -> watch.find(id).map(workload -> workload.pods().size()).orElse(0) == 2);
        // The controller, whose part this test plays, has not seen the workload yet.
        assertThat(watch.find(id).orElseThrow().currentRevision()).isEmpty();
        // Annotations count as changes of a Deployment's generation.
        cluster.merge(Cluster.path(id) + "/status", Cluster.json("{\"status\": {\"observedGeneration\": 2}}"));
        Await.until(
                "the revision is known",
                SOON,
                () -> watch.find(id).orElseThrow().currentRevision().isPresent());
        Workload workload = watch.find(id).orElseThrow();
        assertThat(workload.currentRevision()).contains("web-2");
        assertThat(workload.pods())
                .extracting(pod -> pod.name() + " " + pod.ofCurrentRevision())
                .containsExactly("pod-new true", "pod-old false");
        assertThat(new Restarter(connection()).read(id).orElseThrow()).isEqualTo(workload);
    }

    private KubeConnection connection() {
        KubeConnection connection = new KubeConnection(server.configuration(), executor);
        toClose.add(connection);
        return connection;
    }

    private String replicaSet(String namespace, String owner, String name, String revision) {
        ObjectNode object = Cluster.object("apps/v1", "ReplicaSet", name);
        owned(object, "Deployment", owner);
        object.withObject("/metadata/annotations").put("deployment.kubernetes.io/revision", revision);
        labels(object, name);
        ObjectNode spec = object.putObject("spec").put("replicas", 1);
        spec.withObject("/selector/matchLabels").put("pod-template-hash", name);
        labels(spec.withObject("/template"), name);
        spec.withObject("/template/spec")
                .putArray("containers")
                .addObject()
                .put("name", "app")
                .put("image", "app");
        return cluster.create("/apis/apps/v1/namespaces/" + namespace + "/replicasets", object)
                .path("metadata")
                .path("uid")
                .asText();
    }

    private void pod(String namespace, String owner, String name, String hash) {
        ObjectNode object = Cluster.object("v1", "Pod", name);
        owned(object, "ReplicaSet", owner);
        labels(object, hash);
        object.withObject("/spec")
                .putArray("containers")
                .addObject()
                .put("name", "app")
                .put("image", "app");
        cluster.create("/api/v1/namespaces/" + namespace + "/pods", object);
    }

    private static void labels(ObjectNode object, String hash) {
        object.withObject("/metadata/labels").put("app", "web").put("pod-template-hash", hash);
    }

    private static void owned(ObjectNode object, String kind, String uid) {
        object.withObject("/metadata")
                .putArray("ownerReferences")
                .addObject()
                .put("apiVersion", "apps/v1")
                .put("kind", kind)
                .put("name", "owner")
                .put("uid", uid)
                .put("controller", true);
    }

    @Test
    void moreThanAHundredAreReadInPages() {
        String namespace = cluster.enabledNamespace();
        for (int i = 0; i < 205; i++) {
            cluster.deployment(namespace, "web-" + i, "app", 0);
        }
        WorkloadWatch watch = watch();
        Await.until(
                "all are seen",
                SOON,
                () -> watch.workloads().stream()
                                .filter(each -> each.id().namespace().equals(namespace))
                                .count()
                        == 205);
    }

    @Test
    void manyNamespacesNeedNoExtraThreadsAndNothingIsListedTwice() {
        long mark = server.auditLog().mark();
        WorkloadWatch watch = watch(server.configuration(), WatchScope.cluster(), "counting");
        for (int i = 0; i < 5; i++) {
            seen(watch, cluster.deployment(cluster.enabledNamespace(), "web", "app", 0));
        }
        int threads = Thread.activeCount();
        List<WorkloadId> ids = new ArrayList<>();
        for (int i = 0; i < 75; i++) {
            ids.add(cluster.deployment(cluster.enabledNamespace(), "web", "app", 0));
        }
        ids.forEach(id -> seen(watch, id));
        assertThat(Thread.activeCount()).isLessThanOrEqualTo(threads + 2);
        ids.forEach(id -> cluster.edit(id, "{\"metadata\": {\"annotations\": {\"urunner.io/a\": \"b\"}}}"));
        ids.forEach(id -> Await.until(
                id + " is changed",
                SOON,
                () -> watch.find(id).orElseThrow().annotations().containsKey("urunner.io/a")));
        Set<String> theirs = ids.stream().map(WorkloadId::namespace).collect(Collectors.toSet());
        List<String> listed = server.auditLog().since(mark, "counting").stream()
                .filter(entry -> entry.verb().equals("list") && theirs.contains(entry.namespace()))
                .map(entry -> entry.resource() + " of " + entry.namespace())
                .toList();
        assertThat(listed).hasSizeGreaterThan(ids.size()).doesNotHaveDuplicates();
        assertThat(watch.problems()).isEmpty();
    }

    @Test
    void aWatchRecoversAfterTheApiServerRestarts() {
        WorkloadId busy = cluster.deployment(cluster.enabledNamespace(), "busy", "app", 0);
        WorkloadId quiet = cluster.deployment(cluster.enabledNamespace(), "quiet", "app", 0);
        WorkloadWatch watch = watch();
        seen(watch, busy);
        seen(watch, quiet);
        // What the watch of the quiet namespace saw last is older than what the API server knows when it starts: 410.
        cluster.edit(busy, "{\"metadata\": {\"annotations\": {\"urunner.io/a\": \"1\"}}}");
        server.kill();
        Await.until(
                "the API server is missed",
                SOON,
                () -> watch.problems().stream()
                        .anyMatch(each -> each.message().contains("no usable response from the API server")));
        assertThat(watch.find(busy)).isPresent();
        assertThat(watch.problems()).hasSize(1);
        server.startAgain();
        for (WorkloadId id : List.of(busy, quiet)) {
            cluster.edit(id, "{\"metadata\": {\"annotations\": {\"urunner.io/a\": \"2\"}}}");
            Await.until(
                    id + " is followed again",
                    SOON,
                    () -> "2".equals(watch.find(id).orElseThrow().annotations().get("urunner.io/a")));
        }
        Await.until("no problem is left", SOON, () -> watch.problems().isEmpty());
    }

    @Test
    void aSilentlyDeadConnectionIsAbandoned() throws Exception {
        WorkloadId id = cluster.deployment(cluster.enabledNamespace(), "web", "app", 0);
        KubeConfiguration direct = server.configuration();
        try (FreezingProxy proxy = new FreezingProxy(direct.server().getPort())) {
            KubeConfiguration through = new KubeConfiguration(
                    proxy.address("https"), Optional.empty(), direct.tls(), null, direct.authorization());
            Duration tick = Duration.ofSeconds(2);
            KubeConnection connection =
                    new KubeConnection(through, executor, "urunner", new Deadlines(tick, tick, tick));
            toClose.add(connection);
            WorkloadWatch watch = new WorkloadWatch(connection, WatchScope.cluster());
            toClose.add(watch);
            watch.start();
            seen(watch, id);
            proxy.freeze();
            cluster.edit(id, "{\"metadata\": {\"annotations\": {\"urunner.io/a\": \"1\"}}}");
            // Long before the watches themselves are found to be silent.
            Await.until(
                    "the change is seen",
                    tick.multipliedBy(5),
                    () -> watch.find(id).orElseThrow().annotations().containsKey("urunner.io/a"));
        }
    }

    @Test
    void aFailingListenerDisturbsNothing() {
        WorkloadWatch watch = watch();
        List<WorkloadId> told = new CopyOnWriteArrayList<>();
        watch.listen(id -> {
            throw new IllegalStateException("a defect of a listener");
        });
        watch.listen(told::add);
        WorkloadId first = cluster.deployment(cluster.enabledNamespace(), "first", "app", 0);
        seen(watch, first);
        WorkloadId second = cluster.deployment(first.namespace(), "second", "app", 0);
        seen(watch, second);
        Await.until("both are told", SOON, () -> told.containsAll(List.of(first, second)));
        assertThat(watch.problems()).isEmpty();
    }

    @Test
    void aMissingPermissionIsNamedUntilItIsGranted() throws Exception {
        String namespace = cluster.enabledNamespace();
        WorkloadId id = cluster.deployment(namespace, "web", "app", 0);
        WorkloadId agent = cluster.daemonSet(namespace, "agent", "app");
        Path kubeconfig = cluster.serviceAccount(namespace, "watcher", PERMISSIONS.replace(", \"pods\"", ""));
        WorkloadWatch watch = watch(KubeConfiguration.kubeconfig(kubeconfig), WatchScope.cluster(), "urunner");
        Await.until(
                "the permission is missed",
                SOON,
                () -> watch.problems().stream()
                        .anyMatch(each -> each.missing()
                                        .equals(Optional.of(new Permission("list", "", "pods", Optional.of(namespace))))
                                && each.message()
                                        .startsWith("not allowed to list pods in namespace " + namespace + ":")));
        assertThat(watch.find(id)).isEmpty();
        Await.until("the rest is seen", SOON, watch::synced);

        cluster.merge(
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/" + namespace + "-watcher",
                Cluster.json("{\"rules\": " + PERMISSIONS + "}"));
        seen(watch, id);
        assertThat(watch.find(agent)).isEmpty();
        assertThat(watch.problems()).extracting(WatchProblem::resource).containsOnly("controllerrevisions");
        cluster.deleteRole(namespace, "watcher");
    }

    @Test
    void namedNamespacesNeedNoClusterRole() throws Exception {
        String namespace = cluster.enabledNamespace();
        WorkloadId id = cluster.deployment(namespace, "web", "app", 0);
        cluster.create(
                "/api/v1/namespaces/" + namespace + "/serviceaccounts",
                Cluster.object("v1", "ServiceAccount", "local"));
        String group = "/apis/rbac.authorization.k8s.io/v1/namespaces/" + namespace;
        ObjectNode role = Cluster.object("rbac.authorization.k8s.io/v1", "Role", "local");
        role.set("rules", Cluster.json(PERMISSIONS));
        cluster.create(group + "/roles", role);
        ObjectNode binding = Cluster.object("rbac.authorization.k8s.io/v1", "RoleBinding", "local");
        binding.putObject("roleRef")
                .put("apiGroup", "rbac.authorization.k8s.io")
                .put("kind", "Role")
                .put("name", "local");
        binding.putArray("subjects")
                .addObject()
                .put("kind", "ServiceAccount")
                .put("namespace", namespace)
                .put("name", "local");
        cluster.create(group + "/rolebindings", binding);
        WorkloadWatch watch = watch(
                KubeConfiguration.kubeconfig(cluster.tokenKubeconfig(namespace, "local")),
                WatchScope.of(Set.of(namespace)),
                "urunner");
        seen(watch, id);
        assertThat(watch.synced()).isTrue();
        cluster.labelNamespace(namespace, null);
        unseen(watch, id);
        cluster.labelNamespace(namespace, "enable");
        seen(watch, id);
        assertThat(watch.problems()).isEmpty();
    }
}
