package io.urunner.kube.examples;

import io.urunner.kube.*;
import java.io.PrintStream;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;

/** Waits for a workload, restarts it as for a new digest of its image, and follows the rollout to its end. */
class RestartOne {
    static RolloutOutcome run(
            KubeConfiguration cluster, WorkloadId id, String container, String digest, PrintStream out)
            throws Exception {
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
        try (KubeConnection connection = new KubeConnection(cluster, executor);
                WorkloadWatch watch = new WorkloadWatch(connection, WatchScope.cluster())) {
            watch.start();
            Workload workload = watch.await(id, Duration.ofSeconds(30));
            out.println("pods of " + id + ": " + workload.pods().size());

            DigestsAnnotation digests = new DigestsAnnotation(new TreeMap<>(Map.of(container, digest)));
            Restart restart = new Restart(digests, WorkloadState.EMPTY, Instant.now());
            PatchResult result = new Restarter(connection).restart(workload, restart);
            if (!(result instanceof PatchResult.Patched patched)) {
                throw new IllegalStateException(id + " changed or went away meanwhile: " + result);
            }
            RolloutFollower follower = new RolloutFollower(connection, watch, System::nanoTime);
            RolloutOutcome outcome =
                    follower.follow(id, digests, patched, Duration.ofMinutes(2)).get();
            out.println(id + ": " + outcome);
            return outcome;
        } finally {
            executor.shutdown();
        }
    }
}
