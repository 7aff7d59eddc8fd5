package io.urunner.registry;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Time that passes only when a test says so, or when something sleeps. */
final class ManualTime implements InstantSource {
    static final Instant START = Instant.parse("2026-11-23T10:00:00Z");

    final List<Duration> sleeps = new CopyOnWriteArrayList<>();
    private volatile Duration passed = Duration.ZERO;
    private volatile Duration setBack = Duration.ZERO;

    synchronized void pass(Duration duration) {
        passed = passed.plus(duration);
    }

    /** Sets the clock back; no time passes. */
    void setBack(Duration by) {
        setBack = by;
    }

    void sleep(Duration duration) {
        sleeps.add(duration);
        pass(duration);
    }

    long nanos() {
        return passed.toNanos();
    }

    @Override
    public Instant instant() {
        return START.plus(passed).minus(setBack);
    }
}
