package io.urunner.agent.loop;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;

/**
 * Limits something per namespace and period. The excess is left out, and its amount is reported once the period is over.
 * On the loop.
 */
public final class Ration {
    private final int most;
    private final Duration within;
    private final Loop loop;
    private final BiConsumer<String, Integer> leftOut;
    private final Map<String, Integer> taken = new HashMap<>();

    /** {@code leftOut} receives how much was left out for a namespace. */
    public Ration(int most, Duration within, Loop loop, BiConsumer<String, Integer> leftOut) {
        this.most = most;
        this.within = within;
        this.loop = loop;
        this.leftOut = leftOut;
    }

    /** How many a namespace has taken, or wanted to take. */
    int taken(String namespace) {
        return taken.getOrDefault(namespace, 0);
    }

    /** Takes one; false if it is to be left out. */
    public boolean take(String namespace) {
        int count = taken.merge(namespace, 1, Integer::sum);
        if (count == 1) {
            loop.after(within, () -> {
                int more = Objects.requireNonNullElse(taken.remove(namespace), 0) - most;
                if (more > 0) {
                    leftOut.accept(namespace, more);
                }
            });
        }
        return count <= most;
    }
}
