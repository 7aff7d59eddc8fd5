package io.urunner.kube;

import java.util.Collections;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Which namespaces are watched. In both forms only those that carry the label {@code urunner=enable}.
 *
 * @param namespaces the namespaces to look at; empty for all of the cluster
 */
public record WatchScope(SortedSet<String> namespaces) {
    /**
     * A scope.
     *
     * @throws IllegalArgumentException if one of them can be no namespace's name: it would lead to another place
     */
    public WatchScope {
        for (String name : namespaces) {
            if (!KubeName.isOfNamespace(name)) {
                throw new IllegalArgumentException(KubeName.shown(name) + " cannot be the name of a namespace");
            }
        }
        namespaces = Collections.unmodifiableSortedSet(new TreeSet<>(namespaces));
    }

    /**
     * Every namespace with the label. Needs {@code list} and {@code watch} of namespaces in a ClusterRole.
     *
     * @return the scope
     */
    public static WatchScope cluster() {
        return new WatchScope(new TreeSet<>());
    }

    /**
     * These namespaces, as long as they carry the label. It is read by GET every second, which Roles in these namespaces
     * may allow: no ClusterRole is needed.
     *
     * @param namespaces the namespaces, at least one
     * @return the scope
     * @throws IllegalArgumentException if there is none, or one of them can be no namespace's name
     */
    public static WatchScope of(Set<String> namespaces) {
        if (namespaces.isEmpty()) {
            throw new IllegalArgumentException("name at least one namespace");
        }
        return new WatchScope(new TreeSet<>(namespaces));
    }
}
