package io.urunner.agent.app.rollback;

import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.FollowedRollout;
import io.urunner.kube.KubeException;
import io.urunner.kube.Pod;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Follows a rollout to its end by polling the workload, which needs no watch, and helps a stuck StatefulSet. For one
 * thread.
 */
final class Follower {
    private static final Duration LOOK = Duration.ofMillis(500);
    /** How long a pod of an old template must be unready before a StatefulSet counts as stuck on it. */
    private static final long STUCK = Duration.ofSeconds(5).toNanos();

    private final Surroundings with;
    private final WorkloadId id;
    private final Consumer<String> tell;
    private final Map<String, Long> unready = new HashMap<>();
    private final Set<String> helped = new HashSet<>();
    private String told = "";

    Follower(Surroundings with, WorkloadId id, Consumer<String> tell) {
        this.with = with;
        this.id = id;
        this.tell = tell;
    }

    /** The outcome, and the workload at the end. */
    record End(RolloutOutcome outcome, Optional<Workload> workload) {}

    End follow(DigestsAnnotation digests, long generation, Duration timeout) throws InterruptedException {
        FollowedRollout rollout = new FollowedRollout(digests, generation, FollowedRollout.PATIENCE);
        long begun = with.time().ticker().getAsLong();
        while (true) {
            long now = with.time().ticker().getAsLong();
            try {
                Optional<Workload> found = with.read(id);
                Optional<RolloutOutcome> end = rollout.look(found, now);
                if (found.isPresent()
                        && end.map(RolloutOutcome.Failed.class::isInstance).orElse(true)) {
                    help(found.get(), now);
                    say(rollout.waitsFor());
                }
                if (end.isPresent()) {
                    return new End(end.get(), found);
                }
            } catch (KubeException e) {
                say(String.valueOf(e.getMessage()));
            }
            if (now - begun > timeout.toNanos()) {
                return new End(new RolloutOutcome.TimedOut(told), Optional.empty());
            }
            with.time().sleeper().sleep(LOOK);
        }
    }

    /**
     * A StatefulSet waits for a pod to become ready before it continues, even if the pod is of a template that never
     * becomes ready: see "Forced rollback" in the documentation of Kubernetes. Deleting the pod helps.
     */
    private void help(Workload workload, long now) {
        if (!id.kind().waitsForEachPod()
                || workload.currentRevision().isEmpty()
                || workload.rollout().onDelete()) {
            return;
        }
        for (Pod pod : workload.pods()) {
            if (pod.ofCurrentRevision()
                    || pod.ready()
                    || pod.terminating()
                    || ordinal(pod) < workload.rollout().partition()) {
                unready.remove(pod.uid());
            } else if (now - unready.computeIfAbsent(pod.uid(), seen -> now) > STUCK && helped.add(pod.uid())) {
                delete(pod);
            }
        }
    }

    private void delete(Pod pod) {
        String stuck =
                "pod " + pod.name() + " of the old template does not become ready, and the StatefulSet waits for it: ";
        try {
            with.cluster().deletePod(id.namespace(), pod);
            tell.accept(stuck + "it was deleted");
        } catch (KubeException e) {
            tell.accept(stuck
                    + (e.forbidden()
                            ? "we are not allowed to delete it"
                            : "it could not be deleted (" + e.getMessage() + ")")
                    + "; delete it with: kubectl delete pod -n " + id.namespace() + " " + pod.name());
        }
    }

    private static int ordinal(Pod pod) {
        try {
            return Integer.parseInt(pod.name().substring(pod.name().lastIndexOf('-') + 1));
        } catch (NumberFormatException e) {
            return Integer.MAX_VALUE;
        }
    }

    private void say(String what) {
        if (!what.equals(told)) {
            told = what;
            tell.accept(what);
        }
    }
}
