package io.urunner.registry;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import okhttp3.Headers;
import okhttp3.HttpUrl;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * The push of one blob: opens an upload at the registry and sends the content to it. What is retried is the upload, not
 * the request: after a failure, the registry is asked how much arrived, and the rest is sent, or a new upload is opened.
 * Used once, by one thread.
 */
final class BlobUpload {
    /** Statuses that may be about the upload instead of the blob; the codes in the answer tell. */
    private static final Set<Integer> ABOUT_UPLOADS = Set.of(400, 404, 409, 410, 416, 422);

    /** How registries say that they do not support a method, or not with content. */
    private static final Set<Integer> UNSUPPORTED = Set.of(400, 405, 411, 413, 501);

    /** For how long a registry that missed the content of a PUT gets none: a proxy may have damaged a single one. */
    private static final long REMEMBERED = Duration.ofMinutes(10).toNanos();

    private static final Set<String> INVALID = Set.of("BLOB_UPLOAD_INVALID");
    private static final Set<String> LOST = Set.of("BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID");

    private final Blobs blobs;
    private final Caller caller;
    private final Repository repository;
    private final Descriptor blob;
    private final PushOptions options;
    private final BlobContent content;
    private final Call template;

    /** The end of the whole push. */
    private final Deadline end;

    private final Caller.Retries retries;

    private final LruMap<String, Long> missPuts;

    private @Nullable UploadSession handle;
    private boolean single;
    private long chunkSize;

    /** Whether the registry misses the content of a PUT, as Artipie does, and gets a PATCH: tried if a PUT fails so. */
    private boolean inOneChunk;

    /** Where the upload continues, or null if there is none. */
    private @Nullable HttpUrl location;

    /** Whether it is the registry itself that can be asked about the upload, not a storage that accepts a file. */
    private boolean answerable;

    /** Whether something was sent to the upload without a clear answer. */
    private boolean unsure;

    /** How much of the content the registry has, as far as is known. */
    private long offset;

    private long farthest;

    /** Whether the content does not come from one request: then a wrong digest may be due to the parts. */
    private boolean pieced;

    /** The offset that the registry has refused, or -1. */
    private long refused = -1;

    /** Whether all content was sent with the request that completes the upload. */
    private boolean completing;

    private Call sending;
    private Deadline deadline;

    BlobUpload(
            Blobs blobs,
            Caller caller,
            Repository repository,
            Descriptor blob,
            BlobSource source,
            PushOptions options) {
        this.blobs = blobs;
        this.caller = caller;
        this.repository = repository;
        this.blob = blob;
        this.options = options;
        this.content = new BlobContent(blob, source, options.progress());
        this.template = Blobs.upload(repository, blob.digest(), "");
        this.end = caller.longer(blobs.transfer(blob.size()));
        this.retries = caller.new Retries(end);
        this.handle = options.resumed().orElse(null);
        this.single = options.singlePost() && handle == null;
        this.chunkSize = options.chunkSize();
        this.missPuts = caller.authorizer().transport.missPuts;
        Long missed = missPuts.get(repository.registry());
        if (missed != null && caller.ticks() - missed < REMEMBERED) {
            single = false;
            if (chunkSize == 0) {
                sendInOneChunk();
            }
        }
        this.sending = template;
        this.deadline = end;
        if (handle != null && !handle.isOf(repository, blob)) {
            throw new IllegalArgumentException(
                    "the " + handle + " cannot be resumed by pushing " + blob.digest() + " to " + repository);
        }
    }

    void run() throws RegistryException, InterruptedException {
        boolean resumable = options.sessions().isPresent() || options.resumed().isPresent();
        try {
            boolean done = false;
            while (!done) {
                done = attempt();
            }
            location = null;
        } catch (RegistryException e) {
            resumable &= e.isTransient() || e.getCause() instanceof BlobContent.SourceFailure;
            throw e;
        } finally {
            content.close();
            if (!resumable) {
                cancel();
            }
        }
    }

