package io.urunner.agent.plan;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PinTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);

    /** An image as somebody wrote it, and what stands before the digest when it is pinned. */
    @ParameterizedTest
    @CsvSource({
        "nginx, docker.io/library/nginx:latest",
        "index.docker.io/nginx:1, docker.io/library/nginx:1",
        "reg.example:5000/app, reg.example:5000/app:latest",
        "registry-1.docker.io/library/nginx, registry-1.docker.io/library/nginx:latest",
        "registry-1.docker.io/team/app:v1, registry-1.docker.io/team/app:v1",
        "registry.hub.docker.com/team/app:v1, registry.hub.docker.com/team/app:v1",
        "DOCKER.IO/library/nginx:1, DOCKER.IO/library/nginx:1",
        "registry-1.docker.io/team/app:v1@sha256:1111111111111111111111111111111111111111111111111111111111111111,"
                + " registry-1.docker.io/team/app:v1",
    })
    void aPinKeepsTheHostThatTheRuntimeIsToAsk(String original, String expected) {
        assertThat(Pin.text(original, DIGEST)).isEqualTo(expected + "@" + DIGEST);
    }
}
