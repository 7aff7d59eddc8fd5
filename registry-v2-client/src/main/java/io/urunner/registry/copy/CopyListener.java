package io.urunner.registry.copy;

import io.urunner.registry.Descriptor;

/**
 * Follows a copy, for example to show its progress. Several threads call it at the same time, so it must be
 * thread-safe and return quickly; what it throws ends the copy. Every method does nothing by default.
 */
public interface CopyListener {
    /** Follows nothing. */
    CopyListener NONE = new CopyListener() {};

    /**
     * Everything that is to be copied is known; nothing has been written yet.
     *
     * @param items how many manifests and blobs there are, including those that the target may have
     * @param bytes how many bytes they have
     */
    default void planned(int items, long bytes) {}

    /**
     * A piece of a blob was read. If writing it starts over, the bytes that count no longer are subtracted.
     *
     * @param blob the blob
     * @param bytes how many bytes more than before, or fewer if negative
     */
    default void transferred(Descriptor blob, long bytes) {}

    /**
     * A manifest or a blob is finished.
     *
     * @param content what it is
     * @param outcome what was done
     */
    default void finished(Descriptor content, CopyResult.Outcome outcome) {}
}
