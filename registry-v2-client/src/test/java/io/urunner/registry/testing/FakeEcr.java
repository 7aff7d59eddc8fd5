package io.urunner.registry.testing;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;

/**
 * Amazon ECR: the JSON API that issues authorization tokens for twelve hours (by {@code POST}, signed for the service
 * {@code ecr}), and registries that accept the token as Basic credentials, refuse an old one with 403, and recognise
 * their account by the host of the request. The API is served without TLS on loopback, for the AWS SDK.
 */
public final class FakeEcr extends FakeRegistry {
    private static final String TARGET = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    private static final Pattern CREDENTIAL =
            Pattern.compile("AWS4-HMAC-SHA256 Credential=([^/]+)/[0-9]{8}/([^/]+)/ecr/aws4_request, .*");

    private final URI api;
    private final Set<String> accessKeys = ConcurrentHashMap.newKeySet();
    private final Map<String, Instant> passwords = new ConcurrentHashMap<>();
    private final Set<String> given = ConcurrentHashMap.newKeySet();
    private final Set<String> regions = ConcurrentHashMap.newKeySet();
    private final AtomicInteger apiRequests = new AtomicInteger();
    private volatile IssuerState issuer = IssuerState.WORKING;

    /**
     * Creates ECR with one registry.
     *
     * @param network the network
     * @param host the registry's name
     */
    public FakeEcr(TestNetwork network, String host) {
        super(network, host);
        api = network.servePlain("ecr-api", this::answerApi);
    }

    /**
     * Also serves a registry of another account or region.
     *
     * @param host its name
     */
    public void alsoServe(String host) {
        network.serve(host, this);
    }

    /**
     * The URL of the JSON API.
     *
     * @return the URL
     */
    public URI api() {
        return api;
    }

    /**
     * Adds an access key.
     *
     * @param id the key's id; signatures are not checked
     */
    public void accessKey(String id) {
        accessKeys.add(id);
    }

    /**
     * Returns the regions for which tokens were requested.
     *
     * @return the regions
     */
    public Set<String> regions() {
        return Set.copyOf(regions);
    }

    @Override
    public String push(String repository, String tag, TestImage image) {
        return push(host(), repository, tag, image);
    }

    /**
     * Puts an image into one of the registries.
     *
     * @param host the registry
     * @param repository the repository
     * @param tag the tag
     * @param image the image
     * @return the digest of its manifest
     */
    public String push(String host, String repository, String tag, TestImage image) {
        put(host + "/" + repository, tag, image);
        return image.digest();
    }

    @Override
    protected String key(RecordedRequest request, String repository) {
        return request.getHeader("Host") + "/" + repository;
    }

    @Override
    protected @Nullable MockResponse refuse(RecordedRequest request, @Nullable String repository) {
        String shown = basic(request);
        if (shown == null) {
            return new MockResponse()
                    .setResponseCode(401)
                    .setHeader(
                            "WWW-Authenticate",
                            "Basic realm=\"https://" + request.getHeader("Host") + "/\",service=\"ecr.amazonaws.com\"")
                    .setBody("Not Authorized");
        }
        Instant expiry = shown.startsWith("AWS:") ? passwords.get(shown.substring(4)) : null;
        if (expiry == null || !network.clock().instant().isBefore(expiry)) {
            return error(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.");
        }
        return null;
    }

    private MockResponse answerApi(RecordedRequest request) {
        apiRequests.incrementAndGet();
        if (issuer == IssuerState.FAILING) {
            return new MockResponse().setResponseCode(503);
        }
        String authorization = Objects.requireNonNullElse(request.getHeader("Authorization"), "");
        Matcher credential = CREDENTIAL.matcher(authorization);
        if (!"POST".equals(request.getMethod())
                || !TARGET.equals(request.getHeader("X-Amz-Target"))
                || !"application/x-amz-json-1.1".equals(request.getHeader("Content-Type"))) {
            return failure("UnknownOperationException");
        }
        if (!credential.matches()) {
            return failure("MissingAuthenticationTokenException");
        }
        if (issuer == IssuerState.REFUSING || !accessKeys.contains(credential.group(1))) {
            return failure("UnrecognizedClientException");
        }
        regions.add(credential.group(2));
        String password = "password-" + UUID.randomUUID();
        Instant expiry = network.clock().instant().plus(Duration.ofHours(12));
        String token = Base64.getEncoder().encodeToString(("AWS:" + password).getBytes(StandardCharsets.UTF_8));
        passwords.put(password, expiry);
        given.addAll(List.of(password, token));
        return json(
                        200,
                        Map.of(
                                "authorizationData",
                                List.of(Map.of(
                                        "authorizationToken",
                                        token,
                                        "expiresAt",
                                        expiry.toEpochMilli() / 1000.0,
                                        "proxyEndpoint",
                                        "https://" + host()))))
                .setHeader("Content-Type", "application/x-amz-json-1.1");
    }

    private static MockResponse failure(String type) {
        return json(400, Map.of("__type", type, "message", "The security token included in the request is invalid."))
                .setHeader("Content-Type", "application/x-amz-json-1.1");
    }

    @Override
    public int issuerRequests() {
        return apiRequests.get();
    }

    @Override
    public void expireCredentials() {
        passwords.clear();
    }

    @Override
    public void issuer(IssuerState state) {
        issuer = state;
    }

    @Override
    public Set<String> secretsGiven() {
        return Set.copyOf(given);
    }
}
