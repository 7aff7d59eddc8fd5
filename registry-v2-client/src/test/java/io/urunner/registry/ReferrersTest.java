package io.urunner.registry;

import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import okio.Buffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What refers to a manifest, with and without the registry's help. */
class ReferrersTest {
    private static final Descriptor SUBJECT =
            new Descriptor(MediaType.OCI_MANIFEST, Digest.parse("sha256:" + "a".repeat(64)), 7);
    private static final String TAG = "sha256-" + "a".repeat(64);
    private static final String API = "GET /v2/team/app/referrers/" + SUBJECT.digest();
    private static final String GET_TAG = "GET /v2/team/app/manifests/" + TAG;
    private static final String PUT_TAG = "PUT /v2/team/app/manifests/" + TAG;

    private final ManualTime time = new ManualTime();
    private final Map<String, byte[]> manifests = new ConcurrentHashMap<>();

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(this::answer));
    private final RegistryClient client = client(duration -> {});
    private final Repository repository = registry.image("team/app").toRepository();

    private RegistryClient client(Sleeper sleeper) {
        return open.add(RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .clock(time)
                .ticker(time::nanos)
                .sleeper(sleeper)
                .build());
    }

    /** A registry without the referrers API. */
    private MockResponse answer(RecordedRequest request) {
        String path = String.valueOf(request.getPath());
        String name = path.substring(path.lastIndexOf('/') + 1);
        if (path.contains("/referrers/")) {
            return status(404).setBody("404 page not found");
        }
        switch (String.valueOf(request.getMethod())) {
            case "PUT" -> {
                byte[] content = request.getBody().clone().readByteArray();
                manifests.put(name, content);
                manifests.put(Digest.of(content).toString(), content);
                return status(201);
            }
            case "DELETE" -> {
                return status(manifests.remove(name) == null ? 404 : 202);
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

    private static Manifest signature(String name) {
        return Manifest.artifact("application/sig", List.of(), Optional.of(SUBJECT), Map.of("name", name));
    }

    private void push(RegistryClient pusher, Manifest content) throws Exception {
        pusher.pushManifest(repository.digest(content.digest()), content);
    }

    private @Nullable Index listed() {
        byte[] content = manifests.get(TAG);
        return content == null ? null : (Index) ManifestOrIndex.parse(content, "");
    }

    private List<Digest> digests() {
        Index index = listed();
        return index == null
                ? List.of()
                : index.manifests().stream().map(Descriptor::digest).toList();
    }

    @Test
    void listsWhatIsPushedUnderTheFallbackTag() throws Exception {
        Manifest first = signature("a");
        Manifest second = signature("b");

        push(client, first);
        assertThat(registry.lines())
                .containsExactly("PUT /v2/team/app/manifests/" + first.digest(), GET_TAG, PUT_TAG, GET_TAG);
        push(client, second);
        push(client, second);

        assertThat(digests()).containsExactly(first.digest(), second.digest());
        Descriptor entry = client.referrers(repository, SUBJECT.digest(), Optional.of("application/sig"))
                .all()
                .get(0);
        assertThat(entry)
                .isEqualTo(new Descriptor(
                        MediaType.OCI_MANIFEST,
                        first.digest(),
                        first.descriptor().size(),
                        Optional.empty(),
                        Optional.of("application/sig"),
                        Map.of("name", "a")));
        assertThat(client.referrers(repository, SUBJECT.digest(), Optional.of("other"))
                        .all())
                .isEmpty();
    }

    @Test
    void leavesTheListToARegistryThatKeepsIt() throws Exception {
        registry.answer(
                request -> status(201).setHeader("OCI-Subject", SUBJECT.digest().toString()));
        push(client, signature("a"));
        assertThat(registry.requests).hasSize(1);
    }

    @Test
    void aManifestWithoutASubjectIsJustPushed() throws Exception {
        push(client, Manifest.of(Manifest.EMPTY_CONFIG, List.of(), Map.of()));
        assertThat(registry.requests).hasSize(1);
    }

    @Test
    void keepsEverythingThatTheListSays() throws Exception {
        String text =
                "{\"schemaVersion\":2,\"mediaType\":\"" + MediaType.OCI_INDEX + "\",\"annotations\":{\"k\":\"v\"},"
                        + "\"manifests\":[{\"mediaType\":\"x/y\",\"digest\":\"blake3:abc\",\"size\":1,\"new\":[1]}]}";
        manifests.put(TAG, text.getBytes(StandardCharsets.UTF_8));

        Manifest added = signature("a");
        push(client, added);

        String written = new String(manifests.get(TAG), StandardCharsets.UTF_8);
        assertThat(written)
                .startsWith(text.substring(0, text.length() - 2))
                .contains(added.digest().toString());
    }

    /** Both read the list before either writes it, and both write before either looks again. */
    @Test
    void twoWritersAtOnceLoseNoEntry() throws Exception {
        CyclicBarrier reads = new CyclicBarrier(2);
        CyclicBarrier writes = new CyclicBarrier(2);
        AtomicInteger reading = new AtomicInteger();
        AtomicInteger writing = new AtomicInteger();
        registry.answer(request -> {
            boolean list = String.valueOf(request.getPath()).endsWith(TAG);
            boolean put = "PUT".equals(request.getMethod());
            MockResponse answer = answer(request);
            if (list && !put && reading.incrementAndGet() <= 2) {
                await(reads);
            } else if (list && put && writing.incrementAndGet() <= 2) {
                await(writes);
            }
            return answer;
        });
        Manifest first = signature("a");
        Manifest second = signature("b");
        RegistryClient other = client(duration -> {});

        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            Future<?> one = threads.submit(() -> {
                push(client, first);
                return null;
            });
            Future<?> two = threads.submit(() -> {
                push(other, second);
                return null;
            });
            one.get(30, TimeUnit.SECONDS);
            two.get(30, TimeUnit.SECONDS);
        } finally {
            threads.shutdownNow();
        }
        assertThat(digests()).containsExactlyInAnyOrder(first.digest(), second.digest());
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void writersOfOneClientTakeTurns() throws Exception {
        List<Manifest> signatures = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<?>> pushes = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                Manifest signature = signature("s" + i);
                signatures.add(signature);
                pushes.add(threads.submit(() -> {
                    push(client, signature);
                    return null;
                }));
            }
            for (Future<?> push : pushes) {
                push.get(30, TimeUnit.SECONDS);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(digests())
                .containsExactlyInAnyOrderElementsOf(
                        signatures.stream().map(Manifest::digest).toList());
        assertThat(registry.lines().stream().filter(PUT_TAG::equals)).hasSize(8);
    }

    /** It read the list before us, and writes it after us. */
    @Test
    void looksAgainAfterALateWriter() throws Exception {
        Manifest late = signature("late");
        AtomicInteger pauses = new AtomicInteger();
        RegistryClient patient = client(duration -> {
            if (pauses.incrementAndGet() == 1) {
                Index stale = Index.of(List.of(late.descriptor()), Map.of());
                manifests.put(TAG, stale.content());
            }
        });
        Manifest ours = signature("ours");

        push(patient, ours);

        assertThat(digests()).containsExactly(late.digest(), ours.digest());
        assertThat(pauses).hasValue(2);
    }

    @Test
    void givesUpAfterTenRounds() {
        RegistryClient unlucky = client(duration -> manifests.remove(TAG));

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> push(unlucky, signature("a")))
                .withMessageContaining("push it again");
        assertThat(registry.lines().stream().filter(PUT_TAG::equals)).hasSize(10);
    }

    @ParameterizedTest
    @ValueSource(strings = {"<html>", "", "[]", "{\"schemaVersion\":2,\"config\":{}}"})
    void neverOverwritesATagThatIsNoList(String other) throws Exception {
        byte[] content = other.startsWith("{") ? signature("other").content() : other.getBytes(StandardCharsets.UTF_8);
        registry.answer(request -> String.valueOf(request.getPath()).endsWith(TAG) && "GET".equals(request.getMethod())
                ? new MockResponse().setBody(new Buffer().write(content))
                : answer(request));

        Manifest pushed = signature("a");
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> push(client, pushed))
                .withMessageContaining(TAG + " would be the list of referrers, but names something else, which is kept")
                .withMessageContaining("push it again");
        assertThat(manifests).doesNotContainKey(TAG).containsKey(pushed.digest().toString());
        client.deleteManifest(repository, pushed.digest());
        assertThat(registry.lines())
                .as("nor on deletion")
                .doesNotContain(PUT_TAG, "DELETE /v2/team/app/manifests/" + TAG);
        assertThat(client.referrers(repository, SUBJECT.digest(), Optional.empty())
                        .all())
                .isEmpty();
    }

    @Test
    void takesWhatIsDeletedOutOfTheList() throws Exception {
        Manifest first = signature("a");
        Manifest second = signature("b");
        push(client, first);
        push(client, second);
        registry.requests.clear();

        client.deleteManifest(repository, first.digest());

        assertThat(digests()).containsExactly(second.digest());
        assertThat(registry.lines())
                .containsExactly(
                        "GET /v2/team/app/manifests/" + first.digest(),
                        "DELETE /v2/team/app/manifests/" + first.digest(),
                        API,
                        GET_TAG,
                        PUT_TAG,
                        GET_TAG);
        client.deleteManifest(repository, second.digest());
        assertThat(listed()).isNotNull();
        assertThat(digests()).isEmpty();
    }

    @Test
    void deletesWithoutAListWhereTheRegistryKeepsIt() throws Exception {
        Manifest signature = signature("a");
        registry.answer(request -> String.valueOf(request.getPath()).contains("/referrers/")
                ? json("{\"schemaVersion\":2,\"mediaType\":\"" + MediaType.OCI_INDEX + "\",\"manifests\":[]}")
                : answer(request));
        manifests.put(signature.digest().toString(), signature.content());

        client.deleteManifest(repository, signature.digest());

        assertThat(registry.lines())
                .containsExactly(
                        "GET /v2/team/app/manifests/" + signature.digest(),
                        "DELETE /v2/team/app/manifests/" + signature.digest(),
                        API);
    }

    @Test
    void deletesEvenIfTheListCannotBeChanged() throws Exception {
        Manifest signature = signature("a");
        push(client, signature);
        registry.answer(
                request -> String.valueOf(request.getPath()).contains("/referrers/") ? status(418) : answer(request));

        client.deleteManifest(repository, signature.digest());

        assertThat(manifests).doesNotContainKey(signature.digest().toString());
        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> client.deleteManifest(repository, signature.digest()));
    }

    /** What a registry without the API may answer. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            400 | ^^
            404 | 404 page not found
            405 | ^^
            406 | ^^
            501 | ^^
            200 | ^^
            200 | <!doctype html><html></html>
            200 | {}
            200 | {"errors":[{"code":"UNSUPPORTED"}]}
            200 | []
            200 | {"schemaVersion":2,"config":{}}
            """)
    void readsTheFallbackTag(int status, String body) throws Exception {
        Manifest signature = signature("a");
        push(client, signature);
        registry.answer(request -> String.valueOf(request.getPath()).contains("/referrers/")
                ? status(status).setBody(body == null ? "" : body)
                : answer(request));

        assertThat(client.referrers(repository, SUBJECT.digest(), Optional.empty())
                        .all())
                .extracting(Descriptor::digest)
                .containsExactly(signature.digest());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/referrers/", "/manifests/sha256-"})
    void aListThatIsTooLargeIsNotTakenForNone(String place) {
        String entry = "{\"mediaType\":\"x/y\",\"digest\":\"" + SUBJECT.digest() + "\",\"size\":1},";
        String list = "{\"schemaVersion\":2,\"mediaType\":\"" + MediaType.OCI_INDEX + "\",\"manifests\":["
                + entry.repeat(9_000) + entry.replace("},", "}") + "]}";
        registry.answer(request -> String.valueOf(request.getPath()).contains(place)
                ? json(list).setHeader("Content-Type", MediaType.OCI_INDEX)
                : status(404));

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.referrers(repository, SUBJECT.digest(), Optional.empty())
                        .all())
                .withMessageContaining("Token count");
    }

    /** {@code OCI-Filters-Applied}, and whether it says that the registry filtered by type. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            artifactType             | true
            artifactType,name        | true
            name, artifactType       | true
            ^ ArtifactType ^         | true
            name                     | false
            noartifactType           | false
            artifactTypes,name       | false
            my artifactType          | false
            """)
    void filtersUnlessTheRegistryDid(String header, boolean filtered) throws Exception {
        String entry =
                "{\"mediaType\":\"x/y\",\"digest\":\"" + SUBJECT.digest() + "\",\"size\":1,\"artifactType\":\"b/c\"}";
        registry.answer(request ->
                json("{\"schemaVersion\":2,\"manifests\":[" + entry + "]}").setHeader("OCI-Filters-Applied", header));

        assertThat(client.referrers(repository, SUBJECT.digest(), Optional.of("a/b"))
                        .all())
                .hasSize(filtered ? 1 : 0);
    }

    @ParameterizedTest
    @CsvSource({
        "blake3:abc, blake3-abc",
        "multihash+base58:QmRZ_x=, multihash-base58-QmRZ_x-",
        "a.very_long-algorithm+name.of.more.than.32:x, a.very_long-algorithm-name.of.mo-x"
    })
    void theTagIsMadeOfAnyDigest(String digest, String tag) {
        assertThat(Referrers.tag(repository, Digest.carried(digest)).tagOrDigest())
                .isEqualTo(tag);
        String hex = "b".repeat(128);
        assertThat(Referrers.tag(repository, Digest.parse("sha512:" + hex)).tagOrDigest())
                .isEqualTo("sha512-" + hex.substring(64));
    }

    @Test
    void pushesIfAnotherWriterListedItAlready() throws Exception {
        Manifest signature = signature("a");
        manifests.put(TAG, Index.of(List.of(signature.descriptor()), Map.of()).content());
        push(client, signature);
        assertThat(registry.lines()).doesNotContain(PUT_TAG);
    }
}
