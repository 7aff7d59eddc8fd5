package io.urunner.agent.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PolicyTest {
    private static final Set<String> CONTAINERS = Set.of("app", "proxy");

    @Test
    void withoutAnnotationsTheDefaultsApply() {
        Policy.Reading reading =
                Policy.DEFAULT.override(Map.of("urunner.io/state", "{}", "urunner.io/digests", "{}"), CONTAINERS);

        assertThat(reading).isEqualTo(new Policy.Reading(Policy.DEFAULT, List.of()));
    }

    @Test
    void annotationsOverrideOneByOne() {
        Policy.Reading reading = Policy.DEFAULT.override(
                Map.of(
                        "urunner.io/first-sight", "adopt",
                        "urunner.io/cooldown", "1h",
                        "urunner.io/settle", "30s",
                        "urunner.io/window", "08:00-18:00",
                        "urunner.io/containers", "app, proxy",
                        "urunner.io/if-not-always", "Skip",
                        "urunner.io/shadow", "true"),
                CONTAINERS);

        assertThat(reading.problems()).isEmpty();
        assertThat(reading.policy())
                .isEqualTo(new Policy(
                        Policy.FirstSight.ADOPT,
                        Duration.ofHours(1),
                        Duration.ofSeconds(30),
                        Window.parse("08:00-18:00"),
                        CONTAINERS,
                        Policy.IfNotAlways.SKIP,
                        true));
    }

    @ParameterizedTest
    @CsvSource({
        "first-sight, wait, 'is not one of restart, adopt'",
        "cooldown, soon, is not a duration",
        "settle, -5, is not a duration",
        "window, night, is not a window",
        "containers, web, 'it has no web; it has app, proxy'",
        "containers, ' , ', must name containers",
        "if-not-always, ignore, 'is not one of restart, pin, skip'",
        "shadow, yes, is neither true nor false",
        "settel, 1h, 'unknown name; did you mean urunner.io/settle?'",
        "nonsense, 1h, 'unknown name; known names are containers, cooldown, first-sight'"
    })
    void aWrongValueOrNameIsAProblemThatNamesTheAnnotation(String name, String value, String problem) {
        Policy.Reading reading = Policy.DEFAULT.override(Map.of("urunner.io/" + name, value), CONTAINERS);

        assertThat(reading.problems())
                .singleElement()
                .asString()
                .startsWith("annotation urunner.io/" + name + ": ")
                .contains(problem);
    }

    @Test
    void allProblemsAreReportedAtOnce() {
        assertThat(Policy.DEFAULT
                        .override(Map.of("urunner.io/cooldown", "x", "urunner.io/shadow", "x"), CONTAINERS)
                        .problems())
                .hasSize(2);
    }
}
