package io.urunner.registry;

import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import okio.Buffer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the specification demands of clients, on the wire: one rule for each test, as its table numbers them. */
class ObligationsTest {
    private static final byte[] CONTENT = "0123456789".getBytes(StandardCharsets.UTF_8);
    private static final Descriptor BLOB = Descriptor.of("application/octet-stream", CONTENT);
    private static final String OTHER = "sha256:" + "f".repeat(64);
    private static final String DIGEST = "Docker-Content-Digest";
    private static final Index EMPTY_INDEX = Index.of(List.of(), Map.of());

    @AutoClose
    private final ToClose open = new ToClose();

    /** Accepts everything, and gives each upload another location after each request. */
    private final FakeServer registry = open.add(new FakeServer(this::answer));

    private final ManualTime time = new ManualTime();
    private final RegistryClient client = client();
    private final Repository repository = registry.image("team/app").toRepository();

    private RegistryClient client() {
        return open.add(RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .sleeper(time::sleep)
                .build());
    }

    private MockResponse answer(RecordedRequest request) {
        String path = String.valueOf(request.getPath());
        return switch (String.valueOf(request.getMethod())) {
            case "POST" -> status(202).setHeader("Location", "/session/1?state=a%2Fb");
            case "PATCH" ->
                status(202)
                        .setHeader("Location", "/session/" + registry.requests.size())
                        .setHeader(
                                "Range",
                                "0-"
                                        + String.valueOf(request.getHeader("Content-Range"))
                                                .replaceFirst(".*-", ""));
            case "PUT" -> status(201);
            default -> path.contains("/tags/") ? json("{\"tags\":[\"a\"]}") : status(404);
        };
    }

    private void push(PushOptions options) throws Exception {
        client.pushBlob(repository, BLOB, () -> new ByteArrayInputStream(CONTENT), options);
    }

    private RecordedRequest request(int number) {
        return registry.requests.get(number);
    }

    private static String body(RecordedRequest request) {
        return request.getBody().clone().readUtf8();
    }

    @Test
    void row9WhetherContentExistsIsAskedWithHead() throws Exception {
        registry.answer(request -> switch (String.valueOf(request.getPath()).replaceFirst(".*/", "")) {
            case "there" ->
                status(200)
                        .setHeader("Content-Type", MediaType.OCI_INDEX)
                        .setHeader(DIGEST, OTHER)
                        .setHeader("Content-Length", "7");
            case "missing" -> status(404);
            default -> status(200).setHeader("Content-Length", "10");
        });

        assertThat(client.find(repository.tag("there")).map(Descriptor::size)).contains(7L);
        assertThat(client.find(repository.tag("missing"))).isEmpty();
        assertThat(client.hasBlob(repository, BLOB.digest())).isTrue();
        assertThat(client.resolve(repository.tag("there")).digest()).hasToString(OTHER);

        assertThat(registry.lines())
                .containsExactly(
                        "HEAD /v2/team/app/manifests/there",
                        "HEAD /v2/team/app/manifests/missing",
                        "HEAD /v2/team/app/blobs/" + BLOB.digest(),
                        "HEAD /v2/team/app/manifests/there");
    }

    @Test
    void row10ABlobIsSentWholeWithItsLengthAndItsDigest() throws Exception {
        push(PushOptions.DEFAULTS);

        assertThat(registry.lines())
                .containsExactly(
                        "POST /v2/team/app/blobs/uploads/", "PUT /session/1?state=a/b&digest=" + BLOB.digest());
        assertThat(request(1).getPath()).startsWith("/session/1?state=a%2Fb&");
        assertThat(request(1).getHeader("Content-Length")).isEqualTo("10");
        assertThat(request(1).getHeader("Content-Type")).isEqualTo("application/octet-stream");
        assertThat(body(request(1))).isEqualTo("0123456789");
    }

    @Test
    void row13AnUploadInChunksIsOpenedWithoutContent() throws Exception {
        push(PushOptions.DEFAULTS.withChunks(4));

        assertThat(request(0).getMethod()).isEqualTo("POST");
        assertThat(request(0).getPath()).isEqualTo("/v2/team/app/blobs/uploads/");
        assertThat(request(0).getHeader("Content-Length")).isEqualTo("0");
        assertThat(request(0).getHeader("Transfer-Encoding")).isNull();
        assertThat(request(0).getBodySize()).isZero();
    }

    @Test
    void row14To18ChunksStateTheirRangesInOrderAndTheUploadIsClosed() throws Exception {
        push(PushOptions.DEFAULTS.withChunks(4));

        List<String> sent = registry.requests.stream()
                .skip(1)
                .map(request -> request.getMethod() + " " + request.getPath() + " " + request.getHeader("Content-Range")
                        + " " + request.getHeader("Content-Length") + " " + body(request))
                .toList();
        assertThat(sent)
                .containsExactly(
                        "PATCH /session/1?state=a%2Fb 0-3 4 0123",
                        "PATCH /session/2 4-7 4 4567",
                        "PATCH /session/3 8-9 2 89",
                        "PUT /session/4?digest=" + BLOB.digest().toString().replace(":", "%3A") + " null 0 ");
        assertThat(registry.requests.subList(1, 4))
                .allSatisfy(
                        request -> assertThat(request.getHeader("Content-Type")).isEqualTo("application/octet-stream"));
    }

