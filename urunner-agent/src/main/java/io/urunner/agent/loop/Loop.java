package io.urunner.agent.loop;

import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * The one thread that owns the agent's state. What is given to it runs one after the other, never at the same time, so
 * nothing that only it touches needs a lock. Nothing that waits belongs on it.
 */
public interface Loop extends Executor {
    /**
     * Runs something later.
     *
     * @param delay how long from now
     * @param task what
     * @return calls it off; does nothing once it ran
     */
    Timer after(Duration delay, Runnable task);

    /**
     * Runs something again and again, also after it threw.
     *
     * @param period how long from the end of one time to the next
     * @param task what; it is not run at once
     */
    default void every(Duration period, Runnable task) {
        after(period, () -> {
            try {
                task.run();
            } finally {
                every(period, task);
            }
        });
    }

    /** The time since some fixed moment, in nanoseconds. */
    long nanos();

    /** A task that waits for its time. */
    interface Timer {
        void cancel();
    }
}
