package io.urunner.agent.loop;

import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * The one thread that owns the agent's state. Tasks run one after the other, never at the same time, so nothing that only
 * they touch needs a lock. A task must not block.
 */
public interface Loop extends Executor {
    /**
     * Runs something later.
     *
     * @param delay how long from now
     * @param task the task
     * @return a timer that cancels it; has no effect once it has run
     */
    Timer after(Duration delay, Runnable task);

    /**
     * Runs something repeatedly, even after it has thrown.
     *
     * @param period how long from the end of one run to the next
     * @param task the task; it is not run at once
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
