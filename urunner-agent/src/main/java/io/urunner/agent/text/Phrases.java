package io.urunner.agent.text;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Numbers and times as people write them. */
public final class Phrases {
    private Phrases() {}

    /**
     * Returns a number of things.
     *
     * @param number how many
     * @param noun the noun in the singular; its plural ends with {@code s}
     * @return for example {@code 1 workload} or {@code 2 workloads}
     */
    public static String count(long number, String noun) {
        return count(number, noun, noun + "s");
    }

    /**
     * Returns a number of things, with a given plural.
     *
     * @param number how many
     * @param one the words for one
     * @param many the words for any other number
     * @return for example {@code 1 rollout is} or {@code 2 rollouts are}
     */
    public static String count(long number, String one, String many) {
        return number + " " + (number == 1 ? one : many);
    }

    /**
     * Returns a time relative to now.
     *
     * @param now the current time
     * @param time the time
     * @return for example {@code 3 min ago}, {@code just now} or {@code in 5 min}
     */
    public static String when(Instant now, Instant time) {
        if (time.isAfter(now)) {
            return "in " + span(Duration.between(now, time.plusMillis(999)));
        }
        Duration gone = Duration.between(time, now);
        return gone.toSeconds() == 0 ? "just now" : span(gone) + " ago";
    }

    /**
     * Returns a duration in its largest useful unit.
     *
     * @param time the duration
     * @return for example {@code 90 s}, {@code 5 min}, {@code 3 h} or {@code 2 days}
     */
    public static String span(Duration time) {
        if (time.toSeconds() < 120) {
            return time.toSeconds() + " s";
        } else if (time.toMinutes() < 120) {
            return time.toMinutes() + " min";
        }
        return time.toHours() < 48 ? time.toHours() + " h" : count(time.toDays(), "day");
    }

    /**
     * Returns a time for people and machines, in ISO 8601 and UTC, in whole seconds.
     *
     * @param time the time
     * @return for example {@code 2026-02-03T14:05:00Z}
     */
    public static String time(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
