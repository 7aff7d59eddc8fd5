package io.urunner.registry;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import okhttp3.Headers;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** Resolves, reads, pushes and deletes manifests and indexes, and finds the image for a platform. */
final class Manifests {
    private static final String DIGEST = "Docker-Content-Digest";
    private static final Set<Integer> MISSING = Set.of(404);
    private static final Set<Integer> UNCHANGED = Set.of(304);
    private static final Set<Integer> FAILED = Set.of(500);

    /** What mirrors are asked for; the other actions belong to something that is written or listed. */
    private static final Set<String> PULLS = Set.of("read", "resolve");

    /** An answer with fewer bytes counts as small. */
    private static final int SMALL = 32 * 1024;

    /** Limits how many large answers are in memory at a time: each may take 16 MB while it is read. */
    private final Semaphore large = new Semaphore(2, true);

    private final Caller caller;
    private final List<String> accepted;
    private final Headers accept;
    private final CachedContent cache;
    private final Blobs blobs;

    Manifests(Caller caller, List<String> accepted, CachedContent cache, Blobs blobs) {
        this.blobs = blobs;
        this.cache = cache;
        this.caller = caller;
        this.accepted = List.copyOf(accepted);
        this.accept = Headers.of("Accept", String.join(", ", accepted));
    }

    Descriptor resolve(ImageReference image) throws RegistryException, InterruptedException {
        Call call = call(image, "resolve", "HEAD");
        return ask(call, image, Set.of()).orElseThrow();
    }

    Optional<Descriptor> find(ImageReference image) throws RegistryException, InterruptedException {
        return ask(call(image, "look for", "HEAD"), image, MISSING);
    }

    Optional<Descriptor> resolveIfChanged(ImageReference image, Digest known)
            throws RegistryException, InterruptedException {
        Call call = call(image, "resolve", "HEAD")
                .with(accept.newBuilder()
                        .add("If-None-Match", '"' + known.toString() + '"')
                        .build());
        Optional<Descriptor> now = ask(call, image, UNCHANGED);
        return now.isPresent() && now.get().digest().equals(known) ? Optional.empty() : now;
    }

    /**
     * What a reference names: what the head of the answer says or, if {@code HEAD} says too little or does not work,
     * what the content is.
     *
     * @param expected the statuses for which the result is empty
     */
    private Optional<Descriptor> ask(Call head, ImageReference image, Set<Integer> expected)
            throws RegistryException, InterruptedException {
        Deadline deadline = caller.deadline();
        Call call = head;
        while (true) {
            try (Response response = fetch(call, expected, deadline)) {
                if (!response.isSuccessful()) {
                    return Optional.empty();
                }
                if (!response.request().method().equals("HEAD")) {
                    return Optional.of(content(call, image, response));
                }
                Descriptor descriptor = described(call, image, response);
                if (descriptor != null) {
                    return Optional.of(descriptor);
                }
            } catch (IOException | MalformedManifestException e) {
                throw caller.broken(call, e);
            }
            caller.authorizer().heads.rememberWrong(head);
            call = head.insteadOfHead();
        }
    }

    private Response fetch(Call call, Set<Integer> expected, Deadline deadline)
            throws RegistryException, InterruptedException {
        return PULLS.contains(call.what().action())
                ? caller.pull(call, null, expected, deadline)
                : caller.call(call, expected, deadline);
    }

    /** What the content of an answer is, its digest verified. */
    private Descriptor content(Call call, ImageReference image, Response response)
            throws RegistryException, IOException, InterruptedException {
        Digest named = named(call, image, response);
        String type = MediaType.of(response.header("Content-Type", ""));
        return whole(response, content -> {
            if (named == null || !accepted.contains(type)) {
                return parsed(content, type, named).descriptor();
            }
            ManifestJson.verify(content, named);
            return new Descriptor(type, named, content.length);
        });
    }

    private static ManifestOrIndex parsed(byte[] content, String type, @Nullable Digest named) {
        return named == null
                ? ManifestJson.parse(content, type, Digest.of(content))
                : ManifestJson.verified(content, type, named);
    }

