package io.urunner.kube;

import static io.urunner.kube.testing.TestRolloutStatus.wanted;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.testing.ApiServer;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A kind that is known only by its entry here, on a real API server without controllers, whose part this test plays.
 */
class CustomKindIT {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String DIGEST = "sha256:" + "a".repeat(64);

    /** Its template is elsewhere, its status has other names, and its pods have another label. */
    private static final WorkloadKind WIDGET = WorkloadKind.entry("example.com/v1alpha1", "Widget", "widgets", "wdg")
            .patchedBy(WorkloadKind.PatchType.MERGE)
            .template("/spec/workload/podTemplate")
            .status(StatusField.DESIRED, "/spec/size")
            .status(StatusField.PAUSED, "/spec/updateStrategy/paused")
            .status(StatusField.UPDATED, "/status/new")
            .revisions(
                    RevisionKind.REPLICA_SET,
                    "widgets-template-hash",
                    "/metadata/annotations/widgets.example.com~1revision")
            .current(WorkloadKind.Current.LABEL, "/status/currentHash")
            .build();

    private static final String DEFINITION = """
            {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
             "metadata": {"name": "widgets.example.com"},
             "spec": {"group": "example.com", "scope": "Namespaced",
               "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "shortNames": ["wdg"]},
               "versions": [{"name": "v1alpha1", "served": true, "storage": true, "subresources": {"status": {}},
                 "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}}""";

    private static ApiServer server;
    private static Cluster cluster;
    private static ScheduledExecutorService executor;
    private static KubeConnection connection;

    @BeforeAll
    static void start() {
        server = ApiServer.start();
        cluster = Cluster.of(server.kubeconfig());
        executor = Executors.newScheduledThreadPool(2);
        connection = new KubeConnection(server.configuration(), executor);
        cluster.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", Cluster.json(DEFINITION));
        Await.until(
                "widgets are served",
                SOON,
                () -> cluster.find("/apis/example.com/v1alpha1/widgets").isPresent());
    }

    @AfterAll
    static void stop() {
        if (connection != null) {
            connection.close();
            executor.shutdownNow();
            cluster.close();
        }
        if (server != null) {
            server.close();
        }
    }

    private static WorkloadId widget(String namespace) {
        WorkloadId id = WorkloadId.parse(namespace + "/wdg/web", List.of(WIDGET));
        cluster.create("/apis/example.com/v1alpha1/namespaces/" + namespace + "/widgets", Cluster.json("""
                {"apiVersion": "example.com/v1alpha1", "kind": "Widget", "metadata": {"name": "web"},
                 "spec": {"size": 2, "selector": {"matchLabels": {"app": "web"}}, "other": "stays",
                   "workload": {"podTemplate": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
                     {"name": "app", "image": "app:latest", "imagePullPolicy": "Always", "env": [{"name": "A", "value": "b"}]},
                     {"name": "side", "image": "side:latest"}]}}}}}"""));
        return id;
    }

    @Test
    void itIsWatchedWithItsPodsAndItsCurrentRevision() throws Exception {
        WorkloadId id = widget(cluster.enabledNamespace());
        try (WorkloadWatch watch =
                new WorkloadWatch(connection, WatchScope.cluster().with(List.of(WorkloadKind.DEPLOYMENT, WIDGET)))) {
            watch.start();
            Await.until("it is seen", SOON, () -> watch.find(id).isPresent());
            String uid = cluster.read(id).path("metadata").path("uid").asText();
            pod(id, replicaSet(id, uid, "web-1"), "old", "1");
            pod(id, replicaSet(id, uid, "web-2"), "new", "2");
            cluster.merge(Cluster.path(id) + "/status", Cluster.json("""
                    {"status": {"observedGeneration": 1, "replicas": 2, "new": 1, "readyReplicas": 1,
                      "availableReplicas": 1, "currentHash": "2"}}"""));
            Await.until(
                    "its revision and its pods are seen",
                    SOON,
                    () -> watch.find(id)
                            .filter(found -> found.currentRevision().equals(Optional.of("2"))
                                    && found.pods().size() == 2)
                            .isPresent());

            Workload workload = watch.find(id).orElseThrow();
            assertThat(workload.containers()).extracting(Container::image).containsExactly("app:latest", "side:latest");
            assertThat(workload.pods())
                    .extracting(pod -> pod.name() + " " + pod.ofCurrentRevision())
                    .containsExactly("new true", "old false");
            assertThat(workload.rollout())
                    .isEqualTo(wanted(2).updated(1).ready(1).build());
            assertThat(new Restarter(connection).read(id)).contains(workload);

            cluster.edit(id, "{\"spec\": {\"updateStrategy\": {\"paused\": true}}}");
            Await.until(
                    "it is seen to be paused",
                    SOON,
                    () -> watch.find(id).orElseThrow().rollout().paused());
            assertThat(watch.problems()).isEmpty();
        }
    }

