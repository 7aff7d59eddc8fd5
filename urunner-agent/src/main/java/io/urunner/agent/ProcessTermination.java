package io.urunner.agent;

import io.urunner.agent.cli.Termination;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * SIGTERM and Ctrl-C, for the command that waits for them. A command that ends in time after it was asked to exits with
 * its own code, which is 0 for {@code run}: an agent that was stopped has not failed. One that does not end in time is
 * left behind, with the code that a JVM gives to a process that was terminated.
 */
final class ProcessTermination implements Termination {
    private static final long PATIENCE_MILLIS = 4_500;
    private static final int TERMINATED = 143;

    private final Runtime runtime;
    private final CountDownLatch requested = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicBoolean listening = new AtomicBoolean();
    private volatile int code = TERMINATED;

    ProcessTermination(Runtime runtime) {
        this.runtime = runtime;
    }

    /** From the first call on, a signal ends the process by ending the command. */
    @Override
    public void listen() {
        if (listening.compareAndSet(false, true)) {
            runtime.addShutdownHook(new Thread(this::end, "urunner-termination"));
        }
    }

    @Override
    public void await() throws InterruptedException {
        listen();
        requested.await();
    }

    /** Ends the process. */
    void exit(int exitCode) {
        code = exitCode;
        ended.countDown();
        runtime.exit(exitCode);
    }

    private void end() {
        requested.countDown();
        try {
            if (!ended.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                code = TERMINATED;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        runtime.halt(code);
    }
}
