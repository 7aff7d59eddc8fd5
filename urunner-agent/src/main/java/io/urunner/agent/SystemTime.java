package io.urunner.agent;

import java.time.Duration;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/** The machine's clocks: everybody else is given the time. */
final class SystemTime {
    static final InstantSource CLOCK = InstantSource.system();
    static final LongSupplier TICKER = System::nanoTime;

    private SystemTime() {}

    static void sleep(Duration time) throws InterruptedException {
        Thread.sleep(time.toMillis());
    }
}
