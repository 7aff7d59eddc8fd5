package io.urunner.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.app.assembly.Composition;
import io.urunner.agent.app.cli.Cli;
import io.urunner.agent.app.cli.CommandContext;
import io.urunner.agent.app.cli.Termination;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code digest} with the real wiring, against a test registry. */
class DigestCommandTest {
    private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);

    @TempDir
    Path folder;

    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final Composition composition = new Composition();

    @BeforeEach
    void keepToTheFolder() {
        environment.put("HOME", folder.toString());
    }

    @AfterEach
    void close() {
        composition.close();
    }

    private int run(String... arguments) {
        Termination never = () -> {};
        return Cli.execute(
                new CommandContext(environment, new PrintWriter(out), new PrintWriter(err), composition, never),
                arguments);
    }

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
