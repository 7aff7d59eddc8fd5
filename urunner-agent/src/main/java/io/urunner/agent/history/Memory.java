package io.urunner.agent.history;

import io.urunner.agent.Rollout;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Progress;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.plan.Outcome;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.Batch;
import io.urunner.store.DigestStore.Image;
import io.urunner.store.DigestStore.ImageLabels;
import io.urunner.store.DigestStore.Retention;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TagDigest;
import io.urunner.store.DigestStore.TrackedContainer;
import io.urunner.store.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is remembered: in memory at once, in the store with one write per pass. A store that does not work prevents no
 * rollout; what could not be written is kept and written when it works again. On the loop; the store is used on a thread
 * of its own.
 */
public final class Memory {
    private static final Logger LOG = LoggerFactory.getLogger(Memory.class);

    /** How many rollouts are kept for a store that does not work. */
    private static final int KEPT_ROLLOUTS = 5_000;

    /** How many sightings of a tag are kept for a store that does not work: two for each stay of a digest. */
    private static final int KEPT_SIGHTINGS = 100;

    /** How many of a workload's last rollouts are searched for one. */
    private static final int RECENT = 5;

    private static final Duration RECENTLY = Duration.ofDays(1);

    /** How long at most what was learned waits until everything that it leads to is done. */
    private static final Duration FLUSH_LATEST = Duration.ofSeconds(5);

    private static final String SUBJECT = "history database";

    private final DigestStore store;
    private final Loop loop;
    private final InstantSource clock;
    private final Executor storeThread;
    private final StateLog problems;
    private final Progress progress;

    private final Map<TrackedContainer, String> remembered = new HashMap<>();
    private Set<TrackedContainer> toForget = new HashSet<>();
    private Map<String, List<Sighting>> sightings = new LinkedHashMap<>();
    private Map<Image, ImageLabels> labels = new LinkedHashMap<>();
    private Map<TrackedContainer, String> toRemember = new LinkedHashMap<>();
    private Map<List<String>, RolloutRecord> rollouts = new LinkedHashMap<>();
    private boolean loaded;
    private boolean flushDue;
    private boolean writing;
    private boolean again;
    private Runnable atRest = () -> {};
    private volatile boolean works = true;
    private volatile boolean readOnly;

    public Memory(DigestStore store, Loop loop, InstantSource clock, Executor storeThread, StateLog problems) {
        this.store = store;
        this.loop = loop;
        this.clock = clock;
        this.storeThread = storeThread;
        this.problems = problems;
        progress = new Progress(loop::nanos);
    }

    /**
     * Writes nothing and reports no failures from now on: a store that cannot be read counts as empty. Call this before
     * anything else.
     */
    public void readOnly() {
        readOnly = true;
    }

    /**
     * Reads what is remembered. If the store does not answer, the agent continues without it; what was learned since takes
     * precedence over what is read later.
     *
     * @param past gets the rollouts before, on the loop
     * @param done called on the loop when the store has answered or failed at the first attempt
     */
    public void load(Consumer<Past> past, Runnable done) {
        onStore(
                () -> {
                    Map<TrackedContainer, String> read = store.remembered();
                    Past before = new Past(
                            readOnly ? List.of() : past(store.unfinishedRollouts()),
                            past(store.rolloutsSince(clock.instant().minus(RECENTLY), KEPT_ROLLOUTS)));
                    loop.execute(() -> {
                        try {
                            read.forEach((container, digest) -> {
                                // What was learned since and is not written yet takes precedence.
                                if (!toRemember.containsKey(container) && !toForget.contains(container)) {
                                    remembered.put(container, digest);
                                }
                            });
                            loaded = true;
                            well();
                            past.accept(before);
                        } finally {
                            done.run();
                        }
                    });
                },
                e -> {
                    try {
                        failed(e);
                    } finally {
                        done.run();
                    }
                });
    }

    /**
     * What an agent should know about the rollouts before its time.
     *
     * @param unfinished those that have not ended
     * @param recent those of the last day, the newest first
     */
    public record Past(List<PastRollout> unfinished, List<PastRollout> recent) {
        public static final Past NONE = new Past(List.of(), List.of());
    }

