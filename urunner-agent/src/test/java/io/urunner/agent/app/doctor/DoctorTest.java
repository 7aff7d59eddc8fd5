package io.urunner.agent.app.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.TestAgentStatus;
import io.urunner.agent.TestWorkloadStatus;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.TestVerdict;
import io.urunner.agent.plan.Verdict;
import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorTest {
    @TempDir
    Path folder;

    private static WorkloadStatus stale(String name, Decision decision) {
        return TestWorkloadStatus.of(WorkloadId.parse("shop/Deployment/" + name))
                .decision(decision)
                .containers(TestVerdict.of("app", Verdict.Kind.STALE, "it moved")
                        .reference("r.example/app:latest")
                        .digest("sha256:" + "2".repeat(64))
                        .running("sha256:1")
                        .old("sha256:1"))
                .build();
    }

    private static Finding due(WorkloadStatus... workloads) {
        return Doctor.due(TestAgentStatus.at(Instant.EPOCH)
                .namespaces("shop")
                .workloads(List.of(workloads))
                .build());
    }

    @Test
    void workloadsThatShadowModeKeepsFromRestartingAreReportedAsSuch() {
        WorkloadStatus shadowed = stale("web", new Decision.Blocked(Blockage.SHADOW, "would be rolled out"));
        assertThat(due(shadowed).words())
                .isEqualTo("nothing would be restarted now; would be restarted without shadow mode:"
                        + " shop/Deployment/web");
        assertThat(due(shadowed).result()).isEqualTo(Finding.Result.NOTE);
        assertThat(due(stale("api", new Decision.Blocked(Blockage.PAUSED, "paused")))
                        .words())
                .isEqualTo("nothing would be restarted now; stale, but not now: shop/Deployment/api (blocked: paused)");
        assertThat(due().result()).isEqualTo(Finding.Result.OK);
    }

    private static Finding history(Path file, boolean running) throws Exception {
        Settings.Store settings = new Settings.Store(
                file, Optional.empty(), Optional.empty(), Optional.empty(), new Settings.Retention(50, 180));
        try (DigestStore store = DigestStores.readOnly(DigestStores.sqlite(file, "test"))) {
            return Doctor.history(settings, store, true, running);
        }
    }

    @Test
    void aHistoryThatTheFirstRunCreatesIsNotAProblem() throws Exception {
        Path file = folder.resolve("urunner.db");
        Finding none = history(file, false);
        assertThat(none.result()).isEqualTo(Finding.Result.NOTE);
        assertThat(none.words()).contains(file.toString(), "the first run creates it");
        assertThat(none.remedy()).isEmpty();

        Finding lost = history(folder.resolve("missing/urunner.db"), false);
        assertThat(lost.words()).contains("the folder " + folder.resolve("missing") + " does not exist");
        assertThat(lost.remedy()).contains("fix the folder", "URUNNER_CONF_SQLLIGHT_PATH");
        assertThat(history(file, true).result()).as("an agent should have one").isEqualTo(Finding.Result.WRONG);
    }
}
