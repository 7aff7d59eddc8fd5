package io.urunner.agent.plan;

import java.time.DateTimeException;
import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A time of the week in which rollouts may start. A window that ends before it starts extends into the next day; its days
 * are those on which it opens. A local time that a clock change skips moves forward by the gap; if a clock change repeats
 * it, a window opens at the first occurrence and closes at the second.
 *
 * @param days the days on which it opens
 * @param from when it opens
 * @param to when it closes; the same time as {@code from} means after 24 hours
 * @param zone the zone of both times
 */
public record Window(Set<DayOfWeek> days, LocalTime from, LocalTime to, ZoneId zone) {
    private static final Pattern FORM =
            Pattern.compile("(?:(\\S+)\\s+)?(\\d{1,2}:\\d{2})\\s*-\\s*(\\d{1,2}:\\d{2})(?:\\s+(\\S+))?");
    private static final String EXAMPLE = "write for example 'Mon-Fri 20:00-06:00 Europe/Rome'";

    public Window {
        days = Set.copyOf(days);
        if (days.isEmpty()) {
            throw new IllegalArgumentException("a window must open on at least one day");
        }
    }

    /**
     * Reads windows separated by {@code ;}, each {@code [DAYS ]HH:MM-HH:MM[ ZONE]}: days as {@code Mon-Fri},
     * {@code Sat,Sun} or omitted for all, the zone omitted for UTC, {@code 24:00} as an end.
     *
     * @param text the text
     * @return the windows, at least one
     * @throws IllegalArgumentException if the text has another form; the message shows the form
     */
    public static List<Window> parse(String text) {
        List<Window> windows = new ArrayList<>();
        for (String part : text.split(";", -1)) {
            if (!part.isBlank()) {
                windows.add(parseOne(part.strip()));
            }
        }
        if (windows.isEmpty()) {
            throw new IllegalArgumentException("'" + text + "' is not a window: " + EXAMPLE);
        }
        return List.copyOf(windows);
    }

    private static Window parseOne(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a window: " + EXAMPLE);
        }
        try {
            String days = matcher.group(1);
            String zone = matcher.group(4);
            return new Window(
                    days == null ? EnumSet.allOf(DayOfWeek.class) : days(days),
                    time(matcher.group(2)),
                    matcher.group(3).equals("24:00") ? LocalTime.MIDNIGHT : time(matcher.group(3)),
                    zone == null ? ZoneOffset.UTC : ZoneId.of(zone));
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a window (" + e.getMessage() + "): " + EXAMPLE, e);
        }
    }

    private static LocalTime time(String text) {
        return LocalTime.parse(text.length() == 4 ? "0" + text : text);
    }

    private static Set<DayOfWeek> days(String text) {
        Set<DayOfWeek> days = EnumSet.noneOf(DayOfWeek.class);
        for (String part : text.split(",", -1)) {
            String[] ends = part.split("-", -1);
            DayOfWeek last = day(ends[ends.length - 1]);
            if (ends.length > 2) {
                throw new DateTimeException("'" + part + "' is not a range of days");
            }
            for (DayOfWeek day = day(ends[0]); ; day = day.plus(1)) {
                days.add(day);
                if (day == last) {
                    break;
                }
            }
        }
        return days;
    }

    private static DayOfWeek day(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        for (DayOfWeek day : DayOfWeek.values()) {
            String name = day.name().toLowerCase(Locale.ROOT);
            if (lower.equals(name) || lower.equals(name.substring(0, 3))) {
                return day;
            }
        }
        throw new DateTimeException("'" + text + "' is not a day");
    }

    /**
     * Whether a rollout may start.
     *
     * @param windows the windows; none means always
     * @param now the time
     * @return empty if one is open; otherwise when the next one opens
     */
    static Optional<Instant> closedUntil(List<Window> windows, Instant now) {
        if (windows.isEmpty() || windows.stream().anyMatch(window -> window.isOpen(now))) {
            return Optional.empty();
        }
        return windows.stream().map(window -> window.nextOpening(now)).min(Instant::compareTo);
    }

    private boolean isOpen(Instant now) {
        LocalDate today = now.atZone(zone).toLocalDate();
        return opensAndHolds(today, now) || opensAndHolds(today.minusDays(1), now);
    }

    private boolean opensAndHolds(LocalDate day, Instant now) {
        return days.contains(day.getDayOfWeek()) && !now.isBefore(opening(day)) && now.isBefore(closing(day));
    }

    private Instant nextOpening(Instant now) {
        LocalDate day = now.atZone(zone).toLocalDate();
        while (!days.contains(day.getDayOfWeek()) || !opening(day).isAfter(now)) {
            day = day.plusDays(1);
        }
        return opening(day);
    }

    private Instant opening(LocalDate day) {
        return day.atTime(from).atZone(zone).toInstant();
    }

    private Instant closing(LocalDate day) {
        LocalDate last = to.isAfter(from) ? day : day.plusDays(1);
        return last.atTime(to).atZone(zone).withLaterOffsetAtOverlap().toInstant();
    }

    @Override
    public String toString() {
        return days.stream()
                        .sorted()
                        .map(day -> day.name().charAt(0)
                                + day.name().substring(1, 3).toLowerCase(Locale.ROOT))
                        .reduce((one, other) -> one + "," + other)
                        .orElseThrow()
                + " " + from + "-" + to + " " + zone;
    }
}
