package io.urunner.agent.tags;

import io.urunner.agent.loop.Pace;
import java.time.Duration;
import java.util.Optional;

/** When a question was asked and how it went, which determines when it is asked again. On the loop, in its nanoseconds. */
final class Asked {
    int failures;
    boolean proven;
    /** When somebody last wanted it to be asked early. */
    Optional<Long> requestedAt = Optional.empty();

    long at = Long.MIN_VALUE;
    long notBefore = Long.MIN_VALUE;
    Optional<Long> restsUntil = Optional.empty();
    /** Since when it has been answered every time. */
    long answersSince;

    /** Whether it waits because somebody wants to know, and not because it is due. */
    boolean early;

    /** Whether somebody wanted to know again while it was being asked. */
    boolean askAgain;

    /** Whether it was answered the last time it was asked. */
    boolean answers() {
        return proven && failures == 0;
    }

    void answered(long now) {
        answersSince = answers() ? answersSince : now;
        proven = true;
        failures = 0;
        notBefore = Long.MIN_VALUE;
    }

    void failed(long now, Duration interval) {
        failures++;
        notBefore = now + Pace.backOff(interval, failures).toNanos();
    }

    boolean rests(long now) {
        return restsFor(now) > 0;
    }

    /** How long passes leave it out; zero if it is asked in the next one. */
    long restsFor(long now) {
        return Math.max(
                notBefore == Long.MIN_VALUE ? 0 : Math.max(0, notBefore - now),
                restsUntil.map(until -> Math.max(0, until - now)).orElse(0L));
    }

    /** Whether its age shows how long it takes to ask all questions once. */
    boolean isAskedInTurn(long now) {
        return failures == 0 && at != Long.MIN_VALUE && restsUntil.isEmpty() && !rests(now);
    }
}
