package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.urunner.kube.WorkloadState.Hold;
import io.urunner.kube.testing.TestContainerState;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnnotationsTest {
    @Test
    void theSameDigestsAlwaysYieldTheSameText() {
        DigestsAnnotation digests =
                new DigestsAnnotation(new TreeMap<>(Map.of("b", "r/b:1@sha256:2", "a", "r/a:1@sha256:1")));
        assertThat(digests).hasToString("{\"a\":\"r/a:1@sha256:1\",\"b\":\"r/b:1@sha256:2\"}");
        assertThat(DigestsAnnotation.parse(digests.toString())).contains(digests);
    }

    @Test
    void aDigestCountsOnlyForItsReference() {
        DigestsAnnotation digests = new DigestsAnnotation(new TreeMap<>(Map.of("app", "r/a:1@sha256:1")));
        assertThat(digests.digest("app", "r/a:1")).contains("sha256:1");
        assertThat(digests.digest("app", "r/a:2")).isEmpty();
        assertThat(digests.digest("app", "r/a")).isEmpty();
        assertThat(digests.digest("side", "r/a:1")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no", "[]", "{\"a\": 1}", "{\"a\": "})
    void editedDigestsAreIgnored(String text) {
        assertThat(DigestsAnnotation.parse(text)).isEmpty();
    }

    @Test
    void theStateReadsBack() {
        Instant at = Instant.parse("2026-11-23T10:00:00Z");
        WorkloadState state = new WorkloadState(
                new TreeMap<>(Map.of(
                        "app",
                        TestContainerState.of("r/a:1")
                                .acted("sha256:1")
                                .at(at)
                                .replaced("sha256:0")
                                .rejected("sha256:2", "helm")
                                .failed("sha256:3", "CrashLoopBackOff")
                                .originalImage("r/a:1")
                                .build())),
                Optional.of(new Hold(at, "me", true)));
        assertThat(WorkloadState.parse(state.toString())).contains(state);
        assertThat(WorkloadState.parse(WorkloadState.EMPTY.toString())).contains(WorkloadState.EMPTY);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "no",
                "[]",
                "{\"hold\": {\"since\": \"yesterday\"}}",
                "{\"containers\": {\"a\": {\"actedAt\": \"+1000000000-12-31T23:59:59Z\"}}}"
            })
    void anEditedStateIsIgnored(String text) {
        assertThat(WorkloadState.parse(text)).isEmpty();
    }

    @Test
    void aWorkloadHasTheNameThatPeopleUse() {
        WorkloadId id = WorkloadId.parse("shop/deploy/web");
        assertThat(id)
                .isEqualTo(new WorkloadId("shop", WorkloadKind.DEPLOYMENT, "web"))
                .hasToString("shop/Deployment/web");
        assertThat(WorkloadId.parse("shop/sts/db").kind()).isEqualTo(WorkloadKind.STATEFUL_SET);
        assertThat(WorkloadId.parse("shop/DaemonSet/log").kind()).isEqualTo(WorkloadKind.DAEMON_SET);
        for (String wrong : List.of("web", "shop/web", "/deploy/web", "shop/deploy/", "shop/pod/web", "a/deploy/b/c")) {
            assertThatThrownBy(() -> WorkloadId.parse(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