    /** Returns whether the blob is there. */
    private boolean attempt() throws RegistryException, InterruptedException {
        try {
            return step();
        } catch (BlobContent.SourceFailure e) {
            if (Thread.interrupted()) {
                InterruptedException interrupted = new InterruptedException("interrupted while reading what is pushed");
                interrupted.initCause(e);
                throw interrupted;
            }
            throw unreadable(e);
        } catch (Violation e) {
            throw new ProtocolViolationException(sending.what(), String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            retries.pause(sending, e, deadline.asked());
            return false;
        }
    }

    private boolean step() throws RegistryException, IOException, InterruptedException {
        if (handle != null) {
            adopt(handle);
        }
        HttpUrl here = location;
        if (here == null) {
            return begin();
        } else if (unsure) {
            return answerable ? ask(here) : abandon();
        } else if (chunkSize > 0 && offset < blob.size()) {
            return sendChunk(here);
        }
        return complete(here);
    }

    private void adopt(UploadSession session) throws IOException, RegistryException {
        HttpUrl root = caller.host(repository.registry()).root();
        location = blobs.followed(template, 0, session.location(), root);
        answerable = true;
        unsure = true;
        pieced = true;
        handle = null;
    }

    private Response send(Call call, Set<Integer> expected)
            throws RegistryException, IOException, InterruptedException {
        sending = call;
        deadline = caller.within(end, call);
        return caller.once(call, expected, deadline);
    }

    /** Opens an upload. */
    private boolean begin() throws RegistryException, IOException, InterruptedException {
        offset = 0;
        refused = -1;
        pieced = false;
        completing = false;
        boolean whole = single;
        single = false;
        Digest digest = blob.digest();
        String algorithm = digest.algorithm().equals(Digest.SHA256)
                ? ""
                : "?digest-algorithm=" + Blobs.inQuery(digest.algorithm());
        Call call = whole
                ? Blobs.upload(repository, digest, "?digest=" + Blobs.inQuery(digest))
                        .with(content.part(0, blob.size()))
                        .with(blobs.transfer(blob.size()))
                : Blobs.upload(repository, digest, algorithm);
        try (Response response = send(call, whole ? UNSUPPORTED : Set.of())) {
            if (!response.isSuccessful()) {
                return false;
            }
            HttpUrl next = response.code() == 201 ? blobs.openUpload(call, response) : blobs.location(call, response);
            if (next == null) {
                Blobs.verify(call, digest, response);
                return true;
            }
            location = next;
            answerable = Addresses.sameOrigin(next, response.request().url());
            unsure = false;
            if (chunkSize > 0) {
                chunkSize = Math.max(chunkSize, smallestChunk(response));
            }
            announce();
            return false;
        }
    }

    private static long smallestChunk(Response response) {
        String header = response.header("OCI-Chunk-Min-Length", "").strip();
        return RateLimitHeaders.isNumber(header) ? RateLimitHeaders.saturated(header) : 0;
    }

    /** Asks how much of the content the registry has. */
    private boolean ask(HttpUrl here) throws RegistryException, IOException, InterruptedException {
        Call call = Blobs.beside(repository, blob.digest(), "GET", here);
        try (Response response = send(call, Set.of())) {
            long known = received(response);
            if (known > blob.size() || known == refused) {
                return abandon();
            }
            follow(call, response);
            offset = known;
            pieced = true;
            unsure = false;
            advanced();
            return false;
        } catch (RegistryException e) {
            if (Blobs.hasNoAnswer(e)) {
                throw e;
            }
            // Whatever the reason, this upload is of no use; and a lost answer may have said that the blob is there.
            if (completing && blobs.exists(repository, blob.digest())) {
                location = null;
                return true;
            }
            boolean gone = e instanceof NotFoundException && !OciError.anyIs(e.errors(), INVALID);
            location = gone ? null : here;
            return abandon();
        }
    }

    /**
     * How much content an answer says that the registry has: its {@code Range} ends with the last byte. Registries say
     * {@code 0-0} for nothing, too.
     */
    private static long received(Response response) {
        String range = response.header("Range", "").strip();
        String last = range.substring(range.lastIndexOf('-') + 1).strip();
        long end = RateLimitHeaders.isNumber(last) ? RateLimitHeaders.saturated(last) : 0;
        return end == 0 || end == Long.MAX_VALUE ? end : end + 1;
    }

    private boolean sendChunk(HttpUrl here) throws RegistryException, IOException, InterruptedException {
        long length = Math.min(chunkSize, blob.size() - offset);
        Call call = template.by("PATCH")
                .at(here.toString())
                .with(range(offset, length))
                .with(content.part(offset, length))
                .with(blobs.transfer(length));
        unsure = true;
        try (Response response = send(call, Set.of(400, 404, 405, 409, 410, 416, 422, 501))) {
            if (isRefused(call, response)) {
                return false;
            }
            follow(call, response);
            long known = received(response);
            offset = known > offset && known < offset + length ? known : offset + length;
            pieced |= offset < blob.size();
            unsure = false;
            advanced();
            return false;
        }
    }

    private boolean complete(HttpUrl here) throws RegistryException, IOException, InterruptedException {
        Digest digest = blob.digest();
        HttpUrl target =
                here.newBuilder().addQueryParameter("digest", digest.toString()).build();
        Call call = template.by("PUT").at(target.toString());
        if (offset < blob.size() || blob.size() == 0) {
            long rest = blob.size() - offset;
            call = call.with(content.part(offset, rest)).with(blobs.transfer(rest));
            if (offset > 0) {
                call = call.with(range(offset, rest));
            }
        }
        unsure = true;
        try (Response response = send(call, ABOUT_UPLOADS)) {
            if (isRefused(call, response)) {
                return false;
            }
            Blobs.verify(call, digest, response);
            if (inOneChunk && chunkSize > 0) {
                missPuts.put(repository.registry(), caller.ticks());
            }
            return true;
        } catch (IOException e) {
            completing = offset == blob.size() || content.position() == blob.size();
            throw e;
        }
    }

    /** The range of a chunk, in the form of this protocol, which is not that of HTTP. */
    private static Headers range(long from, long length) {
        return Headers.of("Content-Range", from + "-" + (from + length - 1));
    }

    /**
     * Judges an answer. A registry that has lost an upload, or has another offset, fails for now: a new upload may
     * succeed.
     *
     * @return whether the answer is a refusal after which there is another way to send the content
     */
    private boolean isRefused(Call call, Response response) throws RegistryException, IOException {
        if (response.isSuccessful()) {
            return false;
        }
        int status = response.code();
        if (chunkSize > 0 && (status == 405 || status == 501)) {
            chunkSize = 0;
            missPuts.remove(repository.registry());
            restart(false);
            return true;
        }
        List<OciError> errors = ErrorAnswer.of(response).errors();
        if (status == 400
                && chunkSize == 0
                && !inOneChunk
                && !pieced
                && blob.size() > 0
                && OciError.anyIs(errors, Set.of("DIGEST_INVALID", "SIZE_INVALID"))) {
            sendInOneChunk();
            restart(false);
            return true;
        }
        boolean lost = status == 404 || status == 410 || OciError.anyIs(errors, LOST);
        boolean elsewhere = status == 416 || OciError.anyIs(errors, Set.of("RANGE_INVALID"));
        String host = response.request().url().host();
        if (!lost && !elsewhere && !pieced) {
            throw Caller.refused(call.what().answered(status, errors), host);
        }
        if (elsewhere && !lost) {
            refused = offset;
        } else {
            restart(status == 410 || (status == 404 && !OciError.anyIs(errors, INVALID)));
        }
        throw new TransientFailure(host, status, errors, Optional.empty());
    }

    /** Goes on where an answer says; without a location, the upload continues where it is. */
    private void follow(Call call, Response response) throws ProtocolViolationException {
        if (response.header("Location") != null) {
            location = blobs.location(call, response);
        }
        announce();
    }

    private void announce() {
        HttpUrl here = location;
        if (here != null && answerable && options.sessions().isPresent()) {
            options.sessions().get().accept(new UploadSession(repository, blob.digest(), blob.size(), here));
        }
    }

    private void advanced() {
        if (offset > farthest) {
            farthest = offset;
            retries.progressed();
        }
    }

    /** Gives up the upload, so that a new one is opened. */
    private boolean abandon() {
        restart(false);
        return false;
    }

    private void restart(boolean gone) {
        if (!gone) {
            cancel();
        }
        location = null;
        unsure = false;
    }

    private void cancel() {
        HttpUrl here = location;
        location = null;
        if (here != null && answerable) {
            blobs.cancel(repository, blob.digest(), here);
        }
    }

    private void sendInOneChunk() {
        inOneChunk = true;
        chunkSize = blob.size();
    }

    /** A download that fails may be the source: then its reason decides whether trying again later helps. */
    private RegistryException unreadable(IOException failure) {
        String reason = "the content to push cannot be read: " + failure.getMessage();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof RegistryException other && !other.isTransient()) {
                return new ProtocolViolationException(template.what(), reason, failure);
            }
        }
        return new UnavailableException(template.what(), reason, null, failure);
    }
}
