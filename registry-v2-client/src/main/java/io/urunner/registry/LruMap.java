package io.urunner.registry;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A map that forgets what was not used for longest, so that a long-lived client stays small. Thread-safe. */
final class LruMap<K, V> {
    private final Map<K, V> entries;

    LruMap(int capacity) {
        this.entries = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > capacity;
            }
        };
    }

    @Nullable synchronized V get(K key) {
        return entries.get(key);
    }

    synchronized void put(K key, V value) {
        entries.put(key, value);
    }

    /** Returns the value that is there already, or null after putting this one. */
    @Nullable synchronized V putIfAbsent(K key, V value) {
        return entries.putIfAbsent(key, value);
    }

    synchronized void remove(K key) {
        entries.remove(key);
    }

    /** Removes the entry only if it still has this value. */
    synchronized void remove(K key, V value) {
        entries.remove(key, value);
    }
}
