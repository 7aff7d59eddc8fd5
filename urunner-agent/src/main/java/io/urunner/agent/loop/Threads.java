package io.urunner.agent.loop;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the agent's threads: named, and no reason for the process to stay. */
public final class Threads {
    private static final Logger LOG = LoggerFactory.getLogger(Threads.class);

    private Threads() {}

    /** Threads named {@code urunner-<name>-<n>}. */
    public static ThreadFactory named(String name) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, "urunner-" + name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            thread.setUncaughtExceptionHandler((ended, e) ->
                    LOG.error("the thread {} ended; this is a defect, another takes its place", ended.getName(), e));
            return thread;
        };
    }
}
