package io.urunner.registry;

import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a blob is pushed. Immutable: start from {@link #DEFAULTS} and change what differs. It may be used by several
 * threads if the progress and the listener may.
 *
 * <p>By default, content is sent in one piece, to an upload that the registry opened ("Pushing a blob monolithically",
 * OCI distribution specification). If it breaks off, the client asks how much arrived and sends the rest, or begins
 * again. If the registry then calls the digest or the size wrong, the content is sent once more, as one chunk: there are
 * registries that take it from {@code PATCH} only, and the client remembers which.
 *
 * <p>An upload that is given up is cancelled, whether it fails, the thread is interrupted, or the time is over ("Canceling
 * a blob upload", OCI distribution specification). That is one more request, for which there are two seconds. An upload
 * that somebody wants to resume is kept: see {@link #withSessions} and {@link #resuming}.
 */
public final class PushOptions {
    /** One piece, nobody hears of the progress, nothing is resumed. */
    public static final PushOptions DEFAULTS = new PushOptions(0, false, PushProgress.NONE, null, null);

    private final long chunkSize;
    private final boolean singlePost;
    private final PushProgress progress;
    private final @Nullable UploadSession resumed;
    private final @Nullable Consumer<UploadSession> sessions;

    private PushOptions(
            long chunkSize,
            boolean singlePost,
            PushProgress progress,
            @Nullable UploadSession resumed,
            @Nullable Consumer<UploadSession> sessions) {
        this.chunkSize = chunkSize;
        this.singlePost = singlePost;
        this.progress = progress;
        this.resumed = resumed;
        this.sessions = sessions;
    }

    /**
     * Returns the same options, sending the content in chunks ("Pushing a blob in chunks", OCI distribution
     * specification): for proxies that limit the size of a request, and so that less is lost when a connection breaks.
     * Chunks cost a request each. They are not held in memory. If the registry requires larger ones
     * ({@code OCI-Chunk-Min-Length}), they are larger; if it does not support chunks, the content is sent in one piece.
     *
     * @param bytes the size of a chunk in bytes, at least 1; the last one may be smaller
     * @return the options
     * @throws IllegalArgumentException if the size is less than 1
     */
    public PushOptions withChunks(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("a chunk must have at least 1 byte, not " + bytes);
        }
        return new PushOptions(bytes, singlePost, progress, resumed, sessions);
    }

    /**
     * Returns the same options, sending the content with the request that would open the upload ("Single POST", OCI
     * distribution specification). This saves a request if the registry supports it; otherwise the content is sent
     * again, because the registry opens an upload in spite of it. So it is for small blobs. A registry that missed the
     * content of a {@code PUT} in the last ten minutes gets it in another way.
     *
     * @return the options
     */
    public PushOptions withSinglePost() {
        return new PushOptions(chunkSize, true, progress, resumed, sessions);
    }

    /**
     * Returns the same options, reporting the progress.
     *
     * @param newProgress what hears of it
     * @return the options
     */
    public PushOptions withProgress(PushProgress newProgress) {
        return new PushOptions(
                chunkSize, singlePost, Objects.requireNonNull(newProgress, "newProgress"), resumed, sessions);
    }

    /**
     * Returns the same options, with a listener that gets a handle of the upload when it is opened and after each
     * chunk. Whoever stores the newest one can go on after the end of the process: see {@link #resuming}. So an upload
     * is cancelled only if the registry refuses it for good, and not if the content cannot be read: the caller may mend
     * that, and go on.
     *
     * @param listener gets the handles, in the thread that pushes; what it throws ends the push
     * @return the options
     */
    public PushOptions withSessions(Consumer<UploadSession> listener) {
        return new PushOptions(chunkSize, singlePost, progress, resumed, Objects.requireNonNull(listener, "listener"));
    }

    /**
     * Returns the same options, continuing an earlier upload of the same blob to the same repository. The registry is
     * asked how much of it arrived; if it no longer knows the upload, or does not tell, the push begins again. If this push
     * fails, too, the upload is kept as with {@link #withSessions}.
     *
     * @param session the handle of the upload
     * @return the options
     */
    public PushOptions resuming(UploadSession session) {
        return new PushOptions(chunkSize, singlePost, progress, Objects.requireNonNull(session, "session"), sessions);
    }

    /**
     * Returns the size of a chunk.
     *
     * @return the size in bytes, or 0 if the content is sent in one piece
     */
    public long chunkSize() {
        return chunkSize;
    }

    /**
     * Whether the content is sent with the first request.
     *
     * @return true if it is
     */
    public boolean singlePost() {
        return singlePost;
    }

    /**
     * Returns what hears of the progress.
     *
     * @return the progress
     */
    public PushProgress progress() {
        return progress;
    }

    /**
     * Returns the upload that is continued.
     *
     * @return its handle, or empty if the push begins anew
     */
    public Optional<UploadSession> resumed() {
        return Optional.ofNullable(resumed);
    }

    /**
     * Returns what gets the handles of uploads.
     *
     * @return the listener, or empty if nobody wants to resume them
     */
    public Optional<Consumer<UploadSession>> sessions() {
        return Optional.ofNullable(sessions);
    }
}
