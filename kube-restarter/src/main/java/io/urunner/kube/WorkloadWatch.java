package io.urunner.kube;

import io.urunner.kube.KubeConnection.Answer;
import io.urunner.kube.KubeConnection.Call;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the workloads that are not labelled {@code urunner=disable} in the namespaces labelled {@code urunner=enable},
 * and their pods. Lists objects only at the start, and if the API server has forgotten the version of a watch.
 * Single use. Thread-safe.
 */
public final class WorkloadWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WorkloadWatch.class);

    private static final int LABEL_MILLIS = 1_000;
    private static final int LOOK_MILLIS = 100;
    private static final int TRY_AGAIN_MILLIS = 600_000;
    /** The fraction of the limit that is freed at least, when it is exceeded. */
    private static final int SOME_ROOM = 32;

    private static final String METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

    private final KubeConnection connection;
    private final WatchScope scope;
    private final WatchedKinds kinds;
    private final Object lock = new Object();
    private final List<Consumer<WorkloadId>> listeners = new CopyOnWriteArrayList<>();

    // Guarded by the lock.
    private final Map<String, NamespaceWatch> namespaces = new TreeMap<>();
    private final Map<String, Optional<WatchProblem>> labels = new TreeMap<>();
    private final Set<WorkloadId> changes = new LinkedHashSet<>();
    private final List<Runnable> starts = new ArrayList<>();
    private final List<ScheduledFuture<?>> timers = new ArrayList<>();
    private final @Nullable Reflector<Observed.Namespace> labelled;
    private final long most;
    private long kept;
    private boolean makingRoom;
    private boolean started;
    private boolean closed;

    /**
     * Creates a watch that has not started. It uses no more than a quarter of the maximum heap: beyond that the largest
     * workload is no longer watched, and says so in its {@link Workload#problems}.
     *
     * @param connection a connection to the cluster; the caller closes it
     * @param scope what to watch
     */
    public WorkloadWatch(KubeConnection connection, WatchScope scope) {
        this(connection, scope, Runtime.getRuntime().maxMemory() / 4);
    }

    /** {@code most}: how many bytes are kept for all namespaces together. */
    WorkloadWatch(KubeConnection connection, WatchScope scope, long most) {
        this.most = most;
        this.connection = connection;
        this.scope = scope;
        this.kinds = new WatchedKinds(scope.kinds());
        this.labelled = scope.namespaces().isEmpty()
                ? new Reflector<>(
                        connection,
                        new Reflector.Source(
                                ApiResource.NAMESPACES,
                                Optional.empty(),
                                "labelSelector=urunner%3Denable",
                                true,
                                ObservedJson.ANY),
                        ObservedJson::namespace,
                        new NamespaceSink(),
                        lock)
                : null;
    }

    /**
     * Registers a listener for changes, which is called on a thread of the connection's executor and must not block. It
     * receives the id of a workload that appeared, changed (itself or its pods) or went away; {@link #find} returns the
     * current state.
     *
     * @param listener the listener
     */
    public void listen(Consumer<WorkloadId> listener) {
        listeners.add(listener);
    }

    void unlisten(Consumer<WorkloadId> listener) {
        listeners.remove(listener);
    }

    /**
     * Starts watching; returns at once.
     *
     * @throws IllegalStateException if it has already been started
     */
    public void start() {
        synchronized (lock) {
            if (started) {
                throw new IllegalStateException("the watch has already been started");
            }
            started = true;
            long tick = connection.deadlines().tick().toMillis();
            timers.add(connection.executor().scheduleWithFixedDelay(this::tick, tick, tick, TimeUnit.MILLISECONDS));
            for (String namespace : scope.namespaces()) {
                connection.later(() -> readLabel(namespace), 0);
            }
        }
        if (labelled != null) {
            labelled.start();
        }
    }

    private void tick() {
        connection.watches().probe();
        List<NamespaceWatch> all;
        synchronized (lock) {
            all = List.copyOf(namespaces.values());
        }
        if (labelled != null) {
            labelled.tick();
        }
        all.forEach(NamespaceWatch::tick);
        flush();
    }

    /** Checks whether a namespace of the fixed list is labelled. */
    private void readLabel(String namespace) {
        KubeConnection.whenDone(
                connection.get(Call.get(ApiResource.NAMESPACES.path() + "/" + KubeName.encoded(namespace)), METADATA),
                (answer, error) -> {
                    Observed.Namespace found = null;
                    Optional<WatchProblem> problem = Optional.empty();
                    if (error != null) {
                        problem = Optional.of(new WatchProblem(
                                "", Optional.empty(), Optional.empty(), connection.unreachable(error)));
                    } else {
                        Observed.Namespace read = ObservedJson.namespace(answer.body());
                        if (answer.status() == 200 && read.name().equals(namespace)) {
                            found = read;
                        } else {
                            problem = Optional.of(labelProblem(namespace, answer));
                        }
                    }
                    synchronized (lock) {
                        if (closed) {
                            return;
                        }
                        labels.put(namespace, problem);
                        if (found != null || (error == null && answer.status() == 404)) {
                            set(namespace, found != null && found.enabled() && !found.terminating());
                        }
                    }
                    flush();
                    connection.later(() -> readLabel(namespace), LABEL_MILLIS);
                });
    }

    private WatchProblem labelProblem(String namespace, Answer answer) {
        if (answer.status() == 401) {
            connection.forgetAuthorization();
            return connection.unauthorized();
        }
        boolean forbidden = answer.status() == 403;
        Action doing = Action.of("get", ApiResource.NAMESPACES, Optional.empty(), Optional.of(namespace));
        return new WatchProblem(
                ApiResource.NAMESPACES.plural(),
                Optional.of(namespace),
                forbidden ? doing.permission() : Optional.empty(),
                (forbidden ? "not allowed to " : "cannot ") + doing + ": " + answer.message());
    }

    /** Starts or stops watching a namespace. With the lock held. */
    private void set(String name, boolean enabled) {
        NamespaceWatch watch = namespaces.get(name);
        if (enabled && watch == null && !closed) {
            NamespaceWatch opened =
                    new NamespaceWatch(connection, kinds, name, lock, changes::add, this::flush, this::keptMore);
            namespaces.put(name, opened);
            starts.add(opened::start);
        } else if (!enabled && watch != null) {
            namespaces.remove(name);
            changes.addAll(watch.ids());
            watch.giveUp("it is no longer watched");
            starts.add(watch::close);
        }
    }

    /** This many more bytes are kept for all namespaces, or fewer. With the lock held. */
    private void keptMore(long bytes) {
        kept += bytes;
        if (makingRoom) {
            return;
        }
        makingRoom = true;
        while (kept > most) {
            NamespaceWatch largest =
                    Collections.max(namespaces.values(), Comparator.comparingLong(NamespaceWatch::kept));
            if (largest.refuseLargest(kept - most + most / SOME_ROOM, most) <= 0) {
                largest.giveUp("it has more workloads than fit in memory, so none of them is watched");
                starts.add(largest::close);
                connection.later(() -> tryAgain(largest), TRY_AGAIN_MILLIS);
            }
        }
        makingRoom = false;
    }

    /** Watches a namespace again that was given up. */
    private void tryAgain(NamespaceWatch watch) {
        synchronized (lock) {
            if (!closed && namespaces.remove(watch.namespace(), watch)) {
                set(watch.namespace(), true);
            }
        }
        flush();
    }

    private final class NamespaceSink implements Reflector.Sink<Observed.Namespace> {
        @Override
        public void changed(Observed.@Nullable Namespace before, Observed.@Nullable Namespace after) {
            Observed.Namespace any = after == null ? before : after;
            if (any != null) {
                set(any.name(), after != null && after.enabled() && !after.terminating());
            }
        }

        @Override
        public void synced() {}

        @Override
        public void flush() {
            WorkloadWatch.this.flush();
        }
    }

    /** Does what must be done without the lock. */
    private void flush() {
        List<WorkloadId> changed;
        List<Runnable> pending;
        synchronized (lock) {
            changed = List.copyOf(changes);
            pending = List.copyOf(starts);
            changes.clear();
            starts.clear();
        }
        pending.forEach(Runnable::run);
        for (Consumer<WorkloadId> listener : listeners) {
            try {
                changed.forEach(listener);
            } catch (RuntimeException e) {
                LOG.error("a listener failed and may have missed changes", e);
            }
        }
    }

    /**
     * Whether everything that can be seen has been seen: the labelled namespaces and their contents. True even if a
     * permission is missing, see {@link #problems}.
     *
     * @return true if {@link #workloads} is complete
     */
    public boolean synced() {
        synchronized (lock) {
            boolean known = labelled == null
                    ? labels.keySet().containsAll(scope.namespaces())
                            && labels.values().stream()
                                    .allMatch(each -> each.isEmpty()
                                            || !each.get().resource().isEmpty())
                    : labelled.synced() || labelled.hopeless();
            return started && known && namespaces.values().stream().allMatch(NamespaceWatch::settled);
        }
    }

    /**
     * Returns the namespaces that are watched now.
     *
     * @return their names, in order
     */
    public Set<String> namespaces() {
        synchronized (lock) {
            return Collections.unmodifiableSet(new TreeSet<>(namespaces.keySet()));
        }
    }

    /**
     * Returns the workloads as they are now. A workload is left out until its pods and revisions have been seen.
     *
     * @return a snapshot, ordered by id
     */
    public List<Workload> workloads() {
        synchronized (lock) {
            Map<WorkloadId, Workload> found = new TreeMap<>();
            namespaces.values().forEach(each -> each.workloads(found));
            return List.copyOf(found.values());
        }
    }

    /**
     * Returns one workload as it is now.
     *
     * @param id which one
     * @return the snapshot; empty if there is no such workload, or it is not watched
     */
    public Optional<Workload> find(WorkloadId id) {
        synchronized (lock) {
            NamespaceWatch namespace = namespaces.get(id.namespace());
            return namespace == null ? Optional.empty() : namespace.find(id);
        }
    }

    /**
     * Waits in the caller's thread until a workload is seen. Ends early when something keeps it from being seen, so that
     * a program that runs once says what is wrong; the watch itself goes on and recovers when the cause goes away.
     *
     * @param id which one
     * @param timeout how long to wait; at least one look is taken
     * @return the workload as it is now
     * @throws KubeException if it has not been seen: the message says why, for example that the API server cannot be
     *     reached, that a permission is missing or that its namespace is not labelled
     * @throws InterruptedException if the thread is interrupted
     */
    public Workload await(WorkloadId id, Duration timeout) throws KubeException, InterruptedException {
        CountDownLatch seen = new CountDownLatch(1);
        Consumer<WorkloadId> listener = changed -> {
            if (changed.equals(id) && find(id).isPresent()) {
                seen.countDown();
            }
        };
        listen(listener);
        try {
            for (long left = Math.max(1, timeout.toMillis()); ; left -= LOOK_MILLIS) {
                Optional<Workload> found = find(id);
                Optional<WatchProblem> problem = found.isPresent() ? Optional.empty() : hiding(id);
                if (found.isPresent()) {
                    return found.get();
                }
                if (problem.isPresent() || left <= 0) {
                    throw new KubeException(
                            "cannot see " + id + ": "
                                    + problem.map(WatchProblem::message).orElseGet(() -> notSeen(id, timeout)),
                            KubeException.NO_ANSWER);
                }
                seen.await(Math.min(left, LOOK_MILLIS), TimeUnit.MILLISECONDS);
            }
        } finally {
            unlisten(listener);
        }
    }

    /** The problem that keeps a workload from being seen, if there is one. */
    private Optional<WatchProblem> hiding(WorkloadId id) {
        return problems().stream()
                .filter(problem -> problem.namespace().isEmpty()
                        || problem.namespace().get().equals(id.namespace()))
                .findFirst();
    }

    private String notSeen(WorkloadId id, Duration timeout) {
        if (!synced()) {
            return "the API server has not answered completely within " + timeout.toMillis() + " ms";
        }
        return namespaces().contains(id.namespace())
                ? "there is no such workload, or it has the label urunner=disable"
                : "its namespace is not watched: kubectl label --overwrite namespace " + id.namespace()
                        + " urunner=enable";
    }

    /**
     * Returns what cannot be seen now, and why.
     *
     * @return the problems, each once; empty if there are none
     */
    public List<WatchProblem> problems() {
        synchronized (lock) {
            Set<WatchProblem> found = new LinkedHashSet<>();
            if (labelled != null && labelled.problem() != null) {
                found.add(labelled.problem());
            }
            labels.values().forEach(each -> each.ifPresent(found::add));
            namespaces.values().forEach(each -> each.problems(found::add));
            // Each watch finds out by itself, and in its own words, that the API server cannot be reached.
            List<WatchProblem> unreachable =
                    found.stream().filter(each -> each.resource().isEmpty()).toList();
            return unreachable.isEmpty() ? List.copyOf(found) : unreachable.subList(0, 1);
        }
    }

    /** Stops watching. Idempotent. */
    @Override
    public void close() {
        List<NamespaceWatch> all;
        synchronized (lock) {
            closed = true;
            all = List.copyOf(namespaces.values());
            namespaces.clear();
            timers.forEach(timer -> timer.cancel(false));
        }
        if (labelled != null) {
            labelled.close();
        }
        all.forEach(NamespaceWatch::close);
    }
}
