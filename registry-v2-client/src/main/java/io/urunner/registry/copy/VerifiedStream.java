package io.urunner.registry.copy;

import io.urunner.registry.BlobSource;
import io.urunner.registry.Descriptor;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;

/** The content of a blob, whose size and digest are verified at its end. */
final class VerifiedStream extends InputStream {
    private final InputStream in;
    private final Descriptor blob;
    private final MessageDigest hasher;
    private long position;
    private boolean verified;

    private VerifiedStream(InputStream in, Descriptor blob, MessageDigest hasher) {
        this.in = in;
        this.blob = blob;
        this.hasher = hasher;
    }

    /** Opens content. What cannot be verified is not opened. */
    static InputStream open(BlobSource content, Descriptor blob) throws IOException {
        if (!blob.digest().isVerifiable()) {
            throw new IOException(
                    "the content of blob " + blob.digest() + " cannot be verified: its algorithm is unknown");
        }
        MessageDigest hasher = blob.digest().hasher();
        return new VerifiedStream(content.open(), blob, hasher);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        int count = in.read(buffer, offset, length);
        if (count > 0) {
            hasher.update(buffer, offset, count);
            position += count;
        }
        if (count < 0 ? position != blob.size() : position > blob.size()) {
            throw new IOException("the content of blob " + blob.digest() + " has "
                    + (count < 0 ? position + " bytes instead of " : "more bytes than ") + blob.size());
        }
        if (count < 0 && !verified) {
            if (!blob.digest().matches(hasher)) {
                throw new IOException("the content does not match blob " + blob.digest());
            }
            verified = true;
        }
        return count;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
