package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.kube.testing.TestWorkload;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What {@code kubectl rollout history} shows for a revision, and who wrote it. */
class ChangeCauseTest {
    private static final String OURS = "URunner: registry.example/app:latest moved to sha256:0123456789ab";

    @Test
    void ourChangeCauseReplacesOnlyOurOwn() throws Exception {
        assertThat(written(Map.of(), OURS)).isEqualTo(OURS);
        assertThat(written(Map.of(Workload.CHANGE_CAUSE, "URunner: rolled back to sha256:1 by anna"), OURS))
                .isEqualTo(OURS);
        assertThat(written(Map.of(Workload.CHANGE_CAUSE, "kubectl apply --filename=web.yaml"), OURS))
                .isEmpty();
    }

    @Test
    void noChangeCauseIsWrittenWithoutAReason() throws Exception {
        assertThat(patch(Map.of(), restart()).at("/metadata/annotations").has(Workload.CHANGE_CAUSE))
                .isFalse();
    }

    private static String written(Map<String, String> annotations, String cause) throws Exception {
        return patch(annotations, restart().because(cause))
                .at("/metadata/annotations")
                .path(Workload.CHANGE_CAUSE)
                .asText();
    }

    private static JsonNode patch(Map<String, String> annotations, Restart restart) throws Exception {
        Workload workload = TestWorkload.named("shop/Deployment/web")
                .annotations(annotations)
                .build();
        return new ObjectMapper().readTree(Restarter.describe(workload, restart));
    }

    private static Restart restart() {
        return new Restart(
                new DigestsAnnotation(new TreeMap<>(Map.of("app", "registry.example/app:latest@sha256:0"))),
                WorkloadState.EMPTY,
                Instant.EPOCH);
    }
}
