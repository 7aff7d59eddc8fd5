package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryPolicyTest {
    private static final RetryPolicy POLICY = new RetryPolicy(4, Duration.ofMillis(400), Duration.ofSeconds(10));

    @ParameterizedTest(name = "attempt {0}, server asks {1} ms, {2} ms left, random {3}: {4}")
    @CsvSource(
            nullValues = "-",
            value = {
                "1, -, 30000, 0.0, 200",
                "1, -, 30000, 1.0, 400",
                "1, -, 30000, 0.5, 300",
                "2, -, 30000, 1.0, 800",
                "3, -, 30000, 1.0, 1600",
                "4, -, 30000, 1.0, -",
                "5, -, 30000, 1.0, -",
                // the server's wish counts if it is longer
                "1, 5000, 30000, 1.0, 5000",
                "1, 100, 30000, 1.0, 400",
                "1, 0, 30000, 0.0, 200",
                "3, 2000, 30000, 1.0, 2000",
                // no wait reaches the deadline
                "1, 30000, 30000, 1.0, -",
                "1, 29999, 30000, 1.0, 29999",
                "1, 60000, 30000, 1.0, -",
                "1, -, 400, 1.0, -",
                "1, -, 401, 1.0, 400",
                "1, -, 0, 0.0, -",
            })
    void waitsForASensibleTime(int attempt, Long asked, long remaining, double random, Long expected) {
        Optional<Duration> delay = POLICY.delay(
                attempt, Optional.ofNullable(asked).map(Duration::ofMillis), Duration.ofMillis(remaining), random);
        assertThat(delay.map(Duration::toMillis).orElse(null)).isEqualTo(expected);
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource({
        "200, false",
        "304, false",
        "400, false",
        "401, false",
        "403, false",
        "404, false",
        "405, false",
        "408, true",
        "409, false",
        "413, false",
        "425, true",
        "429, true",
        "499, true",
        "500, true",
        "501, false",
        "502, true",
        "503, true",
        "504, true",
        "505, false",
        "520, true",
        "599, true"
    })
    void recognisesTransientStatuses(int status, boolean expected) {
        assertThat(RetryPolicy.isTransient(status)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"10, 10000", "30, 10000", "63, 10000"})
    void neverWaitsLongerThanTheMaximum(int attempt, long expected) {
        RetryPolicy endless = new RetryPolicy(100, Duration.ofMillis(400), Duration.ofSeconds(10));
        assertThat(endless.delay(attempt, Optional.empty(), Duration.ofHours(1), 1.0))
                .contains(Duration.ofMillis(expected));
    }
}
