package io.urunner.kube;

import java.util.Locale;

/** The kinds of workload that are watched and rolled out. */
public enum WorkloadKind {
    /** {@code apps/v1} Deployment. */
    DEPLOYMENT("Deployment", "deployments"),
    /** {@code apps/v1} StatefulSet. */
    STATEFUL_SET("StatefulSet", "statefulsets"),
    /** {@code apps/v1} DaemonSet. */
    DAEMON_SET("DaemonSet", "daemonsets");

    private final String kind;
    private final String resource;

    WorkloadKind(String kind, String resource) {
        this.kind = kind;
        this.resource = resource;
    }

    /**
     * The kind as objects name it, for example {@code Deployment}.
     *
     * @return the kind
     */
    public String kind() {
        return kind;
    }

    /**
     * The resource as URLs name it, for example {@code deployments}.
     *
     * @return the resource
     */
    public String resource() {
        return resource;
    }

    ApiResource api() {
        return ApiResource.of("apps/v1", resource);
    }

    /**
     * Reads a kind as people write it: {@code Deployment}, {@code deployment}, {@code deployments}, {@code deploy},
     * {@code sts}, {@code ds}, {@code deployments.apps}.
     *
     * @param text the text
     * @return the kind
     * @throws IllegalArgumentException if it names none
     */
    public static WorkloadKind parse(String text) {
        return switch (text.toLowerCase(Locale.ROOT).replaceFirst("(\\.v1)?\\.apps$", "")) {
            case "deployment", "deployments", "deploy" -> DEPLOYMENT;
            case "statefulset", "statefulsets", "sts" -> STATEFUL_SET;
            case "daemonset", "daemonsets", "ds" -> DAEMON_SET;
            default ->
                throw new IllegalArgumentException(
                        "'" + text + "' is no kind of workload: write Deployment, StatefulSet or DaemonSet");
        };
    }
}
