package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The contents of one namespace. Workloads are watched from the start, their revisions and pods once the first workload
 * needs them. Guarded by the lock that it is given.
 */
final class NamespaceWatch {
    private static final String ENABLED_WORKLOADS = "labelSelector=urunner%21%3Ddisable";

    /** The cost of remembering that something is refused. */
    private static final int REFUSAL = 200;

    private final KubeConnection connection;
    private final WatchedKinds kinds;
    private final String namespace;
    private final Object lock;
    private final Consumer<WorkloadId> changed;
    private final Runnable flush;
    private final LongConsumer keptMore;

    private final Map<WorkloadKind, Reflector<Observed.WorkloadObject>> workloads = new LinkedHashMap<>();
    private final Map<RevisionKind, Reflector<Observed.Revision>> revisionObjects = new EnumMap<>(RevisionKind.class);
    private final Map<WorkloadId, String> uids = new HashMap<>();
    private final Map<String, Map<String, Observed.Revision>> revisions = new HashMap<>();
    private final Map<String, Map<String, Observed.PodObject>> pods = new HashMap<>();
    /** The uids of workloads, and of controllers of pods, that were too large: next to nothing of them is kept. */
    private final Map<String, Refusal> refusals = new HashMap<>();

    private final List<Runnable> toStart = new ArrayList<>();
    private long kept;
    private @Nullable WatchProblem givenUp;
    private @Nullable Reflector<Observed.PodObject> podObjects;

    /**
     * A watch that is not started.
     *
     * @param kinds the kinds of workload
     * @param changed receives each workload that changed, with the lock held
     * @param flush called after that, without the lock
     * @param keptMore receives how many more bytes are kept, or fewer, with the lock held
     */
    NamespaceWatch(
            KubeConnection connection,
            WatchedKinds kinds,
            String namespace,
            Object lock,
            Consumer<WorkloadId> changed,
            Runnable flush,
            LongConsumer keptMore) {
        this.connection = connection;
        this.kinds = kinds;
        this.namespace = namespace;
        this.lock = lock;
        this.changed = changed;
        this.flush = flush;
        this.keptMore = keptMore;
        for (WorkloadKind kind : kinds.kinds()) {
            workloads.put(
                    kind,
                    reflector(
                            kind.api(),
                            ENABLED_WORKLOADS,
                            false,
                            kind.wanted(),
                            json -> ObservedJson.workload(kind, json),
                            new WorkloadSink()));
        }
    }

    private <T extends Observed> Reflector<T> reflector(
            ApiResource resource,
            String query,
            boolean metadataOnly,
            Wanted wanted,
            Function<JsonNode, @Nullable T> parser,
            Reflector.Sink<T> sink) {
        return new Reflector<>(
                connection,
                new Reflector.Source(resource, Optional.of(namespace), query, metadataOnly, wanted),
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
            all.addAll(revisionObjects.values());
            if (podObjects != null) {
                all.add(podObjects);
            }
            return all;
        }
    }

    String namespace() {
        return namespace;
    }

    void tick() {
        all().forEach(Reflector::tick);
        retryRefused();
    }

    /** Whether everything that can be seen has been seen. With the lock held. */
    boolean settled() {
        return givenUp != null || all().stream().allMatch(each -> each.synced() || each.hopeless());
    }

    void problems(Consumer<WatchProblem> to) {
        if (givenUp != null) {
            to.accept(givenUp);
            return;
        }
        for (Reflector<?> each : all()) {
            WatchProblem problem = each.problem();
            if (problem != null) {
                to.accept(problem);
            }
        }
    }

    /** With the lock held. */
    void workloads(Map<WorkloadId, Workload> to) {
        workloads.forEach((kind, reflector) -> {
            if (visible(kind)) {
                reflector.objects().forEach(each -> to.put(each.workload().id(), assemble(each)));
            }
        });
    }

    /** With the lock held. */
    Optional<Workload> find(WorkloadId id) {
        if (!visible(id.kind())) {
            return Optional.empty();
        }
        String uid = uids.get(id);
        Observed.WorkloadObject object =
                uid == null ? null : workloads(id.kind()).object(uid);
        return object == null ? Optional.empty() : Optional.of(assemble(object));
    }

    /** The ids of all workloads, visible or not: they go away with the namespace. With the lock held. */
    List<WorkloadId> ids() {
        List<WorkloadId> ids = new ArrayList<>();
        workloads
                .values()
                .forEach(each -> each.objects()
                        .forEach(object -> ids.add(object.workload().id())));
        return ids;
    }

    private Reflector<Observed.WorkloadObject> workloads(WorkloadKind kind) {
        return Objects.requireNonNull(workloads.get(kind));
    }

