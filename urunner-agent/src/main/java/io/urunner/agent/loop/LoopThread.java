package io.urunner.agent.loop;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The loop as a thread. A task that throws is logged and does not stop the others. */
public final class LoopThread implements Loop, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LoopThread.class);
    private static final Duration BEAT = Duration.ofSeconds(1);

    private final ScheduledThreadPoolExecutor executor;
    private final LongSupplier ticker;
    private volatile long beat;

    public LoopThread(ThreadFactory threads, LongSupplier ticker) {
        this.ticker = ticker;
        executor = new ScheduledThreadPoolExecutor(1, threads);
        executor.setRemoveOnCancelPolicy(true);
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        beat = ticker.getAsLong();
    }

    /** Starts the heartbeat. */
    public void start() {
        beat = ticker.getAsLong();
        every(BEAT, () -> beat = ticker.getAsLong());
    }

    /** How long ago the loop last showed a sign of life. */
    public Duration sinceBeat() {
        return Duration.ofNanos(ticker.getAsLong() - beat);
    }

    @Override
    public void execute(Runnable task) {
        try {
            executor.execute(guarded(task));
        } catch (RejectedExecutionException e) {
            LOG.debug("the loop is closed: a late answer is dropped");
        }
    }

    @Override
    public Timer after(Duration delay, Runnable task) {
        try {
            Future<?> future = executor.schedule(guarded(task), Math.max(0, delay.toNanos()), TimeUnit.NANOSECONDS);
            return () -> future.cancel(false);
        } catch (RejectedExecutionException e) {
            return () -> {};
        }
    }

    @Override
    public long nanos() {
        return ticker.getAsLong();
    }

    /** Drops what waits; what runs is completed. */
    @Override
    public void close() {
        executor.shutdownNow();
    }

    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                // Catches everything: the executor would swallow it.
                LOG.error("a task of the agent's loop failed; this is a defect, the loop continues", e);
            }
        };
    }
}
