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
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;

/** Reads, pushes, mounts and deletes blobs. */
final class Blobs {
    private static final okhttp3.MediaType BYTES = okhttp3.MediaType.get("application/octet-stream");
    private static final RequestBody NOTHING = RequestBody.create(new byte[0], null);

    /** The longest time that any blob may take. */
    private static final Duration LONGEST = Duration.ofDays(7);

    private final Caller caller;
    private final long transferRate;

    Blobs(Caller caller, long transferRate) {
        this.caller = caller;
        this.transferRate = transferRate;
    }

    /** How much longer than the deadline a blob may take; at least one second. */
    private Duration transfer(Descriptor blob) {
        return Duration.ofSeconds(Math.min(LONGEST.toSeconds(), 1 + blob.size() / transferRate));
    }

    InputStream open(Repository repository, Descriptor blob) throws RegistryException, InterruptedException {
        BlobStream stream = new BlobStream(
                blob, caller, call(repository, "read", blob.digest(), "GET").with(transfer(blob)));
        stream.connect();
        return stream;
    }

    boolean exists(Repository repository, Digest digest) throws RegistryException, InterruptedException {
        try (Response response = caller.call(call(repository, "look for", digest, "HEAD"), Set.of(404))) {
            return response.isSuccessful();
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
        Call call = upload(to, digest, "?mount=" + digest + "&from=" + source)
                .with(List.of(Call.scope(to.name(), "pull,push"), Call.scope(source, "pull")));
        try (Response response = caller.call(call)) {
            if (response.code() == 201) {
                return true;
            }
            cancel(to, digest, response);
            return false;
        }
    }

    /** Cancels an upload that the registry opened instead of mounting; if this fails, the registry expires it. */
    private void cancel(Repository to, Digest digest, Response response) throws InterruptedException {
        try {
            HttpUrl location = location(upload(to, digest, ""), response);
            caller.call(upload(to, digest, "").by("DELETE").at(location.toString()))
                    .close();
        } catch (RegistryException e) {
            // The blob is not mounted either way, and the caller learns that.
        }
    }

    void push(Repository repository, Descriptor blob, BlobSource source)
            throws RegistryException, InterruptedException {
        Call start = upload(repository, blob.digest(), "");
        HttpUrl location;
        try (Response response = caller.call(start)) {
            location = location(start, response);
        }
        HttpUrl target = location.newBuilder()
                .addQueryParameter("digest", blob.digest().toString())
                .build();
        Call put =
                start.by("PUT").at(target.toString()).with(body(blob, source)).with(transfer(blob));
        caller.call(put).close();
    }

    private static Call upload(Repository repository, Digest digest, String query) {
        return Call.on(
                        repository,
                        "push the blob",
                        Optional.of(digest.toString()),
                        "POST",
                        "/blobs/uploads/" + query,
                        "pull,push")
                .with(NOTHING);
    }

    private HttpUrl location(Call call, Response response) throws ProtocolViolationException {
        Hosts hosts = caller.authorizer().transport.hosts();
        String header = response.header("Location");
        HttpUrl here = response.request().url();
        @Nullable HttpUrl location = header == null ? null : here.resolve(header);
        String objection =
                location == null ? "the answer has none" : hosts.objection(hosts.of(call.registry()), location, here);
        if (location == null || objection != null) {
            throw call.violated(
                    response.code(),
                    "the upload's location" + (location == null ? "" : " " + location.redact()) + " is not used: "
                            + objection,
                    null);
        }
        return location;
    }

    private static RequestBody body(Descriptor blob, BlobSource source) {
        return new RequestBody() {
            @Override
            public okhttp3.MediaType contentType() {
                return BYTES;
            }

            @Override
            public long contentLength() {
                return blob.size();
            }

            @Override
            public void writeTo(BufferedSink sink) throws IOException {
                try (InputStream content = source.open()) {
                    long written = content.transferTo(sink.outputStream());
                    if (written != blob.size()) {
                        throw new Violation(
                                "the source of the blob has " + written + " bytes instead of " + blob.size());
                    }
                }
            }
        };
    }
}
