package io.urunner.agent.plan;

import io.urunner.kube.ImageId;
import io.urunner.kube.Pod;
import io.urunner.kube.Pod.ContainerStatus;
import io.urunner.kube.Workload;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the pods of the current revision report for one container.
 *
 * @param digests the digests, compared without their repositories
 * @param pods how many pods count
 * @param coming how many of them have no image yet and are starting
 * @param stuck how many of them have no image because something prevents it
 */
record Running(Set<String> digests, int pods, int coming, int stuck) {
    Running {
        digests = Set.copyOf(digests);
    }

    static Running of(Workload workload, String container) {
        Set<String> digests = new TreeSet<>();
        int pods = 0;
        int coming = 0;
        int stuck = 0;
        for (Pod pod : workload.pods()) {
            if (!pod.counts()) {
                continue;
            }
            pods++;
            String imageId =
                    status(pod, container).map(ContainerStatus::imageId).orElse("");
            if (!imageId.isEmpty()) {
                ImageId.digest(imageId).ifPresent(digests::add);
            } else if (isStuck(pod)) {
                stuck++;
            } else {
                coming++;
            }
        }
        return new Running(digests, pods, coming, stuck);
    }

    /** Whether a pod runs, or is about to, of any revision. */
    static boolean isLive(Pod pod) {
        return !pod.terminating()
                && !pod.phase().equals("Succeeded")
                && !pod.phase().equals("Failed");
    }

    /** What a pod reports for a container. */
    static Optional<String> digest(Pod pod, String container) {
        return status(pod, container).map(ContainerStatus::imageId).flatMap(ImageId::digest);
    }

    private static Optional<ContainerStatus> status(Pod pod, String container) {
        return pod.containers().stream()
                .filter(status -> status.name().equals(container))
                .findFirst();
    }

    private static boolean isStuck(Pod pod) {
        return pod.unschedulable().isPresent()
                || pod.containers().stream().anyMatch(status -> status.trouble().isPresent());
    }
}
