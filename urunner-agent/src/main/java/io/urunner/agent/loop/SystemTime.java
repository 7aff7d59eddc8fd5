package io.urunner.agent.loop;

import java.time.Duration;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/** The machine's clocks: all other code is given the time. */
public final class SystemTime {
    public static final InstantSource CLOCK = InstantSource.system();
    public static final LongSupplier TICKER = System::nanoTime;

    private SystemTime() {}

    public static void sleep(Duration time) throws InterruptedException {
        Thread.sleep(time.toMillis());
    }
}
