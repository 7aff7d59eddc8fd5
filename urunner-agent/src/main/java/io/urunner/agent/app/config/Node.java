package io.urunner.agent.app.config;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The untyped content of a source: a tree in which every node knows its origin. Immutable. */
sealed interface Node {
    Origin origin();

    /** A text. */
    record Scalar(String text, Origin origin) implements Node {
        /** A text may be a secret. */
        @Override
        public String toString() {
            return "Scalar[" + origin + "]";
        }
    }

    /** A text that is read from elsewhere: {@code {env: NAME}} or {@code {file: PATH}}. */
    record Reference(Kind kind, String target, Origin origin) implements Node {
        enum Kind {
            ENV,
            FILE
        }
    }

    /** A list. */
    record Sequence(List<Node> items, Origin origin) implements Node {
        public Sequence {
            items = List.copyOf(items);
        }
    }

    /** Keys with their values, in the order in which they were read. */
    record Mapping(Map<String, Node> entries, Origin origin) implements Node {
        static final Mapping EMPTY = new Mapping(Map.of(), Origin.DEFAULT);

        public Mapping {
            entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
        }

        /** This tree overridden by another: mappings are merged, anything else is replaced. */
        Mapping under(Mapping top) {
            Map<String, Node> merged = new LinkedHashMap<>(entries);
            top.entries.forEach((key, node) -> merged.merge(
                    key,
                    node,
                    (below, above) -> below instanceof Mapping lower && above instanceof Mapping upper
                            ? lower.under(upper)
                            : above));
            return new Mapping(merged, origin instanceof Origin.Default ? top.origin : origin);
        }

        /** This tree with a value at a path of keys. */
        Mapping with(List<String> path, Node value) {
            Map<String, Node> changed = new LinkedHashMap<>(entries);
            String key = path.get(0);
            if (path.size() == 1) {
                changed.put(key, value);
            } else {
                Mapping child =
                        entries.get(key) instanceof Mapping mapping ? mapping : new Mapping(Map.of(), value.origin());
                changed.put(key, child.with(path.subList(1, path.size()), value));
            }
            return new Mapping(changed, origin instanceof Origin.Default ? value.origin() : origin);
        }
    }
}
