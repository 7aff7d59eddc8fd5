package io.urunner.registry;

import io.urunner.registry.CredentialLedger.Claim;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import okhttp3.Headers;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * The content of a blob. A broken connection is resumed where it broke; size and digest are verified at the end.
 */
final class BlobStream extends InputStream {
    /** How many times in a row a connection may break without yielding a byte. */
    private static final int PATIENCE = 3;

    /** How many times it may break in total: a registry that sends one byte at a time is not asked a million times. */
    private static final int MOST = 100;

    private static final int PARTIAL_CONTENT = 206;

    private final Descriptor blob;
    private final Caller caller;
    private final Call call;
    private final MessageDigest hasher;

    @Nullable private Response response;

    /** Which hosts sent some of the content. */
    private final Set<String> sources = new LinkedHashSet<>();

    private long position;
    private int fruitless;
    private int resumed;

    /** How long we have waited for the content, and since when we have been waiting now, in nanoseconds. */
    private long waited;

    private long waiting;

    /** Whether the answer is compressed, other than the blob. */
    private boolean decoded;

    private boolean verified;
    private boolean closed;

    BlobStream(Descriptor blob, Caller caller, Call call) {
        this.blob = blob;
        this.caller = caller;
        this.call = call;
        this.hasher = blob.digest().hasher();
    }

    void connect() throws RegistryException, InterruptedException {
        Response answer = caller.pull(call, blob);
        response = answer;
        try {
            open(answer);
        } catch (IOException e) {
            close();
            throw caller.broken(call, e);
        }
    }

    /** Begins to read an answer that has the content from its beginning. */
    private void open(Response answer) throws IOException {
        decoded = ContentEncoding.hides(blob, answer);
        response = decoded ? ContentEncoding.decoded(answer) : answer;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, buffer.length);
        if (closed) {
            throw new IOException("the stream of blob " + blob.digest() + " is closed");
        }
        if (length == 0) {
            return 0;
        }
        if (position == blob.size()) {
            verify();
            return -1;
        }
        waiting = caller.ticks();
        try {
            return readOrResume(buffer, offset, length);
        } finally {
            waited += caller.ticks() - waiting;
        }
    }

    private int readOrResume(byte[] buffer, int offset, int length) throws IOException {
        while (true) {
            try {
                int count = body().read(buffer, offset, (int) Math.min(length, blob.size() - position));
                if (count < 0) {
                    throw new IOException("the content of blob " + blob.digest() + " ends after " + position + " of "
                            + blob.size() + " bytes");
                }
                noteSource();
                hasher.update(buffer, offset, count);
                position += count;
                fruitless = 0;
                return count;
            } catch (Violation e) {
                throw e;
            } catch (IOException e) {
                resumeAfter(e);
            }
        }
    }

    private InputStream body() {
        return Objects.requireNonNull(response).body().byteStream();
    }

    private void resumeAfter(IOException failure) throws IOException {
        drop();
        if (Thread.currentThread().isInterrupted()) {
            throw interrupted(failure);
        }
        fruitless++;
        resumed++;
        Duration rest =
                caller.deadline().remaining().plus(call.transfer()).minusNanos(waited + caller.ticks() - waiting);
        if (fruitless > PATIENCE || resumed > MOST || rest.isNegative() || rest.isZero()) {
            RegistryException error = caller.error(call, failure, call.registry());
            throw new IOException(error.getMessage(), error);
        }
        try {
            // A range of a compressed answer does not count the bytes of the content.
            Headers range = decoded ? Call.NO_HEADERS : Headers.of("Range", "bytes=" + position + "-");
            Call again = call.with(range).with(rest);
            // A mirror that has failed twice in a row is passed over.
            Response answer = fruitless > 1 ? caller.call(again) : caller.pull(again, blob);
            response = answer;
            if (answer.code() == PARTIAL_CONTENT) {
                check(again, answer);
            } else {
                // The registry does not support ranges: what we already have comes again.
                open(answer);
                body().skipNBytes(position);
            }
        } catch (Violation e) {
            throw e;
        } catch (RegistryException e) {
            e.addSuppressed(failure);
            throw new IOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw interrupted(e);
        } catch (IOException e) {
            resumeAfter(e);
        }
    }

    private void check(Call asked, Response resumed) throws Violation {
        if (!isRequested(asked, resumed)) {
            throw new Violation("asked for blob " + blob.digest() + " from byte " + position
                    + " on, the registry answered with the range " + resumed.header("Content-Range"));
        }
    }

    /** Whether a part of a blob begins where we asked for it. Not everybody says so of the beginning. */
    static boolean isRequested(Call asked, Response part) {
        String range = asked.headers().get("Range");
        return range != null
                && (range.equals("bytes=0-")
                        || part.header("Content-Range", "").strip().startsWith(range.replace('=', ' ')));
    }

    private InterruptedIOException interrupted(Exception cause) {
        InterruptedIOException interrupted =
                new InterruptedIOException("interrupted while reading blob " + blob.digest());
        interrupted.initCause(cause);
        return interrupted;
    }

    private void verify() throws IOException {
        if (verified) {
            return;
        }
        if (response != null && body().read() >= 0) {
            throw new Violation(
                    "the content of blob " + blob.digest() + " has more than " + blob.size() + " bytes" + source());
        }
        if (!blob.digest().matches(hasher)) {
            throw new Violation("the content does not match blob " + blob.digest() + source());
        }
        verified = true;
    }

    private void noteSource() {
        Claim asked = response == null ? null : response.request().tag(Claim.class);
        if (asked != null) {
            sources.add(asked.judge());
        }
    }

    /** Who sent the content: a mirror, perhaps, and others the rest. */
    private String source() {
        noteSource();
        return sources.isEmpty() ? "" : "; it is from " + String.join(" and ", sources);
    }

    private void drop() {
        if (response != null) {
            response.close();
            response = null;
        }
    }

    @Override
    public void close() {
        closed = true;
        drop();
    }
}