    /**
     * A rollout, as it was last written.
     *
     * @param rollout which one
     * @param finished when it ended, if it did
     * @param outcome how it ended, or what is done with it
     */
    public record PastRollout(Rollout rollout, Optional<Instant> finished, Optional<String> outcome) {}

    private static List<PastRollout> past(List<RolloutRecord> records) {
        List<PastRollout> past = new ArrayList<>();
        for (RolloutRecord record : records) {
            try {
                past.add(new PastRollout(RolloutRecords.read(record), record.finished(), record.outcome()));
            } catch (IllegalArgumentException e) {
                LOG.warn("a remembered rollout is skipped: {}", e.getMessage());
            }
        }
        return past;
    }

    private interface Work {
        void run() throws StoreException;
    }

    /** {@code failed} is called on the loop. */
    private void onStore(Work work, Consumer<StoreException> failed) {
        progress.begun();
        Runnable task = () -> {
            try {
                work.run();
            } catch (StoreException e) {
                loop.execute(() -> failed.accept(e));
            } catch (RuntimeException | Error e) {
                loop.execute(() -> failed.accept(defect(e)));
            } finally {
                progress.ended();
            }
        };
        try {
            storeThread.execute(task);
        } catch (RuntimeException | Error e) { // such as a thread that cannot be created
            progress.ended();
            loop.execute(() -> failed.accept(defect(e)));
        }
    }

    private static StoreException defect(Throwable e) {
        return new StoreException("a defect of the agent: " + e, e);
    }

    /** How long there has been something to read from or write to the store without progress. */
    public Duration standsStill() {
        return progress.standsStill();
    }

    /** The digest that is remembered for a container. */
    public Optional<String> digest(TrackedContainer container) {
        return Optional.ofNullable(remembered.get(container));
    }

    public void remember(TrackedContainer container, String digest) {
        if (!digest.equals(remembered.put(container, digest))) {
            toRemember.put(container, digest);
            toForget.remove(container);
        }
    }

    /** The containers for which a digest is remembered. */
    public Set<TrackedContainer> containers() {
        return Set.copyOf(remembered.keySet());
    }

    /** Forgets everything about these containers. */
    public void forget(Set<TrackedContainer> containers) {
        remembered.keySet().removeAll(containers);
        toRemember.keySet().removeAll(containers);
        toForget.addAll(containers);
    }

    public void seen(Sighting sighting) {
        List<Sighting> kept = sightings.computeIfAbsent(sighting.reference(), added -> new ArrayList<>(2));
        int last = kept.size() - 1;
        if (last > 0
                && kept.get(last).digest().equals(sighting.digest())
                && kept.get(last - 1).digest().equals(sighting.digest())) {
            // The first and the last one of a stay say it all.
            kept.set(last, sighting);
        } else {
            kept.add(sighting);
            if (kept.size() > KEPT_SIGHTINGS) {
                kept.remove(0);
            }
        }
    }

    /** Takes the labels of an image; they are written with the next pass, after the digest. */
    public void labels(Image image, ImageLabels found) {
        labels.put(image, found);
    }

    /** A rollout runs. */
    public void begun(Rollout rollout) {
        rollout(RolloutRecords.running(rollout));
    }

    /** A rollout is no longer followed, until some agent follows it again. */
    public void notFollowed(Rollout rollout) {
        rollout(RolloutRecords.notFollowed(rollout));
    }

    /** A rollout that nobody followed is followed again. */
    public void followedAgain(Rollout rollout) {
        rollout(RolloutRecords.followedAgain(rollout));
    }

    /** A rollout has ended. */
    public void ended(Rollout rollout, Outcome outcome) {
        rollout(RolloutRecords.ended(rollout, clock.instant(), outcome));
    }

    private void rollout(RolloutRecord rollout) {
        rollouts.put(List.of(rollout.workload(), rollout.id()), rollout);
        if (rollouts.size() > KEPT_ROLLOUTS) {
            rollouts.remove(rollouts.keySet().iterator().next());
        }
    }

