package io.urunner.agent.run;

import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * The one thread that owns the agent's state. What is given to it runs one after the other, never at the same time, so
 * nothing that only it touches needs a lock. Nothing that waits belongs on it.
 */
interface Loop extends Executor {
    /**
     * Runs something later.
     *
     * @param delay how long from now
     * @param task what
     * @return calls it off; does nothing once it ran
     */
    Timer after(Duration delay, Runnable task);

    /** The time since some fixed moment, in nanoseconds. */
    long nanos();

    /** A task that waits for its time. */
    interface Timer {
        void cancel();
    }
}
