package io.urunner.registry.testing;

import java.util.Map;
import okhttp3.HttpUrl;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;

/**
 * DigitalOcean's registry: tokens by {@code GET} only (405 on {@code POST}), the registry's name as first segment of
 * every scope (400 without), the API token as user name and password, {@code ratelimit-*} headers of the API.
 */
public final class FakeDigitalOcean extends FakeTokenRegistry {
    /** The registry's real name. */
    public static final String HOST = "registry.digitalocean.com";

    /**
     * Creates the registry of DigitalOcean.
     *
     * @param network the network
     */
    public FakeDigitalOcean(TestNetwork network) {
        super(network, HOST, "api.digitalocean.com", "/v2/registry/auth", "registry.digitalocean.com");
    }

    /**
     * Adds an API token.
     *
     * @param token the token
     * @param repositories what it may read, {@code <registry>/<repository>}
     */
    public void apiToken(String token, String... repositories) {
        account(token, token, repositories);
    }

    @Override
    protected @Nullable MockResponse answerOther(RecordedRequest request, HttpUrl url) {
        MockResponse answer = super.answerOther(request, url);
        return answer == null
                ? null
                : answer.setHeader("ratelimit-limit", "5000")
                        .setHeader("ratelimit-remaining", "4999")
                        .setHeader(
                                "ratelimit-reset",
                                network.clock().instant().plusSeconds(3600).getEpochSecond());
    }

    @Override
    protected @Nullable MockResponse invalid(Question question) {
        boolean named = question.scopes().stream().allMatch(scope -> scope.matches("repository:[^/:]+/[^:]+:.*"));
        return named ? super.invalid(question) : error(400, "BAD_REQUEST", "the scope names no registry");
    }

    @Override
    protected MockResponse wrongCredentials(Question question) {
        return json(401, Map.of("id", "Unauthorized", "message", "Unable to authenticate you"));
    }
}