    /** Something was learned: it is written when everything that it leads to is done, or takes too long. */
    public void flushSoon() {
        if (!flushDue) {
            flushDue = true;
            loop.after(FLUSH_LATEST, this::flushDue);
        }
    }

    /** Everything is done: what was learned is written now. */
    public void flushDue() {
        if (flushDue) {
            flushDue = false;
            flush();
        }
    }

    /** Writes what has accumulated, or does so once the write that is under way is done. */
    public void flush() {
        Batch batch = new Batch(
                sightings.values().stream().flatMap(List::stream).toList(),
                labels,
                toRemember,
                toForget,
                new ArrayList<>(rollouts.values()));
        again = writing;
        if (writing || readOnly || batch.isEmpty()) {
            return;
        }
        writing = true;
        sightings = new LinkedHashMap<>();
        labels = new LinkedHashMap<>();
        toRemember = new LinkedHashMap<>();
        toForget = new HashSet<>();
        rollouts = new LinkedHashMap<>();
        onStore(
                () -> {
                    store.write(batch);
                    loop.execute(this::written);
                },
                e -> notWritten(batch, e));
    }

    /**
     * Writes what is left.
     *
     * @param done called on the loop when it is written, or could not be
     */
    public void end(Runnable done) {
        atRest = done;
        flush();
        if (!writing) {
            atRest.run();
        }
    }

    private void written() {
        writing = false;
        well();
        if (!loaded) {
            load(open -> {}, () -> {});
        }
        if (again) {
            flush();
        }
        if (!writing) {
            atRest.run();
        }
    }

    private void notWritten(Batch batch, StoreException e) {
        writing = false;
        failed(e);
        Map<String, List<Sighting>> newer = sightings;
        sightings = new LinkedHashMap<>();
        batch.sightings().forEach(this::seen);
        newer.values().forEach(kept -> kept.forEach(this::seen));
        batch.labels().forEach(labels::putIfAbsent);
        batch.remembered().forEach(toRemember::putIfAbsent);
        batch.forgotten().stream()
                .filter(container -> !remembered.containsKey(container))
                .forEach(toForget::add);
        Map<List<String>, RolloutRecord> newerRollouts = rollouts;
        rollouts = new LinkedHashMap<>();
        batch.rollouts().forEach(this::rollout);
        newerRollouts.values().forEach(this::rollout);
        atRest.run();
    }

    /**
     * Returns the digests that a reference had, the last one first; blocks the calling thread.
     *
     * @return empty while the store does not work
     */
    public Optional<List<TagDigest>> history(String reference, int limit) {
        if (!works) {
            return Optional.empty();
        }
        try {
            return Optional.of(store.digests(reference, limit));
        } catch (StoreException e) {
            loop.execute(() -> failed(e));
            return readOnly ? Optional.of(List.of()) : Optional.empty();
        } catch (RuntimeException | Error e) {
            // Without an answer, the reference would be asked for endlessly.
            loop.execute(() -> failed(defect(e)));
            return Optional.empty();
        }
    }

    /**
     * Finds out whether a rollout is recorded.
     *
     * @param answer called on the loop; not called while the store does not work
     */
    public void hasRollout(Rollout rollout, Consumer<Boolean> answer) {
        String workload = rollout.workload().toString();
        onStore(
                () -> {
                    boolean recorded = store.rollouts(workload, RECENT).stream()
                            .anyMatch(record -> record.id().equals(rollout.id()));
                    loop.execute(
                            () -> answer.accept(recorded || rollouts.containsKey(List.of(workload, rollout.id()))));
                },
                this::failed);
    }

    /** Deletes what is too old to be kept, in the background. */
    public void prune(Retention retention, Set<String> inUse, Instant now) {
        onStore(() -> store.prune(retention, inUse, now), this::failed);
    }

    /** Whether the last use of the store succeeded. */
    public boolean works() {
        return works;
    }

    private void well() {
        works = true;
        problems.well(SUBJECT);
    }

    private void failed(StoreException e) {
        if (readOnly) {
            return;
        }
        works = false;
        problems.problem(
                SUBJECT,
                "not working",
                e.getMessage() + "; rollouts continue, their history is kept in memory until it works");
    }
}
