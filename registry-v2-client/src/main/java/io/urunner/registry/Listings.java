package io.urunner.registry;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import okhttp3.HttpUrl;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** Lists tags and repositories. */
final class Listings {
    /** The largest page size. */
    static final int MOST = 1000;

    private final Caller caller;
    private final Manifests manifests;
    private final Duration budget;

    Listings(Caller caller, Manifests manifests, Duration budget) {
        this.caller = caller;
        this.manifests = manifests;
        this.budget = budget;
    }

    Pages<String> tags(Repository repository, int pageSize, String last) {
        Call call = Call.on(repository, "list the tags of", Optional.empty(), "GET", "/tags/list", "pull");
        return names(call, "tags", pageSize, last);
    }

    Pages<String> catalog(String registry, int pageSize) {
        Call call = new Call(
                FailedRequest.of("list the repositories of", registry),
                "GET",
                "/v2/_catalog",
                Call.NO_HEADERS,
                null,
                List.of("registry:catalog:*"),
                Duration.ZERO);
        return names(call, "repositories", pageSize, "");
    }

    private Pages<String> names(Call call, String field, int pageSize, String last) {
        if (pageSize < 1 || pageSize > MOST) {
            throw new IllegalArgumentException("a page has 1 to " + MOST + " entries, not " + pageSize);
        }
        String query =
                "?n=" + pageSize + (last.isEmpty() ? "" : "&last=" + URLEncoder.encode(last, StandardCharsets.UTF_8));
        return pages(call, call.target() + query, (target, items) -> {
            Call page = call.at(target);
            try (Response response = caller.call(page)) {
                items.addAll(manifests.whole(response, content -> names(content, field)));
                return next(page, response);
            } catch (IOException | MalformedManifestException e) {
                throw caller.broken(page, e);
            }
        });
    }

    private static List<String> names(byte[] content, String field) {
        List<String> names = new ArrayList<>();
        try {
            JsonNode root = Bodies.json(content);
            JsonNode listed = root.path(field);
            if (!root.isObject() || !(listed.isArray() || listed.isNull() || listed.isMissingNode())) {
                throw new MalformedManifestException("it has no list of " + field);
            }
            for (JsonNode name : listed) {
                String text = name.textValue();
                if (text == null || !text.matches("[!-~]{1,255}")) {
                    throw new MalformedManifestException("an entry of its " + field + " is not a name");
                }
                names.add(text);
            }
        } catch (IOException e) {
            throw new MalformedManifestException("it is not JSON", e);
        }
        return names;
    }

    <T> Pages<T> pages(Call call, String first, Pages.Reader<T> reader) {
        return new Pages<>(call.what(), caller, budget, first, reader);
    }

    /** Where the next page is; a link to another host is not followed. */
    @Nullable String next(Call page, Response response) throws ProtocolViolationException, IOException {
        Optional<String> link = nextLink(response.headers("Link"));
        if (link.isEmpty()) {
            return null;
        }
        HttpUrl here = response.request().url();
        HttpUrl target = here.resolve(link.get());
        HttpUrl next = target == null ? null : caller.host(page.registry()).asReached(target);
        // Two slashes at the beginning of the target would turn what follows into a host.
        if (next == null
                || !Addresses.sameOrigin(next, here)
                || next.encodedPath().startsWith("//")) {
            throw page.violated(
                    response.code(),
                    "the link to the next page leads to " + (next == null ? "no URL" : next.redact())
                            + ", which is not a page of this registry",
                    null);
        }
        return next.encodedPath() + (next.encodedQuery() == null ? "" : "?" + next.encodedQuery());
    }

    /**
     * Returns the target of the first link with the relation {@code next} (RFC 8288), as written. A link without any relation
     * counts as one, as it does for go-containerregistry, oras-go and containers/image.
     *
     * @throws Violation if a header is not a list of links: a listing must not end where its continuation is unreadable
     */
    static Optional<String> nextLink(List<String> headers) throws Violation {
        for (String header : headers) {
            HeaderScanner scanner = new HeaderScanner(header);
            boolean broken = !header.isBlank() && header.indexOf('<') < 0;
            while (!broken) {
                scanner.until("<");
                if (!scanner.skip('<')) {
                    break;
                }
                String target = scanner.until(">");
                broken = !scanner.skip('>');
                if (!broken && isNext(scanner)) {
                    return Optional.of(target);
                }
            }
            if (broken) {
                throw new Violation("its Link header is not <target>; rel=\"next\"");
            }
        }
        return Optional.empty();
    }

    /** Reads a link's parameters to their end and returns whether the first {@code rel}, if any, contains {@code next}. */
    private static boolean isNext(HeaderScanner scanner) {
        @Nullable String relation = null;
        while (true) {
            scanner.skipBlanks();
            if (!scanner.skip(';')) {
                break;
            }
            scanner.skipBlanks();
            String name = scanner.token();
            scanner.skipBlanks();
            if (!scanner.skip('=')) {
                continue;
            }
            scanner.skipBlanks();
            String value = scanner.quoted();
            if (value == null) {
                value = scanner.until(";,");
            }
            if (relation == null && name.equalsIgnoreCase("rel")) {
                relation = value;
            }
        }
        if (relation == null) {
            return true;
        }
        for (String type : relation.strip().split("\\s+", -1)) {
            if (type.equalsIgnoreCase("next")) {
                return true;
            }
        }
        return false;
    }
}
