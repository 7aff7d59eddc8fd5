package io.urunner.agent.loop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * What waits, shared among namespaces: the next comes from the namespace whose turn was longest ago, and within a namespace
 * what came first comes first. So however much waits for one namespace, another waits for one of its items at most. An item
 * of several namespaces comes when any of them has its turn, once. Not thread-safe.
 *
 * @param <K> what waits; compared with {@code equals}
 */
public final class Turns<K> {
    /** The turns of so many namespaces are remembered, the latest ones. */
    private static final int REMEMBERED = 1_000;

    /** So many items that may not be taken are looked at for one that may, and at least one of each namespace. */
    private static final int LOOKS = 1_000;

    private final int most;
    private final Map<K, List<Line<K>>> items = new LinkedHashMap<>();
    /** The namespaces that wait, by name and in the order of their turns. */
    private final Map<String, Line<K>> lines = new HashMap<>();

    private final TreeMap<Long, Line<K>> order = new TreeMap<>();
    /** By namespace its last turn, the latest last. */
    private final Map<String, Long> had = new LinkedHashMap<>();

    private long turns;
    /** Who never had a turn comes before all who had one. */
    private long newcomers = Long.MIN_VALUE;

    /**
     * The next one.
     *
     * @param item what is taken out
     * @param namespace whose turn it was
     */
    public record Turn<K>(K item, String namespace) {}

    /** What waits for one namespace. */
    private static final class Line<K> {
        private final String namespace;
        private long place;
        private final Set<K> waiting = new LinkedHashSet<>();

        Line(String namespace, long place) {
            this.namespace = namespace;
            this.place = place;
        }

        K first() {
            return waiting.iterator().next();
        }
    }

    /** At most {@code most} items wait for one namespace. */
    public Turns(int most) {
        this.most = most;
    }

    /**
     * Lets an item wait, behind what waits for the same namespaces. One that waits already keeps its place.
     *
     * @param namespaces whose it is; none for what is the agent's own, which has turns like a namespace
     * @return whether it waits; false if too much waits for all of these namespaces
     */
    public boolean add(K item, Collection<String> namespaces) {
        Set<String> owners = namespaces.isEmpty() ? Set.of("") : new LinkedHashSet<>(namespaces);
        List<Line<K>> own = items.getOrDefault(item, List.of());
        List<Line<K>> next = new ArrayList<>();
        for (Line<K> line : own) {
            if (owners.contains(line.namespace)) {
                next.add(line);
            } else {
                leave(line, item);
            }
        }
        for (String owner : owners) {
            Line<K> line = lines.get(owner);
            if (line == null) {
                line = open(owner);
            }
            if (line.waiting.contains(item)) {
                continue;
            }
            if (line.waiting.size() < most) {
                line.waiting.add(item);
                next.add(line);
            }
        }
        if (next.isEmpty()) {
            items.remove(item);
            return false;
        }
        items.put(item, next);
        return true;
    }

    private Line<K> open(String namespace) {
        Long last = had.get(namespace);
        Line<K> line = new Line<>(namespace, last == null ? newcomers++ : last);
        lines.put(namespace, line);
        order.put(line.place, line);
        return line;
    }

    /** Takes out the next item. */
    public Optional<Turn<K>> next() {
        return next(item -> true);
    }

    /**
     * Takes out the next item that may be taken. One that may not goes behind the others of its namespace, which keeps its
     * turn. Where many may not be taken, not all are looked at: the others are by the next calls.
     */
    public Optional<Turn<K>> next(Predicate<? super K> mayBeTaken) {
        boolean more = true;
        int looks = 0;
        for (int round = 0; more && looks < LOOKS; round++) {
            more = false;
            for (Line<K> line : order.values()) {
                looks++;
                if (round < line.waiting.size()) {
                    more = true;
                    K item = line.first();
                    if (mayBeTaken.test(item)) {
                        serve(line);
                        remove(item);
                        return Optional.of(new Turn<>(item, line.namespace));
                    }
                    line.waiting.remove(item);
                    line.waiting.add(item);
                }
            }
        }
        return Optional.empty();
    }

    /** Its next turn comes after those of all others. */
    private void serve(Line<K> line) {
        order.remove(line.place);
        line.place = turns++;
        order.put(line.place, line);
        had.remove(line.namespace);
        had.put(line.namespace, line.place);
        if (had.size() > REMEMBERED) {
            had.remove(had.keySet().iterator().next());
        }
    }

    /** Takes an item out of turn. Returns whether it waited. */
    public boolean remove(K item) {
        List<Line<K>> left = items.remove(item);
        if (left == null) {
            return false;
        }
        left.forEach(line -> leave(line, item));
        return true;
    }

    private void leave(Line<K> line, K item) {
        line.waiting.remove(item);
        if (line.waiting.isEmpty()) {
            close(line);
        }
    }

    private void close(Line<K> line) {
        lines.remove(line.namespace);
        order.remove(line.place);
    }

    public boolean contains(K item) {
        return items.containsKey(item);
    }

    /** What waits, in the order in which it came. */
    public List<K> all() {
        return List.copyOf(items.keySet());
    }

    int size() {
        return items.size();
    }

    public boolean isEmpty() {
        return items.isEmpty();
    }

    /** Takes out all; whose turn it is stays remembered. */
    public void clear() {
        items.clear();
        lines.clear();
        order.clear();
    }
}
