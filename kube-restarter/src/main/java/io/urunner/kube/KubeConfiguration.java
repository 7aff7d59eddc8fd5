package io.urunner.kube;

import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Where the API server is and how to authenticate. Reading it touches only files, no network. Immutable; a token in a file
 * is read again every minute, and a credential program is run again.
 */
public final class KubeConfiguration {
    private static final Path SERVICE_ACCOUNT = Path.of("/var/run/secrets/kubernetes.io/serviceaccount");

    private final URI server;
    private final Optional<String> namespace;
    private final SSLContext tls;
    private final @Nullable ProxySelector proxy;
    private final Authorization authorization;
    private final Optional<String> user;

    /** Gives the value of the header {@code Authorization}; empty for none. May read a file or run a program. */
    @FunctionalInterface
    interface Authorization {
        Optional<String> header() throws IOException;
    }

    KubeConfiguration(
            URI server,
            Optional<String> namespace,
            SSLContext tls,
            @Nullable ProxySelector proxy,
            Authorization authorization) {
        this(server, namespace, tls, proxy, authorization, Optional.empty());
    }

    KubeConfiguration(
            URI server,
            Optional<String> namespace,
            SSLContext tls,
            @Nullable ProxySelector proxy,
            Authorization authorization,
            Optional<String> user) {
        this.server = server;
        this.namespace = namespace;
        this.tls = tls;
        this.proxy = proxy;
        this.authorization = authorization;
        this.user = user;
    }

    /**
     * Uses the service account of the pod that this runs in.
     *
     * @param environment the environment: {@code KUBERNETES_SERVICE_HOST} and {@code KUBERNETES_SERVICE_PORT}
     * @return the configuration
     * @throws KubeConfigurationException if this is not a pod, or its token is not mounted
     */
    public static KubeConfiguration inCluster(Map<String, String> environment) throws KubeConfigurationException {
        return inCluster(environment, SERVICE_ACCOUNT);
    }

    static KubeConfiguration inCluster(Map<String, String> environment, Path serviceAccount)
            throws KubeConfigurationException {
        String host = environment.getOrDefault("KUBERNETES_SERVICE_HOST", "");
        String port = environment.getOrDefault("KUBERNETES_SERVICE_PORT", "443");
        if (host.isEmpty()) {
            throw new KubeConfigurationException("KUBERNETES_SERVICE_HOST is not set: this is not running in a pod;"
                    + " use a kubeconfig instead of the in-cluster configuration");
        }
        Path token = serviceAccount.resolve("token");
        Path authorities = serviceAccount.resolve("ca.crt");
        if (!Files.isReadable(token) || !Files.isReadable(authorities)) {
            throw new KubeConfigurationException("the service account's files " + token + " and " + authorities
                    + " cannot be read: set automountServiceAccountToken to true for this pod");
        }
        try {
            Path namespace = serviceAccount.resolve("namespace");
            return new KubeConfiguration(
                    URI.create("https://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port),
                    Files.isReadable(namespace)
                            ? Optional.of(Files.readString(namespace).strip())
                            : Optional.empty(),
                    tls(Pem.trust(Files.readAllBytes(authorities)), null),
                    null,
                    () -> Optional.of("Bearer " + Files.readString(token).strip()));
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new KubeConfigurationException(
                    "cannot use the service account in " + serviceAccount + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads the kubeconfig by the usual rules: the files that {@code KUBECONFIG} names, else {@code ~/.kube/config}.
     *
     * @param environment the environment: {@code KUBECONFIG} and {@code HOME}
     * @return the configuration
     * @throws KubeConfigurationException if the file is missing or wrong
     */
    public static KubeConfiguration kubeconfig(Map<String, String> environment) throws KubeConfigurationException {
        String named = environment.getOrDefault("KUBECONFIG", "");
        if (!named.isEmpty()) {
            List<Path> files = new ArrayList<>();
            for (String file : named.split(File.pathSeparator, -1)) {
                if (!file.isEmpty()) {
                    files.add(Path.of(file));
                }
            }
            return Kubeconfig.read(files);
        }
        String home = environment.getOrDefault("HOME", "");
        if (home.isEmpty()) {
            throw new KubeConfigurationException(
                    "neither KUBECONFIG nor HOME is set: set KUBECONFIG to the path of a kubeconfig");
        }
        return Kubeconfig.read(List.of(Path.of(home, ".kube", "config")));
    }

    /**
     * Reads the current context of a kubeconfig file.
     *
     * @param file the file
     * @return the configuration
     * @throws KubeConfigurationException if the file is missing or wrong
     */
    public static KubeConfiguration kubeconfig(Path file) throws KubeConfigurationException {
        return Kubeconfig.read(List.of(file));
    }

    static SSLContext tls(TrustManager @Nullable [] trust, KeyManager @Nullable [] identity)
            throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(identity, trust, null);
        return context;
    }

    static ProxySelector proxy(URI proxy) {
        int port = proxy.getPort() >= 0 ? proxy.getPort() : "https".equals(proxy.getScheme()) ? 443 : 80;
        return ProxySelector.of(InetSocketAddress.createUnresolved(proxy.getHost(), port));
    }

    /**
     * Returns the same configuration for a process whose default proxies are not meant for the API server: it is reached
     * through the kubeconfig's {@code proxy-url}, or else directly. Otherwise, without a {@code proxy-url}, the Java
     * runtime's proxy selector applies.
     *
     * @return the configuration
     */
    public KubeConfiguration directByDefault() {
        return proxy != null
                ? this
                : new KubeConfiguration(server, namespace, tls, HttpClient.Builder.NO_PROXY, authorization, user);
    }

    /**
     * Returns where the API server is.
     *
     * @return its address
     */
    public URI server() {
        return server;
    }

    /**
     * Returns the namespace of the pod, or of the kubeconfig's context.
     *
     * @return the namespace, if one is set
     */
    public Optional<String> namespace() {
        return namespace;
    }

    /**
     * Returns the user according to a kubeconfig: the one that the client certificate names, or else the user's name.
     *
     * @return the user; empty for the service account of a pod
     */
    public Optional<String> user() {
        return user;
    }

    SSLContext tls() {
        return tls;
    }

    Optional<ProxySelector> proxySelector() {
        return Optional.ofNullable(proxy);
    }

    Authorization authorization() {
        return authorization;
    }
}
