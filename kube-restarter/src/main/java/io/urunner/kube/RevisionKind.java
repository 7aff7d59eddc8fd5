package io.urunner.kube;

import com.fasterxml.jackson.core.JsonPointer;

/** The kinds of object in which the cluster keeps the templates that a workload has had. */
public enum RevisionKind {
    /** {@code apps/v1} ReplicaSet: one per template. It owns the pods of its template. */
    REPLICA_SET("apps/v1", "ReplicaSet", "replicasets", true, ""),
    /** {@code apps/v1} ControllerRevision: one per template. The workload itself owns the pods. */
    CONTROLLER_REVISION("apps/v1", "ControllerRevision", "controllerrevisions", false, "/data");

    private final String apiVersion;
    private final String kind;
    private final String resource;
    private final boolean ownsPods;
    private final String copy;

    /** {@code copy}: where the object has its copy of the workload. */
    RevisionKind(String apiVersion, String kind, String resource, boolean ownsPods, String copy) {
        this.apiVersion = apiVersion;
        this.kind = kind;
        this.resource = resource;
        this.ownsPods = ownsPods;
        this.copy = copy;
    }

    /**
     * Returns the API group and version as objects name them, for example {@code apps/v1}.
     *
     * @return the group and version
     */
    public String apiVersion() {
        return apiVersion;
    }

    /**
     * Returns the API group, for example {@code apps}.
     *
     * @return the group
     */
    public String group() {
        return api().group();
    }

    /**
     * Returns the kind as objects name it, for example {@code ReplicaSet}.
     *
     * @return the kind
     */
    public String kind() {
        return kind;
    }

    /**
     * Returns the resource as URLs name it, for example {@code replicasets}.
     *
     * @return the resource
     */
    public String resource() {
        return resource;
    }

    ApiResource api() {
        return ApiResource.of(apiVersion, resource);
    }

    /** Whether it, and not the workload, owns the pods. */
    boolean ownsPods() {
        return ownsPods;
    }

    /**
     * Whether an undo restores the annotations of the workload, too: a Deployment gets those of the ReplicaSet that it goes
     * back to, and the one that it leaves keeps a copy of what they were.
     */
    boolean restoresAnnotations() {
        return ownsPods;
    }

    /** Where the pod template is: a ReplicaSet has its own, a ControllerRevision a copy of the workload's. */
    JsonPointer template(WorkloadKind kind) {
        return ownsPods ? WorkloadKind.TEMPLATE : JsonPointer.compile(copy).append(kind.template());
    }
}
