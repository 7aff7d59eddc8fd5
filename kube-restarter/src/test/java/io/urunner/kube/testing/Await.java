package io.urunner.kube.testing;

import java.time.Duration;
import java.util.concurrent.Callable;

/** Waits for what happens elsewhere. */
public final class Await {
    private Await() {}

    /** Asks every 50 ms until the answer is true. An exception counts as false, and is shown if it persists. */
    public static void until(String what, Duration timeout, Callable<Boolean> question) {
        long end = System.nanoTime() + timeout.toNanos();
        Throwable last = null;
        while (System.nanoTime() < end) {
            try {
                if (question.call()) {
                    return;
                }
                last = null;
            } catch (Exception | AssertionError e) {
                last = e;
            }
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for: " + what, e);
            }
        }
        throw new AssertionError("not within " + timeout.toSeconds() + " s: " + what, last);
    }
}
