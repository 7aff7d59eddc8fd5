package io.urunner.agent.loop;

import java.time.Duration;
import java.util.function.LongSupplier;

/** Tracks whether what was started in one of the agent's queues ends. Thread-safe. */
public final class Progress {
    private final LongSupplier ticker;
    private int underWay;
    private long moved;

    /** {@code ticker} gives the time since some fixed moment, in nanoseconds. */
    public Progress(LongSupplier ticker) {
        this.ticker = ticker;
    }

    /** Something is to be done. */
    public synchronized void begun() {
        moved = underWay == 0 ? ticker.getAsLong() : moved;
        underWay++;
    }

    /** It was done, or failed. */
    public synchronized void ended() {
        moved = ticker.getAsLong();
        underWay--;
    }

    /** Whether nothing is to be done. */
    public synchronized boolean quiet() {
        return underWay == 0;
    }

    /** How long there has been something to do without anything ending; zero while nothing is to be done. */
    public synchronized Duration standsStill() {
        return quiet() ? Duration.ZERO : Duration.ofNanos(ticker.getAsLong() - moved);
    }
}
