package io.urunner.registry;

import static io.urunner.registry.FakeServer.challenge;
import static io.urunner.registry.FakeServer.status;
import static io.urunner.registry.FixedCredentials.basic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.testing.TestNetwork;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pushes and deletions that a registry sends elsewhere, and registries that do not know by which scheme they are asked. */
class RedirectedWritesTest {
    private static final byte[] CONTENT = "content".getBytes(StandardCharsets.US_ASCII);
    private static final Descriptor BLOB =
            new Descriptor("application/octet-stream", Digest.of(CONTENT), CONTENT.length);

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer other = open.add(new FakeServer(RedirectedWritesTest::accept));
    private final FakeServer registry = open.add(new FakeServer(request -> status(500)));
    private final RegistryClient client = open.add(RegistryClient.builder()
            .defaults(HostOptions.DEFAULTS.withPlainHttp())
            .attempts(1)
            .build());

    private Repository repository() {
        return new Repository(registry.host(), "team/app");
    }

    private static InputStream content() {
        return new ByteArrayInputStream(CONTENT);
    }

    /** Accepts every write, as a registry does. */
    private static MockResponse accept(RecordedRequest request) {
        return switch (String.valueOf(request.getMethod())) {
            case "POST" -> status(202).setHeader("Location", "/v2/team/app/blobs/uploads/1?_state=x");
            case "DELETE" -> status(202);
            default -> status(201);
        };
    }

    private static UnaryOperator<MockResponse> to(FakeServer server, RecordedRequest request) {
        return redirect -> redirect.setHeader("Location", server.url() + request.getPath());
    }

    @ParameterizedTest
    @ValueSource(ints = {307, 308})
    void keepMethodAndContent(int status) throws Exception {
        registry.answer(request -> to(other, request).apply(status(status)));
        Manifest manifest = Manifest.of(BLOB, List.of(), Map.of());

        client.pushBlob(repository(), BLOB, RedirectedWritesTest::content);
        client.pushManifest(repository().tag("v1"), manifest);
        client.deleteManifest(repository(), manifest.digest());

        // The upload is that of the other host, and continues there.
        assertThat(other.lines())
                .containsExactly(
                        "POST /v2/team/app/blobs/uploads/",
                        "PUT /v2/team/app/blobs/uploads/1?_state=x&digest=" + BLOB.digest(),
                        "PUT /v2/team/app/manifests/v1",
                        "GET /v2/team/app/manifests/" + manifest.digest(),
                        "DELETE /v2/team/app/manifests/" + manifest.digest());
        assertThat(other.requests.get(1).getBody().readByteArray()).isEqualTo(CONTENT);
        assertThat(other.requests.get(2).getBody().readByteArray()).isEqualTo(manifest.content());
    }

    @Test
    void showNoCredentialsElsewhere() throws Exception {
        RegistryClient withPassword = open.add(RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .credentials(new FixedCredentials(basic("ci", "only-for-the-registry")))
                .build());
        registry.answer(request -> request.getHeader("Authorization") == null
                ? challenge("Basic realm=\"r\"")
                : to(other, request).apply(status(307)));

        withPassword.pushBlob(repository(), BLOB, RedirectedWritesTest::content);

        assertThat(registry.authorizations())
                .isNotEmpty()
                .anySatisfy(header -> assertThat(header).startsWith("Basic"));
        assertThat(other.authorizations()).hasSize(2).containsOnlyNulls();
    }

    @ParameterizedTest
    @CsvSource({"301", "302", "303", "304"})
    void areNotRepeatedAsReads(int status) {
        registry.answer(request -> to(other, request).apply(status(status)));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.pushBlob(repository(), BLOB, RedirectedWritesTest::content))
                .satisfies(e -> assertThat(e.status()).hasValue(status));
        assertThat(registry.requests).hasSize(1);
        assertThat(other.requests).isEmpty();
    }

    @Test
    void doNotLeadJustAnywhere() {
        registry.answer(request -> status(307).setHeader("Location", "http://169.254.169.254/latest"));
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.deleteTag(repository(), "v1"))
                .withMessageContaining("private address");

        registry.answer(request -> status(308).setHeader("Location", request.getPath() + "x"));
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.pushManifest(repository().tag("v1"), Manifest.of(BLOB, List.of(), Map.of())))
                .withMessageContaining("already 5 redirects");
        assertThat(registry.requests).hasSize(1 + 6);
    }

    /** A registry behind a proxy that terminates TLS: it believes that it is asked by http. */
    @ParameterizedTest
    @ValueSource(strings = {"http://registry.example", "http://registry.example:443"})
    void aRegistryThatNamesItselfByTheWrongSchemeIsAskedByItsOwn(String self) throws Exception {
        String upload = self + "/v2/team/app/blobs/uploads/1";
        try (TestNetwork network = new TestNetwork();
                RegistryClient secure = RegistryClient.builder()
                        .httpClient(network.client())
                        .attempts(1)
                        .build()) {
            network.serve("registry.example", request -> {
                String line = request.getMethod() + " " + request.getPath();
                if (line.contains("/tags/list?n=")) {
                    return FakeServer.json("{\"tags\":[\"a\"]}")
                            .setHeader("Link", "<" + self + "/v2/team/app/tags/list?last=a>; rel=\"next\"");
                } else if (line.contains("/tags/list")) {
                    return FakeServer.json("{\"tags\":[\"b\"]}");
                } else if (line.startsWith("DELETE") && !line.contains("moved")) {
                    return status(307).setHeader("Location", self + request.getPath() + "?moved");
                }
                return accept(request).setHeader("Location", upload);
            });
            Repository repository = new Repository("registry.example", "team/app");

            secure.pushBlob(repository, BLOB, RedirectedWritesTest::content);
            secure.deleteManifest(repository, BLOB.digest());

            assertThat(secure.tags(repository).all()).containsExactly("a", "b");
            assertThat(network.requests("registry.example"))
                    .extracting(RecordedRequest::getMethod)
                    .containsExactly("POST", "PUT", "GET", "DELETE", "DELETE", "GET", "GET");
        }
    }
}