    /** Whether the pods and revisions of this kind are known: its workloads cannot be judged before that. */
    private boolean visible(WorkloadKind kind) {
        return givenUp == null
                && workloads.containsKey(kind)
                && synced(podObjects)
                && (!kind.needsRevisions()
                        || synced(kind.revisions().map(revisionObjects::get).orElse(null)));
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
        Observed.WorkloadObject object = workload(uid);
        if (object != null) {
            changed.accept(object.workload().id());
        }
    }

    private void changedAll() {
        ids().forEach(changed);
    }

    /** Prepares what the first workload of a kind needs. With the lock held; the flush starts it. */
    private void need(WorkloadKind kind) {
        if (podObjects == null) {
            podObjects = later(reflector(
                    ApiResource.PODS,
                    "",
                    false,
                    kinds.pods(),
                    json -> ObservedJson.pod(kinds.podOwners(), json),
                    new PodSink()));
        }
        if (kind.needsRevisions()) {
            kind.revisions().ifPresent(by -> revisionObjects.computeIfAbsent(by, this::startRevisions));
        }
    }

    private Reflector<Observed.Revision> startRevisions(RevisionKind by) {
        List<WorkloadKind> keptAs = kinds.keptAs(by);
        return later(reflector(
                by.api(),
                "",
                keptAs.stream().allMatch(kind -> kind.revisionNumber().matchesProperty("metadata")),
                kinds.revisions(by),
                json -> ObservedJson.revision(by, keptAs, json),
                new RevisionSink()));
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

    /**
     * Why nothing is kept of a workload, or of the pods of a controller.
     *
     * @param words the reason in words
     * @param generation that of the workload: it is tried again once that changes
     */
    private record Refusal(String words, long generation) {}

    /** Roughly how many bytes are kept. With the lock held. */
    long kept() {
        return kept;
    }

    private void weigh(@Nullable Observed before, @Nullable Observed after) {
        weigh((after == null ? 0 : after.weight()) - (before == null ? 0 : before.weight()));
    }

    private void weigh(long bytes) {
        if (givenUp == null && bytes != 0) {
            kept += bytes;
            keptMore.accept(bytes);
        }
    }

    /** Drops everything and accepts nothing more. The caller closes it. With the lock held. */
    void giveUp(String why) {
        changedAll();
        long all = kept;
        kept = 0;
        givenUp = new WatchProblem(
                "workloads",
                Optional.of(namespace),
                Optional.empty(),
                "cannot watch namespace " + namespace + ": " + why);
        all().forEach(Reflector::clear);
        uids.clear();
        revisions.clear();
        pods.clear();
        refusals.clear();
        keptMore.accept(-all);
    }

    /**
     * Drops the largest workload, or more if that is not enough.
     *
     * @param wanted how many bytes
     * @param most how many may be kept for all namespaces, for the message
     * @return how many bytes were freed; none if there is nothing left to drop
     */
    long refuseLargest(long wanted, long most) {
        Map<String, Long> sizes = new HashMap<>();
        pods.forEach((controller, each) -> add(sizes, workloadOf(controller), each));
        revisions.forEach((owner, each) -> add(sizes, owner, each));
        workloads
                .values()
                .forEach(each ->
                        each.objects().forEach(object -> sizes.merge(object.uid(), (long) object.weight(), Long::sum)));
        sizes.keySet().removeAll(refusals.keySet());
        List<Map.Entry<String, Long>> largest = new ArrayList<>(sizes.entrySet());
        largest.sort(Map.Entry.<String, Long>comparingByValue().reversed());
        long before = kept;
        for (Map.Entry<String, Long> each : largest) {
            refuse(
                    each.getKey(),
                    "it is too large to be watched: it and its pods would take " + each.getValue() / 1024
                            + " kB of memory, of " + most / 1024 + " kB for all workloads");
            if (before - kept >= wanted) {
                break;
            }
        }
        return before - kept;
    }

    private static void add(Map<String, Long> sizes, String owner, Map<String, ? extends Observed> of) {
        of.values().forEach(each -> sizes.merge(owner, (long) each.weight(), Long::sum));
    }

    /** The uid of the workload behind a controller of pods; that of the controller if the workload is not known. */
    private String workloadOf(String controller) {
        for (Reflector<Observed.Revision> each : revisionObjects.values()) {
            Observed.Revision revision = each.object(controller);
            if (revision != null) {
                return revision.owner();
            }
        }
        return controller;
    }

    private void refuse(String uid, String words) {
        Observed.WorkloadObject object = workload(uid);
        refusals.put(
                uid, new Refusal(words, object == null ? 0 : object.workload().generation()));
        weigh(REFUSAL);
        List<String> controllers = new ArrayList<>(List.of(uid));
        for (Observed.Revision each : List.copyOf(of(revisions, uid))) {
            controllers.add(each.uid());
            replaceRevision(each.uid(), small(each));
        }
        for (String controller : controllers) {
            for (Observed.PodObject pod : List.copyOf(of(pods, controller))) {
                if (podObjects != null) {
                    podObjects.replace(pod.uid(), null);
                }
            }
        }
        if (object != null) {
            workloads(object.workload().id().kind()).replace(uid, small(object, words));
        }
    }

    private void accept(String uid) {
        if (refusals.remove(uid) != null) {
            weigh(-REFUSAL);
        }
    }

    private void replaceRevision(String uid, Observed.Revision by) {
        revisionObjects.values().forEach(each -> each.replace(uid, by));
    }

    private static Observed.Revision small(Observed.Revision revision) {
        return new Observed.Revision(
                revision.uid(), revision.owner(), revision.number(), revision.hash(), Optional.empty());
    }

    /** What is kept of a refused workload: that it exists, and the reason. */
    private static Observed.WorkloadObject small(Observed.WorkloadObject object, String words) {
        Workload workload = object.workload();
        return new Observed.WorkloadObject(
                new Workload(
                        workload.id(),
                        workload.uid(),
                        workload.resourceVersion(),
                        workload.generation(),
                        Map.of(),
                        Map.of(),
                        List.of(),
                        List.of(),
                        workload.serviceAccount(),
                        workload.rollout(),
                        Optional.empty(),
                        List.of(),
                        List.of(),
                        List.of(words)),
                object.revision(),
                List.of());
    }

    private Observed.@Nullable WorkloadObject workload(String uid) {
        for (Reflector<Observed.WorkloadObject> each : workloads.values()) {
            Observed.WorkloadObject object = each.object(uid);
            if (object != null) {
                return object;
            }
        }
        return null;
    }

    /** Workloads that have changed since they were refused get another try. */
    private void retryRefused() {
        boolean again = false;
        List<Reflector<?>> all = all();
        synchronized (lock) {
            for (Map.Entry<String, Refusal> each : List.copyOf(refusals.entrySet())) {
                Observed.WorkloadObject object = workload(each.getKey());
                if (object != null
                        && object.workload().generation() != each.getValue().generation()) {
                    accept(each.getKey());
                    of(revisions, each.getKey()).forEach(revision -> accept(revision.uid()));
                    again = true;
                }
            }
        }
        if (again) {
            all.forEach(Reflector::startAgain);
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
        public Observed.WorkloadObject keep(Observed.WorkloadObject object) {
            Refusal refusal = refusals.get(object.uid());
            return refusal == null ? object : small(object, refusal.words());
        }

        @Override
        public void changed(Observed.@Nullable WorkloadObject before, Observed.@Nullable WorkloadObject after) {
            // If a workload was deleted and created again, the new one may appear before the old one is gone.
            if (before != null) {
                WorkloadId id = before.workload().id();
                uids.remove(id, before.uid());
                changed.accept(id);
            }
            if (after != null) {
                WorkloadId id = after.workload().id();
                uids.put(id, after.uid());
                need(id.kind());
                changed.accept(id);
            } else if (before != null) {
                accept(before.uid());
            }
            weigh(before, after);
        }
    }

    private final class RevisionSink extends Relay<Observed.Revision> {
        @Override
        public Observed.Revision keep(Observed.Revision revision) {
            Refusal pods = refusals.get(revision.uid());
            if (pods != null && !refusals.containsKey(revision.owner())) {
                // It had too many pods before it was known whose they are.
                refuse(revision.owner(), pods.words());
            }
            return refusals.containsKey(revision.owner()) ? small(revision) : revision;
        }

        @Override
        public void changed(Observed.@Nullable Revision before, Observed.@Nullable Revision after) {
            index(revisions, before, after, Observed.Revision::owner);
            if (after != null && !after.equals(before)) {
                changedOwner(after.owner());
            }
            weigh(before, after);
        }
    }

    private final class PodSink extends Relay<Observed.PodObject> {
        @Override
        public Observed.@Nullable PodObject keep(Observed.PodObject pod) {
            return refusals.containsKey(pod.owner()) || refusals.containsKey(workloadOf(pod.owner())) ? null : pod;
        }

        @Override
        public void changed(Observed.@Nullable PodObject before, Observed.@Nullable PodObject after) {
            index(pods, before, after, Observed.PodObject::owner);
            Observed.PodObject any = after == null ? before : after;
            if (any != null) {
                changedOwner(workloadOf(any.owner()));
                weigh(before, after);
            }
        }
    }
}
