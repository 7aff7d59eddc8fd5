package io.urunner.registry;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import okhttp3.Headers;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** What the client does with manifests and indexes. */
final class Manifests {
    private static final String DIGEST = "Docker-Content-Digest";
    private static final Set<Integer> NO_HEAD = Set.of(405, 501);
    private static final Set<Integer> NO_HEAD_OR_UNCHANGED = Set.of(405, 501, 304);

    private final Caller caller;
    private final List<String> accepted;
    private final Headers accept;

    Manifests(Caller caller, List<String> accepted) {
        this.caller = caller;
        this.accepted = List.copyOf(accepted);
        this.accept = Headers.of("Accept", String.join(", ", accepted));
    }

    Descriptor resolve(ImageReference image) throws RegistryException, InterruptedException {
        Call call = call(image, "resolve", "HEAD");
        try (Response response = caller.call(call, NO_HEAD)) {
            Descriptor descriptor = described(call, image, response);
            if (descriptor != null) {
                return descriptor;
            }
        }
        return read(image, "resolve").descriptor();
    }

    Optional<Descriptor> resolveIfChanged(ImageReference image, Digest known)
            throws RegistryException, InterruptedException {
        Call call = call(image, "resolve", "HEAD")
                .with(accept.newBuilder()
                        .add("If-None-Match", '"' + known.toString() + '"')
                        .build());
        Descriptor now;
        try (Response response = caller.call(call, NO_HEAD_OR_UNCHANGED)) {
            if (response.code() == 304) {
                return Optional.empty();
            }
            now = described(call, image, response);
        }
        if (now == null) {
            now = read(image, "resolve").descriptor();
        }
        return now.digest().equals(known) ? Optional.empty() : Optional.of(now);
    }

    /** What the head of an answer tells, or null if it does not tell enough. */
    private @Nullable Descriptor described(Call call, ImageReference image, Response response)
            throws ProtocolViolationException {
        String digest = response.header(DIGEST);
        String type = MediaType.of(response.header("Content-Type", ""));
        String size = response.header("Content-Length", "");
        if (!response.isSuccessful() || digest == null || type.isEmpty() || !RateLimitHeaders.isNumber(size)) {
            return null;
        }
        if (!accepted.contains(type) && MediaType.isSchema1(type)) {
            throw call.violated(
                    response.code(),
                    "the registry converted the manifest to Docker's obsolete schema 1; its digest is one that nobody"
                            + " pushed",
                    null);
        }
        return new Descriptor(type, digest(call, image, response, digest), RateLimitHeaders.saturated(size));
    }

    private static Digest digest(Call call, ImageReference image, Response response, String header)
            throws ProtocolViolationException {
        Digest digest;
        try {
            digest = Digest.parse(header.strip());
        } catch (IllegalArgumentException e) {
            throw call.violated(response.code(), "the registry's " + DIGEST + " is " + e.getMessage(), e);
        }
        Digest asked = image.digest().orElse(digest);
        if (asked.algorithm().equals(digest.algorithm()) && !asked.equals(digest)) {
            throw call.violated(
                    response.code(), "the registry answers with " + digest + ", which is other content", null);
        }
        return asked;
    }

    ManifestOrIndex read(ImageReference image, String action) throws RegistryException, InterruptedException {
        Call call = call(image, action, "GET");
        try (Response response = caller.call(call)) {
            byte[] content = Bodies.read(response, ManifestOrIndex.MAX_SIZE);
            String type = response.header("Content-Type", "");
            String header = response.header(DIGEST);
            Digest named = header == null
                    ? image.digest().orElseGet(() -> Digest.of(content))
                    : digest(call, image, response, header);
            return ManifestOrIndex.parse(content, type, named);
        } catch (IOException | MalformedManifestException e) {
            throw caller.broken(call, e);
        }
    }

    Manifest read(ImageReference image, Platform platform) throws RegistryException, InterruptedException {
        ManifestOrIndex named = read(image, "read");
        if (named instanceof Manifest manifest) {
            return manifest;
        }
        Repository repository = image.toRepository();
        FailedRequest what = call(image, "read", "GET").what();
        Descriptor entry = find((Index) named, platform, repository, what)
                .orElseThrow(() -> new NotFoundException(what, "the index has no image for " + platform, null));
        if (read(repository.digest(entry.digest()), "read") instanceof Manifest manifest) {
            return manifest;
        }
        throw new ProtocolViolationException(what, entry.digest() + " is said to be a manifest and is an index", null);
    }

    private Optional<Descriptor> find(Index index, Platform platform, Repository repository, FailedRequest what)
            throws RegistryException, InterruptedException {
        try {
            return index.find(platform, entry -> read(repository.digest(entry.digest()), "read"));
        } catch (MalformedManifestException e) {
            throw new ProtocolViolationException(what, String.valueOf(e.getMessage()), e);
        }
    }

    Descriptor push(ImageReference image, ManifestOrIndex content) throws RegistryException, InterruptedException {
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
        try (Response response = caller.call(call)) {
            String header = response.header(DIGEST);
            if (header != null) {
                digest(call, image.toRepository().digest(content.digest()), response, header);
            }
            return content.descriptor();
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
}