    @Test
    void itIsRestartedByAPatchOfItsTemplateThatLeavesTheRestAsItIs() throws Exception {
        WorkloadId id = widget(cluster.enabledNamespace());
        Restarter restarter = new Restarter(connection);
        Workload planned = restarter.read(id).orElseThrow();
        JsonNode before = cluster.read(id);
        DigestsAnnotation digests = new DigestsAnnotation(new TreeMap<>(Map.of("app", "app:latest@" + DIGEST)));
        Restart restart = new Restart(digests, WorkloadState.EMPTY, Instant.EPOCH);

        assertThat(restarter.restart(planned, restart)).isInstanceOf(PatchResult.Patched.class);
        Workload patched = restarter.read(id).orElseThrow();
        assertThat(patched.templateAnnotations()).containsEntry(Workload.DIGESTS, digests.toString());
        assertThat(patched.generation()).isEqualTo(planned.generation() + 1);
        assertThat(patched.templateManagers()).contains("urunner");
        ObjectNode after = cluster.read(id).deepCopy();
        after.withObject("/spec/workload/podTemplate/metadata").remove("annotations");
        assertThat(after.path("spec")).isEqualTo(before.path("spec"));

        assertThat(restarter.restart(planned, restart)).isEqualTo(new PatchResult.Conflict());
    }

    @Test
    void itsImagesAreNotSetByAPatchThatWouldRemoveTheRestOfItsContainers() throws Exception {
        WorkloadId id = widget(cluster.enabledNamespace());
        Restarter restarter = new Restarter(connection);
        Workload planned = restarter.read(id).orElseThrow();
        Restart pin = new Restart(
                new DigestsAnnotation(new TreeMap<>()),
                WorkloadState.EMPTY,
                Instant.EPOCH,
                Map.of("app", "app:latest@" + DIGEST));
        assertThatThrownBy(() -> restarter.restart(planned, pin))
                .isInstanceOfSatisfying(
                        KubeException.class, e -> assertThat(e.refused()).isTrue())
                .hasMessageContaining("cannot set the images of " + id);
        assertThat(restarter.read(id)).contains(planned);
    }

    @Test
    void itsPastTemplatesAndItsEventsAreItsOwn() throws Exception {
        WorkloadId id = widget(cluster.enabledNamespace());
        Workload workload = new Restarter(connection).read(id).orElseThrow();
        replicaSet(id, workload.uid(), "web-2");
        replicaSet(id, workload.uid(), "web-1");
        assertThat(new Restarter(connection).pastTemplates(id))
                .extracting(PastTemplate::name)
                .containsExactly("web-1", "web-2");

        new KubeEvents(connection, "urunner", "test", InstantSource.system())
                .write(workload, KubeEvents.Type.NORMAL, "RolloutStarted", "a new digest");
        assertThat(cluster.events(id.namespace())).singleElement().satisfies(event -> {
            assertThat(event.at("/involvedObject/apiVersion").asText()).isEqualTo("example.com/v1alpha1");
            assertThat(event.at("/involvedObject/kind").asText()).isEqualTo("Widget");
        });
        assertThat(new KubeAccess(connection).labels(id)).contains(Map.of());
    }

    /** One of the widget's ReplicaSets; its number is the end of its name. */
    private static String replicaSet(WorkloadId id, String owner, String name) {
        String number = name.substring(name.lastIndexOf('-') + 1);
        ObjectNode object = Cluster.object("apps/v1", "ReplicaSet", name);
        owned(object, "example.com/v1alpha1", "Widget", owner, number);
        object.withObject("/metadata/annotations").put("widgets.example.com/revision", number);
        ObjectNode spec = object.putObject("spec").put("replicas", 1);
        spec.withObject("/selector/matchLabels").put("app", "web");
        spec.withObject("/template/metadata/labels").put("app", "web");
        container(spec.withObject("/template/spec"));
        return cluster.create("/apis/apps/v1/namespaces/" + id.namespace() + "/replicasets", object)
                .at("/metadata/uid")
                .asText();
    }

    private static void pod(WorkloadId id, String owner, String name, String hash) {
        ObjectNode object = Cluster.object("v1", "Pod", name);
        owned(object, "apps/v1", "ReplicaSet", owner, hash);
        container(object.withObject("/spec"));
        cluster.create("/api/v1/namespaces/" + id.namespace() + "/pods", object);
    }

    private static void container(ObjectNode podSpec) {
        podSpec.putArray("containers").addObject().put("name", "app").put("image", "app");
    }

    private static void owned(ObjectNode object, String apiVersion, String kind, String uid, String hash) {
        object.withObject("/metadata/labels").put("app", "web").put("widgets-template-hash", hash);
        object.withObject("/metadata")
                .putArray("ownerReferences")
                .addObject()
                .put("apiVersion", apiVersion)
                .put("kind", kind)
                .put("name", "owner")
                .put("uid", uid)
                .put("controller", true);
    }
}
