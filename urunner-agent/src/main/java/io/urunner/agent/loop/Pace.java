package io.urunner.agent.loop;

import java.time.Duration;

/**
 * How long a registry is left alone between two passes: for the interval; while it fails, at least twice as long, doubling
 * up to ten minutes; never shorter than the registry asked for.
 */
public final class Pace {
    /** The longest back-off, unless the interval itself is longer. */
    static final Duration LONGEST = Duration.ofMinutes(10);

    private final Duration interval;
    private int failures;

    public Pace(Duration interval) {
        this.interval = interval;
    }

    /** Whether the last pass failed. */
    public boolean failing() {
        return failures > 0;
    }

    /** The registry answered: back to the interval. */
    public void succeeded() {
        failures = 0;
    }

    /** The registry did not answer. */
    public void failed() {
        failures++;
    }

    /**
     * Returns when the next pass begins.
     *
     * @param sinceStart how long ago the last pass began
     * @return how long from now; a failing registry is left alone from the end of the pass on
     */
    public Duration next(Duration sinceStart) {
        return failing() ? backOff(interval, failures) : max(interval.minus(sinceStart), Duration.ZERO);
    }

    /** The interval doubled as often as something failed, up to {@link #LONGEST}. */
    public static Duration backOff(Duration interval, int failures) {
        Duration delay = interval;
        for (int i = 0; i < failures && delay.compareTo(LONGEST) < 0; i++) {
            delay = delay.multipliedBy(2);
        }
        return max(interval, delay.compareTo(LONGEST) > 0 ? LONGEST : delay);
    }

    public static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    public static Duration max(Duration a, Duration b) {
        return a.compareTo(b) >= 0 ? a : b;
    }
}
