package io.urunner.kube;

import java.util.Optional;

/** What is kept of an object of the API server until a {@link Workload} is put together from several of them. */
sealed interface Observed {
    /** The object's uid. */
    String uid();

    /**
     * A namespace.
     *
     * @param terminating whether its deletion was asked for
     */
    record Namespace(String uid, String name, boolean enabled, boolean terminating) implements Observed {}

    /**
     * A workload.
     *
     * @param workload all of it but its pods and its current revision
     * @param revision what its controller says of the current revision: the revision number of a Deployment, the name of
     *     the update revision of a StatefulSet
     */
    record WorkloadObject(Workload workload, Optional<String> revision) implements Observed {
        @Override
        public String uid() {
            return workload.uid();
        }
    }

    /**
     * A revision of a workload: a ReplicaSet or a ControllerRevision.
     *
     * @param owner the uid of the workload
     * @param number its number, as text
     * @param hash what its pods carry as label
     */
    record Revision(String uid, String owner, String number, String hash) implements Observed {}

    /**
     * A pod.
     *
     * @param owner the uid of its controller: a ReplicaSet, StatefulSet or DaemonSet
     * @param hash the label that says of which revision it is
     * @param pod all of it but whether its revision is current
     */
    record PodObject(String uid, String owner, String hash, Pod pod) implements Observed {}
}
