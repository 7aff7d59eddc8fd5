package io.urunner.kube;

import io.urunner.kube.RolloutProgress.Cause;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Judges the progress of a rollout as {@code kubectl rollout status} does, and says why it is stuck. */
final class Progress {
    private static final Set<String> PULLING =
            Set.of("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError");
    /** How containerd, CRI-O, Docker and registries say that there is no such image, or none for the platform. */
    private static final List<String> NO_SUCH_IMAGE = List.of(
            "not found",
            "manifest unknown",
            "HTTP 404",
            "no match for platform",
            "no image found in manifest list",
            "no matching manifest for");

    private Progress() {}

    static RolloutProgress of(Workload workload) {
        RolloutStatus rollout = workload.rollout();
        if (!rollout.observed()) {
            return new RolloutProgress.Running("waiting for the controller to see the change");
        }
        if (rollout.complete() && podsSeen(workload)) {
            return new RolloutProgress.Complete();
        }
        Optional<RolloutProgress> trouble = trouble(workload);
        if (trouble.isPresent()) {
            return trouble.get();
        }
        if (rollout.creationFailure().isPresent()) {
            return new RolloutProgress.Failed(
                    Cause.CREATION,
                    "pods cannot be created: " + rollout.creationFailure().get());
        }
        if (rollout.deadlineExceeded().isPresent()) {
            return new RolloutProgress.Failed(
                    Cause.CONTAINERS,
                    notReady(workload) + rollout.deadlineExceeded().get());
        }
        return new RolloutProgress.Running(waiting(workload));
    }

    /** Whether the new pods themselves have been seen: they have a watch of their own, which may be behind. */
    private static boolean podsSeen(Workload workload) {
        return workload.pods().stream()
                        .filter(pod -> pod.counts() && pod.ready())
                        .count()
                >= wanted(workload.rollout());
    }

    private static int wanted(RolloutStatus rollout) {
        return Math.max(0, rollout.desired() - rollout.partition());
    }

    /** What the pods of the current revision report. */
    private static Optional<RolloutProgress> trouble(Workload workload) {
        for (Pod pod : workload.pods()) {
            if (!pod.counts()) {
                continue;
            }
            for (Pod.ContainerStatus container : pod.containers()) {
                if (container.trouble().isPresent()) {
                    return Optional.of(new RolloutProgress.Failed(
                            cause(container.trouble().get()), pod.trouble().orElseThrow()));
                }
            }
        }
        for (Pod pod : workload.pods()) {
            if (pod.counts() && pod.unschedulable().isPresent()) {
                return Optional.of(new RolloutProgress.Failed(
                        Cause.SCHEDULING, pod.trouble().orElseThrow()));
            }
        }
        return Optional.empty();
    }

    /** A failed pull says nothing about the image, unless there is no such image. */
    private static Cause cause(String trouble) {
        int colon = trouble.indexOf(':');
        boolean pulling = PULLING.contains(colon < 0 ? trouble : trouble.substring(0, colon));
        return pulling && NO_SUCH_IMAGE.stream().noneMatch(trouble::contains) ? Cause.PULL : Cause.CONTAINERS;
    }

    private static String notReady(Workload workload) {
        return workload.pods().stream()
                .filter(pod -> pod.counts() && !pod.ready())
                .findFirst()
                .map(pod -> "pod " + pod.name() + " does not become ready: ")
                .orElse("");
    }

    private static String waiting(Workload workload) {
        RolloutStatus rollout = workload.rollout();
        if (rollout.paused()) {
            return "paused";
        }
        int wanted = wanted(rollout);
        if (rollout.updated() < wanted) {
            return of(rollout.updated(), wanted) + " of the new template"
                    + (rollout.onDelete() ? "; strategy OnDelete: delete the old pods manually" : "");
        }
        if (rollout.available() < rollout.desired()) {
            return of(rollout.available(), rollout.desired()) + " available";
        }
        if (rollout.complete()) {
            return "the new pods have not been seen yet";
        }
        int old = rollout.total() - Math.max(rollout.updated(), rollout.desired());
        return old == 1 ? "1 old pod is terminating" : old + " old pods are terminating";
    }

    private static String of(int some, int all) {
        return some + " of " + all + (all == 1 ? " pod" : " pods") + (some == 1 ? " is" : " are");
    }
}
