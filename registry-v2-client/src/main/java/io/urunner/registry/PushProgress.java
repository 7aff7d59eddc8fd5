package io.urunner.registry;

/**
 * Hears how far the push of a blob has come. It is called by the thread that pushes, after each piece of at most 64
 * KiB, so it must return soon. What it throws ends the push.
 */
@FunctionalInterface
public interface PushProgress {
    /** Hears nothing. */
    PushProgress NONE = (sent, total) -> {};

    /**
     * A piece was handed to the connection, or an upload began.
     *
     * @param sent how many bytes of the content have been sent. It goes back if the registry lost some of them, so that
     *     they are sent again; bytes that an earlier process sent count, too
     * @param total the size of the blob in bytes
     */
    void sent(long sent, long total);
}
