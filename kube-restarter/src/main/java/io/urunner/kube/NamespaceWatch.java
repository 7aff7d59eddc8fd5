package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What one namespace holds. Workloads are watched from the start, their revisions and pods from the first workload that
 * needs them. Guarded by the lock that it is given.
 */
final class NamespaceWatch {
    private static final String ENABLED_WORKLOADS = "labelSelector=urunner%21%3Ddisable";

    private final KubeConnection connection;
    private final String namespace;
    private final Object lock;
    private final Consumer<WorkloadId> changed;
    private final Runnable flush;

    private final Map<WorkloadKind, Reflector<Observed.WorkloadObject>> workloads = new EnumMap<>(WorkloadKind.class);
    private final Map<String, String> uids = new HashMap<>();
    private final Map<String, Map<String, Observed.Revision>> revisions = new HashMap<>();
    private final Map<String, Map<String, Observed.PodObject>> pods = new HashMap<>();
    private final List<Runnable> toStart = new ArrayList<>();
    private @Nullable Reflector<Observed.Revision> replicaSets;
    private @Nullable Reflector<Observed.Revision> controllerRevisions;
    private @Nullable Reflector<Observed.PodObject> podObjects;

    /**
     * A watch that is not started.
     *
     * @param changed told of each workload that changed, with the lock held
     * @param flush called when that was all, without the lock
     */
    NamespaceWatch(
            KubeConnection connection, String namespace, Object lock, Consumer<WorkloadId> changed, Runnable flush) {
        this.connection = connection;
        this.namespace = namespace;
        this.lock = lock;
        this.changed = changed;
        this.flush = flush;
        for (WorkloadKind kind : WorkloadKind.values()) {
            workloads.put(
                    kind,
                    reflector(
                            kind.resource(),
                            "/apis/apps/v1",
                            ENABLED_WORKLOADS,
                            false,
                            json -> ObservedJson.workload(kind, json),
                            new WorkloadSink()));
        }
    }

    private <T extends Observed> Reflector<T> reflector(
            String resource,
            String group,
            String query,
            boolean metadataOnly,
            Function<JsonNode, @Nullable T> parser,
            Reflector.Sink<T> sink) {
        return new Reflector<>(
                connection,
                new Reflector.Source(
                        resource,
                        Optional.of(namespace),
                        group + "/namespaces/" + namespace + "/" + resource,
                        query,
                        metadataOnly),
                parser,
                sink,
                lock);
    }

    void start() {
        workloads.values().forEach(Reflector::start);
    }

    void close() {
        all().forEach(Reflector::close);
    }

    private List<Reflector<?>> all() {
        synchronized (lock) {
            List<Reflector<?>> all = new ArrayList<>(workloads.values());
            for (Reflector<?> each : new Reflector<?>[] {replicaSets, controllerRevisions, podObjects}) {
                if (each != null) {
                    all.add(each);
                }
            }
            return all;
        }
    }

    void tick() {
        all().forEach(Reflector::tick);
    }

    /** Whether everything that may be seen was seen. With the lock held. */
    boolean settled() {
        return all().stream().allMatch(each -> each.synced() || each.hopeless());
    }

    void problems(Consumer<WatchProblem> to) {
        for (Reflector<?> each : all()) {
            WatchProblem problem = each.problem();
            if (problem != null) {
                to.accept(problem);
            }
        }
    }

    /** With the lock held. */
    void workloads(Map<WorkloadId, Workload> to) {
        for (WorkloadKind kind : WorkloadKind.values()) {
            if (visible(kind)) {
                workloads(kind).objects().forEach(each -> to.put(each.workload().id(), assemble(each)));
            }
        }
    }

    /** With the lock held. */
    Optional<Workload> find(WorkloadId id) {
        if (!visible(id.kind())) {
            return Optional.empty();
        }
        String uid = uids.get(id.kind() + "/" + id.name());
        Observed.WorkloadObject object =
                uid == null ? null : workloads(id.kind()).object(uid);
        return object == null ? Optional.empty() : Optional.of(assemble(object));
    }

    /** The ids of what is there, whether it is visible or not: what goes away with the namespace. With the lock held. */
    List<WorkloadId> ids() {
        List<WorkloadId> ids = new ArrayList<>();
        workloads
                .values()
                .forEach(each -> each.objects()
                        .forEach(object -> ids.add(object.workload().id())));
        return ids;
    }

    private Reflector<Observed.WorkloadObject> workloads(WorkloadKind kind) {
        return java.util.Objects.requireNonNull(workloads.get(kind));
    }

