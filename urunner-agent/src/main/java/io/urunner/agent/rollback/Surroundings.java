package io.urunner.agent.rollback;

import io.urunner.registry.RegistryClient;
import io.urunner.store.DigestStore;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * What the commands work with. All of it stays the caller's to close.
 *
 * @param cluster the cluster
 * @param registry the client of all registries
 * @param store the history
 * @param clock the time
 * @param ticker elapsed time, in nanoseconds
 * @param sleeper waits
 */
public record Surroundings(
        Workloads cluster,
        RegistryClient registry,
        DigestStore store,
        InstantSource clock,
        LongSupplier ticker,
        Sleeper sleeper) {
    /**
     * The same with another store.
     *
     * @param other the store
     * @return the surroundings
     */
    public Surroundings with(DigestStore other) {
        return new Surroundings(cluster, registry, other, clock, ticker, sleeper);
    }

    /** Waits for a while. */
    @FunctionalInterface
    public interface Sleeper {
        /**
         * Waits.
         *
         * @param time how long
         * @throws InterruptedException if the thread is interrupted
         */
        void sleep(Duration time) throws InterruptedException;
    }
}
