package io.urunner.agent.loop;

import java.time.Duration;
import java.util.function.LongSupplier;

/** Whether what was begun in one of the agent's queues ends. Thread-safe. */
public final class Progress {
    private final LongSupplier ticker;
    private int underWay;
    private long moved;

    /** {@code ticker} is the time since some fixed moment, in nanoseconds. */
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

    /** For how long there is something to do, and nothing ended; zero while all is quiet. */
    public synchronized Duration standsStill() {
        return quiet() ? Duration.ZERO : Duration.ofNanos(ticker.getAsLong() - moved);
    }
}
