package io.urunner.agent.plan;

import io.urunner.kube.Container;
import io.urunner.kube.Workload;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Counts what pods run. */
public final class RunningDigests {
    private RunningDigests() {}

    /**
     * Counts by container and digest how many pods of any revision run it.
     *
     * @param workload the workload
     * @return the counts; terminating and finished pods do not count
     */
    public static Map<String, SortedMap<String, Integer>> of(Workload workload) {
        Map<String, SortedMap<String, Integer>> running = new HashMap<>();
        for (Container container : workload.containers()) {
            SortedMap<String, Integer> pods = new TreeMap<>();
            workload.pods().stream()
                    .filter(Running::isLive)
                    .flatMap(pod -> Running.digest(pod, container.name()).stream())
                    .forEach(digest -> pods.merge(digest, 1, Integer::sum));
            running.put(container.name(), pods);
        }
        return running;
    }
}
