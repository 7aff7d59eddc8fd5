package io.urunner.agent.run;

import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import io.urunner.store.DigestStore.Image;
import io.urunner.store.DigestStore.ImageLabels;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches what images say of themselves, for the history: of digests to which a tag moved, one after the other, never in
 * the way of a rollout. What cannot be had is left out. On the loop.
 */
final class LabelFetches {
    private static final Logger LOG = LoggerFactory.getLogger(LabelFetches.class);

    /** So many wait at most: when more tags move at once, the labels of some are never known. */
    private static final int WAITING = 500;

    private final Loop loop;
    private final Executor workers;
    private final Memory memory;
    private final Deque<Wanted> waiting = new ArrayDeque<>();
    private boolean fetching;

    private record Wanted(WatchedRegistry registry, ImageReference reference, String digest) {
        Image image() {
            return new Image(reference.toString(), digest);
        }
    }

    LabelFetches(Loop loop, Executor workers, Memory memory) {
        this.loop = loop;
        this.workers = workers;
        this.memory = memory;
    }

    /** A tag moved. */
    void moved(WatchedRegistry registry, ImageReference reference, String digest) {
        if (waiting.size() < WAITING) {
            waiting.add(new Wanted(registry, reference, digest));
            next();
        }
    }

    private void next() {
        if (fetching || waiting.isEmpty()) {
            return;
        }
        fetching = true;
        Wanted wanted = waiting.remove();
        workers.execute(() -> {
            Optional<ImageLabels> labels = labels(wanted);
            loop.execute(() -> {
                fetching = false;
                labels.ifPresent(found -> memory.labels(wanted.image(), found));
                next();
            });
        });
    }

    private static Optional<ImageLabels> labels(Wanted wanted) {
        WatchedRegistry.Source source = wanted.registry.source();
        // Where pulls are limited, they belong to the nodes.
        if (source.allowance().isPresent()) {
            return Optional.empty();
        }
        try {
            return source.labels(wanted.reference, Digest.parse(wanted.digest));
        } catch (RegistryException e) {
            LOG.debug("the labels of {}@{} cannot be had", wanted.reference, wanted.digest, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.error("the labels of {}@{} cannot be had; this is a defect", wanted.reference, wanted.digest, e);
        }
        return Optional.empty();
    }
}
