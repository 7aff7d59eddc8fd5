package io.urunner.registry;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.Locale;
import java.util.Optional;

/** Reads {@code Retry-After}, which is a number of seconds or a date (RFC 9110, section 10.2.3). */
final class RetryAfter {
    /** A longer wait is a mistake of the server's; somebody should look after a day. */
    private static final Duration LONGEST = Duration.ofDays(1);

    private static final DateTimeFormatter HTTP_DATE = DateTimeFormatter.RFC_1123_DATE_TIME;
    private static final DateTimeFormatter ASCTIME = DateTimeFormatter.ofPattern(
                    "EEE MMM ppd HH:mm:ss yyyy", Locale.ENGLISH)
            .withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter RFC_850 = new DateTimeFormatterBuilder()
            .appendPattern("EEEE, dd-MMM-")
            .appendValueReduced(ChronoField.YEAR, 2, 2, 1970)
            .appendPattern(" HH:mm:ss 'GMT'")
            .toFormatter(Locale.ENGLISH)
            .withZone(ZoneOffset.UTC);

    private RetryAfter() {}

    static Optional<Duration> parse(String header, Instant now) {
        String value = header.strip();
        Optional<Duration> wait = isNumber(value)
                ? Optional.of(Duration.ofSeconds(saturated(value)))
                : date(value).map(date -> Duration.between(now, date));
        return wait.map(RetryAfter::bounded);
    }

    /** An HTTP date in one of the three forms that a recipient must accept (RFC 9110, section 5.6.7). */
    static Optional<Instant> date(String text) {
        for (DateTimeFormatter format : new DateTimeFormatter[] {HTTP_DATE, RFC_850, ASCTIME}) {
            try {
                return Optional.of(format.parse(text, Instant::from));
            } catch (DateTimeException e) {
                // Another of the three forms may fit.
            }
        }
        return Optional.empty();
    }

    static Duration bounded(Duration wait) {
        if (wait.isNegative()) {
            return Duration.ZERO;
        }
        return wait.compareTo(LONGEST) > 0 ? LONGEST : wait;
    }

    static boolean isNumber(String text) {
        return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    /** A number of any length; what does not fit in 15 digits is as good as endless. */
    static long saturated(String digits) {
        return digits.length() > 15 ? 999_999_999_999_999L : Long.parseLong(digits);
    }
}
