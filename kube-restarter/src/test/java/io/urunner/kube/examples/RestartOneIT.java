package io.urunner.kube.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Cluster;
import io.urunner.kube.testing.TagServer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RestartOneIT {
    @Test
    void theExampleRestartsTheWorkload() throws Exception {
        try (Cluster cluster = Cluster.connect();
                TagServer registry = new TagServer()) {
            String image = registry.push("app", "latest", "sha256:" + "a".repeat(64));
            WorkloadId id = cluster.deployment(cluster.enabledNamespace(), "web", image, 1);
            cluster.awaitRollout(id, Duration.ofSeconds(60));
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            RolloutOutcome outcome = RestartOne.run(
                    cluster.configuration(),
                    id,
                    "app",
                    image + "@sha256:" + "b".repeat(64),
                    new PrintStream(printed, true, StandardCharsets.UTF_8));
            assertThat(outcome).isEqualTo(new RolloutOutcome.Succeeded());
            assertThat(printed.toString(StandardCharsets.UTF_8)).contains("pods of " + id + ": 1", id + ": Succeeded");
        }
    }
}
