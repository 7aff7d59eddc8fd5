package io.urunner.kube;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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
     * @param workload all of it but its pods, its current revision and who changed its template
     * @param revision what its controller says of the current revision: the revision number of a Deployment, the name of
     *     the update revision of a StatefulSet
     * @param managers who owns fields of its pod template, newest first
     */
    record WorkloadObject(Workload workload, Optional<String> revision, List<Manager> managers) implements Observed {
        @Override
        public String uid() {
            return workload.uid();
        }
    }

    /**
     * A field manager.
     *
     * @param at when it changed fields last
     */
    record Manager(String name, Instant at) {}

    /**
     * A revision of a workload: a ReplicaSet or a ControllerRevision.
     *
     * @param owner the uid of the workload
     * @param number its number, as text
     * @param hash what its pods carry as label
     * @param state the copy that it has of the Deployment's {@code urunner.io/state}, from when it was the newest
     */
    record Revision(String uid, String owner, String number, String hash, Optional<State> state) implements Observed {}

    /**
     * What {@code urunner.io/state} says.
     *
     * @param acted when it says that we acted last
     */
    record State(String text, Instant acted) {
        static Optional<State> of(@Nullable String text) {
            return Optional.ofNullable(text)
                    .flatMap(WorkloadState::parse)
                    .flatMap(WorkloadState::lastAct)
                    .map(acted -> new State(Objects.requireNonNull(text), acted));
        }
    }

    /**
     * A pod.
     *
     * @param owner the uid of its controller: a ReplicaSet, StatefulSet or DaemonSet
     * @param hash the label that says of which revision it is
     * @param pod all of it but whether its revision is current
     */
    record PodObject(String uid, String owner, String hash, Pod pod) implements Observed {}
}
