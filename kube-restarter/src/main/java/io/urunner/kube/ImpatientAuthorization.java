package io.urunner.kube;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Gets a credential in a thread of its own, so that a program that hangs never blocks its callers for ever. Callers wait
 * for it once; until it exits it is not run again, and requests fail at once. Thread-safe.
 */
final class ImpatientAuthorization implements KubeConfiguration.Authorization {
    private final KubeConfiguration.Authorization patient;
    private final Duration deadline;
    private @Nullable FutureTask<Optional<String>> late;

    ImpatientAuthorization(KubeConfiguration.Authorization patient, Duration deadline) {
        this.patient = patient;
        this.deadline = deadline;
    }

    @Override
    public synchronized Optional<String> header() throws IOException {
        FutureTask<Optional<String>> asking = late;
        long wait = 0;
        if (asking == null) {
            asking = new FutureTask<>(patient::header);
            wait = deadline.toMillis();
            Thread thread = new Thread(asking, "kubeconfig-credential");
            thread.setDaemon(true);
            thread.start();
        }
        try {
            Optional<String> header = asking.get(wait, TimeUnit.MILLISECONDS);
            late = null;
            return header;
        } catch (TimeoutException e) {
            late = asking;
            throw new IOException(
                    "the kubeconfig's credential program did not exit within " + deadline.toSeconds()
                            + " s; run it by hand to see what it is waiting for",
                    e);
        } catch (ExecutionException e) {
            late = null;
            throw new IOException(
                    e.getCause() == null ? e.getMessage() : e.getCause().getMessage(), e);
        } catch (InterruptedException e) {
            late = asking;
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for the kubeconfig's credential program");
        }
    }
}
