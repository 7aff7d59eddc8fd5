package io.urunner.agent.tags;

import io.urunner.agent.loop.Pace;
import io.urunner.agent.tags.WatchedRegistry.Source;
import io.urunner.registry.ImageReference;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** A registry, the queue for everything that it is asked, and who uses which of its references. On the loop. */
final class Watched {
    private final WatchedRegistry registry;
    private final HostQueue queue;
    /** By reference, the namespaces that use it. */
    private final Map<ImageReference, Set<String>> users = new HashMap<>();
    /** By namespace, how many references it uses. */
    private final Map<String, Integer> namespaces = new HashMap<>();

    /** {@code queue} creates the queue for this. */
    Watched(WatchedRegistry registry, Function<Watched, HostQueue> queue) {
        this.registry = registry;
        this.queue = queue.apply(this);
    }

    WatchedRegistry registry() {
        return registry;
    }

    HostQueue queue() {
        return queue;
    }

    /** A namespace uses a reference from now on. */
    void uses(ImageReference reference, String namespace) {
        if (users.computeIfAbsent(reference, added -> new TreeSet<>()).add(namespace)) {
            namespaces.merge(namespace, 1, Integer::sum);
        }
    }

    /** A namespace no longer uses a reference. Returns whether nobody does. */
    boolean leaves(ImageReference reference, String namespace) {
        Set<String> left = users.getOrDefault(reference, Set.of());
        if (!left.isEmpty() && left.remove(namespace)) {
            namespaces.computeIfPresent(namespace, (name, uses) -> uses == 1 ? null : uses - 1);
        }
        if (left.isEmpty()) {
            users.remove(reference);
        }
        return left.isEmpty();
    }

    /** The namespaces that use a reference. */
    Set<String> users(ImageReference reference) {
        return users.getOrDefault(reference, Set.of());
    }

    /** How many references are used. */
    int count() {
        return users.size();
    }

    /** The namespaces for which a question is asked. */
    Collection<String> namespaces(Question question) {
        return question.asker()
                .namespace()
                .<Collection<String>>map(List::of)
                .orElseGet(() -> users(question.reference()));
    }

    /** How long an answer is valid. A pass takes time: half an interval more, and a moment for short ones. */
    Duration goodFor() {
        return Pace.max(registry.interval(), queue.cycle())
                .multipliedBy(3)
                .dividedBy(2)
                .plusSeconds(2);
    }

    boolean hasTenants() {
        return namespaces.size() > 1;
    }

    /** The source that answers an asker. */
    Source source(Asker asker) {
        return asker.namespace().flatMap(registry.source()::of).orElseGet(registry::source);
    }

    /** Whether an asker is limited: then pulls are left to the nodes, and made only where they decide something. */
    boolean isLimited(Asker asker) {
        return source(asker).allowance().isPresent()
                || registry.source().budget().isPresent();
    }

    /** Whether questions can be asked for a namespace separately. */
    boolean hasSource(String namespace) {
        return registry.source().of(namespace).isPresent();
    }
}
