package io.urunner.store;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Keeps nothing. */
final class NoStore implements DigestStore {
    @Override
    public void check() {}

    @Override
    public void write(Batch batch) {}

    @Override
    public Map<TrackedContainer, String> remembered() {
        return Map.of();
    }

    @Override
    public List<String> references() {
        return List.of();
    }

    @Override
    public List<TagDigest> digests(String reference, int limit) {
        return List.of();
    }

    @Override
    public Optional<TagDigest> digestAt(String reference, Instant at) {
        return Optional.empty();
    }

    @Override
    public Optional<TagDigest> previousDigest(String reference, int steps) {
        return Optional.empty();
    }

    @Override
    public List<RolloutRecord> rollouts(String workload, int limit) {
        return List.of();
    }

    @Override
    public List<RolloutRecord> unfinishedRollouts() {
        return List.of();
    }

    @Override
    public List<RolloutRecord> rolloutsSince(Instant since, int limit) {
        return List.of();
    }

    @Override
    public List<RolloutRecord> rolloutsTo(String reference, String digest) {
        return List.of();
    }

    @Override
    public int prune(Retention retention, Set<String> inUse, Instant now) {
        return 0;
    }

    @Override
    public void close() {}
}
