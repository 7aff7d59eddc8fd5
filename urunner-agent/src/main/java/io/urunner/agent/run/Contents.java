package io.urunner.agent.run;

import io.urunner.agent.plan.Expansion;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What digests stand for, fetched when a plan needs it and kept while a tag has the digest: what one repository answered
 * holds for all, while a failure is that of one reference, with a back-off of its own. So many are fetched at a time per
 * registry as it is asked questions. On the loop.
 */
final class Contents {
    private static final Logger LOG = LoggerFactory.getLogger(Contents.class);

    private final Loop loop;
    private final Executor workers;
    private final Consumer<ImageReference> changed;
    /** By reference the digest that was last asked about. */
    private final Map<String, Content> contents = new HashMap<>();
    /** By digest how many of these there are. */
    private final Map<String, Integer> users = new HashMap<>();

    private final Map<String, Expansion.Known> known = new HashMap<>();

    private final Map<WatchedRegistry, Queue> queues = new HashMap<>();

    private static final class Content {
        private final String digest;
        private Expansion expansion = new Expansion.NotFetched();
        private int failures;

        Content(String digest) {
            this.digest = digest;
        }
    }

    private static final class Queue {
        private final Deque<Wanted> waiting = new ArrayDeque<>();
        /** By digest that waits or is being fetched the references that want it. */
        private final Map<String, Set<ImageReference>> wanted = new HashMap<>();

        private int inFlight;
    }

    private record Wanted(ImageDigest key, ImageReference reference, Content content) {}

    /** {@code changed} is told when what a digest of a reference stands for is known, or cannot be had for now. */
    Contents(Loop loop, Executor workers, Consumer<ImageReference> changed) {
        this.loop = loop;
        this.workers = workers;
        this.changed = changed;
    }

    Expansion expansion(ImageDigest key) {
        Content content = content(key);
        Expansion.Known found = known.get(key.digest());
        return found == null ? content.expansion : found;
    }

    private Content content(ImageDigest key) {
        Content content = contents.get(key.reference());
        if (content == null || !content.digest.equals(key.digest())) {
            // The tag's older digest is compared with no more.
            forget(key.reference());
            content = new Content(key.digest());
            contents.put(key.reference(), content);
            users.merge(key.digest(), 1, Integer::sum);
        }
        return content;
    }

    void fetch(ImageDigest key, ImageReference reference, WatchedRegistry registry) {
        if (expansion(key) instanceof Expansion.NotFetched) {
            Queue queue = queues.computeIfAbsent(registry, added -> new Queue());
            Set<ImageReference> others = queue.wanted.get(key.digest());
            if (others == null) {
                queue.wanted.put(key.digest(), new HashSet<>(Set.of(reference)));
                queue.waiting.add(new Wanted(key, reference, content(key)));
                fetchNext(registry, queue);
            } else {
                others.add(reference);
            }
        }
    }

    private void fetchNext(WatchedRegistry registry, Queue queue) {
        while (!queue.waiting.isEmpty() && queue.inFlight < registry.concurrency()) {
            Wanted next = queue.waiting.remove();
            queue.inFlight++;
            workers.execute(() -> {
                Expansion expansion = content(registry.source(), next);
                loop.execute(() -> {
                    queue.inFlight--;
                    String digest = next.key().digest();
                    Set<ImageReference> wanted = queue.wanted.getOrDefault(digest, Set.of());
                    queue.wanted.remove(digest);
                    fetched(next, expansion, registry.interval());
                    // Where it failed for one, the others ask for themselves.
                    wanted.forEach(changed);
                    fetchNext(registry, queue);
                });
            });
        }
    }

    private static Expansion content(WatchedRegistry.Source source, Wanted wanted) {
        try {
            return new Expansion.Known(
                    source.content(wanted.reference(), Digest.parse(wanted.key().digest())).stream()
                            .map(Digest::toString)
                            .collect(Collectors.toSet()));
        } catch (RegistryException e) {
            return new Expansion.Unavailable(Optional.ofNullable(e.getMessage()).orElseGet(e::toString));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Expansion.Unavailable("the agent ends");
        } catch (RuntimeException e) {
            LOG.error("what {} stands for could not be fetched; this is a defect", wanted.key(), e);
            return new Expansion.Unavailable("a defect of the agent: " + e);
        }
    }

    private void fetched(Wanted wanted, Expansion expansion, Duration interval) {
        if (expansion instanceof Expansion.Known found) {
            if (users.containsKey(wanted.key().digest())) {
                known.put(wanted.key().digest(), found);
            }
        } else {
            Content content = wanted.content();
            content.expansion = expansion;
            content.failures++;
            loop.after(Pace.backOff(interval, content.failures), () -> {
                content.expansion = new Expansion.NotFetched();
                changed.accept(wanted.reference());
            });
        }
    }

    void forget(String reference) {
        Content content = contents.remove(reference);
        if (content != null && users.merge(content.digest, -1, Integer::sum) == 0) {
            users.remove(content.digest);
            known.remove(content.digest);
        }
    }

    /** Whether something is being fetched. */
    boolean busy() {
        return queues.values().stream().anyMatch(queue -> !queue.wanted.isEmpty());
    }
}
