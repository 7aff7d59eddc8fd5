package io.urunner.agent.history;

import io.urunner.agent.loop.Loop;
import io.urunner.store.DigestStore.Retention;
import io.urunner.store.DigestStore.TrackedContainer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Writes what was learnt to the store, once per pass, and prunes the history. On the loop. */
public final class Housekeeping {
    private static final Duration PRUNE_FIRST = Duration.ofMinutes(5);
    private static final Duration PRUNE_EVERY = Duration.ofHours(6);
    private static final Duration FLUSH_LATEST = Duration.ofSeconds(5);

    private final Memory memory;
    private final Loop loop;
    private final InstantSource clock;
    private final Retention retention;
    private final Supplier<Set<String>> inUse;
    private final Predicate<TrackedContainer> gone;
    private Set<TrackedContainer> goneBefore = Set.of();
    private boolean flushing;

    /** {@code inUse} says which digests are not to be pruned, {@code gone} which containers there are no more. */
    public Housekeeping(
            Memory memory,
            Loop loop,
            InstantSource clock,
            Retention retention,
            Supplier<Set<String>> inUse,
            Predicate<TrackedContainer> gone) {
        this.gone = gone;
        this.memory = memory;
        this.loop = loop;
        this.clock = clock;
        this.retention = retention;
        this.inUse = inUse;
    }

    public void start() {
        loop.after(PRUNE_FIRST, this::prune);
        loop.every(PRUNE_EVERY, this::prune);
    }

    private void prune() {
        forgetWhatIsGone();
        memory.prune(retention, inUse.get(), clock.instant());
    }

    /** What was gone the last time, too, is forgotten: a namespace that is unlabelled for a while is not. */
    private void forgetWhatIsGone() {
        Set<TrackedContainer> goneNow =
                memory.containers().stream().filter(gone).collect(Collectors.toSet());
        Set<TrackedContainer> forget =
                goneNow.stream().filter(goneBefore::contains).collect(Collectors.toSet());
        goneBefore = goneNow;
        if (!forget.isEmpty()) {
            memory.forget(forget);
            flushSoon();
        }
    }

    /** Something was learnt: it is written when all that it leads to is done, or takes too long. */
    public void flushSoon() {
        if (!flushing) {
            flushing = true;
            loop.after(FLUSH_LATEST, this::flush);
        }
    }

    /** All is done: what was learnt is written now. */
    public void flush() {
        if (flushing) {
            flushing = false;
            memory.flush();
        }
    }
}
