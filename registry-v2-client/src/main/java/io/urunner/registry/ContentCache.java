package io.urunner.registry;

import java.util.Optional;

/**
 * Keeps content that never changes, by its digest: manifests that were requested or named by digest, and small blobs
 * such as configurations. The client verifies the digest of what it gets from here, so a cache may be a folder or a
 * service that others can write to. Implementations are thread-safe, bounded, and never throw: content that cannot be
 * kept or read is not there.
 */
public interface ContentCache {
    /** The largest blob that a client keeps, in bytes: a configuration, but no layer. */
    int LARGEST_BLOB = 1024 * 1024;

    /**
     * Returns content.
     *
     * @param digest its digest
     * @return the bytes, which the client does not change; empty if they are not kept
     */
    Optional<byte[]> get(Digest digest);

    /**
     * Keeps content.
     *
     * @param digest its digest
     * @param content the bytes, which nobody changes any more
     */
    void put(Digest digest, byte[] content);

    /**
     * Creates a cache in memory that forgets what was not used for longest.
     *
     * @param bytes how many bytes of content it holds at most, at least 1
     * @param entries how many manifests and blobs it holds at most, at least 1
     * @return the cache; it may be shared by clients that may read the same content
     * @throws IllegalArgumentException if a bound is not positive
     */
    static ContentCache inMemory(long bytes, int entries) {
        return new MemoryCache(bytes, entries);
    }
}
