package io.urunner.registry;

import java.io.IOException;
import java.io.InputStream;
import okhttp3.RequestBody;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;

/**
 * The content of a blob that is pushed, read piece by piece. The source is opened again only if something is sent
 * again. Used by one thread.
 */
final class BlobContent extends RequestBody implements AutoCloseable {
    /** The source failed, not the registry. It never leaves the client. */
    static final class SourceFailure extends IOException {
        SourceFailure(IOException cause) {
            super(cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause);
        }
    }

    private static final okhttp3.MediaType BYTES = okhttp3.MediaType.get("application/octet-stream");
    private static final int PIECE = 64 * 1024;

    private final Descriptor blob;
    private final BlobSource source;
    private final PushProgress progress;

    @Nullable private InputStream stream;

    private long position;
    private long from;
    private long length;

    BlobContent(Descriptor blob, BlobSource source, PushProgress progress) {
        this.blob = blob;
        this.source = source;
        this.progress = progress;
    }

    /** How many bytes were read. */
    long position() {
        return position;
    }

    /**
     * Makes this the body with a part of the content; it can be sent several times. The source is opened before the
     * request takes its turn at the registry: the source may be the same registry, and need a turn, too.
     */
    RequestBody part(long begin, long count) throws IOException {
        from = begin;
        length = count;
        at(from);
        return this;
    }

    @Override
    public okhttp3.MediaType contentType() {
        return BYTES;
    }

    @Override
    public long contentLength() {
        return length;
    }

    @Override
    public void writeTo(BufferedSink sink) throws IOException {
        InputStream content = at(from);
        byte[] buffer = new byte[(int) Math.max(1, Math.min(PIECE, length))];
        long end = from + length;
        progress.sent(position, blob.size());
        while (position < end) {
            int count = read(content, buffer, (int) Math.min(buffer.length, end - position));
            if (count < 0) {
                throw wrongSize(position + "");
            }
            position += count;
            throwIfLonger(content);
            sink.write(buffer, 0, count);
            progress.sent(position, blob.size());
        }
        if (length == 0) {
            throwIfLonger(content);
        }
    }

    /** Before the last piece is sent: the registry must not get a blob that is only the beginning of the content. */
    private void throwIfLonger(InputStream content) throws IOException {
        if (position == blob.size() && read(content, new byte[1], 1) > 0) {
            throw wrongSize("more than " + position);
        }
    }

    private Violation wrongSize(String actual) {
        return new Violation("the source of the blob has " + actual + " bytes instead of " + blob.size());
    }

    private InputStream at(long begin) throws IOException {
        InputStream current = stream;
        if (current != null && position == begin) {
            return current;
        }
        close();
        try {
            current = source.open();
            stream = current;
            position = current.skip(begin);
        } catch (IOException e) {
            throw new SourceFailure(e);
        }
        byte[] skipped = new byte[position < begin ? PIECE : 0];
        while (position < begin) {
            int count = read(current, skipped, (int) Math.min(PIECE, begin - position));
            if (count < 0) {
                throw wrongSize(position + "");
            }
            position += count;
        }
        return current;
    }

    private static int read(InputStream content, byte[] buffer, int length) throws IOException {
        try {
            int count = content.read(buffer, 0, length);
            if (count == 0) {
                throw new IOException("the source returns no bytes");
            }
            return count;
        } catch (IOException e) {
            throw new SourceFailure(e);
        }
    }

    @Override
    public void close() {
        InputStream open = stream;
        stream = null;
        position = 0;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                // Everything that was needed of it was read.
            }
        }
    }
}
