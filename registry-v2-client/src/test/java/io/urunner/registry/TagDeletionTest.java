package io.urunner.registry;

import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import okio.Buffer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A tag is deleted alone, also where only digests can be deleted. */
class TagDeletionTest {
    private static final String PATH = "/v2/team/app/manifests/";
    private static final Manifest IMAGE = Manifest.of(Manifest.EMPTY_CONFIG, List.of(), Map.of("k", "v"));

    private final Map<String, byte[]> manifests = new ConcurrentHashMap<>(
            Map.of("v1", IMAGE.content(), "v2", IMAGE.content(), IMAGE.digest().toString(), IMAGE.content()));

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> answer(request, 400)));
    private final RegistryClient client = open.add(RegistryClient.builder()
            .defaults(HostOptions.DEFAULTS.withPlainHttp())
            .attempts(1)
            .build());
    private final Repository repository = registry.image("team/app").toRepository();

    /** A registry that deletes a digest with all its tags, and answers so to the deletion of a tag. */
    private MockResponse answer(RecordedRequest request, int refusal) {
        String path = String.valueOf(request.getPath());
        String name = path.substring(path.lastIndexOf('/') + 1);
        if (path.contains("/blobs/")) {
            return "POST".equals(request.getMethod())
                    ? status(202).setHeader("Location", "/v2/team/app/blobs/uploads/1")
                    : status("HEAD".equals(request.getMethod()) ? 404 : 201);
        }
        switch (String.valueOf(request.getMethod())) {
            case "PUT" -> {
                byte[] content = request.getBody().clone().readByteArray();
                manifests.put(name, content);
                manifests.put(Digest.of(content).toString(), content);
                return status(201);
            }
            case "DELETE" -> {
                if (!name.contains(":")) {
                    return status(refusal)
                            .setBody(
                                    "{\"errors\":[{\"code\":\"DIGEST_INVALID\",\"message\":\"provided digest did not match\"}]}");
                }
                byte[] content = manifests.remove(name);
                manifests
                        .values()
                        .removeIf(other -> content != null && Digest.of(other).equals(Digest.of(content)));
                return status(content == null ? 404 : 202);
            }
            default -> {
                byte[] content = manifests.get(name);
                return content == null
                        ? status(404)
                        : new MockResponse()
                                .setHeader(
                                        "Content-Type",
                                        ManifestOrIndex.parse(content, "").mediaType())
                                .setBody(new Buffer().write(content));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 405, 501})
    void deletesATagAlone(int refusal) throws Exception {
        registry.answer(request -> answer(request, refusal));

        client.deleteTag(repository, "v1");

        assertThat(manifests).containsOnlyKeys("v2", IMAGE.digest().toString());
        assertThat(registry.lines()).doesNotContain("DELETE " + PATH + IMAGE.digest());
    }

    @Test
    void aDeletionWhoseAnswerIsLostIsOne() throws Exception {
        AtomicBoolean lost = new AtomicBoolean();
        registry.answer(request -> {
            MockResponse answer = answer(request, 400);
            boolean deleted =
                    "DELETE".equals(request.getMethod()) && answer.getStatus().contains(" 202 ");
            return deleted && lost.compareAndSet(false, true) ? status(502) : answer;
        });
        RegistryClient retrying = open.add(RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .sleeper(duration -> {})
                .build());

        retrying.deleteTag(repository, "v1");

        assertThat(lost).isTrue();
        assertThat(manifests).containsOnlyKeys("v2", IMAGE.digest().toString());
    }

    @Test
    void asksARegistryThatDeletesTagsOnce() throws Exception {
        registry.answer(request -> status(202));
        client.deleteTag(repository, "v1");
        assertThat(registry.lines()).containsExactly("DELETE " + PATH + "v1");
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 404, 429, 500})
    void whatIsNoLackOfSupportIsAnError(int refusal) {
        registry.answer(request -> answer(request, refusal));

        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> client.deleteTag(repository, "v1"))
                .satisfies(e -> assertThat(e.status()).hasValue(refusal));
        assertThat(manifests).hasSize(3);
        assertThat(registry.lines()).noneMatch(line -> line.startsWith("PUT"));
    }

    @Test
    void changesNothingWhereNothingIsDeleted() {
        registry.answer(unless("DELETE", status(405).setBody("{\"errors\":[{\"code\":\"UNSUPPORTED\"}]}")));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.deleteTag(repository, "v1"))
                .withMessageContaining("deletes neither tags nor manifests");
        assertThat(manifests).hasSize(3);
        assertThat(registry.lines()).noneMatch(line -> line.startsWith("PUT") || line.startsWith("POST"));
    }

    private Function<RecordedRequest, MockResponse> unless(String method, MockResponse other) {
        return request -> method.equals(request.getMethod()) ? other.clone() : answer(request, 400);
    }

    @Test
    void movesTheTagBackIfThePlaceholderStays() {
        registry.answer(request -> {
            String name = String.valueOf(request.getPath());
            boolean known = manifests.containsKey(name.substring(PATH.length()));
            return "DELETE".equals(request.getMethod()) && known && name.contains("sha256:")
                    ? status(403)
                    : answer(request, 400);
        });

        assertThatExceptionOfType(DeniedException.class).isThrownBy(() -> client.deleteTag(repository, "v1"));
        assertThat(manifests.get("v1")).isEqualTo(IMAGE.content());
    }

    @Test
    void aTagThatIsNotThereIsNotFound() {
        assertThatExceptionOfType(NotFoundException.class).isThrownBy(() -> client.deleteTag(repository, "v9"));
        assertThat(registry.lines()).noneMatch(line -> line.startsWith("PUT"));
    }
}
