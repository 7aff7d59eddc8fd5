package io.urunner.registry.testing;

import java.time.Duration;
import java.util.Map;
import okhttp3.mockwebserver.MockResponse;
import org.jspecify.annotations.Nullable;

/** Google's Artifact Registry: a challenge without service and scope, and 403 for what is missing or not allowed. */
public final class FakeGoogle extends FakeTokenRegistry {
    /**
     * Creates a registry of a region.
     *
     * @param network the network
     * @param host its name, for example {@code europe-docker.pkg.dev}
     */
    public FakeGoogle(TestNetwork network, String host) {
        super(network, host, host, "/v2/token", host);
    }

    @Override
    protected MockResponse challenge(@Nullable String repository, String error) {
        return unauthorized().setHeader("WWW-Authenticate", "Bearer realm=\"" + realm() + "\"");
    }

    @Override
    protected MockResponse insufficient(String repository) {
        return error(403, "DENIED", "Permission \"artifactregistry.repositories.downloadArtifacts\" denied");
    }

    /** The service is not required, because the challenge does not name it. */
    @Override
    protected @Nullable MockResponse invalid(Question question) {
        return null;
    }

    @Override
    protected Map<String, Object> tokenAnswer(String token) {
        return Map.of("token", token, "expires_in", life().toSeconds());
    }

    @Override
    protected Duration life() {
        return Duration.ofHours(1);
    }
}
