package io.urunner.kube;

import java.time.InstantSource;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Elects one of several instances by a Lease of {@code coordination.k8s.io/v1}: who holds it leads. A leader that is gone
 * without a word is replaced within 15 s, one that closes within 2 s. Single use. Thread-safe.
 */
public final class LeaderElection implements AutoCloseable {
    /** What is told of the election, on a thread of the connection's executor. It must not block. */
    public interface Listener {
        /** This instance leads from now on. */
        void elected();

        /** This instance does not lead any more; another one may. */
        void deposed();
    }

    /**
     * An election that is not started.
     *
     * @param connection to which cluster; stays the caller's to close
     * @param namespace the Lease's namespace
     * @param name the Lease's name
     * @param identity this instance, unique among all, for example the name of the pod
     * @param clock the time that is written to the Lease
     * @param nanos elapsed time
     * @param listener whom to tell
     */
    public LeaderElection(
            KubeConnection connection,
            String namespace,
            String name,
            String identity,
            InstantSource clock,
            LongSupplier nanos,
            Listener listener) {}

    /**
     * Takes part in the election; returns at once.
     *
     * @throws IllegalStateException if it was started before
     */
    public void start() {}

    /**
     * Whether this instance leads: it holds the Lease, and held it less than its duration ago.
     *
     * @return true if it leads
     */
    public boolean leads() {
        return false;
    }

    /**
     * Who leads, as far as this instance knows.
     *
     * @return the identity
     */
    public Optional<String> leader() {
        return Optional.empty();
    }

    /**
     * Why the Lease cannot be read or written now, in words.
     *
     * @return the problem, empty when all is well
     */
    public Optional<String> problem() {
        return Optional.empty();
    }

    /** Hands over: gives the Lease back if it is held, and ends. Idempotent; returns within 2 s. */
    @Override
    public void close() {}
}
