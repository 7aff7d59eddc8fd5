package io.urunner.agent.app.doctor;

import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeAccess.Account;
import io.urunner.kube.KubeAccess.Permission;
import io.urunner.kube.KubeException;
import io.urunner.kube.RevisionKind;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.WatchScope;
import io.urunner.kube.WorkloadKind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;

/**
 * Checks every permission that the agent uses, one by one: with SelfSubjectAccessReviews, or with SubjectAccessReviews for
 * the agent's account if somebody else checks and is allowed to.
 */
final class Permissions {
    private static final String CHECK = "permission";
    private static final String EVERYWHERE = "in all namespaces";

    private final KubeAccess access;
    private final WatchScope scope;
    private final Collection<String> labelled;
    private final Optional<Account> agent;
    private final List<Finding> findings = new ArrayList<>();
    /** What is missing, by purpose and place. */
    private final Map<Need, Map<String, Missing>> missing = new TreeMap<>();

    private boolean foreign;
    private int granted;

    /** The purpose of a permission. */
    private enum Need {
        WORK,
        PULL_SECRETS,
        STUCK_PODS
    }

    /** The verbs by resource, in the order of the checks. */
    private static final class Missing {
        private final Map<String, Set<String>> verbs = new LinkedHashMap<>();

        void add(Permission permission) {
            String resource = permission.resource()
                    + (permission.group().isEmpty() ? "" : "." + permission.group())
                    + permission.name().map(name -> " " + name).orElse("");
            verbs.computeIfAbsent(resource, any -> new LinkedHashSet<>()).add(permission.verb());
        }

        /** Resources with the same verbs are grouped: {@code list, watch pods, replicasets.apps; create events}. */
        @Override
        public String toString() {
            Map<String, StringJoiner> resources = new LinkedHashMap<>();
            verbs.forEach((resource, each) -> resources
                    .computeIfAbsent(String.join(", ", each), any -> new StringJoiner(", "))
                    .add(resource));
            StringJoiner all = new StringJoiner("; ");
            resources.forEach((each, of) -> all.add(each + " " + of));
            return all.toString();
        }
    }

    /**
     * {@code labelled} are the namespaces in which a permission is needed if it is not granted everywhere; {@code agent} is the
     * account to check, if it is not the caller's.
     */
    Permissions(KubeAccess access, WatchScope scope, Collection<String> labelled, Optional<Account> agent) {
        this.access = access;
        this.scope = scope;
        this.labelled = labelled;
        this.agent = agent;
    }

    /** The findings; {@code lease} is the Lease, as namespace and name, if there is an election. */
    List<Finding> check(boolean pullSecrets, Optional<Lease> lease) {
        try {
            ask(pullSecrets, lease);
        } catch (KubeException e) {
            findings.add(Finding.wrong(
                    CHECK,
                    String.valueOf(e.getMessage()),
                    "check that the API server can be reached and that the agent's account is valid"));
        }
        missing.forEach(this::tell);
        if (foreign) {
            findings.add(
                    0,
                    Finding.note(
                            CHECK,
                            granted
                                    + " of the permissions that the agent uses are granted to you; the agent's own are not"
                                    + " checked",
                            "get permission to create subjectaccessreviews (authorization.k8s.io), or ask the agent"
                                    + " itself"));
        } else if (granted > 0) {
            findings.add(
                    0,
                    Finding.ok(
                            CHECK,
                            granted + " of the permissions that the agent uses are granted"
                                    + agent.map(account -> " to " + account).orElse("")));
        }
        return findings;
    }

    /** One finding per namespace for what is required; one for all namespaces that lack the same for what is optional. */
    private void tell(Need need, Map<String, Missing> places) {
        if (need == Need.WORK) {
            places.forEach((where, what) -> findings.add(finding(need, where, what.toString())));
            return;
        }
        Map<String, StringJoiner> same = new LinkedHashMap<>();
        places.forEach((where, what) -> same.computeIfAbsent(what.toString(), any -> new StringJoiner(", "))
                .add(where));
        same.forEach((what, where) -> findings.add(finding(need, where.toString(), what)));
    }

    /** Tells whether the agent lacks a permission, which explains why something cannot be seen. */
    boolean explain(WatchProblem problem) {
        Map<String, Missing> work = missing.getOrDefault(Need.WORK, Map.of());
        return problem.missing().isPresent()
                && !foreign
                && (work.containsKey(EVERYWHERE)
                        || problem.namespace()
                                .map(Permissions::in)
                                .filter(work::containsKey)
                                .isPresent());
    }

