package io.urunner.registry;

import java.time.Duration;
import java.util.function.LongSupplier;

/** The time by which a call of the client must be over, and how far the call has come. Not thread-safe. */
final class Deadline {
    private final LongSupplier ticker;
    private final long end;
    private String asked = "";
    private String sent = "";
    private final Duration transfer;

    /**
     * Creates a deadline.
     *
     * @param transfer how much more time reading or writing content may take
     */
    Deadline(LongSupplier ticker, Duration budget, Duration transfer) {
        this.ticker = ticker;
        this.end = ticker.getAsLong() + budget.toNanos();
        this.transfer = transfer;
    }

    /** Records which host is to answer next. */
    void asks(String host) {
        asked = host;
    }

    /** The host that was last asked. */
    String asked() {
        return asked;
    }

    /** Records the method of a request of which a host got something, or nothing if none did. */
    void sent(String method) {
        sent = method;
    }

    /**
     * The method of the last request if its host may have got it, otherwise nothing. A failure may be that of a token
     * server, which is never asked with {@code HEAD} or {@code DELETE}.
     */
    String sent() {
        return sent;
    }

    /** The remaining time, never negative. */
    Duration remaining() {
        return Duration.ofNanos(Math.max(0, end - ticker.getAsLong()));
    }

    Duration transfer() {
        return transfer;
    }
}
