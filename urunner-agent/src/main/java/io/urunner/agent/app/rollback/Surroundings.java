package io.urunner.agent.app.rollback;

import io.urunner.agent.plan.Intervention;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.PodCredentials;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeEvents;
import io.urunner.kube.KubeException;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.RegistryClient;
import io.urunner.store.DigestStore;
import io.urunner.store.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Everything that the commands work with. The caller remains responsible for closing it.
 *
 * @param cluster the cluster, which need not be watched
 * @param access single requests to the API server
 * @param events writes Events
 * @param pullSecrets is informed of the workloads that are read
 * @param registry the client of all registries
 * @param store the history
 * @param time the time
 */
public record Surroundings(
        Cluster cluster,
        KubeAccess access,
        KubeEvents events,
        PodCredentials pullSecrets,
        RegistryClient registry,
        DigestStore store,
        Time time) {
    private static final int MOST_NAMES = 6;

    /**
     * The same with another store.
     *
     * @param other the store
     * @return the surroundings
     */
    public Surroundings with(DigestStore other) {
        return new Surroundings(cluster, access, events, pullSecrets, registry, other, time);
    }

    /**
     * The same with another cluster.
     *
     * @param other the cluster
     * @return the surroundings
     */
    public Surroundings with(Cluster other) {
        return new Surroundings(other, access, events, pullSecrets, registry, store, time);
    }

    /**
     * A workload in its current state, with its pods. Its pull secrets may be used from now on.
     *
     * @param id the workload
     * @return the workload; empty if there is none
     * @throws KubeException if the API server refuses or cannot be reached
     */
    Optional<Workload> read(WorkloadId id) throws KubeException {
        Optional<Workload> found = cluster.read(id);
        found.ifPresent(workload -> pullSecrets.uses(
                workload,
                Intervention.followed(workload).stream()
                        .map(Intervention.Followed::reference)
                        .toList()));
        return found;
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
            found = access.workloads(Optional.empty(), name).stream().map(WorkloadId::toString);
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

    /**
     * The current time.
     *
     * @return the time of day
     */
    public Instant now() {
        return time.clock.instant();
    }

    /**
     * The time, as the commands use it.
     *
     * @param clock the time of day
     * @param ticker elapsed time, in nanoseconds
     * @param sleeper waits
     */
    public record Time(InstantSource clock, LongSupplier ticker, Sleeper sleeper) {}

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
