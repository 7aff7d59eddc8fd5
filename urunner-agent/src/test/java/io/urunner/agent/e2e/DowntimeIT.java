package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Events while no agent runs, and things that never happen. */
class DowntimeIT {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    @RegisterExtension
    private final ClusterScene scene = new ClusterScene();

    private final Cluster cluster = scene.cluster();
    private final DockerRegistry registry = scene.registry();
    private final String namespace = scene.namespace();

    @Test
    void aPushWhileTheAgentIsDownIsNoticedEvenWithAnEmptyDatabase() throws Exception {
        String first = registry.push("team/app", "latest", "one");
        List<WorkloadId> ids = Seen.deployments(cluster, namespace, registry.host() + "/team/app:latest", 3);
        Await.until("all pods run", Seen.within(SOON), () -> Seen.running(cluster, namespace, 3, first));
        try (TestAgent agent = agent("before")) {
            agent.start();
            Await.until(
                    "a pass", Seen.within(SOON), () -> agent.agent().notReady().isEmpty());
        }
        String second = registry.push("team/app", "latest", "two");
        try (TestAgent agent = agent("after")) {
            agent.start();
            Await.until("all are patched", Seen.within(SOON), () -> Seen.actedOn(cluster, ids, second));
            Await.until(
                    "all pods run the digest", Seen.within(SOON), () -> Seen.running(cluster, namespace, 3, second));
        }
        // A third agent, also without a history, finds nothing to do.
        try (TestAgent agent = agent("third")) {
            agent.start();
            Await.until("passes", Seen.within(SOON), () -> agent.passes() >= 3);
        }
        assertThat(ids).allSatisfy(id -> assertThat(Seen.revision(cluster, id)).isEqualTo(2));
    }

    @Test
    void otherNamespacesDisabledWorkloadsPinnedImagesAndSimilarNamesAreNeverTouched() throws Exception {
        String first = registry.push("team/app", "latest", "one");
        registry.push("teams/app", "latest", "one");
        String image = registry.host() + "/team/app:latest";
        String plain = cluster.plainNamespace();
        WorkloadId unlabelled = cluster.deployment(plain, "unlabelled", image, 1);
        WorkloadId disabled = cluster.workload(
                new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, "disabled"),
                image,
                1,
                json -> json.withObject("/metadata/labels").put("urunner", "disable"));
        WorkloadId pinned = cluster.deployment(namespace, "pinned", image + "@" + first, 1);
        WorkloadId neighbour = cluster.deployment(namespace, "neighbour", registry.host() + "/teams/app:latest", 1);
        WorkloadId similar = cluster.deployment(namespace, "similar", "evil-" + image, 1);
        WorkloadId watched = cluster.deployment(namespace, "watched", image, 1);
        cluster.awaitRollout(watched, Seen.within(SOON));
        List<WorkloadId> others = List.of(unlabelled, disabled, pinned, neighbour, similar);
        List<String> before = templates(others);
        try (TestAgent agent =
                new TestAgent(cluster.configuration(), folder.resolve("db"), INTERVAL, registry.host() + "/team")) {
            agent.start();
            String second = registry.push("team/app", "latest", "two");
            registry.push("teams/app", "latest", "two");
            Await.until("the watched one is patched", Seen.within(SOON), () -> Seen.actedOn(cluster, watched, second));
            agent.awaitPasses(2);
        }
        assertThat(templates(others)).isEqualTo(before);
    }

    @Test
    void addingAndRemovingALabelTakesEffectWithinTwoSeconds() throws Exception {
        String plain = cluster.plainNamespace();
        WorkloadId id = cluster.deployment(plain, "late", registry.host() + "/team/app:latest", 0);
        try (TestAgent agent = agent("db")) {
            agent.start();
            Await.until(
                    "ready", Seen.within(SOON), () -> agent.agent().notReady().isEmpty());
            List<Duration> enabled = new ArrayList<>();
            List<Duration> disabled = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                cluster.labelNamespace(plain, "enable");
                enabled.add(Seen.timeUntil("it is watched", SOON, () -> agent.follows(id)));
                cluster.labelNamespace(plain, null);
                disabled.add(Seen.timeUntil("it is not watched", SOON, () -> !agent.follows(id)));
            }
            assertThat(Seen.median(enabled)).as("%s", enabled).isLessThan(Seen.within(Duration.ofSeconds(2)));
            assertThat(Seen.median(disabled)).as("%s", disabled).isLessThan(Seen.within(Duration.ofSeconds(2)));
        }
    }

    @Test
    void labellingANamespaceTakesEffectAtOnceAndAnEditedImageIsFollowed() throws Exception {
        registry.push("team/app", "latest", "one");
        registry.push("team/app", "other", "other");
        String plain = cluster.plainNamespace();
        WorkloadId id = cluster.deployment(plain, "late", registry.host() + "/team/app:latest", 1);
        cluster.awaitRollout(id, Seen.within(SOON));
        try (TestAgent agent = agent("db")) {
            agent.start();
            String second = registry.push("team/app", "latest", "two");
            Await.until(
                    "a pass", Seen.within(SOON), () -> agent.agent().notReady().isEmpty());
            cluster.labelNamespace(plain, "enable");
            Await.until("it is patched", Seen.within(SOON), () -> Seen.actedOn(cluster, id, second));
            cluster.edit(
                    id,
                    "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"app\",\"imagePullPolicy\":\"Always\",\"image\":\""
                            + registry.host() + "/team/app:other\"}]}}}}");
            cluster.awaitRollout(id, Seen.within(SOON));
            String third = registry.push("team/app", "other", "three");
            Await.until("the other tag is followed", Seen.within(SOON), () -> Seen.actedOn(cluster, id, third));
        }
    }

    private TestAgent agent(String database) {
        return new TestAgent(cluster.configuration(), folder.resolve(database), INTERVAL, registry.host());
    }

    private List<String> templates(List<WorkloadId> ids) {
        return ids.stream()
                .map(id -> cluster.read(id).path("spec").path("template").toString())
                .toList();
    }
}
