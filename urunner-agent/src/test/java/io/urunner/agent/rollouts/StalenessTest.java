package io.urunner.agent.rollouts;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.TestVerdict;
import io.urunner.agent.plan.Verdict.Kind;
import io.urunner.kube.WorkloadId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StalenessTest {
    private static final Instant MOVED = Instant.parse("2026-03-01T12:00:00Z");
    private static final Optional<Instant> NO = Optional.empty();

    private static Plan plan(Kind... kinds) {
        return new Plan(
                WorkloadId.parse("shop/Deployment/web"),
                new Decision.InProgress(""),
                IntStream.range(0, kinds.length)
                        .mapToObj(i -> TestVerdict.of("c" + i, kinds[i], "")
                                .reference("r.example/app:" + i)
                                .build())
                        .toList(),
                Map.of(),
                Optional.empty(),
                List.of());
    }

    private static Optional<Instant> since(Optional<Instant> before, State.Kind state, Kind... kinds) {
        return Staleness.since(
                before,
                plan(kinds),
                state,
                reference -> Optional.of(
                        MOVED.plusSeconds(Integer.parseInt(reference.tag().orElseThrow()))));
    }

    @Test
    void itBeginsWhenTheFirstTagMovedPastThePods() {
        assertThat(since(NO, State.Kind.UP_TO_DATE, Kind.UP_TO_DATE)).isEmpty();
        assertThat(since(NO, State.Kind.ROLLING_OUT, Kind.IN_PROGRESS)).isEmpty();
        assertThat(since(NO, State.Kind.WAITING, Kind.UP_TO_DATE, Kind.STALE)).hasValue(MOVED.plusSeconds(1));
        assertThat(since(NO, State.Kind.BLOCKED, Kind.REJECTED, Kind.STALE)).hasValue(MOVED);
        assertThat(since(NO, State.Kind.STILL_OLD, Kind.STILL_OLD)).hasValue(MOVED);
    }

    @Test
    void aFailedRolloutIsBehindEvenForAnAgentThatDidNotSeeItStart() {
        for (State.Kind state : List.of(State.Kind.FAILED, State.Kind.PARTLY_OLD)) {
            assertThat(since(NO, state, Kind.UP_TO_DATE)).hasValue(MOVED);
            assertThat(since(Optional.of(MOVED), state, Kind.UP_TO_DATE)).hasValue(MOVED);
        }
    }

    @Test
    void itStaysUntilEveryContainerIsKnownToRunWhatItsTagSays() {
        Optional<Instant> begun = Optional.of(MOVED.minusSeconds(60));
        assertThat(since(begun, State.Kind.WAITING, Kind.STALE)).isEqualTo(begun);
        assertThat(since(begun, State.Kind.WAITING, Kind.UP_TO_DATE, Kind.IN_PROGRESS))
                .isEqualTo(begun);
        assertThat(since(begun, State.Kind.WAITING, Kind.UNRESOLVED)).isEqualTo(begun);
        assertThat(since(begun, State.Kind.ROLLING_OUT, Kind.UP_TO_DATE)).isEqualTo(begun);
        assertThat(since(begun, State.Kind.UP_TO_DATE, Kind.UP_TO_DATE, Kind.NOT_WATCHED))
                .isEmpty();
    }
}
