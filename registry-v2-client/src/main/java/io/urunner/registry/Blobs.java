package io.urunner.registry;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import okhttp3.HttpUrl;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** Reads, pushes, mounts and deletes blobs. */
final class Blobs {
    private static final RequestBody NOTHING = RequestBody.create(new byte[0], null);

    /** The longest time that any blob may take. */
    private static final Duration LONGEST = Duration.ofDays(7);

    /** How long cancelling an upload may take. */
    private static final Duration TO_CANCEL = Duration.ofSeconds(2);

    private final Caller caller;
    private final long transferRate;
    private final CachedContent cache;

    Blobs(Caller caller, long transferRate, CachedContent cache) {
        this.caller = caller;
        this.transferRate = transferRate;
        this.cache = cache;
    }

    /** How much longer than the deadline it may take to move so many bytes; at least one second. */
    Duration transfer(long bytes) {
        return Duration.ofSeconds(Math.min(LONGEST.toSeconds(), 1 + bytes / transferRate));
    }

    InputStream open(Repository repository, Descriptor blob) throws RegistryException, InterruptedException {
        InputStream kept = cache.blob(blob);
        if (kept != null) {
            return kept;
        }
        Call call = call(repository, "read", blob.digest(), "GET").with(transfer(blob.size()));
        call.requireVerifiable(blob.digest());
        BlobStream stream = new BlobStream(blob, caller, call);
        stream.connect();
        return cache.keep(blob, stream);
    }

    boolean exists(Repository repository, Digest digest) throws RegistryException, InterruptedException {
        // Where HEAD does not work, one byte is requested, which an empty blob does not have.
        try (Response response = caller.call(call(repository, "look for", digest, "HEAD"), Set.of(404, 416))) {
            return response.code() != 404;
        }
    }

    void delete(Repository repository, Digest digest) throws RegistryException, InterruptedException {
        Call call = call(repository, "delete", digest, "DELETE");
        caller.call(call.with(List.of(Call.scope(repository.name(), "delete")))).close();
    }

    private static Call call(Repository repository, String action, Digest digest, String method) {
        return Call.on(
                repository, action + " the blob", Optional.of(digest.toString()), method, "/blobs/" + digest, "pull");
    }

    boolean mount(Repository to, String from, Digest digest) throws RegistryException, InterruptedException {
        String source = new Repository(to.registry(), from).name();
        Call call = upload(to, digest, "?mount=" + inQuery(digest) + "&from=" + source)
                .with(List.of(Call.scope(to.name(), "pull,push"), Call.scope(source, "pull")));
        try (Response response = caller.call(call)) {
            if (response.code() == 201) {
                return true;
            }
            // The registry opened an upload instead.
            cancel(to, digest, location(call, response));
            return false;
        } catch (RegistryException e) {
            if (hasNoAnswer(e)) {
                throw e;
            }
            return false;
        }
    }

    /** Whether a registry did not answer the question. A refusal is an answer, even one that may not be for ever. */
    static boolean hasNoAnswer(RegistryException e) {
        return e instanceof UnavailableException || e instanceof RateLimitedException;
    }

    /**
     * Cancels an upload with one request, which has a little time of its own: what gives it up may be the end of the
     * deadline or an interrupt, which stays set. If this fails, the registry lets the upload expire.
     */
    void cancel(Repository repository, Digest digest, HttpUrl location) {
        Call call = beside(repository, digest, "DELETE", location);
        boolean interrupted = Thread.interrupted();
        try {
            caller.once(call, Set.of(), caller.within(TO_CANCEL).deadline()).close();
        } catch (RegistryException | IOException e) {
            // What matters is known already.
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    void push(Repository repository, Descriptor blob, BlobSource source, PushOptions options)
            throws RegistryException, InterruptedException {
        new BlobUpload(this, caller, repository, blob, source, options).run();
    }

    /** A digest in a query, where a plus sign in the name of its algorithm would be a blank. */
    static String inQuery(Object digest) {
        return digest.toString().replace("+", "%2B");
    }

    static Call upload(Repository repository, Digest digest, String query) {
        return Call.on(
                        repository,
                        "push the blob",
                        Optional.of(digest.toString()),
                        "POST",
                        "/blobs/uploads/" + query,
                        "pull,push")
                .with(NOTHING);
    }

    /**
     * A request about an upload that is not the upload itself. Its permissions are the same in another order, because a
     * refusal is remembered: a registry that does not let us ask or cancel does not thereby refuse the push.
     */
    static Call beside(Repository repository, Digest digest, String method, HttpUrl location) {
        return Call.on(repository, "push the blob", Optional.of(digest.toString()), method, "", "push,pull")
                .at(location.toString());
    }

    /**
     * Where a registry that answered 201 to the request for an upload expects the content after all, or null: usually
     * 201 means that the blob is there, but some open an upload with it.
     */
    @Nullable HttpUrl openUpload(Call call, Response response) throws ProtocolViolationException {
        String header = response.header("Location");
        HttpUrl location = header == null ? null : response.request().url().resolve(header);
        boolean open = location != null && location.encodedPath().matches(".*/blobs/uploads/.+");
        return open ? location(call, response) : null;
    }

    /** Where an upload continues. */
    HttpUrl location(Call call, Response response) throws ProtocolViolationException {
        String header = response.header("Location");
        HttpUrl here = response.request().url();
        HttpUrl location = header == null ? null : here.resolve(header);
        if (location == null) {
            throw call.violated(response.code(), "the answer does not say where the upload continues", null);
        }
        return followed(call, response.code(), location, here);
    }

    /**
     * The location of an upload, if it may be followed.
     *
     * @param here the URL that led to it
     */
    HttpUrl followed(Call call, int status, HttpUrl location, HttpUrl here) throws ProtocolViolationException {
        Host host = caller.host(call.registry());
        HttpUrl target;
        try {
            target = host.asReached(location);
        } catch (IOException e) {
            // The host that has just answered is not asked again for its scheme.
            target = location;
        }
        String objection = caller.authorizer().transport.hosts().objection(host, target, here);
        if (objection != null) {
            throw call.violated(
                    status, "the upload's location " + target.redact() + " is not used: " + objection, null);
        }
        return target;
    }

    /** Refuses an answer that names another content than the one that was pushed. */
    static void verify(Call call, Digest digest, Response response) throws ProtocolViolationException {
        String header = response.header("Docker-Content-Digest", "").strip();
        // Registries may use an algorithm of their own.
        if (header.startsWith(digest.algorithm() + ":") && !header.equals(digest.toString())) {
            throw call.violated(
                    response.code(), "the registry says that it stored " + header + ", which is other content", null);
        }
    }
}
