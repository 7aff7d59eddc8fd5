package io.urunner.registry;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import okhttp3.Headers;
import okhttp3.HttpUrl;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** What the client lists: tags, repositories, referrers. */
final class Listings {
    /** The largest page that is asked for. */
    static final int MOST = 1000;

    private static final int LARGEST = 4 * 1024 * 1024;
    private static final String FILTERED = "OCI-Filters-Applied";

    private final Caller caller;
    private final Manifests manifests;

    Listings(Caller caller, Manifests manifests) {
        this.caller = caller;
        this.manifests = manifests;
    }

    Pages<String> tags(Repository repository, int pageSize) {
        Call call = Call.on(repository, "list the tags of", Optional.empty(), "GET", "/tags/list", "pull");
        return names(call, "tags", pageSize);
    }

    Pages<String> catalog(String registry, int pageSize) {
        Call call = new Call(
                FailedRequest.of("list the repositories of", registry),
                "GET",
                "/v2/_catalog",
                Call.NO_HEADERS,
                null,
                List.of("registry:catalog:*"),
                false);
        return names(call, "repositories", pageSize);
    }

    private Pages<String> names(Call call, String field, int pageSize) {
        if (pageSize < 1 || pageSize > MOST) {
            throw new IllegalArgumentException("a page has 1 to " + MOST + " entries, not " + pageSize);
        }
        return new Pages<>(call.what(), call.target() + "?n=" + pageSize, (target, items) -> {
            Call page = call.at(target);
            try (Response response = caller.call(page)) {
                for (JsonNode name : json(response).path(field)) {
                    if (!name.isTextual()) {
                        throw new Violation("an entry of its " + field + " is not a text");
                    }
                    items.add(name.textValue());
                }
                return next(page, response);
            } catch (IOException e) {
                throw caller.broken(page, e);
            }
        });
    }

    Pages<Descriptor> referrers(Repository repository, Digest subject, Optional<String> artifactType) {
        Call call = Call.on(
                        repository,
                        "list the referrers of",
                        Optional.of(subject.toString()),
                        "GET",
                        "/referrers/" + subject,
                        "pull")
                .with(Headers.of("Accept", MediaType.OCI_INDEX));
        String type = artifactType.orElse("");
        String query = type.isEmpty() ? "" : "?artifactType=" + URLEncoder.encode(type, StandardCharsets.UTF_8);
        return new Pages<>(call.what(), call.target() + query, (target, items) -> {
            Call page = call.at(target);
            try (Response response = caller.call(page, Set.of(404, 405))) {
                if (!response.isSuccessful()) {
                    addOfType(type, byTag(repository, subject), items);
                    return null;
                }
                byte[] content = Bodies.read(response, ManifestOrIndex.MAX_SIZE);
                boolean filtered = response.header(FILTERED, "").contains("artifactType");
                List<Descriptor> entries = entries(ManifestOrIndex.parse(content, MediaType.OCI_INDEX));
                addOfType(filtered ? "" : type, entries, items);
                return next(page, response);
            } catch (IOException | MalformedManifestException e) {
                throw caller.broken(page, e);
            }
        });
    }

    /**
     * Registries that do not know referrers keep them as an index under a tag that is made of the digest, of which 64
     * digits count, so that it is no longer than a tag may be.
     */
    private List<Descriptor> byTag(Repository repository, Digest subject)
            throws RegistryException, InterruptedException {
        try {
            ImageReference tag =
                    repository.tag(subject.algorithm() + "-" + subject.hex().substring(0, 64));
            return entries(manifests.read(tag, "list the referrers of"));
        } catch (NotFoundException e) {
            return List.of();
        }
    }

    /** Adds the entries of a type, or all where it is empty. */
    private static void addOfType(String type, List<Descriptor> entries, List<Descriptor> items) {
        for (Descriptor entry : entries) {
            if (type.isEmpty() || entry.artifactType().orElse("").equals(type)) {
                items.add(entry);
            }
        }
    }

    private static List<Descriptor> entries(ManifestOrIndex content) {
        if (content instanceof Index index) {
            return index.manifests();
        }
        throw new MalformedManifestException("it is the manifest of one image");
    }

    private static JsonNode json(Response response) throws IOException {
        byte[] content = Bodies.read(response, LARGEST);
        try {
            return Bodies.json(content);
        } catch (JacksonException e) {
            throw new Violation("the answer is not JSON");
        }
    }

    /** Where the next page is; a registry that names another host is not followed. */
    private static @Nullable String next(Call page, Response response) throws ProtocolViolationException {
        Optional<String> link = LinkHeader.next(response.headers("Link"));
        if (link.isEmpty()) {
            return null;
        }
        HttpUrl here = response.request().url();
        HttpUrl next = here.resolve(link.get());
        if (next == null || !Addresses.sameOrigin(next, here)) {
            throw page.violated(
                    response.code(),
                    "the next page is said to be at " + (next == null ? "no URL" : next.redact())
                            + ", which is not this registry",
                    null);
        }
        return next.encodedPath() + (next.encodedQuery() == null ? "" : "?" + next.encodedQuery());
    }
}
