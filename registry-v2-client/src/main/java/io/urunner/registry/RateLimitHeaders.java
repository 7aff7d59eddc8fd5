package io.urunner.registry;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import okhttp3.Headers;
import org.jspecify.annotations.Nullable;

/**
 * Reads rate limit headers as they occur in practice: the fields of the IETF drafts ({@code RateLimit-*}, {@code
 * RateLimit} and {@code RateLimit-Policy}, old and new syntax), Docker Hub's with the window in a parameter, those with
 * an epoch as reset (DigitalOcean, GitLab), and the older {@code X-RateLimit-*}; and {@code Retry-After}.
 */
final class RateLimitHeaders {
    /** Epoch seconds have been larger than this since 2001; a number of seconds to wait is smaller. */
    private static final long SMALLEST_EPOCH = 1_000_000_000L;

    private static final long SMALLEST_EPOCH_MILLIS = 1_000_000_000_000L;

    private static final String RETRY_AFTER = "Retry-After";

    /** A longer wait or window is a server's mistake or not worth waiting for: a person should look after a day. */
    static final Duration LONGEST = Duration.ofDays(1);

    private RateLimitHeaders() {}

    static Optional<RateLimit> parse(Headers headers, Instant now) {
        return parse(headers::get, now);
    }

    /**
     * What the headers say, or empty if they say nothing.
     *
     * @param headers returns a header's value by its name in any case, or null if it is absent
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
                window.isPresent() ? Optional.of(bounded(Duration.ofSeconds(window.getAsLong()))) : Optional.empty(),
                until.isPresent()
                        ? Optional.of(now.plus(bounded(untilReset(until.getAsLong(), now))))
                        : Optional.empty(),
                now));
    }

    private static Duration untilReset(long reset, Instant now) {
        if (reset < SMALLEST_EPOCH) {
            return Duration.ofSeconds(reset);
        }
        return Duration.between(
                now, reset < SMALLEST_EPOCH_MILLIS ? Instant.ofEpochSecond(reset) : Instant.ofEpochMilli(reset));
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

    /** The number at the beginning of a value: {@code 100} in {@code 100;w=21600} and in {@code 100, 100;w=60}. */
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
        return isNumber(whole) ? OptionalLong.of(saturated(whole)) : OptionalLong.empty();
    }

    /** The wait that {@code Retry-After} asks for, in seconds or as a date (RFC 9110, section 10.2.3). */
    static Optional<Duration> retryAfter(Headers headers, Instant now) {
        String value = headers.get(RETRY_AFTER);
        if (value != null && isNumber(value.strip())) {
            return Optional.of(bounded(Duration.ofSeconds(saturated(value.strip()))));
        }
        Instant date = headers.getInstant(RETRY_AFTER);
        return date == null ? Optional.empty() : Optional.of(bounded(Duration.between(now, date)));
    }

    static Duration bounded(Duration wait) {
        if (wait.isNegative()) {
            return Duration.ZERO;
        }
        return wait.compareTo(LONGEST) > 0 ? LONGEST : wait;
    }

    static boolean isNumber(String text) {
        return text.matches("[0-9]+");
    }

    /** Parses a number of any length; one of more than 15 digits is as good as infinite. */
    static long saturated(String digits) {
        return digits.length() > 15 ? 999_999_999_999_999L : Long.parseLong(digits);
    }
}
