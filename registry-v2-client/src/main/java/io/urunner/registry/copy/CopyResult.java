package io.urunner.registry.copy;

import io.urunner.registry.Descriptor;
import java.util.List;

/**
 * What a copy did. Immutable.
 *
 * @param image what the target's reference names now, or would name after a dry run
 * @param items everything that belongs to it, blobs first
 */
public record CopyResult(Descriptor image, List<Item> items) {
    /** What was done with a manifest or a blob. */
    public enum Outcome {
        /** It was transferred; in a dry run, it would be. */
        COPIED,
        /**
         * The registry took it from another repository of its own; in a dry run, it would be asked to. One that refuses
         * gets it transferred.
         */
        MOUNTED,
        /** The target had it. */
        PRESENT,
        /** It is a layer that must not be distributed, and remains where its {@code urls} say. */
        LEFT_OUT
    }

    /**
     * A manifest or a blob.
     *
     * @param content what it is
     * @param outcome what was done
     */
    public record Item(Descriptor content, Outcome outcome) {}

    /** Creates a result. */
    public CopyResult {
        items = List.copyOf(items);
    }

    /**
     * Counts items.
     *
     * @param outcome their outcome
     * @return how many there are
     */
    public int count(Outcome outcome) {
        int count = 0;
        for (Item item : items) {
            count += item.outcome() == outcome ? 1 : 0;
        }
        return count;
    }

    /**
     * Adds up the sizes of items.
     *
     * @param outcome their outcome
     * @return how many bytes they have
     */
    public long bytes(Outcome outcome) {
        long bytes = 0;
        for (Item item : items) {
            bytes += item.outcome() == outcome ? item.content().size() : 0;
        }
        return bytes;
    }
}
