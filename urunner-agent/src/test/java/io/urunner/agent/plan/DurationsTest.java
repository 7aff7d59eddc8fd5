package io.urunner.agent.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DurationsTest {
    @ParameterizedTest
    @CsvSource({
        "0, PT0S",
        "30s, PT30S",
        "5m, PT5M",
        "1h, PT1H",
        "2d, PT48H",
        "1h30m, PT1H30M",
        " 10S , PT10S",
        "PT5M, PT5M",
        "pt0.5s, PT0.5S",
        "P1D, PT24H",
        "90m, PT1H30M"
    })
    void reads(String text, Duration duration) {
        assertThat(Durations.parse(text)).isEqualTo(duration);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "5", "soon", "-5s", "PT-5S", "5 m", "1m1h", "5ms", "1.5h", "9999999999s"})
    void refusesWithAnExample(String text) {
        assertThatThrownBy(() -> Durations.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("30s, 5m, 1h30m or PT5M");
    }

    @ParameterizedTest
    @ValueSource(strings = {"3651d", "999999999d", "PT2562047788015215H"})
    void refusesWhatIsLongerThanTenYears(String text) {
        assertThatThrownBy(() -> Durations.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3650d at most");
    }
}
