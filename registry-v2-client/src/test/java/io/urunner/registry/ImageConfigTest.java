package io.urunner.registry;

import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import okhttp3.mockwebserver.MockResponse;
import okio.Buffer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageConfigTest {
    private static final Digest DIFF = Digest.of(new byte[] {1});
    private static final byte[] FULL = """
            {"architecture":"arm64","os":"linux","variant":"v8","created":"2026-01-02T03:04:05.6+01:00","author":"me",
             "os.features":["x"],
             "config":{"User":"1000","Env":["A=b","C="],"Entrypoint":["/bin/x"],"Cmd":["-v"],"WorkingDir":"/w",
               "Labels":{"l":"m"},"ExposedPorts":{"80/tcp":{},"53/udp":{}},"Volumes":{"/data":{}},"StopSignal":"SIGINT"},
             "rootfs":{"type":"layers","diff_ids":["DIFF"]},
             "history":[{"created":"2026-01-02T03:04:05Z","created_by":"RUN x","comment":"c","empty_layer":true},{}]}
            """.replace("DIFF", DIFF.toString()).getBytes(StandardCharsets.UTF_8);

    private final Map<String, byte[]> contents = new ConcurrentHashMap<>();

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> {
        String path = String.valueOf(request.getPath());
        byte[] content = contents.get(path.substring(path.lastIndexOf('/') + 1));
        return content == null ? status(404) : new MockResponse().setBody(new Buffer().write(content));
    }));
    private final RegistryClient client = open.add(RegistryClient.builder()
            .defaults(HostOptions.DEFAULTS.withPlainHttp())
            .attempts(1)
            .build());
    private final Repository repository = registry.image("team/app").toRepository();

    private Descriptor add(String mediaType, byte[] content) {
        Descriptor descriptor = Descriptor.of(mediaType, content);
        contents.put(descriptor.digest().toString(), content);
        return descriptor;
    }

    @Test
    void hasAllFieldsOfTheSpecification() {
        assertThat(ImageConfig.parse(FULL))
                .isEqualTo(new ImageConfig(
                        Platform.LINUX_ARM64.withOsFeatures(List.of("x")),
                        Optional.of(Instant.parse("2026-01-02T02:04:05.6Z")),
                        "me",
                        "1000",
                        List.of("A=b", "C="),
                        List.of("/bin/x"),
                        List.of("-v"),
                        "/w",
                        Map.of("l", "m"),
                        List.of("80/tcp", "53/udp"),
                        List.of("/data"),
                        "SIGINT",
                        List.of(DIFF),
                        List.of(
                                new ImageConfig.Step(
                                        Optional.of(Instant.parse("2026-01-02T03:04:05Z")), "RUN x", "c", true),
                                new ImageConfig.Step(Optional.empty(), "", "", false))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"os\":\"linux\",\"architecture\":\"amd64\"}",
                "{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":null,\"rootfs\":null,\"history\":null,\"created\":\"x\"}",
                "{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{\"Env\":null,\"Cmd\":null,\"Labels\":null,\"User\":null}}"
            })
    void whatIsMissingIsEmpty(String text) {
        ImageConfig config = ImageConfig.parse(text.getBytes(StandardCharsets.UTF_8));
        assertThat(config.platform()).isEqualTo(Platform.LINUX_AMD64);
        assertThat(config.env()).isEmpty();
        assertThat(config.created()).isEmpty();
        assertThat(config.labels()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "[]",
                "null",
                "<html>",
                "{\"os\":\"linux\"}",
                "{\"os\":1,\"architecture\":\"a\"}",
                "{\"os\":\"linux\",\"architecture\":\"a\",\"config\":{\"Env\":[1]}}",
                "{\"os\":\"linux\",\"architecture\":\"a\",\"rootfs\":{\"diff_ids\":[\"x\"]}}"
            })
    void whatIsNoConfigurationIsRefused(String text) throws Exception {
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        assertThatExceptionOfType(MalformedManifestException.class).isThrownBy(() -> ImageConfig.parse(content));
        Manifest manifest = Manifest.of(add(MediaType.OCI_CONFIG, content), List.of(), Map.of());
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.config(repository, manifest));
    }

    @Test
    void isReadFromTheRegistryUpToASize() throws Exception {
        Manifest manifest = Manifest.of(add(MediaType.OCI_CONFIG, FULL), List.of(), Map.of());
        assertThat(client.config(repository, manifest)).isEqualTo(ImageConfig.parse(FULL));

        Descriptor large = new Descriptor(MediaType.OCI_CONFIG, DIFF, ImageConfig.MAX_SIZE + 1L);
        int asked = registry.requests.size();
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.config(repository, Manifest.of(large, List.of(), Map.of())));
        Descriptor unverifiable = new Descriptor(MediaType.OCI_CONFIG, Digest.carried("blake3:abc"), 3);
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.config(repository, Manifest.of(unverifiable, List.of(), Map.of())))
                .withMessageContaining("cannot be verified");
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.manifest(repository.digest(unverifiable.digest())))
                .withMessageContaining("cannot be verified");
        assertThat(registry.requests).hasSize(asked);
    }

    @Test
    void theConfigurationTellsWhichEntryWithoutAPlatformFits() throws Exception {
        List<Descriptor> entries = new ArrayList<>();
        List<Manifest> manifests = new ArrayList<>();
        for (String architecture : List.of("s390x", "arm64", "amd64")) {
            byte[] config =
                    ("{\"os\":\"linux\",\"architecture\":\"" + architecture + "\"}").getBytes(StandardCharsets.UTF_8);
            Manifest manifest = Manifest.of(add(MediaType.OCI_CONFIG, config), List.of(), Map.of());
            manifests.add(manifest);
            entries.add(add(MediaType.OCI_MANIFEST, manifest.content()));
        }
        Manifest artifact = Manifest.artifact("application/x", List.of(), Optional.empty(), Map.of());
        entries.add(0, add(MediaType.OCI_MANIFEST, artifact.content()));
        contents.put("latest", Index.of(entries, Map.of()).content());

        registry.requests.clear();
        assertThat(client.manifest(repository.tag("latest"), Platform.LINUX_AMD64))
                .isEqualTo(manifests.get(2));
        assertThat(registry.lines()).as("each read once").doesNotHaveDuplicates();
        assertThat(client.manifest(repository.tag("latest"), Platform.parse("linux/s390x")))
                .isEqualTo(manifests.get(0));
        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> client.manifest(repository.tag("latest"), Platform.parse("windows/amd64")))
                .withMessageContaining("no image for windows/amd64")
                .withMessageContaining("[linux/s390x, linux/arm64, linux/amd64]");
    }

    @Test
    void listsTagsAfterOne() throws Exception {
        registry.answer(request -> FakeServer.json("{\"tags\":[\"c\"]}"));
        assertThat(client.tags(repository, 2, "b/ &n=9").all()).containsExactly("c");
        assertThat(registry.requests.get(0).getPath()).isEqualTo("/v2/team/app/tags/list?n=2&last=b%2F+%26n%3D9");
    }
}
