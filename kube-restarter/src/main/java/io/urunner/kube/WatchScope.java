package io.urunner.kube;

import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What is watched: kinds of workload, in namespaces that carry the label {@code urunner=enable}.
 *
 * @param namespaces the namespaces; empty for all of the cluster
 * @param kinds the kinds of workload
 */
public record WatchScope(SortedSet<String> namespaces, List<WorkloadKind> kinds) {
    /**
     * Creates a scope.
     *
     * @throws IllegalArgumentException if a name is not a valid namespace name
     */
    public WatchScope {
        for (String name : namespaces) {
            if (!KubeName.isOfNamespace(name)) {
                throw new IllegalArgumentException(KubeName.shown(name) + " is not a valid name for a namespace");
            }
        }
        kinds = List.copyOf(kinds);
        namespaces = Collections.unmodifiableSortedSet(new TreeSet<>(namespaces));
    }

    /**
     * Returns a scope of every namespace with the label. Needs {@code list} and {@code watch} of namespaces in a
     * ClusterRole.
     *
     * @return the scope
     */
    public static WatchScope cluster() {
        return new WatchScope(new TreeSet<>(), WorkloadKind.BUILT_IN);
    }

    /**
     * Returns a scope of these namespaces, while they carry the label. It is read with GET every second, for which
     * Roles in these namespaces suffice: no ClusterRole is needed.
     *
     * @param namespaces the namespaces, at least one
     * @return the scope
     * @throws IllegalArgumentException if there is none, or a name is not a valid namespace name
     */
    public static WatchScope of(Set<String> namespaces) {
        if (namespaces.isEmpty()) {
            throw new IllegalArgumentException("name at least one namespace");
        }
        return new WatchScope(new TreeSet<>(namespaces), WorkloadKind.BUILT_IN);
    }

    /**
     * Returns a scope of the same namespaces with other kinds of workload.
     *
     * @param others the kinds
     * @return the scope
     */
    public WatchScope with(List<WorkloadKind> others) {
        return new WatchScope(namespaces, others);
    }
}
