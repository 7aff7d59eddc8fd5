package io.urunner.agent.text;

import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The grammar of durations in settings, annotations and command-line options. */
public final class Durations {
    private static final Pattern SECONDS = Pattern.compile("\\d{1,12}");
    private static final Pattern SHORT =
            Pattern.compile("(?:(\\d{1,12})d)?(?:(\\d{1,12})h)?(?:(\\d{1,12})m)?(?:(\\d{1,12})s)?(?:(\\d{1,12})ms)?");

    /** The number of nanoseconds in a longer duration would soon exceed a {@code long}. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private Durations() {}

    /**
     * Parses a duration: seconds ({@code 90}), numbers with the units d, h, m, s and ms, the largest unit first
     * ({@code 90s}, {@code 5m}, {@code 1h30m}, {@code 2d}, {@code 500ms}), or ISO 8601 ({@code PT5M}). Case does not matter.
     *
     * @param text the text
     * @return the duration, from zero to 36,500 days
     * @throws IllegalArgumentException if the text is not a duration, or a longer one; the message says what to write
     */
    public static Duration parse(String text) {
        Duration duration = read(text);
        if (duration.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(Values.shown(text) + " is longer than " + LONGEST.toDays() + " days");
        }
        return duration;
    }

    private static Duration read(String text) {
        String stripped = text.strip();
        if (SECONDS.matcher(stripped).matches()) {
            return Duration.ofSeconds(Long.parseLong(stripped));
        }
        Matcher matcher = SHORT.matcher(stripped.toLowerCase(Locale.ROOT));
        if (!stripped.isEmpty() && matcher.matches()) {
            return Duration.ofDays(amount(matcher, 1))
                    .plusHours(amount(matcher, 2))
                    .plusMinutes(amount(matcher, 3))
                    .plusSeconds(amount(matcher, 4))
                    .plusMillis(amount(matcher, 5));
        }
        try {
            Duration duration = Duration.parse(stripped);
            if (!duration.isNegative()) {
                return duration;
            }
        } catch (DateTimeException e) {
            // The message below is clearer: most people meant the short form.
        }
        throw new IllegalArgumentException(
                Values.shown(text) + " is not a duration; write for example 90 (seconds), 30s, 5m, 1h30m or 2d");
    }

    private static long amount(Matcher matcher, int group) {
        String digits = matcher.group(group);
        return digits == null ? 0 : Long.parseLong(digits);
    }
}
