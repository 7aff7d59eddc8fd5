package io.urunner.kube;

import java.util.concurrent.ScheduledExecutorService;

/**
 * Speaks to one API server. Everything that this package does goes through a connection. Thread-safe.
 *
 * <p>The executor runs what answers and watches need, and timers; nothing in this package blocks on it. Callers must not
 * block on its threads either: the methods that wait for an answer wait for it. Two threads are enough for any number of
 * workloads. The HTTP client has one more thread of its own.
 */
public final class KubeConnection implements AutoCloseable {
    private final KubeConfiguration configuration;

    /**
     * A connection; no request is sent.
     *
     * @param configuration where to
     * @param executor for what arrives; stays the caller's to shut down, after this is closed
     */
    public KubeConnection(KubeConfiguration configuration, ScheduledExecutorService executor) {
        this.configuration = configuration;
    }

    /**
     * Where it leads.
     *
     * @return the configuration
     */
    public KubeConfiguration configuration() {
        return configuration;
    }

    /** Ends all requests and watches. Idempotent. */
    @Override
    public void close() {}
}
