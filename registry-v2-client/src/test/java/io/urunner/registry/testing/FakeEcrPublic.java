package io.urunner.registry.testing;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;

/**
 * Amazon ECR Public: the constant scope {@code aws}, anonymous tokens, 400 without a challenge for a bearer token that
 * is wrong or has expired, and 403 for unknown Basic credentials, even for public images. Its JSON API issues
 * authorization tokens for twelve hours (by {@code POST}, signed for the service {@code ecr-public} in us-east-1),
 * which are sent to the token server; it is served without TLS on loopback, for the AWS SDK.
 */
public final class FakeEcrPublic extends FakeTokenRegistry {
    /** The registry's real name. */
    public static final String HOST = "public.ecr.aws";

    /** The name of the API in {@link TestNetwork#requests}. */
    public static final String API = "ecr-public-api";

    private static final Pattern AUTHORIZATION =
            Pattern.compile("AWS4-HMAC-SHA256 Credential=([^/]+)/[0-9]{8}/us-east-1"
                    + "/ecr-public/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}");

    private final URI api;
    private final Set<String> accessKeys = ConcurrentHashMap.newKeySet();
    private final Map<String, Instant> passwords = new ConcurrentHashMap<>();

    /**
     * Creates ECR Public.
     *
     * @param network the network
     */
    public FakeEcrPublic(TestNetwork network) {
        super(network, HOST, HOST, "/token/", HOST);
        api = network.servePlain(API, this::answerApi);
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
     * Adds an access key that may get tokens.
     *
     * @param id the key's id; the signature itself is not checked
     */
    public void accessKey(String id) {
        accessKeys.add(id);
    }

    /** Makes the tokens of the API invalid. */
    public void expireTokens() {
        passwords.clear();
    }

    private MockResponse answerApi(RecordedRequest request) {
        Matcher authorization =
                AUTHORIZATION.matcher(Objects.requireNonNullElse(request.getHeader("Authorization"), ""));
        if (!"POST".equals(request.getMethod())
                || !"SpencerFrontendService.GetAuthorizationToken".equals(request.getHeader("X-Amz-Target"))
                || !"application/x-amz-json-1.1".equals(request.getHeader("Content-Type"))
                || !request.getBody().clone().readUtf8().equals("{}")) {
            return failure("UnknownOperationException");
        }
        if (!authorization.matches()
                || !Set.of(authorization.group(2).split(";"))
                        .containsAll(Set.of("host", "x-amz-date", "x-amz-target"))) {
            return failure("InvalidSignatureException");
        }
        if (!accessKeys.contains(authorization.group(1))) {
            return failure("com.amazonaws.spencer#AccessDeniedException");
        }
        String password = "public-" + UUID.randomUUID();
        Instant expiry = network.clock().instant().plus(Duration.ofHours(12));
        passwords.put(password, expiry);
        String token = Base64.getEncoder().encodeToString(("AWS:" + password).getBytes(StandardCharsets.UTF_8));
        return json(
                        200,
                        Map.of(
                                "authorizationData",
                                Map.of("authorizationToken", token, "expiresAt", expiry.toEpochMilli() / 1000.0)))
                .setHeader("Content-Type", "application/x-amz-json-1.1");
    }

    private static MockResponse failure(String type) {
        return json(
                        400,
                        Map.of(
                                "__type",
                                type,
                                "message",
                                "not authorized to perform: ecr-public:GetAuthorizationToken"))
                .setHeader("Content-Type", "application/x-amz-json-1.1");
    }

    @Override
    protected @Nullable Set<String> repositoriesOf(RecordedRequest request, Question question) {
        String shown = basic(request);
        Instant expiry = shown != null && shown.startsWith("AWS:") ? passwords.get(shown.substring(4)) : null;
        boolean known = expiry != null && network.clock().instant().isBefore(expiry);
        return shown == null || known ? Set.of() : null;
    }

    @Override
    protected @Nullable MockResponse refuse(RecordedRequest request, @Nullable String repository) {
        return basic(request) != null
                ? error(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
                : super.refuse(request, repository);
    }

    @Override
    protected MockResponse challenge(@Nullable String repository, String error) {
        return unauthorized()
                .setHeader(
                        "WWW-Authenticate", "Bearer realm=\"" + realm() + "\",service=\"" + HOST + "\",scope=\"aws\"");
    }

    @Override
    protected MockResponse invalidToken(@Nullable String repository) {
        return new MockResponse().setResponseCode(400);
    }

    @Override
    protected MockResponse wrongCredentials(Question question) {
        return error(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.");
    }

    @Override
    protected Set<String> grantable(Set<String> granted, Set<String> readable) {
        return readable;
    }

    @Override
    protected Duration life() {
        return Duration.ofHours(12);
    }
}
