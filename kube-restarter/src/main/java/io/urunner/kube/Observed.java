package io.urunner.kube;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is kept of an object of the API server until a {@link Workload} is assembled from several of them. */
sealed interface Observed {
    /** The object's uid. */
    String uid();

    /** Roughly how many bytes it costs to keep it, here and where it is used. */
    int weight();

    private static int weight(Collection<String> texts) {
        return texts.stream().mapToInt(text -> 60 + text.length()).sum();
    }

    /**
     * A namespace.
     *
     * @param terminating whether it is being deleted
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
     * @param workload everything except its pods, its current revision and who changed its template
     * @param revision what it says about its current revision, see {@link WorkloadKind.Current}
     * @param managers who owns fields of its pod template, newest first
     */
    record WorkloadObject(Workload workload, Optional<String> revision, List<Manager> managers) implements Observed {
        @Override
        public String uid() {
            return workload.uid();
        }

        /** Each container is planned, and its image is resolved. */
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
     * @param at when it last changed fields
     */
    record Manager(String name, Instant at) {}

    /**
     * A revision of a workload: a ReplicaSet or a ControllerRevision.
     *
     * @param owner the uid of the workload
     * @param number its number, as text
     * @param hash the label of its pods
     * @param state its copy of the workload's {@code urunner.io/state}, from when it was the current revision
     */
    record Revision(String uid, String owner, String number, String hash, Optional<State> state) implements Observed {
        @Override
        public int weight() {
            return 300 + state.map(copy -> 60 + copy.text().length()).orElse(0);
        }
    }

    /**
     * The annotation {@code urunner.io/state}.
     *
     * @param acted when we last acted, according to it
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
     * @param owner the uid of its controller: the workload, or one of its revisions
     * @param hash the label that names its revision
     * @param pod everything except whether its revision is current
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
