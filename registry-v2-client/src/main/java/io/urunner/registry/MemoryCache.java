package io.urunner.registry;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A cache in memory, bounded in bytes and entries. Thread-safe. */
final class MemoryCache implements ContentCache {
    private final long most;
    private final int entries;
    private final Map<Digest, byte[]> kept = new LinkedHashMap<>(16, 0.75f, true);
    private long bytes;

    MemoryCache(long most, int entries) {
        if (most < 1 || entries < 1) {
            throw new IllegalArgumentException(
                    "a cache holds at least 1 byte and 1 entry, not " + most + " and " + entries);
        }
        this.most = most;
        this.entries = entries;
    }

    @Override
    public synchronized Optional<byte[]> get(Digest digest) {
        return Optional.ofNullable(kept.get(digest));
    }

    @Override
    public synchronized void put(Digest digest, byte[] content) {
        if (content.length > most) {
            return;
        }
        byte[] before = kept.put(digest, content);
        bytes += content.length - (before == null ? 0 : before.length);
        Iterator<byte[]> eldest = kept.values().iterator();
        while (bytes > most || kept.size() > entries) {
            bytes -= eldest.next().length;
            eldest.remove();
        }
    }
}
