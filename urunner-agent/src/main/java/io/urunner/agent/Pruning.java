package io.urunner.agent;

import io.urunner.store.DigestStore;
import io.urunner.store.StoreException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets the store forget what is too old, now and then. A store that does not work is not complained of here. */
final class Pruning implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Pruning.class);
    private static final Duration FIRST = Duration.ofMinutes(5);
    private static final Duration PERIOD = Duration.ofHours(1);

    private final DigestStore store;
    private final DigestStore.Retention retention;
    private final InUse inUse;
    private final InstantSource clock;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "urunner-prune");
        thread.setDaemon(true);
        return thread;
    });

    /** The digests that run in the cluster; empty while that is not known. */
    @FunctionalInterface
    interface InUse {
        Optional<Set<String>> call() throws InterruptedException;
    }

    Pruning(DigestStore store, DigestStore.Retention retention, InUse inUse, InstantSource clock) {
        this.store = store;
        this.retention = retention;
        this.inUse = inUse;
        this.clock = clock;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // a failure of one run is caught in it
    void start() {
        timer.scheduleWithFixedDelay(this::prune, FIRST.toSeconds(), PERIOD.toSeconds(), TimeUnit.SECONDS);
    }

    /** Nothing is forgotten before it is known what runs. */
    void prune() {
        try {
            Optional<Set<String>> used = inUse.call();
            if (used.isEmpty()) {
                return;
            }
            int deleted = store.prune(retention, used.get(), clock.instant());
            if (deleted > 0) {
                LOG.info("forgot {} entries of the history that are too old", deleted);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (StoreException | RuntimeException e) {
            LOG.debug("the history cannot be pruned now", e);
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
