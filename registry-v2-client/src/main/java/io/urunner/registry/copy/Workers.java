package io.urunner.registry.copy;

import io.urunner.registry.RegistryException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashSet;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Does several things at the same time. The calling thread always works itself, so an executor that is busy, full or
 * shut down makes it slower and never stuck.
 */
final class Workers {
    private final @Nullable Executor executor;
    private final int most;
    private final Queue<Callable<?>> rest = new ArrayDeque<>();
    private final Set<Thread> helpers = new HashSet<>();
    private int round;
    private @Nullable Throwable failure;
    private volatile boolean stopped;

    Workers(@Nullable Executor executor, int most) {
        this.executor = executor;
        this.most = most;
    }

    /** Something to do with each item. */
    @FunctionalInterface
    interface Task<T> {
        void run(T item) throws RegistryException, IOException, InterruptedException;
    }

    /** Whether something failed, so that the rest is in vain. */
    boolean stopped() {
        return stopped;
    }

    /**
     * Runs a task for each item; after a failure, no further ones. Returns when none runs any more. Only the thread that
     * copies calls this.
     */
    <T> void forEach(Collection<T> items, Task<T> task) throws RegistryException, IOException, InterruptedException {
        int current = begin(items, task);
        for (int i = 1; executor != null && i < Math.min(most, items.size()); i++) {
            try {
                executor.execute(() -> help(current));
            } catch (RejectedExecutionException e) {
                break;
            }
        }
        work();
        finish();
    }

    private synchronized <T> int begin(Collection<T> items, Task<T> task) {
        for (T item : items) {
            rest.add(() -> {
                task.run(item);
                return item;
            });
        }
        return ++round;
    }

    /** Helps, unless the executor comes too late. */
    private void help(int inRound) {
        Thread thread = Thread.currentThread();
        synchronized (this) {
            if (inRound != round || rest.isEmpty()) {
                return;
            }
            helpers.add(thread);
        }
        try {
            work();
        } finally {
            synchronized (this) {
                helpers.remove(thread);
                if (failure != null) {
                    // It may be ours; the thread's owner shall not see it.
                    Thread.interrupted();
                }
                notifyAll();
            }
        }
    }

    @SuppressWarnings("IllegalCatch")
    private void work() {
        for (Callable<?> task = next(); task != null; task = next()) {
            try {
                if (Thread.interrupted()) {
                    throw new InterruptedException("interrupted while copying");
                }
                task.call();
            } catch (Throwable t) {
                fail(t);
            }
        }
    }

    private synchronized @Nullable Callable<?> next() {
        return rest.poll();
    }

    private synchronized void fail(Throwable t) {
        if (failure == null) {
            failure = t;
            stopped = true;
            rest.clear();
            for (Thread helper : helpers) {
                if (helper != Thread.currentThread()) {
                    helper.interrupt();
                }
            }
        }
    }

    private synchronized void finish() throws RegistryException, IOException, InterruptedException {
        while (!helpers.isEmpty()) {
            try {
                wait();
            } catch (InterruptedException e) {
                fail(e);
            }
        }
        if (failure != null) {
            throw rethrown(failure);
        }
    }

    /** Throws what was caught, or returns it to be thrown. */
    static RuntimeException rethrown(Throwable thrown) throws RegistryException, IOException, InterruptedException {
        if (thrown instanceof RegistryException e) {
            throw e;
        } else if (thrown instanceof IOException e) {
            throw e;
        } else if (thrown instanceof InterruptedException e) {
            throw e;
        } else if (thrown instanceof Error e) {
            throw e;
        }
        return thrown instanceof RuntimeException e ? e : new IllegalStateException(thrown);
    }
}
