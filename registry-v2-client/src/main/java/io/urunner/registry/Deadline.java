package io.urunner.registry;

import java.time.Duration;
import java.util.function.LongSupplier;

/** The moment by which a call of the client must be over, and how far the call has come. Not thread-safe. */
final class Deadline {
    private final LongSupplier ticker;
    private final long end;
    private String asked = "";
    private final Duration transfer;

    /**
     * A deadline.
     *
     * @param transfer how much later the reading or writing of content must be over
     */
    Deadline(LongSupplier ticker, Duration budget, Duration transfer) {
        this.ticker = ticker;
        this.end = ticker.getAsLong() + budget.toNanos();
        this.transfer = transfer;
    }

    /** Notes whose turn it is to answer. */
    void asks(String host) {
        asked = host;
    }

    /** The host that was asked last. */
    String asked() {
        return asked;
    }

    /** What is left, never negative. */
    Duration remaining() {
        return Duration.ofNanos(Math.max(0, end - ticker.getAsLong()));
    }

    Duration transfer() {
        return transfer;
    }
}
