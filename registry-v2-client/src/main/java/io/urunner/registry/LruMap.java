package io.urunner.registry;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A map that forgets the least recently used entries, so that a long-lived client stays small. Thread-safe. */
final class LruMap<K, V> {
    /** Room for everything that is remembered about well-behaved registries, in characters. */
    static final int LONGEST = 1_000_000;

    private final int most;
    private final long longest;
    private final Map<K, V> entries = new LinkedHashMap<>(16, 0.75f, true);
    private long length;

    /** A map with a maximum number of entries. */
    LruMap(int most) {
        this(most, 0);
    }

    /** A map for texts or bytes from others: all entries together have a maximum number of characters or bytes. */
    LruMap(int most, long longest) {
        this.most = most;
        this.longest = longest;
    }

    synchronized @Nullable V get(K key) {
        return entries.get(key);
    }

    /** Returns the value, which is this one unless there is another. */
    synchronized V putIfAbsent(K key, V value) {
        V present = entries.get(key);
        if (present == null) {
            put(key, value);
            return value;
        }
        return present;
    }

    /** Returns the previous value. */
    synchronized @Nullable V put(K key, V value) {
        V before = remove(key);
        entries.put(key, value);
        length += length(key, value);
        while (entries.size() > most || length > longest) {
            remove(entries.keySet().iterator().next());
        }
        return before;
    }

    synchronized @Nullable V remove(K key) {
        V value = entries.remove(key);
        length -= value == null ? 0 : length(key, value);
        return value;
    }

    /** Removes an entry unless another value has taken its place. */
    synchronized void remove(K key, V value) {
        if (value.equals(entries.get(key))) {
            remove(key);
        }
    }

    synchronized Map<K, V> copy() {
        return new LinkedHashMap<>(entries);
    }

    private int length(K key, V value) {
        if (longest == 0) {
            return 0;
        }
        return value instanceof byte[] bytes ? bytes.length : length(key) + length(value);
    }

    private static int length(Object part) {
        if (part instanceof TokenService.Question question) {
            return length(question.realm())
                    + length(question.service())
                    + length(question.scopes())
                    + length(question.credential());
        } else if (part instanceof Credential credential) {
            return CredentialLedger.text(credential).length();
        } else if (part instanceof Token token) {
            return length(token.value());
        }
        return part instanceof Secret secret
                ? secret.reveal().length()
                : part.toString().length();
    }
}
