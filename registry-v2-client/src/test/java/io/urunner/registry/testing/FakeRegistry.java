package io.urunner.registry.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.HttpUrl;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import okio.Buffer;
import org.jspecify.annotations.Nullable;

/**
 * The common part of the stand-ins of registries: images in memory, whose manifests are read by {@code GET} and {@code
 * HEAD}. Subclasses decide how a request must be authorized. Thread-safe.
 */
public abstract class FakeRegistry implements TestNetwork.Site {
    private static final Pattern MANIFEST = Pattern.compile("/v2/(.+)/manifests/([^/]+)");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The network that serves it. */
    protected final TestNetwork network;

    private final String host;
    private final Map<String, TestImage> images = new ConcurrentHashMap<>();
    private final AtomicInteger refusals = new AtomicInteger();
    private volatile int failure;
    private volatile @Nullable String redirect;

    /** The state of the issuer of credentials. */
    public enum IssuerState {
        /** It issues what is requested. */
        WORKING,
        /** It answers 503. */
        FAILING,
        /** It refuses the credentials that were valid. */
        REFUSING
    }

    /**
     * Creates a registry, which is served at once.
     *
     * @param network the network
     * @param host the registry's name
     */
    @SuppressWarnings("this-escape") // newer compilers warn: nobody asks before the subclass is made
    protected FakeRegistry(TestNetwork network, String host) {
        this.network = network;
        this.host = host;
        network.serve(host, this);
    }

    /**
     * Decides whether a request is refused.
     *
     * @param request the request
     * @param repository the repository that it names, or null for {@code /v2/}
     * @return the answer that refuses it, or null if it is allowed
     */
    protected abstract @Nullable MockResponse refuse(RecordedRequest request, @Nullable String repository);

    /**
     * Answers requests outside of the registry's API, for example to a token endpoint on the same host.
     *
     * @param request the request
     * @param url its URL
     * @return the answer, or null if it is none of these
     */
    protected @Nullable MockResponse answerOther(RecordedRequest request, HttpUrl url) {
        return null;
    }

    /** Returns how many times the issuer of tokens was asked. */
    public abstract int issuerRequests();

    /** Invalidates what the issuer has issued so far. */
    public abstract void expireCredentials();

    /** Makes the issuer fail or refuse. */
    public abstract void issuer(IssuerState state);

    /** Returns every secret that the issuer has issued. */
    public abstract Set<String> secretsGiven();

    /**
     * The registry's name.
     *
     * @return the host
     */
    public final String host() {
        return host;
    }

    /**
     * Adds an image.
     *
     * @param repository the repository
     * @param tag the tag
     * @param image the image
     * @return the digest of its manifest
     */
    public String push(String repository, String tag, TestImage image) {
        put(repository, tag, image);
        return image.digest();
    }

    /**
     * Returns how many requests were refused although they had credentials.
     *
     * @return the number
     */
    public final int refusals() {
        return refusals.get();
    }

    /**
     * Makes the registry answer every request with this status.
     *
     * @param status the status, or 0 to answer as usual
     */
    public final void failWith(int status) {
        failure = status;
    }

    /**
     * Makes the registry redirect allowed requests for manifests, with 307.
     *
     * @param to the host to redirect to, or null for no redirects
     */
    public final void redirectManifests(@Nullable String to) {
        redirect = to;
    }

    @Override
    public final MockResponse answer(RecordedRequest request) {
        HttpUrl url = url(request);
        MockResponse answer = answerOther(request, url);
        if (answer == null) {
            answer = answerApi(request, url).setHeader("Docker-Distribution-Api-Version", "registry/2.0");
        }
        if ("HEAD".equals(request.getMethod())) {
            String length = answer.getHeaders().get("Content-Length");
            answer.setBody("").setHeader("Content-Length", length == null ? "0" : length);
        }
        return answer;
    }

    /**
     * The images' key, by default the repository's name.
     *
     * @param request the request
     * @param repository the repository
     * @return the key
     */
    protected String key(RecordedRequest request, String repository) {
        return repository;
    }

