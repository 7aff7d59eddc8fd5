package io.urunner.kube;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Kinds of workload that are watched together, and what they have in common: pods and revisions. Immutable. */
final class WatchedKinds {
    private final List<WorkloadKind> kinds;
    private final Map<String, List<String>> podOwners = new HashMap<>();
    private final Wanted pods;
    private final Map<RevisionKind, List<WorkloadKind>> keptAs = new EnumMap<>(RevisionKind.class);
    private final Map<RevisionKind, Wanted> revisions = new EnumMap<>(RevisionKind.class);

    WatchedKinds(List<WorkloadKind> kinds) {
        this.kinds = List.copyOf(kinds);
        pods = Wanted.ofPods(kinds);
        for (WorkloadKind kind : kinds) {
            List<String> labels = podOwners.computeIfAbsent(kind.podOwner(), owner -> new ArrayList<>());
            if (!kind.revisionLabel().isEmpty()) {
                labels.add(kind.revisionLabel());
            }
            if (kind.needsRevisions()) {
                kind.revisions()
                        .ifPresent(by -> keptAs.computeIfAbsent(by, any -> new ArrayList<>())
                                .add(kind));
            }
        }
        keptAs.forEach((by, kept) -> revisions.put(by, Wanted.ofRevisions(by, kept)));
    }

    List<WorkloadKind> kinds() {
        return kinds;
    }

    /** For each kind of object that controls pods, the labels that may name the revision of a pod. */
    Map<String, List<String>> podOwners() {
        return podOwners;
    }

    Wanted pods() {
        return pods;
    }

    /** The kinds that are kept as such revisions, as far as their revisions must be known. */
    List<WorkloadKind> keptAs(RevisionKind by) {
        return keptAs.getOrDefault(by, List.of());
    }

    Wanted revisions(RevisionKind by) {
        return Objects.requireNonNull(revisions.get(by));
    }
}
