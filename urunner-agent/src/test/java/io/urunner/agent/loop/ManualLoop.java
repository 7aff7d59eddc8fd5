package io.urunner.agent.loop;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** The loop and the clock, advanced by hand. */
public final class ManualLoop implements Loop, InstantSource {
    private static final Instant START = Instant.parse("2026-11-23T12:00:00Z");

    /** Tasks come from other threads, too. */
    private final Queue<Runnable> now = new ConcurrentLinkedQueue<>();

    private final PriorityQueue<Later> later =
            new PriorityQueue<>(Comparator.comparingLong(Later::at).thenComparingLong(Later::order));
    private long nanos;
    private long order;
    private Duration wrong = Duration.ZERO;

    private record Later(long at, long order, Runnable task) {}

    @Override
    public void execute(Runnable task) {
        now.add(task);
    }

    @Override
    public Timer after(Duration delay, Runnable task) {
        Later entry = new Later(nanos + Math.max(0, delay.toNanos()), order++, task);
        later.add(entry);
        return () -> later.remove(entry);
    }

    @Override
    public long nanos() {
        return nanos;
    }

    @Override
    public Instant instant() {
        return START.plusNanos(nanos).plus(wrong);
    }

    /** Somebody changes the clock by this much; the elapsed time stays the same. */
    public void setClock(Duration by) {
        wrong = wrong.plus(by);
    }

    /** Runs what is due now. */
    public void settle() {
        advance(Duration.ZERO);
    }

    /** Lets time pass, and runs what becomes due in it. */
    public void advance(Duration time) {
        long end = nanos + time.toNanos();
        while (true) {
            if (!now.isEmpty()) {
                now.remove().run();
            } else if (!later.isEmpty() && later.peek().at() <= end) {
                Later next = later.remove();
                nanos = Math.max(nanos, next.at());
                next.task().run();
            } else {
                nanos = end;
                return;
            }
        }
    }
}
