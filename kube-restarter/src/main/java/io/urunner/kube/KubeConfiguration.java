package io.urunner.kube;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Where the API server is and how to authenticate. Reading it touches files only, no network. Immutable; a token that lies
 * in a file is read again when it changes, one that a program gives when it expires.
 */
@SuppressWarnings({"DoNotCallSuggester", "UnusedMethod"})
public final class KubeConfiguration {
    private final URI server;

    private KubeConfiguration(URI server) {
        this.server = server;
    }

    /**
     * The service account of the pod that this runs in.
     *
     * @param environment the environment: {@code KUBERNETES_SERVICE_HOST} and {@code KUBERNETES_SERVICE_PORT}
     * @return the configuration
     * @throws KubeConfigurationException if this is no pod, or its token is not mounted
     */
    public static KubeConfiguration inCluster(Map<String, String> environment) throws KubeConfigurationException {
        throw new KubeConfigurationException("not yet");
    }

    /**
     * The kubeconfig by the usual rules: the file that {@code KUBECONFIG} names, else {@code ~/.kube/config}.
     *
     * @param environment the environment: {@code KUBECONFIG} and {@code HOME}
     * @return the configuration
     * @throws KubeConfigurationException if the file is missing or wrong
     */
    public static KubeConfiguration kubeconfig(Map<String, String> environment) throws KubeConfigurationException {
        throw new KubeConfigurationException("not yet");
    }

    /**
     * The current context of a kubeconfig file.
     *
     * @param file the file
     * @return the configuration
     * @throws KubeConfigurationException if the file is missing or wrong
     */
    public static KubeConfiguration kubeconfig(Path file) throws KubeConfigurationException {
        throw new KubeConfigurationException("not yet");
    }

    /**
     * The API server.
     *
     * @return its address
     */
    public URI server() {
        return server;
    }

    /**
     * The namespace of the pod, or of the kubeconfig's context.
     *
     * @return the namespace, if one is set
     */
    public Optional<String> namespace() {
        return Optional.empty();
    }
}
