package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;

/** Observes workloads through the API server, and says how long to wait. */
final class Seen {
    private Seen() {}

    /** Creates Deployments named web-0, web-1, …. */
    static List<WorkloadId> deployments(Cluster cluster, String namespace, String image, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> cluster.deployment(namespace, "web-" + i, image, 1))
                .toList();
    }

    /** How many templates a Deployment has had: the controllers count them, so they must have seen the current one. */
    static int revision(Cluster cluster, WorkloadId id) {
        if (!id.kind().equals(WorkloadKind.DEPLOYMENT)) {
            throw new IllegalArgumentException("only Deployments count their templates: " + id);
        }
        Await.until(
                "the controllers have seen the template of " + id,
                within(Duration.ofSeconds(30)),
                () -> isObserved(cluster.read(id)));
        return Integer.parseInt(cluster.read(id)
                .path("metadata")
                .path("annotations")
                .path("deployment.kubernetes.io/revision")
                .asText("0"));
    }

    private static boolean isObserved(JsonNode workload) {
        return workload.at("/status/observedGeneration").asLong()
                == workload.at("/metadata/generation").asLong();
    }

    /** Whether the template says that this digest was acted on. */
    static boolean actedOn(Cluster cluster, WorkloadId id, String digest) {
        return actedOn(cluster.read(id), digest);
    }

    static boolean actedOn(JsonNode workload, String digest) {
        return digests(workload).contains(digest);
    }

    /** The annotation on the template. */
    static String digests(JsonNode workload) {
        return workload.path("spec")
                .path("template")
                .path("metadata")
                .path("annotations")
                .path("urunner.io/digests")
                .asText();
    }

    static boolean actedOn(Cluster cluster, Collection<WorkloadId> ids, String digest) {
        return ids.stream().allMatch(id -> actedOn(cluster, id, digest));
    }

    /** Whether every pod of a namespace runs exactly this digest. */
    static boolean running(Cluster cluster, String namespace, int pods, String digest) {
        List<JsonNode> all = cluster.pods(namespace);
        return all.size() == pods
                && all.stream()
                        .allMatch(
                                pod -> pod.path("status").path("phase").asText().equals("Running")
                                        && pod.path("status")
                                                .path("containerStatuses")
                                                .path(0)
                                                .path("imageID")
                                                .asText()
                                                .endsWith(digest));
    }

    /** Whether a workload is rolled out, and its containers run these digests in this order. */
    static boolean running(Cluster cluster, WorkloadId id, List<String> digests) {
        cluster.awaitRollout(id, Duration.ofSeconds(2));
        List<JsonNode> pods = cluster.pods(id.namespace()).stream()
                .filter(pod -> pod.at("/metadata/labels/app").asText().equals(id.name()))
                .toList();
        return !pods.isEmpty()
                && pods.stream()
                        .allMatch(pod -> IntStream.range(0, digests.size())
                                .allMatch(i -> pod.path("status")
                                        .path("containerStatuses")
                                        .path(i)
                                        .path("imageID")
                                        .asText()
                                        .endsWith(digests.get(i))));
    }

    /** Waits until an agent's history contains no unfinished rollout. */
    static void awaitEndOfRollouts(Path database, String clusterName) {
        try (DigestStore store = DigestStores.readOnly(DigestStores.sqlite(database, clusterName))) {
            Await.until("all rollouts that are recorded have ended", within(Duration.ofSeconds(60)), () -> {
                assertThat(store.unfinishedRollouts()).isEmpty();
                return true;
            });
        }
    }

    /** How long it takes until something is seen, which must not exceed the limit. */
    static Duration timeUntil(String what, Duration limit, Callable<Boolean> seen) {
        long begun = System.nanoTime();
        Await.until(what, within(limit), seen);
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    /** If the machine pauses during one of several tries, that does not count. */
    static Duration median(List<Duration> times) {
        return times.stream().sorted().toList().get(times.size() / 2);
    }

    /** A time limit for an idle machine; a busy one gets more. */
    static Duration within(Duration time) {
        var system = ManagementFactory.getOperatingSystemMXBean();
        double load = Math.max(1, system.getSystemLoadAverage() / system.getAvailableProcessors());
        return Duration.ofMillis((long) (time.toMillis() * load));
    }
}
