package io.urunner.registry.copy;

import io.urunner.registry.BlobSource;
import io.urunner.registry.Descriptor;
import io.urunner.registry.RegistryException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import org.jspecify.annotations.Nullable;

/** The content of a blob on its way. It remembers its own failures, which the target would report as its own. */
final class SourceOfBlob implements BlobSource {
    private final Copy copy;
    private final Descriptor blob;
    private final Workers workers;
    private long transferred;
    private @Nullable Exception failure;

    SourceOfBlob(Copy copy, Descriptor blob, Workers workers) {
        this.copy = copy;
        this.blob = blob;
        this.workers = workers;
    }

    @Override
    public InputStream open() throws IOException {
        count(-transferred);
        try {
            return new Counted(copy.source.blob(blob));
        } catch (IOException e) {
            failure = e;
            throw e;
        } catch (RegistryException e) {
            failure = e;
            throw new IOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            InterruptedIOException interrupted =
                    new InterruptedIOException("interrupted while opening " + blob.digest());
            interrupted.initCause(e);
            failure = interrupted;
            throw interrupted;
        }
    }

    /** Throws why writing failed: because of this content, if it could not be read. */
    void rethrow(Exception thrown) throws RegistryException, IOException, InterruptedException {
        Exception own = failure;
        if (own instanceof InterruptedIOException && Thread.interrupted()) {
            InterruptedException interrupted = new InterruptedException(own.getMessage());
            interrupted.initCause(own);
            throw interrupted;
        }
        if (own != null) {
            if (own.getCause() instanceof RegistryException reason) {
                own = reason;
            }
            if (own != thrown) {
                own.addSuppressed(thrown);
            }
            if (own instanceof RegistryException reason) {
                throw reason;
            }
            throw new IOException(
                    "cannot read the blob " + blob.digest() + " of " + copy.source + ": " + own.getMessage(), own);
        }
        throw Workers.rethrown(thrown);
    }

    private void count(long bytes) {
        if (bytes != 0) {
            transferred += bytes;
            copy.listener.transferred(blob, bytes);
        }
    }

    private final class Counted extends InputStream {
        private final InputStream in;

        Counted(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            // Files do not notice it.
            if (Thread.currentThread().isInterrupted()) {
                InterruptedIOException interrupted = new InterruptedIOException("interrupted while copying");
                failure = interrupted;
                throw interrupted;
            }
            if (workers.stopped()) {
                throw new InterruptedIOException("the copy failed elsewhere");
            }
            int count;
            try {
                count = in.read(buffer, offset, length);
            } catch (IOException e) {
                failure = e;
                throw e;
            }
            if (count > 0) {
                count(count);
            }
            return count;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
