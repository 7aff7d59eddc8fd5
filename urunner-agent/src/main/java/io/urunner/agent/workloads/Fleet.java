package io.urunner.agent.workloads;

import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.Policy;
import io.urunner.agent.plan.Quarantine;
import io.urunner.agent.tags.Question;
import io.urunner.agent.tags.Registries;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.ImageReference;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/** The workloads that are seen, and which of them use an image reference. On the loop. */
public final class Fleet {
    private final Cluster cluster;
    private final InstantSource clock;
    private final Registries registries;
    private final Policy policy;
    private final Optional<PodCredentials> credentials;
    private final Map<WorkloadId, Tracked> tracked = new TreeMap<>();
    /** By reference and namespace. */
    private final Map<ImageReference, Map<String, Set<WorkloadId>>> users = new HashMap<>();
    /** By namespace; only what was asked for since the last change. */
    private final Map<String, Map<ImageDigest, Quarantine>> quarantined = new HashMap<>();

    private final Map<String, Map<WorkloadId, Tracked>> namespaces = new HashMap<>();
    private final PlanQueue queue;
    private final Consumer<Tracked> gone;

    /**
     * {@code registries} are notified of which references are used, {@code credentials} of who uses them; {@code
     * policy} applies where annotations do not override it; {@code queue} gets what is new or changed, and {@code gone}
     * what has disappeared.
     */
    public Fleet(
            Cluster cluster,
            InstantSource clock,
            Registries registries,
            Policy policy,
            Optional<PodCredentials> credentials,
            PlanQueue queue,
            Consumer<Tracked> gone) {
        this.cluster = cluster;
        this.clock = clock;
        this.credentials = credentials;
        this.registries = registries;
        this.policy = policy;
        this.queue = queue;
        this.gone = gone;
    }

    /** A workload appeared, changed or went away: what the watch says about it now counts. */
    public void changed(WorkloadId id) {
        take(id, cluster.find(id));
    }

    /** A workload was read: what the API server says about it counts; empty if it is gone. */
    public void read(Tracked one, Optional<Workload> fresh) {
        fresh.ifPresent(one::read);
        take(one.workload().id(), fresh);
    }

    private void take(WorkloadId id, Optional<Workload> snapshot) {
        find(id).filter(known -> snapshot.isEmpty()
                        || !snapshot.get().uid().equals(known.workload().uid()))
                .ifPresent(this::forget);
        snapshot.ifPresent(now -> queue.plan(update(now, clock.instant())));
    }

    private void forget(Tracked one) {
        remove(one);
        queue.remove(one, all(one.workload().id().namespace()).isEmpty());
        gone.accept(one);
        queue.planWaiting(); // what it held is free
    }

    public Optional<Tracked> find(WorkloadId id) {
        return Optional.ofNullable(tracked.get(id));
    }

    public Collection<Tracked> all() {
        return tracked.values();
    }

    /** The references that are used. */
    Set<ImageReference> references() {
        return users.keySet();
    }

    /** The workloads that use a reference. */
    public List<Tracked> users(ImageReference reference) {
        return users.getOrDefault(reference, Map.of()).values().stream()
                .flatMap(Set::stream)
                .flatMap(id -> find(id).stream())
                .toList();
    }

    /** The workloads for which a question is asked. */
    public List<Tracked> users(Question question) {
        return question.asker()
                .namespace()
                .map(namespace ->
                        users.getOrDefault(question.reference(), Map.of()).getOrDefault(namespace, Set.of()).stream()
                                .flatMap(id -> find(id).stream())
                                .toList())
                .orElseGet(() -> users(question.reference()));
    }

    /** The workloads of a namespace. */
    public Collection<Tracked> all(String namespace) {
        return namespaces.getOrDefault(namespace, Map.of()).values();
    }

    /** The digests whose rollout failed at one of the workloads of a namespace; read once per change. */
    public Map<ImageDigest, Quarantine> quarantined(String namespace) {
        return quarantined.computeIfAbsent(namespace, added -> {
            Map<ImageDigest, Quarantine> all = new HashMap<>();
            all(namespace).forEach(each -> each.quarantined().forEach(all::putIfAbsent));
            return Map.copyOf(all);
        });
    }

    /** A workload was seen for the first time, or has changed. */
    private Tracked update(Workload snapshot, Instant seen) {
        WorkloadId id = snapshot.id();
        Tracked known = tracked.get(id);
        if (known == null) {
            known = new Tracked(snapshot, seen, policy, registries::watches);
            tracked.put(id, known);
            namespaces.computeIfAbsent(id.namespace(), added -> new TreeMap<>()).put(id, known);
            quarantined.remove(id.namespace());
            Set<ImageReference> references = known.references();
            credentials.ifPresent(all -> all.uses(snapshot, references));
            references.forEach(reference -> join(reference, id));
            return known;
        }
        Set<ImageReference> before = known.references();
        Map<ImageDigest, Quarantine> failed = known.quarantined();
        known.update(snapshot, seen, policy, registries::watches);
        Set<ImageReference> after = known.references();
        Workload now = known.workload();
        credentials.ifPresent(all -> all.uses(now, after));
        after.stream().filter(reference -> !before.contains(reference)).forEach(reference -> join(reference, id));
        before.stream().filter(reference -> !after.contains(reference)).forEach(reference -> leave(reference, id));
        if (!failed.equals(known.quarantined())) {
            quarantined.remove(id.namespace());
        }
        return known;
    }

    private void remove(Tracked one) {
        WorkloadId id = one.workload().id();
        tracked.remove(id);
        namespaces.computeIfPresent(id.namespace(), (name, all) -> {
            all.remove(id);
            return all.isEmpty() ? null : all;
        });
        one.gone();
        credentials.ifPresent(all -> all.gone(id));
        one.references().forEach(reference -> leave(reference, id));
        quarantined.remove(id.namespace());
    }

    private void join(ImageReference reference, WorkloadId id) {
        Map<String, Set<WorkloadId>> byNamespace = users.computeIfAbsent(reference, added -> new TreeMap<>());
        if (!byNamespace.containsKey(id.namespace())) {
            byNamespace.put(id.namespace(), new TreeSet<>());
            registries.track(reference, id.namespace());
        }
        byNamespace.get(id.namespace()).add(id);
    }

    private void leave(ImageReference reference, WorkloadId id) {
        Map<String, Set<WorkloadId>> byNamespace = users.getOrDefault(reference, Map.of());
        Set<WorkloadId> left = byNamespace.getOrDefault(id.namespace(), Set.of());
        if (left.contains(id) && left.remove(id) && left.isEmpty()) {
            byNamespace.remove(id.namespace());
            registries.untrack(reference, id.namespace());
        }
        if (byNamespace.isEmpty()) {
            users.remove(reference);
        }
    }
}
