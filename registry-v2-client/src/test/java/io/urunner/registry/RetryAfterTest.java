package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import okhttp3.Headers;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryAfterTest {
    private static final Instant NOW = Instant.parse("1994-11-06T08:49:37Z");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "none",
            value = {
                "0 | 0",
                "1 | 1",
                "120 | 120",
                " 30  | 30",
                "86400 | 86400",
                "86401 | 86400",
                "99999999999999999999999 | 86400",
                "Sun, 06 Nov 1994 08:49:47 GMT | 10",
                "Sun, 06 Nov 1994 08:49:37 GMT | 0",
                "Sun, 06 Nov 1994 08:49:00 GMT | 0",
                "Sat, 06 Nov 2094 08:49:37 GMT | 86400",
                "Sunday, 06-Nov-94 08:49:47 GMT | 10",
                "Sun Nov  6 08:49:47 1994 | 10",
                "-1 | none",
                "1.5 | none",
                "soon | none",
                "Sun, 31 Feb 1994 08:49:37 GMT | 0",
            })
    void readsSecondsAndDates(String header, Long seconds) {
        assertThat(RateLimitHeaders.retryAfter(Headers.of("Retry-After", header), NOW)
                        .map(wait -> wait.toSeconds())
                        .orElse(null))
                .isEqualTo(seconds);
    }
}
