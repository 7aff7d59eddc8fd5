package io.urunner.registry;

import java.util.Optional;

/** A cache in memory, bounded in bytes and entries. Thread-safe. */
final class MemoryCache implements ContentCache {
    private final long most;
    private final LruMap<Digest, byte[]> kept;

    MemoryCache(long most, int entries) {
        if (most < 1 || entries < 1) {
            throw new IllegalArgumentException(
                    "a cache holds at least 1 byte and 1 entry, not " + most + " and " + entries);
        }
        this.most = most;
        this.kept = new LruMap<>(entries, most);
    }

    @Override
    public Optional<byte[]> get(Digest digest) {
        return Optional.ofNullable(kept.get(digest));
    }

    @Override
    public void put(Digest digest, byte[] content) {
        if (content.length <= most) {
            kept.put(digest, content);
        }
    }
}
