package io.urunner.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import org.junit.jupiter.api.Test;

/** The command {@code digest} against a test registry. */
class DigestCommandTest extends WiredCommands {
    private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);

    @Test
    void digestPrintsReferenceDigestAndMediaTypeWithTheConfiguredCredentials() throws IOException {
        try (MockWebServer registry = registry()) {
            environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", "localhost:" + registry.getPort());
            environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic");
            environment.put("URUNNER_SECR_REGISTRY_USER", "ci");
            environment.put("URUNNER_SECR_REGISTRY_PASS", "pass-0123");
            String image = "localhost:" + registry.getPort() + "/app:1";

            assertThat(run("digest", image)).as(err.toString()).isZero();

            assertThat(out.toString().strip())
                    .isEqualTo(image + " " + DIGEST + " application/vnd.oci.image.index.v1+json");
        }
    }

    @Test
    void digestFallsBackToDockersCredentials() throws IOException {
        try (MockWebServer registry = registry()) {
            String host = "localhost:" + registry.getPort();
            Files.createDirectories(folder.resolve(".docker"));
            Files.writeString(
                    folder.resolve(".docker/config.json"),
                    "{\"auths\": {\"" + host + "\": {\"auth\": \"Y2k6cGFzcy0wMTIz\"}}}");

            assertThat(run("digest", host + "/app:1")).as(err.toString()).isZero();
            assertThat(out.toString()).contains(DIGEST);
        }
    }

    @Test
    void digestPrintsJsonWithTheProblemIfThereIsNoDigest() throws IOException {
        try (MockWebServer registry = registry()) {
            String image = "localhost:" + registry.getPort() + "/public:1";

            assertThat(run("digest", "-o", "json", image)).as(err.toString()).isZero();

            assertThat(out.toString()).isEqualTo("""
                    {
                      "schema" : 1,
                      "images" : [ {
                        "reference" : "%s",
                        "digest" : "%s",
                        "mediaType" : "application/vnd.oci.image.index.v1+json"
                      } ]
                    }
                    """.formatted(image, DIGEST));
        }
        out.getBuffer().setLength(0);

        assertThat(run("digest", "-o", "json", "localhost:1/app:1")).isEqualTo(1);

        assertThat(out.toString()).startsWith("""
                        {
                          "schema" : 1,
                          "images" : [ {
                            "reference" : "localhost:1/app:1",
                            "problem" : \"""");
    }

    @Test
    void digestContinuesAndExitsWith1IfARegistryRefuses() throws IOException {
        try (MockWebServer registry = registry()) {
            String host = "localhost:" + registry.getPort();

            assertThat(run("digest", host + "/app:1", host + "/public:1")).isEqualTo(1);

            assertThat(err.toString()).contains(host, "app").doesNotContain("\tat ");
            assertThat(out.toString()).contains(host + "/public:1 " + DIGEST);
        }
    }

    /** Everybody may read {@code public}, and {@code ci} may read everything. */
    private static MockWebServer registry() throws IOException {
        MockWebServer server = new MockWebServer();
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                boolean known =
                        "Basic Y2k6cGFzcy0wMTIz".equals(request.getHeaders().get("Authorization"));
                if (!known && !request.getTarget().startsWith("/v2/public/")) {
                    return new MockResponse.Builder()
                            .code(401)
                            .addHeader("WWW-Authenticate", "Basic realm=\"test\"")
                            .build();
                }
                return new MockResponse.Builder()
                        .addHeader("Docker-Content-Digest", DIGEST)
                        .addHeader("Content-Type", "application/vnd.oci.image.index.v1+json")
                        .build();
            }
        });
        server.start();
        return server;
    }
}
