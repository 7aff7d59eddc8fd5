package io.urunner.kube;

import io.urunner.kube.RolloutProgress.Cause;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Judges how far a rollout is, as {@code kubectl rollout status} does, and says why it does not get on. */
final class Progress {
    private static final Set<String> PULLING =
            Set.of("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError");
    /** That there is no such image, or none for the platform: in the words of containerd, CRI-O, Docker and registries. */
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
                    "pods cannot be made: " + rollout.creationFailure().get());
        }
        if (rollout.deadlineExceeded().isPresent()) {
            return new RolloutProgress.Failed(
                    Cause.CONTAINERS,
                    notReady(workload) + rollout.deadlineExceeded().get());
        }
        return new RolloutProgress.Running(waiting(workload));
    }

    /** Whether the new pods themselves have been seen: they are watched apart, and may be told of later. */
    private static boolean podsSeen(Workload workload) {
        return workload.pods().stream()
                        .filter(pod -> pod.counts() && pod.ready())
                        .count()
                >= wanted(workload.rollout());
    }

    private static int wanted(RolloutStatus rollout) {
        return Math.max(0, rollout.desired() - rollout.partition());
    }

    /** What the pods of the current revision say. */
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

    /** A pull that fails says nothing of the image, unless there is no such image. */
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
                    + (rollout.onDelete() ? "; strategy OnDelete: old pods must be deleted by hand" : "");
        }
        if (rollout.available() < rollout.desired()) {
            return of(rollout.available(), rollout.desired()) + " available";
        }
        if (rollout.complete()) {
            return "the new pods have not been seen yet";
        }
        int old = rollout.total() - Math.max(rollout.updated(), rollout.desired());
        return old == 1 ? "1 old pod is ending" : old + " old pods are ending";
    }

    private static String of(int some, int all) {
        return some + " of " + all + (all == 1 ? " pod" : " pods") + (some == 1 ? " is" : " are");
    }
}
