package io.urunner.agent.app.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.EnvironmentProxySelector;
import io.urunner.registry.HostOptions;
import io.urunner.registry.ImageReference;
import io.urunner.registry.MediaType;
import io.urunner.registry.Mirror;
import io.urunner.registry.RegistryClient;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How the way to a registry is described. */
class RoutesTest {
    private static final String REGISTRY = "registry.invalid";
    private static final ImageReference IMAGE = ImageReference.parse(REGISTRY + "/team/app");

    /** A proxy, which answers for all hosts itself. */
    private final MockWebServer proxy = new MockWebServer();

    private volatile boolean mirrorHasIt = true;

    @BeforeEach
    void start() throws IOException {
        proxy.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                boolean has = mirrorHasIt
                        || !String.valueOf(request.getHeaders().get("Host")).startsWith("mirror");
                return has
                        ? new MockResponse.Builder()
                                .addHeader("Content-Type", MediaType.OCI_MANIFEST)
                                .addHeader("Docker-Content-Digest", "sha256:" + "1".repeat(64))
                                .setHeader("Content-Length", 100)
                                .build()
                        : new MockResponse.Builder().code(404).build();
            }
        });
        proxy.start();
    }

    @AfterEach
    void stop() {
        proxy.close();
    }

    private RegistryClient client(String exceptions, String... mirrors) {
        return RegistryClient.builder()
                .proxy(EnvironmentProxySelector.of(
                        Map.of("HTTP_PROXY", "http://u:hunter2@127.0.0.1:" + proxy.getPort(), "NO_PROXY", exceptions)))
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .host(
                        REGISTRY,
                        HostOptions.DEFAULTS
                                .withPlainHttp()
                                .withMirrors(List.of(mirrors).stream()
                                        .map(Mirror::of)
                                        .toList()))
                .build();
    }

    private String through() {
        return "through the proxy http://127.0.0.1:" + proxy.getPort();
    }

    @Test
    void withoutAMirrorItIsTheProxyOrNothing() {
        try (RegistryClient client = client("")) {
            assertThat(new Routes(client).to(IMAGE)).isEqualTo(through());
        }
        try (RegistryClient client = client("registry.invalid")) {
            assertThat(new Routes(client).to(IMAGE)).isEmpty();
        }
    }

    @Test
    void theProxyIsTheOneOnTheWayToTheMirror() throws Exception {
        try (RegistryClient client = client("registry.invalid", "http://mirror.invalid:80/v2/hub")) {
            client.resolve(IMAGE);

            assertThat(new Routes(client).to(IMAGE))
                    .isEqualTo("from the mirror http://mirror.invalid:80/v2/hub, " + through());
        }
    }

    @Test
    void aRegistryThatAnsweredItselfHasMirrorsThatDidNot() throws Exception {
        mirrorHasIt = false;
        try (RegistryClient client = client("", "http://mirror.invalid")) {
            client.resolve(IMAGE);

            assertThat(new Routes(client).to(IMAGE))
                    .isEqualTo("from the registry itself, " + through()
                            + ", past mirrors: http://mirror.invalid answered 404");
        }
    }

    @Test
    void eachImageHasItsOwn() throws Exception {
        try (RegistryClient client = client("", "http://mirror.invalid")) {
            ImageReference other = ImageReference.parse(REGISTRY + "/team/other");
            client.resolve(IMAGE);
            mirrorHasIt = false;
            client.resolve(other);

            assertThat(new Routes(client).to(IMAGE)).startsWith("from the mirror http://mirror.invalid, ");
            assertThat(new Routes(client).to(other)).startsWith("from the registry itself, ");
            assertThat(new Routes(client).to(IMAGE.withTag("never-asked"))).isEqualTo(through());
        }
    }
}
