package io.urunner.registry.testing;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import okhttp3.mockwebserver.MockResponse;
import okio.Buffer;
import org.jspecify.annotations.Nullable;

/**
 * Quay: 401 for wrong credentials, 400 for unknown actions, a useless token if permissions are missing, and for a
 * request that does not accept the stored manifest, a converted one with a digest that nobody pushed.
 */
public final class FakeQuay extends FakeTokenRegistry {
    /**
     * Creates a Quay.
     *
     * @param network the network
     * @param host its name
     */
    public FakeQuay(TestNetwork network, String host) {
        super(network, host, host, "/v2/auth", host);
    }

    @Override
    protected MockResponse unacceptable(TestImage image) {
        byte[] converted = ("{\"schemaVersion\":1,\"of\":\"" + image.digest() + "\"}").getBytes(StandardCharsets.UTF_8);
        return new MockResponse()
                .setHeader("Content-Type", "application/vnd.docker.distribution.manifest.v1+prettyjws")
                .setHeader("Docker-Content-Digest", TestImage.digest(converted))
                .setBody(new Buffer().write(converted));
    }

    @Override
    protected @Nullable MockResponse invalid(Question question) {
        boolean known = question.scopes().stream().allMatch(scope -> scope.matches(".*:(pull|push|\\*|,)+"));
        return known ? super.invalid(question) : error(400, "INVALID_REQUEST", "unknown action");
    }

    @Override
    protected @Nullable MockResponse nothingGranted(Question question, boolean anonymous) {
        return anonymous && question.scopes().isEmpty() ? unauthorized() : null;
    }

    @Override
    protected Duration life() {
        return Duration.ofHours(1);
    }
}
