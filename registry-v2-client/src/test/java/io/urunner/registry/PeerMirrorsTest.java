package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import okhttp3.mockwebserver.MockResponse;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The hosts of containerd's {@code hosts.toml}, written as mirrors; the tables say where we decide otherwise. */
class PeerMirrorsTest {
    private static final String DIGEST = "sha256:" + "d".repeat(64);

    @AutoClose
    private final ToClose open = new ToClose();

    private final List<String> asked = new CopyOnWriteArrayList<>();

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

    /** A server that is known by a name, and answers what the table says. */
    private FakeServer server(String name, String answer) {
        return open.add(new FakeServer(request -> {
            asked.add(name);
            return answer.equals("200")
                    ? FakeServer.manifest("sha256:" + name.repeat(64))
                    : FakeServer.status(Integer.parseInt(answer));
        }));
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/mirrors-order.csv", delimiter = '|', quoteCharacter = '`')
    void theNextIsAskedAfterAFailure(String answers, String expectedAsked, String expected) throws Exception {
        List<String> each = List.of(answers.split(" ", -1));
        FakeServer registry = server("f", each.get(each.size() - 1));
        List<Mirror> mirrors = new ArrayList<>();
        for (int i = 0; i < each.size() - 1; i++) {
            String answer = each.get(i);
            FakeServer mirror = server(String.valueOf(i + 1), answer.matches("[0-9]+") ? answer : "200");
            mirrors.add(Mirror.of(answer.equals("https") ? "https://" + mirror.host() : mirror.url()));
            if (answer.equals("down")) {
                mirror.close();
            }
        }
        RegistryClient client = open.add(RegistryClient.builder()
                .host(registry.host(), HostOptions.DEFAULTS.withPlainHttp().withMirrors(mirrors))
                .attempts(2)
                .sleeper(duration -> {})
                .build());

        String actual;
        try {
            actual =
                    client.resolve(registry.image("team/app:v1")).digest().hex().substring(0, 1);
        } catch (RegistryException e) {
            actual = e.getClass().getSimpleName();
        }

        assertThat(actual).isEqualTo(expected);
        assertThat(String.join(" ", asked)).isEqualTo(expectedAsked);
    }

    private static List<String> asked(FakeServer registry, String path) {
        return path.isEmpty()
                ? List.of()
                : List.of("HEAD " + path.replace("/D", "/" + DIGEST) + "?ns=" + registry.host());
    }
}
