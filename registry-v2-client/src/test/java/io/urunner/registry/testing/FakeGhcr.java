package io.urunner.registry.testing;

import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;

/**
 * GitHub's registry: anonymous tokens for public packages only (401 from the token endpoint itself for others), 403 for
 * Basic credentials or a personal access token sent to the registry.
 */
public final class FakeGhcr extends FakeTokenRegistry {
    /** The registry's real name. */
    public static final String HOST = "ghcr.io";

    /**
     * Creates GHCR.
     *
     * @param network the network
     */
    public FakeGhcr(TestNetwork network) {
        super(network, HOST, HOST, "/token", HOST);
    }

    @Override
    protected @Nullable MockResponse refuse(RecordedRequest request, @Nullable String repository) {
        if (basic(request) != null) {
            return error(403, "DENIED", "invalid token");
        }
        String token = bearer(request);
        if (token != null && !token.startsWith("token-")) {
            return error(403, "DENIED", "invalid token");
        }
        return super.refuse(request, repository);
    }

    @Override
    protected @Nullable MockResponse nothingGranted(Question question, boolean anonymous) {
        return anonymous ? unauthorized() : null;
    }

    @Override
    protected MockResponse wrongCredentials(Question question) {
        return error(403, "DENIED", "denied");
    }
}
