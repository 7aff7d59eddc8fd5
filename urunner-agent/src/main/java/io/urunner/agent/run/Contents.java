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
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What digests stand for, fetched when a plan needs it and kept while the tag has the digest: so many at a time per
 * registry as it is asked questions, and with a back-off per digest. On the loop.
 */
final class Contents {
    private static final Logger LOG = LoggerFactory.getLogger(Contents.class);

    private final Loop loop;
    private final Executor workers;
    private final Consumer<ImageReference> changed;
    private final Map<ImageDigest, Content> contents = new HashMap<>();
    private final Map<WatchedRegistry, Queue> queues = new HashMap<>();

    private static final class Content {
        private Expansion expansion = new Expansion.NotFetched();
        private boolean fetching;
        private int failures;
    }

    private static final class Queue {
        private final Deque<Wanted> waiting = new ArrayDeque<>();
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
        Content content = contents.get(key);
        return content == null ? new Expansion.NotFetched() : content.expansion;
    }

    void fetch(ImageDigest key, ImageReference reference, WatchedRegistry registry) {
        Content content = contents.computeIfAbsent(key, added -> new Content());
        if (!content.fetching && content.expansion instanceof Expansion.NotFetched) {
            content.fetching = true;
            Queue queue = queues.computeIfAbsent(registry, added -> new Queue());
            queue.waiting.add(new Wanted(key, reference, content));
            fetchNext(registry, queue);
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
                    fetched(next, expansion, registry.interval());
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
        Content content = wanted.content();
        content.fetching = false;
        content.expansion = expansion;
        if (expansion instanceof Expansion.Unavailable) {
            content.failures++;
            loop.after(Pace.backOff(interval, content.failures), () -> {
                content.expansion = new Expansion.NotFetched();
                changed.accept(wanted.reference());
            });
        } else {
            // The tag's older digests are compared with no more.
            String reference = wanted.key().reference();
            contents.entrySet()
                    .removeIf(other -> other.getKey().reference().equals(reference)
                            && other.getValue() != content
                            && !other.getValue().fetching);
        }
        changed.accept(wanted.reference());
    }

    void forget(String reference) {
        contents.keySet().removeIf(key -> key.reference().equals(reference));
    }

    /** Whether something is being fetched. */
    boolean busy() {
        return contents.values().stream().anyMatch(content -> content.fetching);
    }
}