    private void ask(boolean pullSecrets, Optional<Lease> lease) throws KubeException {
        if (scope.namespaces().isEmpty()) {
            answer(new Permission("list", "", "namespaces", Optional.empty()), Need.WORK);
            answer(new Permission("watch", "", "namespaces", Optional.empty()), Need.WORK);
        } else {
            for (String namespace : scope.namespaces()) {
                Optional<String> name = Optional.of(namespace);
                answer(new Permission("get", "", "namespaces", name, name), Need.WORK);
            }
        }
        Set<RevisionKind> revisions = new LinkedHashSet<>();
        for (WorkloadKind kind : scope.kinds()) {
            for (String verb : List.of("get", "list", "watch", "patch")) {
                everywhere(verb, kind.group(), kind.resource(), Need.WORK);
            }
            kind.revisions().ifPresent(revisions::add);
        }
        for (String verb : List.of("list", "watch")) {
            for (RevisionKind kind : revisions) {
                everywhere(verb, kind.group(), kind.resource(), Need.WORK);
            }
            everywhere(verb, "", "pods", Need.WORK);
        }
        everywhere("create", "", "events", Need.WORK);
        everywhere("patch", "", "events", Need.WORK);
        if (lease.isPresent()) {
            Optional<String> namespace = Optional.of(lease.get().namespace());
            Optional<String> name = Optional.of(lease.get().name());
            answer(new Permission("create", "coordination.k8s.io", "leases", namespace), Need.WORK);
            answer(new Permission("get", "coordination.k8s.io", "leases", namespace, name), Need.WORK);
            answer(new Permission("update", "coordination.k8s.io", "leases", namespace, name), Need.WORK);
        }
        if (pullSecrets) {
            everywhere("get", "", "secrets", Need.PULL_SECRETS);
            everywhere("get", "", "serviceaccounts", Need.PULL_SECRETS);
        }
        everywhere("delete", "", "pods", Need.STUCK_PODS);
    }

    /** A Lease. */
    record Lease(String namespace, String name) {}

    /** In all namespaces of the scope; if not granted for the whole cluster, in those that are watched. */
    private void everywhere(String verb, String group, String resource, Need need) throws KubeException {
        Permission cluster = new Permission(verb, group, resource, Optional.empty());
        Collection<String> instead = scope.namespaces().isEmpty() ? labelled : scope.namespaces();
        if (scope.namespaces().isEmpty() && (instead.isEmpty() || allowed(cluster))) {
            answer(cluster, need);
            return;
        }
        for (String namespace : instead) {
            answer(new Permission(verb, group, resource, Optional.of(namespace)), need);
        }
    }

    private void answer(Permission permission, Need need) throws KubeException {
        if (allowed(permission)) {
            granted++;
        } else {
            missing.computeIfAbsent(need, any -> new TreeMap<>())
                    .computeIfAbsent(
                            permission.namespace().map(Permissions::in).orElse(EVERYWHERE), any -> new Missing())
                    .add(permission);
        }
    }

    private boolean allowed(Permission permission) throws KubeException {
        if (agent.isPresent() && !foreign) {
            try {
                return access.allowed(permission, agent.get());
            } catch (KubeException e) {
                if (!e.forbidden()) {
                    throw e;
                }
                foreign = true; // it is refused from the first one on
            }
        }
        return access.allowed(permission);
    }

    private static String in(String namespace) {
        return "in namespace " + namespace;
    }

    private Finding finding(Need need, String where, String what) {
        if (foreign) {
            return Finding.note(CHECK, where + " you are not allowed to " + what, "");
        }
        boolean list = !scope.namespaces().isEmpty();
        boolean listed = scope.namespaces().stream().map(Permissions::in).anyMatch(where::equals);
        return switch (need) {
            case WORK ->
                Finding.wrong(
                        CHECK,
                        where + " the agent is not allowed to " + what,
                        "set rbac.create=true in the chart's values"
                                + (listed ? ", and check that this namespace is in 'scope'" : "")
                                + "; without the chart, grant it in a role of the agent's account");
            case PULL_SECRETS ->
                Finding.note(
                        CHECK,
                        where + " the agent is not allowed to " + what + " (optional)",
                        "without it, only the agent's own credentials are used, no pull secrets; the chart's value is "
                                + (list ? "rbac.pullSecrets" : "rbac.readAllSecrets"));
            case STUCK_PODS ->
                Finding.note(
                        CHECK,
                        where + " the agent is not allowed to " + what + " (optional)",
                        "without it, pods that block the rollback of a StatefulSet stay; the chart's value is"
                                + " rbac.deleteStuckPods");
        };
    }
}
