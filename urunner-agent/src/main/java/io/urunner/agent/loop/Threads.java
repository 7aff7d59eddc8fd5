package io.urunner.agent.loop;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Creates the agent's threads: named, and daemons, so that they do not keep the process alive. */
public final class Threads {
    private static final Logger LOG = LoggerFactory.getLogger(Threads.class);

    private Threads() {}

    /** Returns a factory of threads named {@code urunner-<name>-<n>}. */
    public static ThreadFactory named(String name) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, "urunner-" + name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            thread.setUncaughtExceptionHandler((ended, e) ->
                    LOG.error("the thread {} died; this is a defect, another one takes its place", ended.getName(), e));
            return thread;
        };
    }
}
