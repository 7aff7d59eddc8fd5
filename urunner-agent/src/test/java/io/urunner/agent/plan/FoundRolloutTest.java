package io.urunner.agent.plan;

import static io.urunner.agent.plan.Given.D1;
import static io.urunner.agent.plan.Given.D2;
import static io.urunner.agent.plan.Given.D3;
import static io.urunner.agent.plan.Given.NOW;
import static io.urunner.agent.plan.Given.REF;
import static io.urunner.agent.plan.Given.SIDECAR;
import static io.urunner.agent.plan.Given.workload;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.Rollout;
import io.urunner.kube.testing.TestContainerState;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FoundRolloutTest {
    @Test
    void theLastRolloutIsReadFromTheWorkload() {
        Given given = workload()
                .actedOn(D2)
                .stateActed(D2, D1)
                .container("proxy", SIDECAR, "Always")
                .actedOn("proxy", SIDECAR, D3)
                .state(
                        "proxy",
                        TestContainerState.of(SIDECAR)
                                .acted(D3)
                                .at(NOW.minusSeconds(600))
                                .replaced(D1));

        assertThat(Rollout.found(given.build())).get().satisfies(found -> {
            assertThat(found.requested()).isEqualTo(NOW.minusSeconds(60));
            assertThat(found.changes()).containsExactly(new Decision.Change("app", REF, Optional.of(D1), D2));
        });
        assertThat(Standing.of(given.build()).digests().digests()).hasSize(2);
    }

    @Test
    void thereIsNoRolloutIfNothingWasRolledOutOrItWasReverted() {
        assertThat(Rollout.found(workload().build())).isEmpty();
        assertThat(Rollout.found(workload().actedOn(D1).stateActed(D2, D1).build()))
                .isEmpty();
    }
}
