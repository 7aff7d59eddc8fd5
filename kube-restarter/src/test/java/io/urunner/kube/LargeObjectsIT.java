package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.WatchInLittleMemory.Seen;
import io.urunner.kube.testing.ApiServer;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Objects as large as a real API server accepts, with a watch that has as much memory as the image. */
class LargeObjectsIT {
    private static final Duration SOON = Duration.ofSeconds(120);
    private static final int PODS = 60;
    private static final String VALUE = "x".repeat(1_200_000);

    @Test
    void anEnvironmentOfAMegabyteInEveryPodAndRevisionFitsIntoMemory() throws Exception {
        try (ApiServer server = ApiServer.start();
                Cluster cluster = Cluster.of(server.kubeconfig())) {
            String namespace = cluster.enabledNamespace();
            WorkloadId big = cluster.workload(
                    new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, "big"),
                    "a:1",
                    PODS,
                    json -> fill((ObjectNode) json.at("/spec/template/spec/containers/0")));
            WorkloadId small = cluster.workload(
                    new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, "small"),
                    "a:1",
                    1,
                    json -> json.withObject("/metadata/annotations").put("urunner.io/window", "x".repeat(255_000)));
            ObjectNode replicaSet = owned("apps/v1", "ReplicaSet", "big-1", "Deployment", cluster.read(big));
            replicaSet.withObject("/metadata/annotations").put("deployment.kubernetes.io/revision", "1");
            ObjectNode spec = replicaSet.putObject("spec");
            spec.withObject("/selector/matchLabels").put("app", "big");
            spec.withObject("/template/metadata/labels").put("app", "big");
            fill(spec.withObject("/template/spec").putArray("containers").addObject());
            JsonNode revision = cluster.create("/apis/apps/v1/namespaces/" + namespace + "/replicasets", replicaSet);
            String pods = "/api/v1/namespaces/" + namespace + "/pods";
            for (int n = 0; n < PODS; n++) {
                ObjectNode pod = owned("v1", "Pod", "big-1-" + n, "ReplicaSet", revision);
                fill(pod.putObject("spec").putArray("containers").addObject());
                cluster.create(pods, pod);
            }
            try (WatchInLittleMemory watch = new WatchInLittleMemory(server.kubeconfig())) {
                Await.until("synced", SOON, watch::synced);
                Seen seen = watch.find(big.toString());
                assertThat(seen).isEqualTo(new Seen(PODS, 1, 0, List.of()));
                assertThat(watch.find(small.toString()).problems())
                        .containsExactly("annotation urunner.io/window: it has more than 4096 characters: shorten or"
                                + " remove it");
                for (int n = 0; n < PODS; n++) {
                    cluster.merge(pods + "/big-1-" + n, Cluster.json("{\"metadata\": {\"labels\": {\"a\": \"b\"}}}"));
                    cluster.delete(pods + "/big-1-" + n + "?gracePeriodSeconds=0");
                }
                Await.until(
                        "its pods are gone",
                        SOON,
                        () -> watch.find(big.toString()).pods() == 0);
                assertThat(watch.memory()).isLessThan(20_000_000);
            }
        }
    }

    private static ObjectNode owned(String apiVersion, String kind, String name, String ownerKind, JsonNode owner) {
        ObjectNode object = Cluster.object(apiVersion, kind, name);
        object.withObject("/metadata/labels").put("app", "big").put("pod-template-hash", "1");
        object.withObject("/metadata")
                .putArray("ownerReferences")
                .addObject()
                .put("apiVersion", "apps/v1")
                .put("kind", ownerKind)
                .put("name", owner.at("/metadata/name").asText())
                .put("uid", owner.at("/metadata/uid").asText())
                .put("controller", true);
        return object;
    }

    private static void fill(ObjectNode container) {
        container.put("name", "app").put("image", "a:1");
        container.putArray("env").addObject().put("name", "E").put("value", VALUE);
    }
}
