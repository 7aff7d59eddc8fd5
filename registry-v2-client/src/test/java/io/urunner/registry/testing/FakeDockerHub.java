package io.urunner.registry.testing;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;

/**
 * Docker Hub: tokens with all four fields for anybody, a limit that only {@code GET} uses up and that every answer
 * reports, and 401 for private and missing repositories alike.
 */
public final class FakeDockerHub extends FakeTokenRegistry {
    /** The real name of the API. */
    public static final String HOST = "registry-1.docker.io";

    private final AtomicInteger remaining = new AtomicInteger(100);

    /**
     * Creates Docker Hub.
     *
     * @param network the network
     */
    public FakeDockerHub(TestNetwork network) {
        super(network, HOST, "auth.docker.io", "/token", "registry.docker.io");
    }

    /**
     * Sets the rest of the limit.
     *
     * @param pulls how many pulls
     */
    public void remaining(int pulls) {
        remaining.set(pulls);
    }

    @Override
    protected MockResponse finished(RecordedRequest request, MockResponse answer) {
        boolean counted = "GET".equals(request.getMethod());
        boolean spent = counted && remaining.get() <= 0;
        if (counted && !spent) {
            remaining.decrementAndGet();
        }
        MockResponse told = spent
                ? error(
                        429,
                        "TOOMANYREQUESTS",
                        "You have reached your pull rate limit. https://www.docker.com/increase-rate-limit")
                : answer;
        return told.setHeader("ratelimit-limit", "100;w=21600")
                .setHeader("ratelimit-remaining", remaining.get() + ";w=21600")
                .setHeader("docker-ratelimit-source", "203.0.113.200");
    }

    @Override
    protected Map<String, Object> tokenAnswer(String token) {
        return Map.of(
                "token",
                token,
                "access_token",
                token,
                "expires_in",
                life().toSeconds(),
                "issued_at",
                network.clock().instant().toString());
    }

    @Override
    protected Duration life() {
        return Duration.ofSeconds(300);
    }
}
