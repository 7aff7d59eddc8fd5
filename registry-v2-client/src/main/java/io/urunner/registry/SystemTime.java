package io.urunner.registry;

import java.time.InstantSource;
import java.util.function.LongSupplier;

/** The clocks of the machine. */
final class SystemTime {
    static final InstantSource CLOCK = InstantSource.system();
    static final LongSupplier TICKER = System::nanoTime;
    static final Sleeper SLEEPER = duration -> Thread.sleep(duration.toMillis(), duration.toNanosPart() % 1_000_000);

    private SystemTime() {}
}
