package io.urunner.agent.app.assembly;

import io.urunner.store.DigestStore;
import io.urunner.store.StoreException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The history as a look needs it: nothing is written, and where nothing can be read, nothing is remembered. Why it cannot
 * be read is told by whoever asks the store itself.
 */
final class ReadHistory implements DigestStore {
    private final DigestStore store;

    /** {@code store} stays the caller's to close. */
    ReadHistory(DigestStore store) {
        this.store = store;
    }

    private interface Question<T> {
        T ask() throws StoreException;
    }

    private static <T> T or(T nothing, Question<T> question) {
        try {
            return question.ask();
        } catch (StoreException e) {
            return nothing;
        }
    }

    @Override
    public void check() {}

    @Override
    public void write(Batch batch) {}

    @Override
    public Map<TrackedContainer, String> remembered() {
        return or(Map.of(), store::remembered);
    }

    @Override
    public List<String> references() {
        return or(List.of(), store::references);
    }

    @Override
    public List<TagDigest> digests(String reference, int limit) {
        return or(List.of(), () -> store.digests(reference, limit));
    }

    @Override
    public Optional<TagDigest> digestAt(String reference, Instant at) {
        return or(Optional.empty(), () -> store.digestAt(reference, at));
    }

    @Override
    public Optional<TagDigest> previousDigest(String reference, int steps) {
        return or(Optional.empty(), () -> store.previousDigest(reference, steps));
    }

    @Override
    public List<RolloutRecord> rollouts(String workload, int limit) {
        return or(List.of(), () -> store.rollouts(workload, limit));
    }

    @Override
    public List<RolloutRecord> unfinishedRollouts() {
        return List.of();
    }

    @Override
    public List<RolloutRecord> rolloutsSince(Instant since, int limit) {
        return or(List.of(), () -> store.rolloutsSince(since, limit));
    }

    @Override
    public List<RolloutRecord> rolloutsTo(String reference, String digest) {
        return or(List.of(), () -> store.rolloutsTo(reference, digest));
    }

    @Override
    public int prune(Retention retention, Set<String> inUse, Instant now) {
        return 0;
    }

    @Override
    public void close() {}
}
