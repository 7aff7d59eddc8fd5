package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RateLimitHeadersTest {
    private static final Instant NOW = Instant.ofEpochSecond(1_800_000_000L);

    /** The outcome is {@code limit/remaining window reset}, where window and reset are seconds from now. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            nullValues = "none",
            value = {
                // Docker Hub
                "ratelimit-limit: 100;w=21600 ⏎ ratelimit-remaining: 99;w=21600 ⏎ docker-ratelimit-source: 1.2.3.4 | 100/99 21600 -",
                "ratelimit-limit: 200;w=21600 ⏎ ratelimit-remaining: 0;w=21600 | 200/0 21600 -",
                // DigitalOcean
                "ratelimit-limit: 5000 ⏎ ratelimit-remaining: 4816 ⏎ ratelimit-reset: 1800000300 | 5000/4816 - 300",
                // GitLab
                "RateLimit-Limit: 60 ⏎ RateLimit-Observed: 67 ⏎ RateLimit-Remaining: 0 ⏎ RateLimit-Reset: 1800000060 | 60/0 - 60",
                // GitHub
                "X-RateLimit-Limit: 60 ⏎ X-RateLimit-Remaining: 56 ⏎ X-RateLimit-Reset: 1800000010 | 60/56 - 10",
                // drafts of the IETF, oldest first
                "RateLimit-Limit: 100, 100;w=60 ⏎ RateLimit-Remaining: 7 ⏎ RateLimit-Reset: 50 | 100/7 60 50",
                "RateLimit: limit=100, remaining=50, reset=30 ⏎ RateLimit-Policy: 100;w=60 | 100/50 60 30",
                "RateLimit: \"default\";r=50;t=30 ⏎ RateLimit-Policy: \"default\";q=100;w=60 | 100/50 60 30",
                "RateLimit: \"r;r=9\";r=50;t=30 | -/50 - 30",
                "RateLimit-Policy: \"burst\";q=100;w=60,\"daily\";q=1000;w=86400 | 100/- 60 -",
                // odd ones
                "X-Rate-Limit-Limit: 10 ⏎ X-Rate-Limit-Remaining: 3 | 10/3 - -",
                "ratelimit-limit: 10 ⏎ ratelimit-remaining: 3 ⏎ ratelimit-reset: 1800000005000 | 10/3 - 5",
                "ratelimit-limit: 10 ⏎ ratelimit-remaining: 3 ⏎ ratelimit-reset: 4.2 | 10/3 - 4",
                "ratelimit-remaining: 3 | -/3 - -",
                "ratelimit-limit: 3 | 3/- - -",
                "ratelimit-reset: 3 | none",
                "ratelimit-limit: unlimited | none",
                "ratelimit-remaining: -1 | none",
                "ratelimit-limit: 99999999999999999999999 | 999999999999999/- - -",
                // beyond sense
                "ratelimit-remaining: 0 ⏎ ratelimit-reset: 999999999999999 | -/0 - 86400",
                "ratelimit-remaining: 0 ⏎ ratelimit-reset: 99999999999999999999999 | -/0 - 86400",
                "ratelimit-remaining: 0 ⏎ ratelimit-reset: 253402300799 | -/0 - 86400",
                "ratelimit-remaining: 0 ⏎ ratelimit-reset: 999999999 | -/0 - 86400",
                "ratelimit-remaining: 0 ⏎ ratelimit-reset: 1000000000 | -/0 - 0",
                "ratelimit-remaining: 0 ⏎ ratelimit-reset: -5 | -/0 - -",
                "ratelimit-remaining: 0;w=99999999999999999999 | -/0 86400 -",
                "ratelimit-remaining: 0;w=-60 | -/0 - -",
                "RateLimit: \"d\";r=0;t=99999999999999999999 ⏎ RateLimit-Policy: \"d\";q=1;w=99999999999 | 1/0 86400 86400",
                "RateLimit: ;;;,=,\" | none",
                "docker-ratelimit-source: 1.2.3.4 | none",
                "`` | none",
            })
    void readsHeadersAsTheyOccurInPractice(String headers, String expected) {
        Map<String, String> byName = new TreeMap<>();
        for (String line : headers.split("⏎", -1)) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                byName.put(
                        line.substring(0, colon).strip().toLowerCase(Locale.ROOT),
                        line.substring(colon + 1).strip());
            }
        }
        String actual = RateLimitHeaders.parse(name -> byName.get(name.toLowerCase(Locale.ROOT)), NOW)
                .map(RateLimitHeadersTest::words)
                .orElse(null);
        assertThat(actual).isEqualTo(expected);
    }

    private static String words(RateLimit limit) {
        return (limit.limit().isPresent() ? limit.limit().getAsLong() : "-") + "/"
                + (limit.remaining().isPresent() ? limit.remaining().getAsLong() : "-") + " "
                + limit.window().map(window -> "" + window.toSeconds()).orElse("-") + " "
                + limit.resetAt()
                        .map(reset -> "" + (reset.getEpochSecond() - NOW.getEpochSecond()))
                        .orElse("-");
    }
}
