package io.urunner.agent.app.process;

import io.urunner.agent.app.cli.Termination;
import io.urunner.agent.loop.SystemTime;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Handles SIGTERM and Ctrl-C for the command that waits for them. A command that then stops in time exits with its own
 * code, which is 0 for {@code run}: an agent that was stopped has not failed. If it does not stop in time, the process
 * is halted with the exit code of a terminated JVM.
 */
public final class ProcessTermination implements Termination {
    private static final Duration PATIENCE = Duration.ofMillis(4_500);
    private static final int TERMINATED = 143;

    private final CountDownLatch requested = new CountDownLatch(1);
    private final AtomicBoolean listening = new AtomicBoolean();

    /** From the first call on, a signal stops the command, and so the process. */
    @Override
    public void listen() {
        if (listening.compareAndSet(false, true)) {
            Signals.listen("TERM", this::request);
            Signals.listen("INT", this::request);
        }
    }

    @Override
    public void await() throws InterruptedException {
        listen();
        requested.await();
    }

    private void request() {
        if (requested.getCount() > 0) {
            Thread patience = new Thread(ProcessTermination::haltLater, "urunner-termination");
            patience.setDaemon(true);
            patience.start();
            requested.countDown();
        }
    }

    private static void haltLater() {
        try {
            SystemTime.sleep(PATIENCE);
            Runtime.getRuntime().halt(TERMINATED);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
