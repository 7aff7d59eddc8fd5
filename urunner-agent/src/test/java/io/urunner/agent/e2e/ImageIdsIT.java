package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Admission.Limits;
import io.urunner.kube.WatchScope;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.kube.testing.Requirement;
import io.urunner.registry.testing.DockerRegistry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The imageIDs of runtimes other than containerd, on control planes of their own whose nodes report them. */
class ImageIdsIT {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"cri-dockerd", "cri-o", "config"})
    void aMoveIsOneRolloutForEveryRuntimesImageIds(String form) throws Exception {
        Path tools = Requirement.path("URUNNER_TEST_CLUSTER_TOOLS", "folder with the program up");
        Path state = folder.resolve(form);
        run(form, tools.resolve("up"), state);
        try (Cluster cluster = Cluster.of(state.resolve("kubeconfig"));
                DockerRegistry registry = DockerRegistry.start()) {
            registry.push("team/app", "single", "one");
            registry.pushIndex("team/app", "multi", "one", "amd64", "arm64");
            String namespace = cluster.enabledNamespace();
            List<WorkloadId> ids = List.of(
                    cluster.deployment(namespace, "single", registry.host() + "/team/app:single", 1),
                    cluster.deployment(namespace, "multi", registry.host() + "/team/app:multi", 1));
            ids.forEach(id -> cluster.awaitRollout(id, Seen.within(SOON)));
            Stage.Outcomes outcomes = new Stage.Outcomes();
            try (TestAgent agent = new TestAgent(
                    cluster.configuration(),
                    WatchScope.cluster(),
                    folder.resolve(form + ".db"),
                    INTERVAL,
                    null,
                    Limits.NONE,
                    List.of(outcomes),
                    registry.host())) {
                agent.start();
                Await.until(
                        "ready",
                        Seen.within(SOON),
                        () -> agent.agent().notReady().isEmpty());
                agent.awaitPasses(2);
                assertThat(ids)
                        .allSatisfy(id -> assertThat(Seen.revision(cluster, id)).isEqualTo(1));
                String single = registry.push("team/app", "single", "two");
                String multi = registry.pushIndex("team/app", "multi", "two", "amd64", "arm64");
                Await.until(
                        "both are rolled out",
                        Seen.within(SOON),
                        () -> Seen.actedOn(cluster, ids.get(0), single)
                                && Seen.actedOn(cluster, ids.get(1), multi)
                                && ids.stream().allMatch(id -> outcomes.of(id).size() == 1));
                agent.awaitPasses(3);
                assertThat(ids).allSatisfy(id -> {
                    assertThat(Seen.revision(cluster, id)).isEqualTo(2);
                    assertThat(outcomes.of(id)).singleElement().asString().startsWith("succeeded");
                });
                new Questions(registry, "team/app", INTERVAL, 1).assertFew();
            }
        } finally {
            run(form, tools.resolve("down"), state);
        }
    }

    private static void run(String form, Path program, Path state) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(program.toString(), state.toString());
        builder.environment().put("NODE_FLAGS", "--image-id " + form);
        builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        Process process = builder.start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertThat(process.waitFor()).as("%s: %s", program, printed).isZero();
    }
}
