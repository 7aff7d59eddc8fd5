package io.urunner.registry.testing;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.HttpUrl;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;

/**
 * Azure's registry: {@code GET /oauth2/token} with Basic credentials, {@code POST /oauth2/token} with a refresh token,
 * and {@code POST /oauth2/exchange} of an Entra token for a refresh token. Answers contain {@code access_token} and
 * nothing else.
 */
public final class FakeAcr extends FakeTokenRegistry {
    private final Map<String, Set<String>> refreshTokens = new ConcurrentHashMap<>();
    private final Map<String, Set<String>> entraTokens = new ConcurrentHashMap<>();
    private final AtomicInteger exchanges = new AtomicInteger();

    /**
     * Creates an ACR.
     *
     * @param network the network
     * @param host its name, for example {@code team.azurecr.io}
     */
    public FakeAcr(TestNetwork network, String host) {
        super(network, host, host, "/oauth2/token", host);
    }

    /**
     * Adds a refresh token.
     *
     * @param token the token
     * @param repositories what it may read
     */
    public void refreshToken(String token, String... repositories) {
        refreshTokens.put(token, Set.of(repositories));
    }

    /**
     * Adds a token of Entra ID.
     *
     * @param token the token
     * @param repositories what it may read
     */
    public void entraToken(String token, String... repositories) {
        entraTokens.put(token, Set.of(repositories));
    }

    /**
     * Returns how many Entra tokens were exchanged; these are not among the {@linkplain #issuerRequests() token
     * requests}.
     *
     * @return the number
     */
    public int exchanges() {
        return exchanges.get();
    }

    /** Forgets all refresh tokens that it issued for Entra tokens, as it does after some hours. */
    public void expireRefreshTokens() {
        refreshTokens.keySet().removeIf(token -> token.startsWith("refresh-"));
    }

    @Override
    protected @Nullable MockResponse answerOther(RecordedRequest request, HttpUrl url) {
        return url.encodedPath().equals("/oauth2/exchange") ? exchange(request) : super.answerOther(request, url);
    }

    private MockResponse exchange(RecordedRequest request) {
        exchanges.incrementAndGet();
        if (issuerState() == IssuerState.FAILING) {
            return new MockResponse().setResponseCode(503);
        }
        HttpUrl form =
                HttpUrl.get("https://site.invalid/?" + request.getBody().clone().readUtf8());
        String token = form.queryParameter("access_token");
        Set<String> readable = token == null ? null : entraTokens.get(token);
        if (!"POST".equals(request.getMethod())
                || !"access_token".equals(form.queryParameter("grant_type"))
                || !host().equals(form.queryParameter("service"))
                || "".equals(form.queryParameter("tenant"))) {
            return new MockResponse().setResponseCode(400);
        }
        if (readable == null || issuerState() == IssuerState.REFUSING) {
            return unauthorized();
        }
        String refresh = "refresh-" + UUID.randomUUID();
        refreshTokens.put(refresh, readable);
        return json(200, Map.of("refresh_token", refresh));
    }

    @Override
    protected @Nullable Set<String> repositoriesOf(RecordedRequest request, Question question) {
        if (!question.form()) {
            return super.repositoriesOf(request, question);
        }
        String refresh = question.parameters().queryParameter("refresh_token");
        return refresh == null ? null : refreshTokens.get(refresh);
    }

    @Override
    protected boolean isAnonymous(RecordedRequest request, Question question) {
        return !question.form() && super.isAnonymous(request, question);
    }

    @Override
    protected @Nullable MockResponse nothingGranted(Question question, boolean anonymous) {
        return anonymous ? unauthorized() : null;
    }

    @Override
    protected Map<String, Object> tokenAnswer(String token) {
        return Map.of("access_token", token);
    }

    @Override
    protected Duration life() {
        return Duration.ofMinutes(75);
    }

    @Override
    protected int postStatus() {
        return 0;
    }
}
