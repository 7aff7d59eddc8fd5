package io.urunner.agent.plan;

import java.util.Set;

/**
 * What a digest stands for, {@code E(D)}: itself, the digests of an index's children (without attestations) and the
 * configuration digests of all children. A runtime may report any of them.
 */
public sealed interface Content {
    /** It has not been read yet. If a decision depends on it, it is read first: see {@link Planner#unread}. */
    record Unread() implements Content {}

    /**
     * It cannot be read for now; it becomes {@link Unread} again when it is time to retry.
     *
     * @param words why, for people
     */
    record Unavailable(String words) implements Content {}

    /**
     * It is known.
     *
     * @param digests the digests, as runtimes report them
     */
    record Known(Set<String> digests) implements Content {
        public Known {
            digests = Set.copyOf(digests);
        }
    }
}
