package io.urunner.registry;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.function.LongSupplier;

/** Spaces the requests to each host evenly, as the caller wants it. Thread-safe. */
final class RequestRate {
    private static final int MOST_HOSTS = 1000;
    private static final double NANOS = 1e9;

    /** The pause between two requests to a host in nanoseconds; 0 for none. */
    private final long pause;

    private final LongSupplier ticker;
    private final Sleeper sleeper;

    /** When each host may be asked next. */
    private final LruMap<String, Long> turns = new LruMap<>(MOST_HOSTS);

    /**
     * A rate.
     *
     * @param perSecond how many requests a host gets per second; 0 for any number
     */
    RequestRate(double perSecond, LongSupplier ticker, Sleeper sleeper) {
        this.pause = perSecond == 0 ? 0 : Math.max(1, Math.round(NANOS / perSecond));
        this.ticker = ticker;
        this.sleeper = sleeper;
    }

    /** Waits until the host may be asked. */
    void await(String host, Duration most) throws IOException, InterruptedException {
        if (pause == 0) {
            return;
        }
        long wait;
        synchronized (turns) {
            long now = ticker.getAsLong();
            Long earliest = turns.get(host);
            wait = earliest == null ? 0 : Math.max(0, earliest - now);
            if (wait > most.toNanos()) {
                throw new SocketTimeoutException("the requests that wait for " + host
                        + " use up the deadline; set a longer Builder.deadline or a higher Builder.requestRate");
            }
            turns.put(host, now + wait + pause);
        }
        if (wait > 0) {
            sleeper.sleep(Duration.ofNanos(wait));
        }
    }
}
