package io.urunner.agent.run;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes the agent's threads: named, and no reason for the process to stay. */
final class Threads {
    private Threads() {}

    /** Threads named {@code urunner-<name>-<n>}. */
    static ThreadFactory named(String name) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, "urunner-" + name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}
