package io.urunner.agent.app.rollback;

import io.urunner.registry.Digest;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.Locale;

/** The goal of a rollback. */
public sealed interface Goal {
    /** The algorithm of digests that are given without one. */
    String SHA256 = "sha256:";

    /**
     * A digest.
     *
     * @param digest the digest
     */
    record Exactly(String digest) implements Goal {
        @Override
        public String toString() {
            return digest;
        }
    }

    /**
     * The digest of the tag's history with this prefix.
     *
     * @param beginning the digest's beginning, with its algorithm
     */
    record Beginning(String beginning) implements Goal {
        @Override
        public String toString() {
            return beginning;
        }
    }

    /**
     * A number of digests back.
     *
     * @param steps the number; 1 is the digest before the current one
     */
    record Back(int steps) implements Goal {
        @Override
        public String toString() {
            return "-" + steps;
        }
    }

    /**
     * The digest that the tag had at a time.
     *
     * @param time the time
     */
    record At(Instant time) implements Goal {
        @Override
        public String toString() {
            return time.toString();
        }
    }

    /**
     * Parses user input.
     *
     * @param text a digest or its beginning, {@code -1} or another number of steps, or a time: with an offset, without
     *     one, or only a time of day
     * @param now the current time, and the zone of times without an offset
     * @return the goal
     * @throws IllegalArgumentException if it is none of these
     */
    static Goal parse(String text, ZonedDateTime now) {
        if (text.matches("-[1-9][0-9]{0,5}")) {
            return new Back(Integer.parseInt(text.substring(1)));
        }
        if (text.matches("(?i)(sha256:)?[0-9a-f]{6,63}")) {
            String digits = text.toLowerCase(Locale.ROOT);
            return new Beginning(digits.startsWith(SHA256) ? digits : SHA256 + digits);
        }
        if (text.matches("(?i)[0-9a-f]{64}")) {
            return new Exactly(SHA256 + text.toLowerCase(Locale.ROOT));
        }
        if (text.contains(":") && !Character.isDigit(text.charAt(0))) {
            return new Exactly(Digest.parse(text).toString());
        }
        At at = new At(time(text, now));
        if (at.time().isAfter(now.toInstant())) {
            throw new IllegalArgumentException("'" + text + "' is in the future");
        }
        return at;
    }

    private static Instant time(String text, ZonedDateTime now) {
        String time = text.strip().replaceFirst(" +", "T");
        try {
            return OffsetDateTime.parse(time).toInstant();
        } catch (DateTimeException e) {
            return here(text, time, now);
        }
    }

    /** A time without an offset; a time of day means its last occurrence. */
    private static Instant here(String text, String time, ZonedDateTime now) {
        try {
            if (time.contains("T")) {
                return LocalDateTime.parse(time).atZone(now.getZone()).toInstant();
            }
            if (time.contains("-")) {
                return LocalDate.parse(time).atStartOfDay(now.getZone()).toInstant();
            }
            LocalTime hour = LocalTime.parse(time);
            return now.toLocalDate()
                    .minusDays(hour.isAfter(now.toLocalTime()) ? 1 : 0)
                    .atTime(hour)
                    .atZone(now.getZone())
                    .toInstant();
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("'" + text
                    + "' is not a digest (sha256:… or its first 12 digits), a number of steps (-1) or a time"
                    + " (2026-02-03T14:05:00Z, '2026-02-03 14:05' or 14:05)");
        }
    }

    /**
     * Whether the zone has to be guessed.
     *
     * @param text the text
     * @return true for a time without an offset
     */
    static boolean lacksZone(String text) {
        return text.matches(
                "(\\d{4}-\\d\\d-\\d\\d([T ] *\\d\\d:\\d\\d(:\\d\\d([.]\\d+)?)?)?|\\d\\d:\\d\\d(:\\d\\d([.]\\d+)?)?)");
    }
}
