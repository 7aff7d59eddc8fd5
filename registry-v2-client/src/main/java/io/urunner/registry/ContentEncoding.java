package io.urunner.registry;

import java.io.IOException;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.BufferedSource;
import okio.GzipSource;
import okio.Okio;
import okio.Source;

/**
 * Undoes the compression of an answer. We accept none, because digests and sizes are those of the content; but some
 * proxies compress all the same. Whoever reads the content limits its size.
 */
final class ContentEncoding {
    private static final String HEADER = "Content-Encoding";
    private static final String LENGTH = "Content-Length";

    /** Up to this size, content is received before it is decided what it is. */
    private static final long SMALL = 64 * 1024;

    private ContentEncoding() {}

    /** The answer with its content as it is without compression; of unknown size if it was compressed. */
    static Response decoded(Response response) throws IOException {
        if (!isLabelled(response)) {
            return response;
        }
        Response.Builder builder = response.newBuilder().removeHeader(HEADER).removeHeader(LENGTH);
        if (isCompressed(response)) {
            builder.body(ResponseBody.create(
                    Okio.buffer(new GzipSource(response.body().source())),
                    response.body().contentType(),
                    -1));
        }
        return builder.build();
    }

    /**
     * Whether an answer with a blob is to be decoded: whether it was compressed on the way, and not only labelled by a
     * storage because the blob itself is a compressed file. Its length decides, as announced or, of a small blob, as
     * received, together with the digest. Of a large one without a length, what is inside decides: a compressed blob that was
     * compressed once more begins like one again.
     */
    static boolean hides(Descriptor blob, Response response) throws IOException {
        if (!isLabelled(response) || !isCompressed(response)) {
            return false;
        }
        long length = response.body().contentLength();
        if (length >= 0) {
            return length != blob.size();
        }
        BufferedSource content = response.body().source();
        if (blob.size() < SMALL) {
            return content.request(blob.size() + 1)
                    || !blob.digest().matches(content.getBuffer().snapshot().toByteArray());
        }
        try (GzipSource inside = new GzipSource(content.peek())) {
            return !blob.mediaType().endsWith("gzip") || isCompressed(inside);
        }
    }

    private static boolean isLabelled(Response response) {
        String encoding = response.header(HEADER, "").strip();
        return encoding.equalsIgnoreCase("gzip") || encoding.equalsIgnoreCase("x-gzip");
    }

    /** Whether the content begins as such content does; the label alone is not always right. */
    private static boolean isCompressed(Response response) throws IOException {
        return isCompressed(response.body().source().peek());
    }

    private static boolean isCompressed(Source content) throws IOException {
        BufferedSource start = Okio.buffer(content);
        return start.request(2) && start.readByte() == 0x1f && start.readByte() == (byte) 0x8b;
    }
}
