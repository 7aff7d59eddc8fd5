package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkloadKindTest {
    @ParameterizedTest
    @CsvSource({
        "Deployment, Deployment",
        "deployments, Deployment",
        "deploy, Deployment",
        "deployments.apps, Deployment",
        "deployment.v1.apps, Deployment",
        "STS, StatefulSet",
        "statefulset, StatefulSet",
        "ds, DaemonSet",
        "DaemonSets.Apps, DaemonSet"
    })
    void aKindIsReadAsKubectlReadsIt(String text, String kind) {
        assertThat(WorkloadKind.parse(text)).hasToString(kind);
    }

    @ParameterizedTest
    @CsvSource({"Job", "''", "deployments.batch", "deployments.apps.example", "pod-template-hash"})
    void anUnknownKindIsRejectedWithTheKnownKinds(String text) {
        assertThatThrownBy(() -> WorkloadKind.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("'" + text + "' is not a kind of workload: use Deployment, StatefulSet or DaemonSet");
    }

    @Test
    void kindsAreEqualIfTheirGroupAndNameAre() {
        assertThat(WorkloadKind.entry("apps/v2", "Deployment", "deployments").build())
                .isEqualTo(WorkloadKind.DEPLOYMENT)
                .hasSameHashCodeAs(WorkloadKind.DEPLOYMENT);
        assertThat(WorkloadKind.entry("apps.kruise.io/v1beta1", "StatefulSet", "statefulsets")
                        .build())
                .isNotEqualTo(WorkloadKind.STATEFUL_SET);
    }

    @Test
    void anIdIsWrittenAndReadWithTheNameOfItsKind() {
        WorkloadKind widget =
                WorkloadKind.entry("example.com/v1", "Widget", "widgets", "wdg").build();
        List<WorkloadKind> kinds = List.of(WorkloadKind.DEPLOYMENT, widget);
        WorkloadId id = new WorkloadId("shop", widget, "web");
        assertThat(WorkloadId.parse(id.toString(), kinds)).isEqualTo(id);
        assertThat(WorkloadId.parse("shop/wdg/web", kinds)).isEqualTo(id);
        assertThat(WorkloadId.parse("shop/widgets.v1.example.com/web", kinds)).isEqualTo(id);
        assertThatThrownBy(() -> WorkloadId.parse(id.toString())).hasMessageContaining("'Widget' is not a kind");
    }
}
