package io.urunner.registry;

import java.util.ArrayDeque;
import java.util.Deque;

/** What a test opened; closed in reverse order. For a field with {@code @AutoClose}. */
final class ToClose implements AutoCloseable {
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    <T extends AutoCloseable> T add(T closeable) {
        opened.push(closeable);
        return closeable;
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable closeable : opened) {
            closeable.close();
        }
    }
}
