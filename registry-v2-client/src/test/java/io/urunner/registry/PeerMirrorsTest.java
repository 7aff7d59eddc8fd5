package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.List;
import okhttp3.mockwebserver.MockResponse;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The hosts of containerd's {@code hosts.toml}, written as mirrors; the table says where we decide otherwise. */
class PeerMirrorsTest {
    private static final String DIGEST = "sha256:" + "d".repeat(64);

    @ParameterizedTest
    @CsvFileSource(
            resources = "peers/mirrors.csv",
            delimiter = '|',
            quoteCharacter = '`',
            emptyValue = "",
            nullValues = "-")
    void aMirrorIsAskedWhereContainerdAsksTheHost(
            String address, boolean overridesPath, boolean resolves, String tagPath, String digestPath)
            throws Exception {
        // An address that overrides the path says itself where the API is.
        assertThat(Mirror.of(address).root().endsWith("/v2/")).isEqualTo(!overridesPath || !address.contains("/v2"));
        URI url = URI.create(address);
        try (FakeServer registry = new FakeServer(request -> FakeServer.manifest(DIGEST));
                FakeServer mirror = new FakeServer(request -> new MockResponse()
                        .setHeader("Docker-Content-Digest", DIGEST)
                        .setHeader("Content-Type", MediaType.OCI_INDEX)
                        .setHeader("Content-Length", "1234"))) {
            Mirror there = Mirror.of(mirror.url() + url.getPath());
            assertThat(Mirror.of(address).host()).isEqualTo(url.getHost());
            HostOptions options = HostOptions.DEFAULTS.withMirrors(List.of(resolves ? there : there.forContentOnly()));
            try (RegistryClient client =
                    RegistryClient.builder().host(registry.host(), options).build()) {
                ImageReference image = registry.image("team/app:v1");
                client.resolve(image);
                assertThat(mirror.lines()).isEqualTo(asked(registry, tagPath == null ? "" : tagPath));
                assertThat(registry.requests).hasSize(mirror.requests.isEmpty() ? 1 : 0);
                mirror.requests.clear();
                client.resolve(image.toRepository().digest(Digest.parse(DIGEST)));
                assertThat(mirror.lines()).isEqualTo(asked(registry, digestPath));
            }
        }
    }

    private static List<String> asked(FakeServer registry, String path) {
        return path.isEmpty()
                ? List.of()
                : List.of("HEAD " + path.replace("/D", "/" + DIGEST) + "?ns=" + registry.host());
    }
}
