package io.urunner.registry;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** A map that forgets what was not used for longest, so that a long-lived client stays small. */
final class LruMap<K, V> extends LinkedHashMap<K, V> {
    private final int capacity;

    private LruMap(int capacity) {
        super(16, 0.75f, true);
        this.capacity = capacity;
    }

    /** A thread-safe map of at most this many entries. */
    static <K, V> Map<K, V> of(int capacity) {
        return Collections.synchronizedMap(new LruMap<>(capacity));
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
        return size() > capacity;
    }
}
