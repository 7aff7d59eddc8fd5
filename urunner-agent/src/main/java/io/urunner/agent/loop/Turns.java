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
 * A queue that is shared fairly among namespaces: the next item comes from the namespace whose turn was longest ago, and
 * within a namespace in the order of arrival. However much waits for one namespace, another waits for at most one of its
 * items. An item of several namespaces is served once, when any of them has its turn. Not thread-safe.
 *
 * @param <K> what waits; compared with {@code equals}
 */
public final class Turns<K> {
    /** How many namespaces' turns are remembered, the latest ones. */
    private static final int REMEMBERED = 1_000;

    /** How many items that must not be taken are checked in search of one that may, at least one of each namespace. */
    private static final int LOOKS = 1_000;

    private final int most;
    private final Map<K, List<Line<K>>> items = new LinkedHashMap<>();
    /** The namespaces that wait, by name and in the order of their turns. */
    private final Map<String, Line<K>> lines = new HashMap<>();

    private final TreeMap<Long, Line<K>> order = new TreeMap<>();
    /** By namespace, its last turn, the latest last. */
    private final Map<String, Long> had = new LinkedHashMap<>();

    private long turns;
    /** Namespaces that never had a turn come before all that had one. */
    private long newcomers = Long.MIN_VALUE;

    /**
     * One turn.
     *
     * @param item the item that is taken out
     * @param namespace the namespace whose turn it was
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

    /** Creates a queue in which at most {@code most} items wait for one namespace. */
    public Turns(int most) {
        this.most = most;
    }

    /**
     * Adds an item, behind what waits for the same namespaces. One that already waits keeps its place.
     *
     * @param namespaces its owners; none for the agent's own items, which take turns like those of a namespace
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
     * Takes out the next item that may be taken. One that must not goes behind the others of its namespace, which keeps its
     * turn. If many must not be taken, the next calls check the rest.
     */
    public Optional<Turn<K>> next(Predicate<? super K> mayBeTaken) {
        return next(namespace -> true, mayBeTaken);
    }

    /** Takes out the next item that may be taken, of a namespace that may have a turn. */
    public Optional<Turn<K>> next(Predicate<String> mayHaveTurn, Predicate<? super K> mayBeTaken) {
        boolean more = true;
        int looks = 0;
        for (int round = 0; more && looks < LOOKS; round++) {
            more = false;
            for (Line<K> line : order.values()) {
                looks++;
                if (round < line.waiting.size() && mayHaveTurn.test(line.namespace)) {
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

    /** What waits, in order of arrival. */
    public List<K> all() {
        return List.copyOf(items.keySet());
    }

    int size() {
        return items.size();
    }

    public boolean isEmpty() {
        return items.isEmpty();
    }

    /** Removes everything; the order of turns is kept. */
    public void clear() {
        items.clear();
        lines.clear();
        order.clear();
    }
}
