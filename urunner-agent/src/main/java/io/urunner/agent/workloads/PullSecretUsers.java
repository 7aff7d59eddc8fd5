package io.urunner.agent.workloads;

import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Repository;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** Knows which workloads use which repository, and where they name their pull secrets. Thread-safe. */
final class PullSecretUsers {
    private final Map<WorkloadId, Set<Repository>> repositories = new ConcurrentHashMap<>();
    private final Map<WorkloadId, Source> sources = new ConcurrentHashMap<>();
    private final Map<Repository, Map<WorkloadId, Source>> users = new ConcurrentHashMap<>();

    /** Where a workload's pull secrets are named. */
    record Source(String namespace, List<String> secrets, String serviceAccount) {}

    /** A workload now uses these references, and no others. Returns whether it named other pull secrets before. */
    boolean uses(Workload workload, Collection<ImageReference> references) {
        WorkloadId id = workload.id();
        Set<Repository> now =
                references.stream().map(ImageReference::toRepository).collect(Collectors.toSet());
        gone(id, now);
        Source source = new Source(id.namespace(), workload.imagePullSecrets(), workload.serviceAccount());
        now.forEach(repository -> users.computeIfAbsent(repository, added -> new ConcurrentHashMap<>())
                .put(id, source));
        repositories.put(id, now);
        Source before = sources.put(id, source);
        return before != null && !before.equals(source);
    }

    /** A workload went away. */
    void gone(WorkloadId id) {
        gone(id, Set.of());
        repositories.remove(id);
        sources.remove(id);
    }

    /** Where the workloads name their pull secrets. */
    Collection<Source> all() {
        return sources.values();
    }

    private void gone(WorkloadId id, Set<Repository> but) {
        for (Repository repository : repositories.getOrDefault(id, Set.of())) {
            if (!but.contains(repository)) {
                users.computeIfPresent(repository, (key, of) -> {
                    of.remove(id);
                    return of.isEmpty() ? null : of;
                });
            }
        }
    }

    /** Where the users of a repository name their secrets, in the order of the namespaces. */
    Collection<Source> sources(String registry, String repository, Optional<String> namespace) {
        Map<String, Source> sources = new TreeMap<>();
        if (repository.isEmpty()) {
            // The registry as a whole, which no pod uses.
            return List.of();
        }
        Repository used;
        try {
            used = new Repository(registry, repository);
        } catch (IllegalArgumentException e) {
            return List.of(); // the name of a mirror, which no pod uses
        }
        users.getOrDefault(used, Map.of()).values().stream()
                .filter(source -> namespace.isEmpty() || namespace.get().equals(source.namespace()))
                .forEach(source -> sources.put(
                        source.namespace()
                                + (source.secrets().isEmpty()
                                        ? " account " + source.serviceAccount()
                                        : source.secrets()),
                        source));
        return sources.values();
    }
}
