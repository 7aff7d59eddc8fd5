package io.urunner.agent.plan;

import java.util.Set;

/**
 * What a digest stands for, {@code E(D)}: itself, the digests of an index's children (attestations left out) and the
 * configuration digests of all children. A runtime may report any of them.
 */
public sealed interface Expansion {
    /** Nobody needed it yet. A decision that does is {@link Decision.NeedsExpansion}. */
    record NotFetched() implements Expansion {}

    /**
     * It cannot be fetched for now; the caller tries again with back-off and says {@link NotFetched} when it is time.
     *
     * @param words why, for people
     */
    record Unavailable(String words) implements Expansion {}

    /**
     * It is known.
     *
     * @param digests the digests
     */
    record Known(Set<String> digests) implements Expansion {
        public Known {
            digests = Set.copyOf(digests);
        }
    }
}
