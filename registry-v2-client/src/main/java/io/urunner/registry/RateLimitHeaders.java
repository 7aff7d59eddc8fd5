package io.urunner.registry;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads the headers about rate limits as they are found: the fields of the IETF drafts ({@code RateLimit-*}, {@code
 * RateLimit} and {@code RateLimit-Policy}, old and new syntax), Docker Hub's with the window in a parameter, those with an
 * epoch as reset (DigitalOcean, GitLab), and the {@code X-RateLimit-*} before them all.
 */
final class RateLimitHeaders {
    /** Seconds since 1970 have been more than this since 2001; numbers of seconds to wait are less. */
    private static final long SMALLEST_EPOCH = 1_000_000_000L;

    private static final long SMALLEST_EPOCH_MILLIS = 1_000_000_000_000L;

    private RateLimitHeaders() {}

    /**
     * What the headers say, or empty if nothing.
     *
     * @param headers gives a header's value by its name in any case, null if it is absent
     */
    static Optional<RateLimit> parse(Function<String, @Nullable String> headers, Instant now) {
        String limit = first(headers, "RateLimit-Limit", "X-RateLimit-Limit", "X-Rate-Limit-Limit");
        String remaining = first(headers, "RateLimit-Remaining", "X-RateLimit-Remaining", "X-Rate-Limit-Remaining");
        String reset = first(headers, "RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset");
        String combined = headers.apply("RateLimit");
        String policy = headers.apply("RateLimit-Policy");
        OptionalLong quota = or(leading(limit), or(parameter(combined, "limit"), parameter(policy, "q")));
        OptionalLong left = or(leading(remaining), or(parameter(combined, "remaining"), parameter(combined, "r")));
        OptionalLong until = or(leading(reset), or(parameter(combined, "reset"), parameter(combined, "t")));
        OptionalLong window = or(parameter(remaining, "w"), or(parameter(limit, "w"), parameter(policy, "w")));
        if (quota.isEmpty() && left.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new RateLimit(
                quota,
                left,
                window.isPresent() ? Optional.of(Duration.ofSeconds(window.getAsLong())) : Optional.empty(),
                until.isPresent() ? Optional.of(moment(until.getAsLong(), now)) : Optional.empty()));
    }

    private static Instant moment(long reset, Instant now) {
        if (reset >= SMALLEST_EPOCH_MILLIS) {
            return Instant.ofEpochMilli(reset);
        }
        return reset >= SMALLEST_EPOCH ? Instant.ofEpochSecond(reset) : now.plusSeconds(reset);
    }

    @Nullable private static String first(Function<String, @Nullable String> headers, String... names) {
        for (String name : names) {
            String value = headers.apply(name);
            if (value != null) {
                return value;
            }
        }
        return null;
    }

    private static OptionalLong or(OptionalLong first, OptionalLong second) {
        return first.isPresent() ? first : second;
    }

    /** The number that a value begins with: {@code 100} in {@code 100;w=21600} and in {@code 100, 100;w=60}. */
    private static OptionalLong leading(@Nullable String value) {
        if (value == null) {
            return OptionalLong.empty();
        }
        HeaderScanner scanner = new HeaderScanner(value);
        scanner.skipBlanks();
        return number(scanner.token());
    }

    /** The first parameter of this name in a list of items with parameters. */
    private static OptionalLong parameter(@Nullable String value, String name) {
        if (value == null) {
            return OptionalLong.empty();
        }
        HeaderScanner scanner = new HeaderScanner(value);
        while (!scanner.atEnd()) {
            scanner.skipListSeparators();
            if (scanner.skip(';') || scanner.quoted() != null) {
                continue;
            }
            String key = scanner.token();
            scanner.skipBlanks();
            if (scanner.skip('=')) {
                String number = scanner.until(",; ");
                if (key.equalsIgnoreCase(name)) {
                    return number(number);
                }
            } else if (key.isEmpty()) {
                scanner.until(",;");
            }
        }
        return OptionalLong.empty();
    }

    private static OptionalLong number(String text) {
        int dot = text.indexOf('.');
        String whole = dot < 0 ? text : text.substring(0, dot);
        return RetryAfter.isNumber(whole) ? OptionalLong.of(RetryAfter.saturated(whole)) : OptionalLong.empty();
    }
}