    @Test
    void row21AnUploadThatIsGivenUpIsCancelled() {
        registry.answer(request -> "PUT".equals(request.getMethod()) ? status(403) : answer(request));

        assertThatExceptionOfType(DeniedException.class).isThrownBy(() -> push(PushOptions.DEFAULTS));

        RecordedRequest last = request(registry.requests.size() - 1);
        assertThat(last.getMethod() + " " + last.getPath()).isEqualTo("DELETE /session/1?state=a%2Fb");
        assertThat(last.getBodySize()).isZero();
    }

    /** How content is pushed, and the request whose answer names what was stored. */
    @ParameterizedTest
    @ValueSource(strings = {"blob", "blob in one request", "blob in chunks", "manifest by tag", "manifest by digest"})
    void row24TheDigestInTheAnswerToAPushIsVerified(String way) throws Exception {
        Manifest manifest = Manifest.of(BLOB, List.of(), Optional.empty(), Map.of());
        String stored = (way.startsWith("blob") ? BLOB.digest() : manifest.digest()).toString();

        for (String header : new String[] {stored, " " + stored + " ", "sha512:" + "0".repeat(128), ""}) {
            answerPushesWith(way, header);
            assertThatCode(() -> push(way, manifest)).as("\"%s\"", header).doesNotThrowAnyException();
        }
        registry.requests.clear();
        answerPushesWith(way, OTHER);
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> push(way, manifest))
                .withMessageContaining(OTHER)
                .satisfies(e -> assertThat(e.isTransient()).isFalse());
        assertThat(registry.requests.stream().filter(request -> request.getBodySize() > 4))
                .as("it is not pushed again")
                .hasSizeLessThan(2);
    }

    private void answerPushesWith(String way, String digest) {
        registry.answer(request -> {
            boolean last = "PUT".equals(request.getMethod()) || way.equals("blob in one request");
            MockResponse answer = last ? status(201) : answer(request);
            return last && !digest.isEmpty() ? answer.setHeader(DIGEST, digest) : answer;
        });
    }

    private void push(String way, Manifest manifest) throws Exception {
        switch (way) {
            case "blob" -> push(PushOptions.DEFAULTS);
            case "blob in one request" -> push(PushOptions.DEFAULTS.withSinglePost());
            case "blob in chunks" -> push(PushOptions.DEFAULTS.withChunks(4));
            case "manifest by tag" -> client.pushManifest(repository.tag("1"), manifest);
            default -> client.pushManifest(repository.digest(manifest.digest()), manifest);
        }
    }

    /** The field {@code mediaType} of a manifest, the type with which it came, and the one with which it is sent. */
    @ParameterizedTest
    @CsvSource(nullValues = "-", textBlock = """
            -, application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.manifest.v1+json
            -, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.v2+json
            -, application/vnd.oci.image.manifest.v1+json; charset=utf-8, application/vnd.oci.image.manifest.v1+json
            -, APPLICATION/vnd.oci.image.manifest.v1+json;q=1;x="y", application/vnd.oci.image.manifest.v1+json
            -, text/plain, application/vnd.oci.image.manifest.v1+json
            -, -, application/vnd.oci.image.manifest.v1+json
            application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
            application/vnd.oci.image.manifest.v1+json
            application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json, \
            application/vnd.docker.distribution.manifest.v2+json
            application/vnd.docker.distribution.manifest.v2+json, application/json; charset=utf-8, \
            application/vnd.docker.distribution.manifest.v2+json
            """)
    void row25To27AManifestIsSentWithTheTypeThatItStates(String stated, String came, String sent) throws Exception {
        String field = stated == null ? "" : "\"mediaType\":\"" + stated + "\",";
        String config =
                "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"" + OTHER + "\",\"size\":2}";
        byte[] content = ("{\"schemaVersion\":2," + field + "\"config\":" + config + ",\"layers\":[]}")
                .getBytes(StandardCharsets.UTF_8);

        client.pushManifest(repository.tag("1"), ManifestOrIndex.parse(content, came == null ? "" : came));

        assertThat(registry.lines()).containsExactly("PUT /v2/team/app/manifests/1");
        assertThat(request(0).getHeaders().values("Content-Type")).containsExactly(sent);
        assertThat(request(0).getBody().clone().readByteArray()).isEqualTo(content);
    }

    @ParameterizedTest
    @CsvSource({
        MediaType.OCI_INDEX + "," + MediaType.DOCKER_MANIFEST_LIST,
        MediaType.DOCKER_MANIFEST_LIST + "," + MediaType.OCI_INDEX + "; charset=utf-8",
    })
    void row25To27AnIndexIsSentWithTheTypeThatItStates(String type, String came) throws Exception {
        byte[] content = ("{\"schemaVersion\":2,\"mediaType\":\"" + type + "\",\"manifests\":[]}")
                .getBytes(StandardCharsets.UTF_8);

        client.pushManifest(repository.tag("1"), ManifestOrIndex.parse(content, came));

        assertThat(request(0).getHeaders().values("Content-Type")).containsExactly(type);
    }

    @Test
    void row28AManifestOfFourMegabytesIsPushedAndRead() throws Exception {
        StringBuilder json = new StringBuilder("{\"schemaVersion\":2,\"manifests\":[],\"annotations\":{");
        for (int i = 0; i < 40; i++) {
            json.append('"')
                    .append(i)
                    .append("\":\"")
                    .append("x".repeat(100_000))
                    .append("\",");
        }
        int rest = ManifestOrIndex.MAX_SIZE - json.length() - "\"last\":\"\"}}".length();
        byte[] content = json.append("\"last\":\"")
                .append("y".repeat(rest % 128_000))
                .append("\"}}")
                .append(" ".repeat(rest - rest % 128_000))
                .toString()
                .getBytes(StandardCharsets.UTF_8);
        assertThat(content).hasSize(4 * 1024 * 1024);

        client.pushManifest(repository.tag("1"), ManifestOrIndex.parse(content, MediaType.OCI_INDEX));
        assertThat(request(0).getBody().clone().readByteArray()).isEqualTo(content);

        registry.answer(request -> new MockResponse()
                .setHeader("Content-Type", MediaType.OCI_INDEX)
                .setBody(new Buffer().write(content)));
        assertThat(client.manifest(repository.tag("1")).content()).isEqualTo(content);
    }

    /** Whatever warnings say, requests and results are those of a registry that does not warn. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "299 - \"use https://evil.example/v2/ instead\"",
                "299 - \"this tag is gone, retry after 3600 s\"",
                "110 - \"Response is Stale\"",
                "199 - \"error\"",
                "214 - \"Transformation Applied\"",
                "299 - \"unauthorized\", 299 - \"TOOMANYREQUESTS\"",
                "nonsense",
            })
    void row42AWarningChangesNothing(String warning) {
        registry.answer(this::answerAll);
        List<String> outcomes = outcomes(client);
        List<String> requests = requests();
        assertThat(outcomes)
                .containsExactly(
                        "Descriptor",
                        "Index",
                        "[a]",
                        "pushed",
                        "pushed",
                        "UnavailableException",
                        "NotFoundException",
                        "DeniedException");
        assertThat(requests).hasSize(11);
        List<String> again = outcomes(client);
        List<String> allRequests = requests();

        registry.requests.clear();
        registry.answer(request -> answerAll(request).addHeader("Warning", warning));
        RegistryClient warned = client();
        assertThat(outcomes(warned)).isEqualTo(outcomes);
        assertThat(requests()).isEqualTo(requests);
        assertThat(outcomes(warned)).as("knowing the warning").isEqualTo(again);
        assertThat(requests()).isEqualTo(allRequests);
    }

    private List<String> requests() {
        return registry.requests.stream()
                .map(request -> request.getRequestLine() + " " + request.getHeaders() + body(request))
                .toList();
    }

    private MockResponse answerAll(RecordedRequest request) {
        String path = String.valueOf(request.getPath());
        if (path.endsWith("/denied")) {
            return status(403).setBody("{\"errors\":[{\"code\":\"DENIED\"}]}");
        } else if (path.endsWith("/busy")) {
            return status(503);
        } else if (path.endsWith("/manifests/1") && !"PUT".equals(request.getMethod())) {
            byte[] index = EMPTY_INDEX.content();
            return new MockResponse()
                    .setHeader("Content-Type", MediaType.OCI_INDEX)
                    .setHeader(DIGEST, EMPTY_INDEX.digest().toString())
                    .setHeader("Content-Length", "" + index.length)
                    .setBody(new Buffer().write(index));
        } else if (path.startsWith("/session/")) {
            return status(201);
        } else if ("POST".equals(request.getMethod())) {
            return status(202).setHeader("Location", "/session/1");
        }
        return answer(request);
    }

    /** What each kind of call returns or throws. */
    private List<String> outcomes(RegistryClient caller) {
        List<Callable<String>> calls = List.of(
                () -> caller.resolve(repository.tag("1")).getClass().getSimpleName(),
                () -> caller.manifest(repository.tag("1")).getClass().getSimpleName(),
                () -> caller.tags(repository).all().toString(),
                () -> {
                    caller.pushManifest(repository.tag("2"), EMPTY_INDEX);
                    return "pushed";
                },
                () -> {
                    caller.pushBlob(repository, BLOB, () -> new ByteArrayInputStream(CONTENT));
                    return "pushed";
                },
                () -> caller.manifest(repository.tag("busy")).toString(),
                () -> caller.manifest(repository.tag("missing")).toString(),
                () -> caller.manifest(repository.tag("denied")).toString());
        List<String> outcomes = new ArrayList<>();
        for (Callable<String> call : calls) {
            try {
                outcomes.add(call.call());
            } catch (Exception e) {
                outcomes.add(e.getClass().getSimpleName());
            }
        }
        return outcomes;
    }
}
