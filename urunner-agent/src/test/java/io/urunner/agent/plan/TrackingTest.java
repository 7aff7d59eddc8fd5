package io.urunner.agent.plan;

import static io.urunner.agent.plan.Given.D1;
import static io.urunner.agent.plan.Given.REF;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.ContainerFacts.Why;
import io.urunner.kube.Workload;
import io.urunner.kube.testing.TestContainerState;
import io.urunner.registry.ImageReference;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TrackingTest {
    @Test
    void aTagOfAWatchedRegistryIsFollowed() {
        assertThat(track("registry.example/team/app", Policy.DEFAULT))
                .isEqualTo(new Tracking.Follows(ImageReference.parse(REF)));
    }

    @Test
    void aContainerThatIsNotTrackedHasAReason() {
        assertThat(why("other.example/team/app", Policy.DEFAULT)).isEqualTo(Why.NO_WATCHED_REGISTRY);
        assertThat(why(REF + "@" + D1, Policy.DEFAULT)).isEqualTo(Why.PINNED);
        assertThat(why("registry.example/Team/app", Policy.DEFAULT)).isEqualTo(Why.UNPARSABLE);
        assertThat(why(REF, policy("containers", "proxy"))).isEqualTo(Why.EXCLUDED);
        assertThat(why(REF, policy("if-not-always", "skip"))).isEqualTo(Why.PULL_POLICY);
    }

    @Test
    void aContainerThatWePinnedFollowsTheTagItHad() {
        Workload workload = Given.workload()
                .container("app", REF + "@" + D1, "Always")
                .state("app", TestContainerState.of(REF).acted(D1).originalImage("registry.example/team/app"))
                .build();

        assertThat(Tracking.of(workload, workload.containers().get(0), Policy.DEFAULT, reference -> true))
                .isEqualTo(new Tracking.Follows(ImageReference.parse(REF)));
    }

    private static Why why(String image, Policy policy) {
        return ((Tracking.Ignored) track(image, policy)).untracked().why();
    }

    private static Tracking track(String image, Policy policy) {
        Workload workload = Given.workload()
                .container("app", image, "IfNotPresent")
                .container("proxy", image, "Always")
                .build();
        return Tracking.of(
                workload,
                workload.containers().get(0),
                policy,
                reference -> reference.registry().equals("registry.example"));
    }

    private static Policy policy(String name, String value) {
        return Policy.DEFAULT
                .override(Map.of("urunner.io/" + name, value), Set.of("app", "proxy"))
                .policy();
    }
}
