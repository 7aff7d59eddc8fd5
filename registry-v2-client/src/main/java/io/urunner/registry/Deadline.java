package io.urunner.registry;

import java.time.Duration;
import java.util.function.LongSupplier;

/** The moment by which a call of the client must be over. */
final class Deadline {
    private final LongSupplier ticker;
    private final long end;

    Deadline(LongSupplier ticker, Duration budget) {
        this.ticker = ticker;
        this.end = ticker.getAsLong() + budget.toNanos();
    }

    /** What is left, never negative. */
    Duration remaining() {
        return Duration.ofNanos(Math.max(0, end - ticker.getAsLong()));
    }
}