    /** What the head of an answer describes, or null if it does not say enough. */
    private @Nullable Descriptor described(Call call, ImageReference image, Response response)
            throws ProtocolViolationException {
        String type = MediaType.of(response.header("Content-Type", ""));
        String size = response.header("Content-Length", "");
        if (response.header(DIGEST) == null || type.isEmpty() || !RateLimitHeaders.isNumber(size)) {
            return null;
        }
        if (!accepted.contains(type) && MediaType.isSchema1(type)) {
            throw call.violated(
                    response.code(),
                    "the registry converted the manifest to Docker's obsolete schema 1; its digest is one that nobody"
                            + " pushed",
                    null);
        }
        Digest digest = named(call, image, response);
        return digest == null ? null : new Descriptor(type, digest, RateLimitHeaders.saturated(size));
    }

    /**
     * The digest that content must have: the one that is requested, or that the registry names, or null if it names none
     * that we can verify.
     */
    private static @Nullable Digest named(Call call, ImageReference image, Response response)
            throws ProtocolViolationException {
        Digest asked = image.digest().orElse(null);
        String header = response.header(DIGEST, "");
        if (header.isBlank()) {
            return asked;
        }
        Digest digest;
        try {
            digest = Digest.carried(header.strip());
        } catch (IllegalArgumentException e) {
            throw call.violated(response.code(), "the registry's " + DIGEST + " is " + e.getMessage(), e);
        }
        if (asked == null) {
            return digest.isVerifiable() ? digest : null;
        }
        if (asked.algorithm().equals(digest.algorithm()) && !asked.equals(digest)) {
            throw call.violated(
                    response.code(), "the registry answered with " + digest + ", which is different content", null);
        }
        return asked;
    }

    ManifestOrIndex read(ImageReference image) throws RegistryException, InterruptedException {
        return read(image, "read", caller.deadline());
    }

    ManifestOrIndex read(ImageReference image, String action, Deadline deadline)
            throws RegistryException, InterruptedException {
        ManifestOrIndex kept = cache.manifest(image);
        if (kept != null) {
            return kept;
        }
        Call call = call(image, action, "GET");
        if (image.digest().isPresent()) {
            call.requireVerifiable(image.digest().get());
        }
        try (Response response = fetch(call, Set.of(), deadline)) {
            Digest named = named(call, image, response);
            String type = response.header("Content-Type", "");
            return cache.keep(whole(response, content -> parsed(content, type, named)));
        } catch (IOException | MalformedManifestException e) {
            throw caller.broken(call, e);
        }
    }

    /**
     * Reads what an index lists; its type may be one that we do not know, and then it may be a blob. docker-registry
     * answers 500 if it is, so the blob is looked for before anything is tried again.
     */
    Optional<ManifestOrIndex> read(Repository repository, Descriptor entry)
            throws RegistryException, InterruptedException {
        ImageReference image = repository.digest(entry.digest());
        String type = MediaType.of(entry.mediaType());
        if (type.isEmpty() || MediaType.MANIFESTS.contains(type)) {
            return Optional.of(read(image));
        }
        Call call = call(image, "read", "GET").with(Headers.of("Accept", type + ", " + String.join(", ", accepted)));
        call.requireVerifiable(entry.digest());
        Deadline deadline = caller.deadline();
        try {
            return Optional.of(other(call, image, entry, FAILED, deadline));
        } catch (RegistryException e) {
            if (Blobs.hasNoAnswer(e)) {
                throw e;
            } else if (blobs.exists(repository, entry.digest())) {
                return Optional.empty();
            } else if (!FAILED.contains(e.status().orElse(0))) {
                throw e;
            }
        }
        return Optional.of(other(call, image, entry, Set.of(), deadline));
    }

    private ManifestOrIndex other(
            Call call, ImageReference image, Descriptor entry, Set<Integer> expected, Deadline deadline)
            throws RegistryException, InterruptedException {
        try (Response response = fetch(call, expected, deadline)) {
            if (!response.isSuccessful()) {
                throw call.violated(response.code(), "the registry failed", null);
            }
            named(call, image, response);
            String sent = response.header("Content-Type", "");
            return whole(response, content -> ManifestJson.entry(content, sent, entry));
        } catch (IOException | MalformedManifestException e) {
            throw caller.broken(call, e);
        }
    }