    /**
     * Whether a request accepts an image's media type; by default as CNCF Distribution does.
     *
     * @param request the request
     * @param image the image
     * @return whether it is in {@code Accept}
     */
    protected boolean accepts(RecordedRequest request, TestImage image) {
        return request.getHeaders().values("Accept").stream().anyMatch(accept -> accept.contains(image.mediaType()));
    }

    /**
     * Returns the answer to a request that does not accept the image: 404, as with CNCF Distribution.
     *
     * @param image the image
     * @return the answer
     */
    protected MockResponse unacceptable(TestImage image) {
        return error(404, "MANIFEST_UNKNOWN", "OCI index found, but accept header does not support OCI indexes");
    }

    /**
     * Adds the headers that the registry sends with a manifest.
     *
     * @param request the request
     * @param answer the prepared answer
     * @return the answer to send
     */
    protected MockResponse finished(RecordedRequest request, MockResponse answer) {
        return answer;
    }

    final void put(String key, String tag, TestImage image) {
        images.put(key + ":" + tag, image);
        images.put(key + ":" + image.digest(), image);
        image.children().values().forEach(child -> images.put(key + ":" + child.digest(), child));
    }

    private MockResponse answerApi(RecordedRequest request, HttpUrl url) {
        if (failure != 0) {
            return new MockResponse().setResponseCode(failure);
        }
        Matcher manifest = MANIFEST.matcher(url.encodedPath());
        boolean named = manifest.matches();
        MockResponse refusal = refuse(request, named ? manifest.group(1) : null);
        if (refusal != null) {
            if (request.getHeader("Authorization") != null) {
                refusals.incrementAndGet();
            }
            return refusal;
        }
        if (!named) {
            return url.encodedPath().equals("/v2/")
                    ? json(200, Map.of())
                    : error(404, "NAME_UNKNOWN", "repository name not known to registry");
        }
        String to = redirect;
        if (to != null) {
            return new MockResponse().setResponseCode(307).setHeader("Location", "https://" + to + url.encodedPath());
        }
        TestImage image = images.get(key(request, manifest.group(1)) + ":" + manifest.group(2));
        return finished(
                request, image == null ? error(404, "MANIFEST_UNKNOWN", "manifest unknown") : read(request, image));
    }

    private MockResponse read(RecordedRequest request, TestImage image) {
        if (!accepts(request, image)) {
            return unacceptable(image);
        }
        String tag = "\"" + image.digest() + "\"";
        MockResponse answer = new MockResponse()
                .setHeader("Content-Type", image.mediaType())
                .setHeader("Docker-Content-Digest", image.digest())
                .setHeader("Etag", tag);
        if (tag.equals(request.getHeader("If-None-Match"))) {
            return answer.setResponseCode(304);
        }
        return answer.setBody(new Buffer().write(image.manifest()));
    }

    /** The request's URL as the client wrote it; the host is ignored. */
    static HttpUrl url(RecordedRequest request) {
        return HttpUrl.get("https://site.invalid" + request.getPath());
    }

    protected static MockResponse error(int status, String code, String message) {
        return json(status, Map.of("errors", List.of(Map.of("code", code, "message", message, "detail", Map.of()))));
    }

    protected static MockResponse json(int status, Object body) {
        try {
            return new MockResponse()
                    .setResponseCode(status)
                    .setHeader("Content-Type", "application/json")
                    .setBody(JSON.writeValueAsString(body));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The bearer token of a request, or null. */
    protected static @Nullable String bearer(RecordedRequest request) {
        String header = request.getHeader("Authorization");
        return header != null && header.startsWith("Bearer ") ? header.substring("Bearer ".length()) : null;
    }

    /** The {@code user:password} of a request, or null. */
    protected static @Nullable String basic(RecordedRequest request) {
        String header = request.getHeader("Authorization");
        if (header == null || !header.startsWith("Basic ")) {
            return null;
        }
        byte[] decoded = Base64.getDecoder().decode(header.substring("Basic ".length()));
        return new String(decoded, StandardCharsets.UTF_8);
    }
}
