package io.urunner.kube;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is kept of an object of the API server until a {@link Workload} is put together from several of them. */
sealed interface Observed {
    /** The object's uid. */
    String uid();

    /** About how many bytes keeping it costs here and where it is used. */
    int weight();

    private static int weight(Collection<String> texts) {
        return texts.stream().mapToInt(text -> 60 + text.length()).sum();
    }

    /**
     * A namespace.
     *
     * @param terminating whether its deletion was asked for
     */
    record Namespace(String uid, String name, boolean enabled, boolean terminating) implements Observed {
        @Override
        public int weight() {
            return 200;
        }
    }

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

        /** Each container is planned for, and its image asked for. */
        @Override
        public int weight() {
            int weight = 500
                    + Observed.weight(workload.annotations().values())
                    + Observed.weight(workload.templateAnnotations().values())
                    + Observed.weight(workload.imagePullSecrets())
                    + Observed.weight(workload.problems());
            for (Container container : workload.containers()) {
                weight += 1_000 + container.name().length() + container.image().length();
            }
            return weight + 100 * managers.size();
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
    record Revision(String uid, String owner, String number, String hash, Optional<State> state) implements Observed {
        @Override
        public int weight() {
            return 300 + state.map(copy -> 60 + copy.text().length()).orElse(0);
        }
    }

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
    record PodObject(String uid, String owner, String hash, Pod pod) implements Observed {
        @Override
        public int weight() {
            int weight = 500 + pod.unschedulable().map(String::length).orElse(0);
            for (Pod.ContainerStatus container : pod.containers()) {
                weight += 100
                        + container.name().length()
                        + container.imageId().length()
                        + container.trouble().map(String::length).orElse(0);
            }
            return weight;
        }
    }
}