    /** Whether the pods and revisions of this kind are known: before that nothing can be said of its workloads. */
    private boolean visible(WorkloadKind kind) {
        return synced(podObjects)
                && switch (kind) {
                    case DEPLOYMENT -> synced(replicaSets);
                    case STATEFUL_SET -> true;
                    case DAEMON_SET -> synced(controllerRevisions);
                };
    }

    private static boolean synced(@Nullable Reflector<?> reflector) {
        return reflector != null && reflector.synced();
    }

    private Workload assemble(Observed.WorkloadObject object) {
        return Revisions.assemble(object, of(revisions, object.uid()), controller -> of(pods, controller));
    }

    private static <T> Collection<T> of(Map<String, Map<String, T>> index, String owner) {
        Map<String, T> found = index.get(owner);
        return found == null ? List.of() : found.values();
    }

    private void changedOwner(String uid) {
        for (Reflector<Observed.WorkloadObject> each : workloads.values()) {
            Observed.WorkloadObject object = each.object(uid);
            if (object != null) {
                changed.accept(object.workload().id());
                return;
            }
        }
    }

    private void changedAll() {
        ids().forEach(changed);
    }

    /** Starts what the first workload of a kind needs. With the lock held; the start itself is left to the flush. */
    private void need(WorkloadKind kind) {
        if (podObjects == null) {
            podObjects = later(reflector("pods", "/api/v1", "", false, ObservedJson::pod, new PodSink()));
        }
        if (kind == WorkloadKind.DEPLOYMENT && replicaSets == null) {
            replicaSets = later(
                    reflector("replicasets", "/apis/apps/v1", "", true, ObservedJson::replicaSet, new RevisionSink()));
        }
        if (kind == WorkloadKind.DAEMON_SET && controllerRevisions == null) {
            controllerRevisions = later(reflector(
                    "controllerrevisions",
                    "/apis/apps/v1",
                    "",
                    false,
                    ObservedJson::controllerRevision,
                    new RevisionSink()));
        }
    }

    private <T extends Observed> Reflector<T> later(Reflector<T> reflector) {
        toStart.add(reflector::start);
        return reflector;
    }

    private void flushAll() {
        List<Runnable> starts;
        synchronized (lock) {
            starts = List.copyOf(toStart);
            toStart.clear();
        }
        starts.forEach(Runnable::run);
        flush.run();
    }

    private static <T extends Observed> void index(
            Map<String, Map<String, T>> index, @Nullable T before, @Nullable T after, Function<T, String> owner) {
        if (before != null) {
            index.computeIfPresent(owner.apply(before), (key, each) -> {
                each.remove(before.uid());
                return each.isEmpty() ? null : each;
            });
        }
        if (after != null) {
            index.computeIfAbsent(owner.apply(after), key -> new TreeMap<>()).put(after.uid(), after);
        }
    }

    private abstract class Relay<T> implements Reflector.Sink<T> {
        @Override
        public void synced() {
            changedAll();
        }

        @Override
        public void flush() {
            flushAll();
        }
    }

    private final class WorkloadSink extends Relay<Observed.WorkloadObject> {
        @Override
        public void changed(Observed.@Nullable WorkloadObject before, Observed.@Nullable WorkloadObject after) {
            // Deleted and made again under the same name, the new one may be told of before the old one is gone.
            if (before != null) {
                WorkloadId id = before.workload().id();
                uids.remove(id.kind() + "/" + id.name(), before.uid());
                changed.accept(id);
            }
            if (after != null) {
                WorkloadId id = after.workload().id();
                uids.put(id.kind() + "/" + id.name(), after.uid());
                need(id.kind());
                changed.accept(id);
            }
        }
    }

    private final class RevisionSink extends Relay<Observed.Revision> {
        @Override
        public void changed(Observed.@Nullable Revision before, Observed.@Nullable Revision after) {
            index(revisions, before, after, Observed.Revision::owner);
            if (after != null && !after.equals(before)) {
                changedOwner(after.owner());
            }
        }
    }

    private final class PodSink extends Relay<Observed.PodObject> {
        @Override
        public void changed(Observed.@Nullable PodObject before, Observed.@Nullable PodObject after) {
            index(pods, before, after, Observed.PodObject::owner);
            Observed.PodObject any = after == null ? before : after;
            if (any == null || (after != null && after.equals(before))) {
                return;
            }
            Reflector<Observed.Revision> sets = replicaSets;
            Observed.Revision replicaSet = sets == null ? null : sets.object(any.owner());
            changedOwner(replicaSet == null ? any.owner() : replicaSet.owner());
        }
    }
}
