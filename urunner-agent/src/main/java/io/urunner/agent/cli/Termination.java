package io.urunner.agent.cli;

/** Tells a command that runs until it is told to end. Thread-safe. */
public interface Termination {
    /** Listens from now on: called once, before anything is begun that must be ended well. */
    void listen();

    /**
     * Waits until the process is asked to end (SIGTERM, Ctrl-C).
     *
     * @throws InterruptedException if the thread is interrupted, which asks the same of the command alone
     */
    void await() throws InterruptedException;
}
