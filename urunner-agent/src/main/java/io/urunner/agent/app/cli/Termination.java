package io.urunner.agent.app.cli;

/** Tells a command that runs until it is told to end. Thread-safe. */
@FunctionalInterface
public interface Termination {
    /** Listens from now on, at the latest from {@link #await} on: called before anything is begun that must end well. */
    default void listen() {}

    /**
     * Waits until the process is asked to end (SIGTERM, Ctrl-C).
     *
     * @throws InterruptedException if the thread is interrupted, which asks the same of the command alone
     */
    void await() throws InterruptedException;
}
