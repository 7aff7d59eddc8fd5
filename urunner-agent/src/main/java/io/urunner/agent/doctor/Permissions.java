package io.urunner.agent.doctor;

import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeAccess.Permission;
import io.urunner.kube.KubeException;
import io.urunner.kube.WatchScope;
import io.urunner.kube.WorkloadKind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Every permission that the agent uses, asked for one by one with SelfSubjectAccessReviews. */
final class Permissions {
    private static final String CHECK = "permission";

    private final KubeAccess access;
    private final WatchScope scope;
    private final Collection<String> labelled;
    private final List<Finding> findings = new ArrayList<>();
    private int granted;

    /** {@code labelled} are the namespaces where a permission counts that is not granted everywhere. */
    Permissions(KubeAccess access, WatchScope scope, Collection<String> labelled) {
        this.access = access;
        this.scope = scope;
        this.labelled = labelled;
    }

    /** The findings; {@code lease} is the Lease, as namespace and name, if there is an election. */
    List<Finding> check(boolean pullSecrets, Optional<Lease> lease) {
        try {
            if (scope.namespaces().isEmpty()) {
                needed("list", "", "namespaces", List.of());
                needed("watch", "", "namespaces", List.of());
            } else {
                for (String namespace : scope.namespaces()) {
                    Optional<String> name = Optional.of(namespace);
                    answer(new Permission("get", "", "namespaces", name, name), "");
                }
            }
            for (WorkloadKind kind : WorkloadKind.values()) {
                for (String verb : List.of("get", "list", "watch", "patch")) {
                    everywhere(verb, "apps", kind.resource(), "");
                }
            }
            for (String verb : List.of("list", "watch")) {
                everywhere(verb, "apps", "replicasets", "");
                everywhere(verb, "apps", "controllerrevisions", "");
                everywhere(verb, "", "pods", "");
            }
            everywhere("create", "", "events", "");
            everywhere("patch", "", "events", "");
            if (lease.isPresent()) {
                Optional<String> namespace = Optional.of(lease.get().namespace());
                Optional<String> name = Optional.of(lease.get().name());
                answer(new Permission("create", "coordination.k8s.io", "leases", namespace), "");
                answer(new Permission("get", "coordination.k8s.io", "leases", namespace, name), "");
                answer(new Permission("update", "coordination.k8s.io", "leases", namespace, name), "");
            }
            if (pullSecrets) {
                String without = "without it pull secrets are not used, only the agent's own credentials";
                everywhere("get", "", "secrets", without);
                everywhere("get", "", "serviceaccounts", without);
            }
            everywhere("delete", "", "pods", "without it pods that keep a StatefulSet from rolling back stay");
        } catch (KubeException e) {
            findings.add(Finding.wrong(
                    CHECK,
                    String.valueOf(e.getMessage()),
                    "see that the API server can be reached and the agent's account is valid"));
        }
        if (granted > 0) {
            findings.add(0, Finding.ok(CHECK, granted + " granted of those that the agent uses"));
        }
        return findings;
    }

    /** A Lease. */
    record Lease(String namespace, String name) {}

    private void needed(String verb, String group, String resource, Collection<String> instead) throws KubeException {
        ask(verb, group, resource, instead, "");
    }

    /** In all namespaces of the scope; if not in all of the cluster, in those that are watched. */
    private void everywhere(String verb, String group, String resource, String optional) throws KubeException {
        ask(verb, group, resource, scope.namespaces().isEmpty() ? labelled : scope.namespaces(), optional);
    }

    private void ask(String verb, String group, String resource, Collection<String> instead, String optional)
            throws KubeException {
        Permission cluster = new Permission(verb, group, resource, Optional.empty());
        if (scope.namespaces().isEmpty() && (instead.isEmpty() || access.allowed(cluster))) {
            answer(cluster, optional);
            return;
        }
        for (String namespace : instead) {
            answer(new Permission(verb, group, resource, Optional.of(namespace)), optional);
        }
    }

    private void answer(Permission permission, String optional) throws KubeException {
        if (access.allowed(permission)) {
            granted++;
        } else if (optional.isEmpty()) {
            findings.add(Finding.wrong(
                    CHECK,
                    "may not " + permission,
                    "grant it in the role of the agent's account: verb " + permission.verb() + ", resource "
                            + permission.resource() + ", API group \"" + permission.group() + "\""));
        } else {
            findings.add(Finding.note(CHECK, "may not " + permission + " (optional)", optional));
        }
    }
}
