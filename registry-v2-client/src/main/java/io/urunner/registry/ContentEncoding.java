package io.urunner.registry;

import java.io.IOException;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.BufferedSource;
import okio.GzipSource;
import okio.Okio;

/**
 * Undoes the compression of an answer. We accept none, because digests and sizes are those of the content; but some
 * proxies compress all the same. Whoever reads the content limits its size.
 */
final class ContentEncoding {
    private static final String HEADER = "Content-Encoding";
    private static final String LENGTH = "Content-Length";

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
     * Whether an answer with a blob is to be decoded. Storages label compressed layers as compressed answers, too: one
     * of the size of the blob is the blob itself, and so is one without a size if the blob is compressed.
     */
    static boolean hides(Descriptor blob, Response response) throws IOException {
        long length = response.body().contentLength();
        boolean itself = length < 0 ? blob.mediaType().endsWith("gzip") : length == blob.size();
        return isLabelled(response) && !itself && isCompressed(response);
    }

    private static boolean isLabelled(Response response) {
        String encoding = response.header(HEADER, "").strip();
        return encoding.equalsIgnoreCase("gzip") || encoding.equalsIgnoreCase("x-gzip");
    }

    /** Whether the content begins as such content does; the label alone is not always right. */
    private static boolean isCompressed(Response response) throws IOException {
        BufferedSource content = response.body().source();
        return content.request(2)
                && content.getBuffer().getByte(0) == 0x1f
                && content.getBuffer().getByte(1) == (byte) 0x8b;
    }
}
