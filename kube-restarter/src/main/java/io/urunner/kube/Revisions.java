package io.urunner.kube;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Assembles a workload and determines which of its pods are of its current template. While the controller has not seen the
 * workload as it is now, that is not known of any.
 */
final class Revisions {
    private Revisions() {}

    /**
     * Assembles a workload.
     *
     * @param revisions its ReplicaSets or ControllerRevisions
     * @param podsOf the pods of a controller, by its uid
     */
    static Workload assemble(
            Observed.WorkloadObject object,
            Collection<Observed.Revision> revisions,
            Function<String, Collection<Observed.PodObject>> podsOf) {
        Workload base = object.workload();
        Optional<String> current = base.rollout().observed() ? current(object, revisions) : Optional.empty();
        List<Pod> pods = new ArrayList<>();
        if (base.id().kind().keepsOldPods()) {
            for (Observed.Revision revision : revisions) {
                add(podsOf.apply(revision.uid()), current, pods);
            }
        } else {
            add(podsOf.apply(base.uid()), current, pods);
        }
        pods.sort(Comparator.comparing(Pod::name));
        Optional<Observed.State> state = state(base, revisions);
        return new Workload(
                base.id(),
                base.uid(),
                base.resourceVersion(),
                base.generation(),
                state.map(newest -> with(base.annotations(), newest)).orElse(base.annotations()),
                base.templateAnnotations(),
                base.containers(),
                base.imagePullSecrets(),
                base.serviceAccount(),
                base.rollout(),
                current,
                pods,
                managersSince(state.map(Observed.State::acted), object.managers()),
                base.problems());
    }

    /**
     * What was last done with a workload. {@code kubectl rollout undo} also restores the annotations of the ReplicaSet that
     * a Deployment goes back to; the one that it leaves keeps a copy of what they were.
     */
    private static Optional<Observed.State> state(Workload workload, Collection<Observed.Revision> revisions) {
        Optional<Observed.State> own = Observed.State.of(workload.annotations().get(Workload.STATE));
        int longest = ObservedJson.longestOfOurs(workload.containers().size());
        return revisions.stream()
                .flatMap(revision -> revision.state().stream())
                .filter(copy -> copy.text().length() <= longest)
                .filter(copy -> own.isEmpty() || copy.acted().isAfter(own.get().acted()))
                .max(Comparator.comparing(Observed.State::acted))
                .or(() -> own);
    }

    private static Map<String, String> with(Map<String, String> annotations, Observed.State state) {
        Map<String, String> all = new HashMap<>(annotations);
        all.put(Workload.STATE, state.text());
        return all;
    }

    /** Field managers are recorded to the second. One that only removed fields is not recorded at all. */
    private static List<String> managersSince(Optional<Instant> act, List<Observed.Manager> managers) {
        Instant since = act.map(at -> at.truncatedTo(ChronoUnit.SECONDS)).orElse(Instant.MIN);
        return managers.stream()
                .filter(manager -> !manager.at().isBefore(since))
                .map(Observed.Manager::name)
                .distinct()
                .toList();
    }

    private static Optional<String> current(Observed.WorkloadObject object, Collection<Observed.Revision> revisions) {
        return switch (object.workload().id().kind().current()) {
            case NUMBER ->
                revisions.stream()
                        .filter(each -> object.revision().equals(Optional.of(each.number())))
                        .map(Observed.Revision::hash)
                        .findFirst();
            case LABEL -> object.revision();
            case NEWEST ->
                revisions.stream()
                        .max(Comparator.comparingLong(each -> ObservedJson.number(each.number())))
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
