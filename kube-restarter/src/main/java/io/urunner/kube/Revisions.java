package io.urunner.kube;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Puts a workload together and finds out which of its pods are of its template as it is now. As long as the controller has
 * not seen the workload as it is now, that is not known of any.
 */
final class Revisions {
    private Revisions() {}

    /**
     * Puts a workload together.
     *
     * @param revisions its ReplicaSets or ControllerRevisions
     * @param podsOf the pods that a controller, given by its uid, controls
     */
    static Workload assemble(
            Observed.WorkloadObject object,
            Collection<Observed.Revision> revisions,
            Function<String, Collection<Observed.PodObject>> podsOf) {
        Workload base = object.workload();
        Optional<String> current = base.rollout().observed() ? current(object, revisions) : Optional.empty();
        List<Pod> pods = new ArrayList<>();
        if (base.id().kind() == WorkloadKind.DEPLOYMENT) {
            for (Observed.Revision replicaSet : revisions) {
                add(podsOf.apply(replicaSet.uid()), current, pods);
            }
        } else {
            add(podsOf.apply(base.uid()), current, pods);
        }
        pods.sort(Comparator.comparing(Pod::name));
        return new Workload(
                base.id(),
                base.uid(),
                base.resourceVersion(),
                base.generation(),
                base.annotations(),
                base.templateAnnotations(),
                base.containers(),
                base.imagePullSecrets(),
                base.serviceAccount(),
                base.rollout(),
                current,
                pods,
                base.templateManagers());
    }

    private static Optional<String> current(Observed.WorkloadObject object, Collection<Observed.Revision> revisions) {
        return switch (object.workload().id().kind()) {
            // The controller numbers the ReplicaSet that matches the template highest, and copies the number to the
            // Deployment before it writes the observed generation.
            case DEPLOYMENT ->
                revisions.stream()
                        .filter(each -> object.revision().equals(Optional.of(each.number())))
                        .map(Observed.Revision::hash)
                        .findFirst();
            case STATEFUL_SET -> object.revision();
            case DAEMON_SET ->
                revisions.stream()
                        .max(Comparator.comparingLong(each -> Long.parseLong(each.number())))
                        .map(Observed.Revision::hash);
        };
    }

    private static void add(Collection<Observed.PodObject> objects, Optional<String> current, List<Pod> pods) {
        for (Observed.PodObject object : objects) {
            Pod pod = object.pod();
            boolean ofCurrent = current.isPresent() && current.get().equals(object.hash());
            pods.add(
                    ofCurrent
                            ? new Pod(
                                    pod.name(),
                                    pod.uid(),
                                    true,
                                    pod.terminating(),
                                    pod.phase(),
                                    pod.ready(),
                                    pod.unschedulable(),
                                    pod.containers())
                            : pod);
        }
    }
}
