package io.urunner.agent.app.cli;

/** Tells a running command when to stop. Thread-safe. */
@FunctionalInterface
public interface Termination {
    /** Starts listening, if {@link #await} has not: call it before starting anything that needs a clean shutdown. */
    default void listen() {}

    /**
     * Waits until the process is asked to stop (SIGTERM, Ctrl-C).
     *
     * @throws InterruptedException if the thread is interrupted, which asks the same of the command alone
     */
    void await() throws InterruptedException;
}
