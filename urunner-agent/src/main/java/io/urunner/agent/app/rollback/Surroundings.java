package io.urunner.agent.app.rollback;

import io.urunner.kube.KubeException;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.RegistryClient;
import io.urunner.store.DigestStore;
import io.urunner.store.StoreException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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
    private static final int MOST_NAMES = 6;

    /**
     * The same with another store.
     *
     * @param other the store
     * @return the surroundings
     */
    public Surroundings with(DigestStore other) {
        return new Surroundings(cluster, registry, other, clock, ticker, sleeper);
    }

    /**
     * Names the workloads that somebody may have meant.
     *
     * @param name the name, without a namespace and a kind
     * @return for example {@code ; did you mean shop/Deployment/web?}; empty text if none has this name
     */
    public String didYouMean(String name) {
        Stream<String> found;
        try {
            found = cluster.named(name).stream().map(WorkloadId::toString);
        } catch (KubeException e) {
            found = remembered(name);
        }
        String names = found.limit(MOST_NAMES).collect(Collectors.joining(" or "));
        return names.isEmpty() ? "" : "; did you mean " + names + "?";
    }

    private Stream<String> remembered(String name) {
        try {
            return store.remembered().keySet().stream()
                    .map(DigestStore.TrackedContainer::workload)
                    .filter(workload -> workload.endsWith("/" + name))
                    .distinct()
                    .sorted();
        } catch (StoreException e) {
            return Stream.empty();
        }
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
