package io.urunner.kube;

import java.util.Optional;

/**
 * A kind of object as URLs name it.
 *
 * @param group the API group, for example {@code apps}; empty for the core group
 * @param version the version, for example {@code v1}
 * @param plural for example {@code deployments}
 */
record ApiResource(String group, String version, String plural) {
    static final ApiResource NAMESPACES = core("namespaces");
    static final ApiResource NODES = core("nodes");
    static final ApiResource PODS = core("pods");
    static final ApiResource SECRETS = core("secrets");
    static final ApiResource CONFIG_MAPS = core("configmaps");
    static final ApiResource SERVICE_ACCOUNTS = core("serviceaccounts");
    static final ApiResource EVENTS = core("events");
    static final ApiResource LEASES = new ApiResource("coordination.k8s.io", "v1", "leases");

    private static ApiResource core(String plural) {
        return new ApiResource("", "v1", plural);
    }

    /** Reads {@code apps/v1}, or {@code v1} for the core group. */
    static ApiResource of(String apiVersion, String plural) {
        int slash = apiVersion.indexOf('/');
        return new ApiResource(
                slash < 0 ? "" : apiVersion.substring(0, slash), apiVersion.substring(slash + 1), plural);
    }

    /** As objects name it, for example {@code apps/v1}. */
    String apiVersion() {
        return group.isEmpty() ? version : group + "/" + version;
    }

    /** The path of all objects of the cluster. */
    String path() {
        return root() + "/" + plural;
    }

    /**
     * The path of the objects in one namespace, or in all.
     *
     * @throws KubeException if the name is not a valid namespace name; no request is sent then
     */
    String path(Optional<String> namespace) throws KubeException {
        return namespace.isPresent()
                ? root() + "/namespaces/" + KubeName.namespace(namespace.get()) + "/" + plural
                : path();
    }

    /**
     * The path of one object.
     *
     * @throws KubeException if a name is not valid; no request is sent then
     */
    String path(String namespace, String name) throws KubeException {
        return path(Optional.of(namespace)) + "/" + KubeName.object(plural, name);
    }

    /** The path of the objects in a namespace that is known to exist, or in all. */
    String pathOfKnown(Optional<String> namespace) {
        return namespace
                .map(name -> root() + "/namespaces/" + KubeName.encoded(name) + "/" + plural)
                .orElseGet(this::path);
    }

    private String root() {
        return (group.isEmpty() ? "/api/" : "/apis/") + apiVersion();
    }

    /** For example {@code list} in one namespace, or in all. */
    Action action(String verb, Optional<String> namespace) {
        return Action.of(verb, this, namespace, Optional.empty());
    }

    /** For example {@code get} of one object. */
    Action action(String verb, String namespace, String name) {
        return Action.of(verb, this, Optional.of(namespace), Optional.of(name));
    }
}
