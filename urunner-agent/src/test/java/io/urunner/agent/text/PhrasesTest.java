package io.urunner.agent.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class PhrasesTest {
    @Test
    void singularsAndPluralsDiffer() {
        assertThat(Phrases.count(0, "workload")).isEqualTo("0 workloads");
        assertThat(Phrases.count(1, "workload")).isEqualTo("1 workload");
        assertThat(Phrases.count(2, "more request")).isEqualTo("2 more requests");
        assertThat(Phrases.count(1, "rollout is", "rollouts are")).isEqualTo("1 rollout is");
        assertThat(Phrases.count(3, "rollout is", "rollouts are")).isEqualTo("3 rollouts are");
    }

    @Test
    void timesAreInWholeSecondsAndSuitableUnits() {
        Instant now = Instant.parse("2026-11-23T10:00:00.123456789Z");
        assertThat(Phrases.time(now)).isEqualTo("2026-11-23T10:00:00Z");
        assertThat(Phrases.when(now, now)).isEqualTo("just now");
        assertThat(Phrases.when(now, now.minusSeconds(190))).isEqualTo("3 min ago");
        assertThat(Phrases.when(now, now.plusSeconds(42))).isEqualTo("in 42 s");
        assertThat(Phrases.span(Duration.ofDays(2))).isEqualTo("2 days");
    }
}
