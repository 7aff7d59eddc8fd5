package io.urunner.kube;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Small questions to the API server, one request each. Thread-safe; blocks until the API server answers. */
@SuppressWarnings("DoNotCallSuggester")
public final class KubeAccess {
    /**
     * Asks one API server.
     *
     * @param connection to which cluster; stays the caller's to close
     */
    public KubeAccess(KubeConnection connection) {}

    /**
     * A permission.
     *
     * @param verb for example {@code patch}
     * @param group the API group, for example {@code apps}; empty for the core group
     * @param resource for example {@code deployments}
     * @param namespace where; empty for everywhere
     */
    public record Permission(String verb, String group, String resource, Optional<String> namespace) {
        /** For people, for example {@code patch deployments.apps in namespace shop}. */
        @Override
        public String toString() {
            return verb + " " + resource + (group.isEmpty() ? "" : "." + group)
                    + namespace.map(name -> " in namespace " + name).orElse("");
        }
    }

    /**
     * Whether this client has a permission, by a SelfSubjectAccessReview.
     *
     * @param permission the permission
     * @return true if it has
     * @throws KubeException if the API server refused the question or could not be reached
     */
    public boolean allowed(Permission permission) throws KubeException {
        throw new KubeException("not yet", KubeException.NO_ANSWER);
    }

    /**
     * The version of the API server, for example {@code v1.33.1}.
     *
     * @return the version
     * @throws KubeException if the API server refused or could not be reached
     */
    public String version() throws KubeException {
        throw new KubeException("not yet", KubeException.NO_ANSWER);
    }

    /**
     * Reads a Secret by its name.
     *
     * @param namespace its namespace
     * @param name its name
     * @return its data, decoded, by key; empty if there is no such Secret. The values are secrets: the caller's to guard.
     * @throws KubeException if the API server refused or could not be reached
     */
    public Optional<Map<String, byte[]>> secret(String namespace, String name) throws KubeException {
        throw new KubeException("not yet", KubeException.NO_ANSWER);
    }

    /**
     * The names of the pull secrets of a service account, in its order.
     *
     * @param namespace its namespace
     * @param name its name
     * @return the names; empty if there is no such service account
     * @throws KubeException if the API server refused or could not be reached
     */
    public List<String> pullSecrets(String namespace, String name) throws KubeException {
        throw new KubeException("not yet", KubeException.NO_ANSWER);
    }
}
