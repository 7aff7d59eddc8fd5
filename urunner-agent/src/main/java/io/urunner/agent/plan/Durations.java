package io.urunner.agent.plan;

import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The one grammar of durations in settings and annotations. */
public final class Durations {
    private static final Pattern SHORT =
            Pattern.compile("(?:(\\d{1,9})d)?(?:(\\d{1,9})h)?(?:(\\d{1,9})m)?(?:(\\d{1,9})s)?");

    /** What is longer is a slip, and no time can be told that lies so far ahead. */
    private static final Duration LONGEST = Duration.ofDays(3650);

    private Durations() {}

    /**
     * Reads {@code 30s}, {@code 5m}, {@code 1h30m}, {@code 2d}, {@code 0}, or the ISO 8601 form {@code PT5M}.
     *
     * @param text the text
     * @return the duration, not negative, ten years at most
     * @throws IllegalArgumentException if the text is of another form, with the form in its message
     */
    public static Duration parse(String text) {
        Duration duration = read(text);
        if (duration.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("'" + text + "' is too long: " + LONGEST.toDays() + "d at most");
        }
        return duration;
    }

    private static Duration read(String text) {
        String trimmed = text.strip();
        if (trimmed.equals("0")) {
            return Duration.ZERO;
        }
        Matcher matcher = SHORT.matcher(trimmed.toLowerCase(Locale.ROOT));
        if (!trimmed.isEmpty() && matcher.matches()) {
            return Duration.ofDays(amount(matcher, 1))
                    .plusHours(amount(matcher, 2))
                    .plusMinutes(amount(matcher, 3))
                    .plusSeconds(amount(matcher, 4));
        }
        try {
            Duration duration = Duration.parse(trimmed);
            if (!duration.isNegative()) {
                return duration;
            }
        } catch (DateTimeException e) {
            // falls through to the one message that says how it is written
        }
        throw new IllegalArgumentException("'" + text + "' is no duration: write for example 30s, 5m, 1h30m or PT5M");
    }

    private static long amount(Matcher matcher, int group) {
        String digits = matcher.group(group);
        return digits == null ? 0 : Long.parseLong(digits);
    }
}