    /** Reads a manifest or a page of a listing; large ones wait for each other. */
    <T> T whole(Response response, Function<byte[], T> parser) throws IOException, InterruptedException {
        InputStream body = response.body().byteStream();
        byte[] content = body.readNBytes(SMALL);
        if (content.length < SMALL) {
            return parser.apply(content);
        }
        // The wait is bounded: every answer has its deadline, including those that are read first.
        large.acquire();
        try {
            InputStream all = new SequenceInputStream(new ByteArrayInputStream(content), body);
            return parser.apply(Bodies.read(all, ManifestOrIndex.MAX_SIZE));
        } finally {
            large.release();
        }
    }

    /** A deadline for an operation of several calls. */
    Deadline deadline() {
        return caller.deadline();
    }

    /** What is being done with a reference, for errors. */
    private FailedRequest what(ImageReference image, String action) {
        return call(image, action, "GET").what();
    }

    /**
     * Pushes a manifest.
     *
     * @return whether the registry says that it lists the manifest among the referrers of its subject
     */
    boolean push(ImageReference image, ManifestOrIndex content, Deadline deadline)
            throws RegistryException, InterruptedException {
        if (image.digest().isPresent()
                && !image.digest().get().equals(content.digest())
                && !image.digest().get().matches(content.content())) {
            throw new IllegalArgumentException(
                    "the content has the digest " + content.digest() + ", which is not that of " + image);
        }
        Call call = Call.on(
                        image.toRepository(),
                        "push",
                        Optional.of(image.tagOrDigest()),
                        "PUT",
                        "/manifests/" + image.tagOrDigest(),
                        "pull,push")
                .with(RequestBody.create(content.content(), okhttp3.MediaType.get(content.mediaType())));
        try (Response response = caller.call(call, Set.of(), deadline)) {
            named(call, image.toRepository().digest(content.digest()), response);
            return response.header("OCI-Subject") != null;
        }
    }

    void delete(Repository repository, String tagOrDigest) throws RegistryException, InterruptedException {
        caller.call(Call.on(
                        repository,
                        "delete",
                        Optional.of(tagOrDigest),
                        "DELETE",
                        "/manifests/" + tagOrDigest,
                        "delete"))
                .close();
    }

    private Call call(ImageReference image, String action, String method) {
        String reference = image.tagOrDigest();
        return Call.on(image.toRepository(), action, Optional.of(reference), method, "/manifests/" + reference, "pull")
                .with(accept);
    }

    Manifest manifest(ImageReference image, Platform platform) throws RegistryException, InterruptedException {
        Deadline deadline = caller.deadline();
        ManifestOrIndex named = read(image, "read", deadline);
        if (named instanceof Manifest manifest) {
            return manifest;
        }
        Repository repository = image.toRepository();
        FailedRequest what = what(image, "read");
        Set<Platform> offered = new LinkedHashSet<>();
        ManifestOrIndex[] last = new ManifestOrIndex[1];
        Descriptor entry;
        try {
            entry = ((Index) named)
                    .<RegistryException>find(
                            platform,
                            each -> last[0] = read(repository.digest(each.digest()), "read", deadline),
                            of -> config(repository, of),
                            offered)
                    .orElseThrow(() -> new NotFoundException(
                            what, "the index has no image for " + platform + "; its images are for " + offered, null));
        } catch (MalformedManifestException e) {
            throw new ProtocolViolationException(what, String.valueOf(e.getMessage()), e);
        }
        // Whose configuration was read, that was already read itself.
        boolean known = last[0] != null && last[0].digest().equals(entry.digest());
        if ((known ? last[0] : read(repository.digest(entry.digest()), "read", deadline))
                instanceof Manifest manifest) {
            return manifest;
        }
        throw new ProtocolViolationException(what, entry.digest() + " is listed as a manifest but is an index", null);
    }

    ImageConfig config(Repository repository, Manifest manifest) throws RegistryException, InterruptedException {
        Descriptor config = manifest.config();
        FailedRequest what = what(repository.digest(config.digest()), "read the configuration");
        if (config.size() > ImageConfig.MAX_SIZE) {
            throw new ProtocolViolationException(
                    what, "the configuration is larger than " + ImageConfig.MAX_SIZE + " bytes", null);
        }
        try (InputStream content = blobs.open(repository, config)) {
            return ImageConfig.parse(content.readAllBytes());
        } catch (MalformedManifestException e) {
            throw new ProtocolViolationException(what, String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            if (e.getCause() instanceof RegistryException failure) {
                throw failure;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException("interrupted while reading a configuration");
            }
            throw new ProtocolViolationException(what, String.valueOf(e.getMessage()), e);
        }
    }
}
