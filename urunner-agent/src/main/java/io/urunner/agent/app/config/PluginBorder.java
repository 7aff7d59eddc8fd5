package io.urunner.agent.app.config;

import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.Secret;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * The only way to call a plugin's code. Whatever it throws, and a call that does not return in time, becomes a {@link
 * CredentialException} that names the plugin, where it was loaded from and what it was called for. Thread-safe.
 */
final class PluginBorder {
    private static final int MOST_OF_A_MESSAGE = 1_000;

    private final String plugin;
    private final Optional<Executor> threads;
    /** Calls that have been abandoned. */
    private final AtomicInteger overdue = new AtomicInteger();

    /**
     * A border around one plugin.
     *
     * @param plugin the plugin, for people
     * @param threads runs its code, so that callers do not wait forever; empty for trusted code, which runs on the
     *     caller's thread
     */
    PluginBorder(String plugin, Optional<Executor> threads) {
        this.plugin = plugin;
        this.threads = threads;
    }

    /** A plugin returned something unusable. */
    static final class Unusable extends Exception {
        private static final long serialVersionUID = 1L;

        Unusable(String method, String message) {
            super(method + " " + message);
        }
    }

    /**
     * Calls it.
     *
     * @param when what it is called for: {@code in create()}
     * @param patience how long to wait
     * @param secrets what must not be shown of a failure
     * @param call the call
     * @return what it returned
     * @throws CredentialException if it failed; the plugin's own exceptions are passed on, in one line and without secrets
     */
    <T> T call(String when, Duration patience, Supplier<Collection<Secret>> secrets, Callable<T> call)
            throws CredentialException {
        try {
            return threads.isEmpty() ? call.call() : elsewhere(threads.get(), when, patience, call);
        } catch (Late e) {
            throw new CredentialException(e.getMessage(), true);
        } catch (CredentialException e) {
            throw clean(e, secrets.get());
        } catch (Unusable e) {
            throw new CredentialException(plugin + ": " + e.getMessage(), true);
        } catch (Throwable e) {
            // An interruption of the plugin's thread does not concern this one.
            if (e instanceof InterruptedException && threads.isEmpty()) {
                Thread.currentThread().interrupt();
            }
            throw new CredentialException(plugin + " failed " + when + ": " + FailureText.of(e, secrets.get()), true);
        }
    }

    /** The wait is over. */
    private static final class Late extends Exception {
        private static final long serialVersionUID = 1L;

        Late(String message) {
            super(message);
        }

        @Override
        public String getMessage() {
            return String.valueOf(super.getMessage());
        }
    }

    private <T> T elsewhere(Executor executor, String when, Duration patience, Callable<T> call) throws Throwable {
        if (overdue.get() > 0) {
            throw new Late(plugin + " is not called because an earlier call still hangs");
        }
        FutureTask<T> task = new FutureTask<>(call);
        AtomicBoolean settled = new AtomicBoolean();
        try {
            executor.execute(() -> {
                try {
                    task.run();
                } finally {
                    if (!settled.compareAndSet(false, true)) {
                        overdue.decrementAndGet();
                    }
                }
            });
        } catch (RejectedExecutionException e) {
            throw new Late(plugin + " is not called: the program is shutting down");
        }
        try {
            return task.get(patience.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw e.getCause();
        } catch (TimeoutException e) {
            leave(task, settled);
            throw new Late(
                    plugin + " was abandoned " + when + ": it did not return within " + patience.toSeconds() + " s");
        } catch (InterruptedException e) {
            leave(task, settled);
            Thread.currentThread().interrupt();
            throw new Late("interrupted while " + plugin + " was called");
        }
    }

    /** Interrupts the call; until it returns, the plugin is not called again. */
    private void leave(FutureTask<?> task, AtomicBoolean settled) {
        overdue.incrementAndGet();
        if (!settled.compareAndSet(false, true)) {
            overdue.decrementAndGet();
        }
        task.cancel(true);
    }

    private CredentialException clean(CredentialException refusal, Collection<Secret> secrets) {
        String message = FailureText.line(refusal.getMessage(), MOST_OF_A_MESSAGE, secrets);
        return threads.isEmpty() && message.equals(refusal.getMessage())
                ? refusal
                : new CredentialException(message, refusal.isTransient());
    }

    /** The plugin, for people. */
    @Override
    public String toString() {
        return plugin;
    }
}
