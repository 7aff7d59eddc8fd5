package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.SocketPolicy;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Uploads that break off, and all ways to push a blob. */
class BlobUploadTest {
    private static final int SIZE = 5_000_000;
    private static final int CUT = 1_000_000;

    private final byte[] content = new byte[SIZE];
    private final Descriptor blob;
    private final ManualTime time = new ManualTime();
    private final AtomicInteger opens = new AtomicInteger();

    @AutoClose
    private final FakeUploads registry = new FakeUploads();

    @AutoClose
    private final RegistryClient client = client(3);

    BlobUploadTest() throws IOException {
        new Random(7).nextBytes(content);
        blob = new Descriptor("application/octet-stream", Digest.of(content), content.length);
    }

    private RegistryClient client(int attempts) {
        return RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .ticker(time::nanos)
                .sleeper(time::sleep)
                .attempts(attempts)
                .build();
    }

    private InputStream open() {
        opens.incrementAndGet();
        return new ByteArrayInputStream(content);
    }

    private void push(PushOptions options) throws RegistryException, InterruptedException {
        client.pushBlob(registry.repository(), blob, this::open, options);
    }

    private void assertStored() {
        assertThat(registry.blobs).containsOnlyKeys(blob.digest().toString());
        assertThat(registry.blobs.get(blob.digest().toString())).isEqualTo(content);
    }

    @Test
    void goesOnWhereTheContentThatArrivedEnds() throws Exception {
        registry.cutAfter((long) CUT, (long) CUT);

        push(PushOptions.DEFAULTS);

        assertStored();
        assertThat(registry.methods()).containsExactly("POST", "PUT", "GET", "PUT", "GET", "PUT");
        assertThat(registry.ranges)
                .containsExactly("null 5000000", "1000000-4999999 4000000", "2000000-4999999 3000000");
        assertThat(opens).hasValue(3);
    }

    @Test
    void failuresCountAnewWhenContentArrived() throws Exception {
        registry.cutAfter(10L, 10L, 10L, 10L, 10L, 10L);

        push(PushOptions.DEFAULTS);

        assertStored();
        assertThat(registry.lines("PUT")).hasSize(7);
    }

    @Test
    void beginsAgainIfTheRegistryHasLostTheUpload() throws Exception {
        registry.losesParts = true;
        registry.cutAfter((long) CUT, (long) CUT);

        push(PushOptions.DEFAULTS);

        assertStored();
        // If all of the content fits in buffers, the client may also look whether it is there.
        assertThat(registry.methods().stream().filter(method -> !method.equals("HEAD")))
                .containsExactly("POST", "PUT", "GET", "POST", "PUT", "GET", "POST", "PUT");
        assertThat(time.sleeps).hasSize(2);
    }

    @Test
    void givesUpAfterAsManyAttemptsAsAreConfigured() {
        registry.losesParts = true;
        registry.cutAfter((long) CUT, (long) CUT, (long) CUT, (long) CUT);

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> push(PushOptions.DEFAULTS))
                .satisfies(e -> assertThat(e.isTransient()).isTrue());
        assertThat(registry.lines("PUT")).hasSize(3);
        assertThat(registry.lines("POST")).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource({
        "404, BLOB_UPLOAD_INVALID",
        "404, BLOB_UPLOAD_UNKNOWN",
        "404, <html>",
        "410, BLOB_UPLOAD_UNKNOWN",
        "400, BLOB_UPLOAD_INVALID",
        "400, BLOB_UPLOAD_UNKNOWN",
        "409, BLOB_UPLOAD_INVALID",
        "422, BLOB_UPLOAD_UNKNOWN",
        "500, UNKNOWN",
        "429, TOOMANYREQUESTS",
        "400, TOOMANYREQUESTS",
        "403, TOOMANYREQUESTS",
        "404, TOOMANYREQUESTS",
        "405, TOOMANYREQUESTS",
        "503, TOOMANYREQUESTS"
    })
    void anUploadThatTheRegistryRefusesIsNoVerdictOnTheBlob(int status, String code) throws Exception {
        AtomicInteger puts = new AtomicInteger();
        registry.fault = line ->
                line.startsWith("PUT") && puts.incrementAndGet() == 1 ? new FakeUploads.Answer(status, code) : null;
        push(PushOptions.DEFAULTS);
        assertStored();

        registry.fault = line -> line.startsWith("PUT") ? new FakeUploads.Answer(status, code) : null;
        registry.lines.clear();
        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> push(PushOptions.DEFAULTS))
                .satisfies(e -> assertThat(e.isTransient()).isTrue())
                .satisfies(e -> assertThat(e.status()).hasValue(status));
        assertThat(registry.lines("PUT")).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource({"400, DENIED_BY_POLICY", "413, TOO_LARGE", "405, UNSUPPORTED"})
    void aVerdictOnTheBlobIsFinalAndTheUploadIsCancelled(int status, String code) {
        registry.fault = line -> line.startsWith("PUT") ? new FakeUploads.Answer(status, code) : null;

        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> push(PushOptions.DEFAULTS))
                .withMessageContaining(code)
                .satisfies(e -> assertThat(e.isTransient()).isFalse());
        assertThat(registry.lines("PUT")).hasSize(1);
        assertThat(registry.lines("DELETE")).singleElement().asString().contains("/blobs/uploads/1?");
    }

    @ParameterizedTest
    @ValueSource(strings = {"DIGEST_INVALID", "SIZE_INVALID"})
    void sendsTheContentInAChunkToARegistryThatMissesItInThePut(String code) throws Exception {
        AtomicInteger puts = new AtomicInteger();
        registry.fault = line ->
                line.startsWith("PUT") && puts.incrementAndGet() == 1 ? new FakeUploads.Answer(400, code) : null;

        push(PushOptions.DEFAULTS);

        assertStored();
        assertThat(registry.methods()).containsExactly("POST", "PUT", "DELETE", "POST", "PATCH", "PUT");
        assertThat(time.sleeps).as("no failure").isEmpty();
    }

    @Test
    void remembersThatARegistryMissesTheContentOfAPut() throws Exception {
        registry.missesPuts = true;
        push(PushOptions.DEFAULTS);
        assertThat(registry.methods()).containsExactly("POST", "PUT", "DELETE", "POST", "PATCH", "PUT");
        for (PushOptions options : List.of(PushOptions.DEFAULTS, PushOptions.DEFAULTS.withSinglePost())) {
            registry.blobs.clear();
            registry.lines.clear();
            client.withDeadline(Duration.ofMinutes(1)).pushBlob(registry.repository(), blob, this::open, options);
            assertStored();
            assertThat(registry.methods()).as("of a view, too").containsExactly("POST", "PATCH", "PUT");
        }

        time.pass(Duration.ofMinutes(11));
        registry.lines.clear();
        push(PushOptions.DEFAULTS);
        assertThat(registry.methods()).as("tried again").startsWith("POST", "PUT", "DELETE");

        // It is another registry now, which takes content from a PUT only.
        registry.missesPuts = false;
        registry.fault = line -> line.startsWith("PATCH") ? new FakeUploads.Answer(405, "UNSUPPORTED") : null;
        push(PushOptions.DEFAULTS);
        registry.lines.clear();
        push(PushOptions.DEFAULTS);
        assertStored();
        assertThat(registry.methods()).containsExactly("POST", "PUT");
    }

    @Test
    void aWrongDigestSaysNothingAboutTheRegistry() throws Exception {
        Descriptor wrong = new Descriptor("application/octet-stream", Digest.of(new byte[0]), SIZE);
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.pushBlob(registry.repository(), wrong, this::open))
                .withMessageContaining("DIGEST_INVALID");
        registry.lines.clear();

        push(PushOptions.DEFAULTS);
        assertThat(registry.methods()).containsExactly("POST", "PUT");
    }

    @Test
    void aDigestThatIsWrongInAChunkToo() {
        registry.fault = line -> line.startsWith("PUT") ? new FakeUploads.Answer(400, "DIGEST_INVALID") : null;

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> push(PushOptions.DEFAULTS))
                .withMessageContaining("DIGEST_INVALID");
        assertThat(registry.methods()).containsExactly("POST", "PUT", "DELETE", "POST", "PATCH", "PUT", "DELETE");
    }

    @Test
    void aRegistryThatTakesContentNeitherInAPutNorInAPatchIsNotAskedForever() {
        registry.fault = line -> line.startsWith("PUT")
                ? new FakeUploads.Answer(400, "DIGEST_INVALID")
                : line.startsWith("PATCH") ? new FakeUploads.Answer(405, "UNSUPPORTED") : null;

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> push(PushOptions.DEFAULTS))
                .withMessageContaining("DIGEST_INVALID");
        assertThat(registry.lines("POST")).hasSize(3);
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 404, 405, 410, 501})
    void cancelsAnUploadOfWhichTheRegistryDoesNotTellTheOffset(int status) throws Exception {
        registry.cutAfter((long) CUT);
        registry.fault = line -> line.startsWith("GET")
                ? new FakeUploads.Answer(status, status < 404 ? "<html>" : "BLOB_UPLOAD_INVALID")
                : null;

        push(PushOptions.DEFAULTS);

        assertStored();
        assertThat(registry.lines("POST")).hasSize(2);
        // The same credentials may not cancel it either.
        assertThat(registry.lines("DELETE")).hasSize(status == 401 || status == 403 ? 0 : 1);
    }

    @Test
    void aRefusalToCancelIsNoRefusalToPush() throws Exception {
        AtomicInteger puts = new AtomicInteger();
        registry.fault = line -> line.startsWith("DELETE") || (line.startsWith("PUT") && puts.incrementAndGet() == 1)
                ? new FakeUploads.Answer(line.startsWith("PUT") ? 413 : 401, "NO")
                : null;
        assertThatExceptionOfType(ProtocolViolationException.class).isThrownBy(() -> push(PushOptions.DEFAULTS));
        assertThat(registry.lines("DELETE")).hasSize(1);

        push(PushOptions.DEFAULTS);
        assertStored();
    }

    @Test
    void doesNotSendABlobAgainOfWhichOnlyTheAnswerWasLost() throws Exception {
        registry.losesAnswers = true;

        push(PushOptions.DEFAULTS);

        assertStored();
        assertThat(registry.methods()).containsExactly("POST", "PUT", "GET", "HEAD");
    }

    @Test
    void beginsAgainIfThePartsDoNotFitTogether() throws Exception {
        registry.cutAfter((long) CUT);
        AtomicInteger puts = new AtomicInteger();
        registry.fault = line -> line.startsWith("PUT") && puts.incrementAndGet() == 2
                ? new FakeUploads.Answer(400, "DIGEST_INVALID")
                : null;

        push(PushOptions.DEFAULTS);

        assertStored();
        assertThat(registry.methods()).containsExactly("POST", "PUT", "GET", "PUT", "DELETE", "POST", "PUT");
    }

    @Test
    void pushesInChunks() throws Exception {
        push(PushOptions.DEFAULTS.withChunks(2_000_000));

        assertStored();
        assertThat(registry.methods()).containsExactly("POST", "PATCH", "PATCH", "PATCH", "PUT");
        assertThat(registry.ranges)
                .containsExactly("0-1999999 2000000", "2000000-3999999 2000000", "4000000-4999999 1000000");
        assertThat(opens)
                .as("the source is read once, from its beginning to its end")
                .hasValue(1);
    }

    @Test
    void makesChunksAsLargeAsTheRegistryRequires() throws Exception {
        registry.smallestChunk = 3_000_000;

        push(PushOptions.DEFAULTS.withChunks(1_000_000));

        assertStored();
        assertThat(registry.ranges).containsExactly("0-2999999 3000000", "3000000-4999999 2000000");
    }

    @Test
    void goesOnWithinAChunk() throws Exception {
        registry.cutAfter(100L);

        push(PushOptions.DEFAULTS.withChunks(3_000_000));

        assertStored();
        assertThat(registry.ranges)
                .containsExactly("0-2999999 3000000", "100-3000099 3000000", "3000100-4999999 1999900");
    }

    @Test
    void asksForTheOffsetThatTheRegistryExpects() throws Exception {
        AtomicInteger patches = new AtomicInteger();
        registry.fault = line -> line.startsWith("PATCH") && patches.incrementAndGet() == 2
                ? new FakeUploads.Answer(416, "RANGE_INVALID")
                : null;

        push(PushOptions.DEFAULTS.withChunks(3_000_000));

        // It names the offset that it has just refused: only another upload helps.
        assertStored();
        assertThat(registry.methods())
                .containsExactly("POST", "PATCH", "PATCH", "GET", "DELETE", "POST", "PATCH", "PATCH", "PUT");
    }

    @ParameterizedTest
    @ValueSource(ints = {405, 501})
    void sendsOnePieceIfTheRegistryDoesNotSupportChunks(int status) throws Exception {
        registry.fault = line -> line.startsWith("PATCH") ? new FakeUploads.Answer(status, "UNSUPPORTED") : null;

        push(PushOptions.DEFAULTS.withChunks(1_000_000));

        assertStored();
        assertThat(registry.methods()).containsExactly("POST", "PATCH", "DELETE", "POST", "PUT");
    }

    @Test
    void pushesTheEmptyBlob() throws Exception {
        Descriptor empty = new Descriptor("application/octet-stream", Digest.of(new byte[0]), 0);

        for (PushOptions options : List.of(PushOptions.DEFAULTS, PushOptions.DEFAULTS.withChunks(1))) {
            client.pushBlob(registry.repository(), empty, () -> new ByteArrayInputStream(new byte[0]), options);
        }

        assertThat(registry.methods()).containsExactly("POST", "PUT", "POST", "PUT");
    }

    @Test
    void tellsHowFarThePushHasCome() throws Exception {
        registry.losesParts = true;
        registry.cutAfter((long) CUT);
        List<Long> sent = new ArrayList<>();

        push(PushOptions.DEFAULTS.withProgress((bytes, total) -> {
            assertThat(total).isEqualTo(SIZE);
            sent.add(bytes);
        }));

        assertThat(sent).startsWith(0L, 65_536L).endsWith((long) SIZE);
        List<Long> returns = new ArrayList<>();
        for (int i = 1; i < sent.size(); i++) {
            if (sent.get(i) < sent.get(i - 1)) {
                returns.add(sent.get(i));
            }
        }
        assertThat(returns).as("nothing of it arrived").containsExactly(0L);
    }

    @Test
    void cancelsWhatTheListenerEnds() {
        assertThatIllegalStateException()
                .isThrownBy(() -> push(PushOptions.DEFAULTS.withProgress((bytes, total) -> {
                    if (bytes > 0) {
                        throw new IllegalStateException("enough");
                    }
                })))
                .withMessage("enough");
        assertThat(registry.methods()).contains("POST", "DELETE");
    }

    @Test
    void goesOnInAnotherProcess() throws Exception {
        AtomicReference<String> kept = new AtomicReference<>();
        PushOptions chunked = PushOptions.DEFAULTS.withChunks(1_000_000);
        AtomicInteger patches = new AtomicInteger();
        registry.fault = line -> line.startsWith("PATCH") && patches.incrementAndGet() == 3
                ? new FakeUploads.Answer(503, "UNAVAILABLE")
                : null;
        try (RegistryClient first = client(1)) {
            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> first.pushBlob(
                            registry.repository(),
                            blob,
                            this::open,
                            chunked.withSessions(session -> kept.set(session.toText()))));
        }
        assertThat(registry.lines("DELETE")).as("it can be resumed").isEmpty();

        UploadSession session = UploadSession.parse(kept.get());
        assertThat(session.toString()).doesNotContain("state").contains(registry.repository() + "");
        assertThat(session.toText()).isEqualTo(kept.get());
        registry.lines.clear();
        push(chunked.resuming(session));

        assertStored();
        assertThat(registry.methods()).containsExactly("GET", "PATCH", "PATCH", "PATCH", "PUT");
        assertThat(registry.ranges)
                .endsWith("2000000-2999999 1000000", "3000000-3999999 1000000", "4000000-4999999 1000000");
    }

    @Test
    void beginsAgainIfTheUploadToResumeIsGone() throws Exception {
        UploadSession session = UploadSession.parse("upload-1 " + registry.repository() + " " + blob.digest() + " "
                + SIZE + " http://" + registry.host() + "/v2/team/app/blobs/uploads/77?state=1\n");

        push(PushOptions.DEFAULTS.resuming(session));

        assertStored();
        assertThat(registry.methods()).containsExactly("GET", "POST", "PUT");
    }

    @Test
    void resumesOnlyTheUploadOfTheSameBlobOnTheSameHost() {
        String other = "upload-1 " + registry.host() + "/team/other " + blob.digest() + " " + SIZE + " http://"
                + registry.host() + "/u";
        assertThatIllegalArgumentException()
                .isThrownBy(() -> push(PushOptions.DEFAULTS.resuming(UploadSession.parse(other))));
        String elsewhere = "upload-1 " + registry.repository() + " " + blob.digest() + " " + SIZE
                + " http://169.254.169.254/latest/meta-data";
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> push(PushOptions.DEFAULTS.resuming(UploadSession.parse(elsewhere))));
        assertThat(registry.lines).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "upload-2 a.example/b sha256:00 1 https://a.example/secret",
                "upload-1 a.example/b sha256:00 1 https://a.example/secret",
                "upload-1 a.example/b x -1 https://a.example/secret",
                "upload-1 a.example/b x 1 ftp://a.example/secret"
            })
    void readsOnlyHandles(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> UploadSession.parse(text))
                .withMessageNotContaining("secret");
    }

    @Test
    void savesARequestIfTheRegistryTakesContentAtOnce() throws Exception {
        registry.acceptsSinglePost = true;

        push(PushOptions.DEFAULTS.withSinglePost());

        assertStored();
        assertThat(registry.lines).containsExactly("POST /v2/team/app/blobs/uploads/?digest=" + blob.digest());
    }

    @Test
    void opensAnUploadIfTheRegistryDoesNotTakeContentAtOnce() throws Exception {
        push(PushOptions.DEFAULTS.withSinglePost());
        assertStored();
        assertThat(registry.methods()).containsExactly("POST", "PUT");

        for (int status : new int[] {400, 405, 411, 413, 501}) {
            registry.lines.clear();
            registry.fault = line -> line.contains("uploads/?digest") ? new FakeUploads.Answer(status, "NO") : null;
            push(PushOptions.DEFAULTS.withSinglePost());
            assertThat(registry.methods()).containsExactly("POST", "POST", "PUT");
        }
    }

    @Test
    void aSinglePostThatBreaksOffGoesOnAsAnUpload() throws Exception {
        registry.cutAfter((long) CUT);

        push(PushOptions.DEFAULTS.withSinglePost());

        assertStored();
        assertThat(registry.methods()).containsExactly("POST", "POST", "PUT");
    }

    @Test
    void namesTheAlgorithmOfADigestThatIsNotTheUsualOne() throws Exception {
        Digest digest = Digest.of(Digest.SHA512, content);
        Descriptor sha512 = new Descriptor("application/octet-stream", digest, SIZE);

        client.pushBlob(registry.repository(), sha512, this::open);

        assertThat(registry.lines.get(0)).isEqualTo("POST /v2/team/app/blobs/uploads/?digest-algorithm=sha512");
        assertThat(registry.lines.get(1)).endsWith("&digest=" + digest);
        assertThat(registry.blobs).containsOnlyKeys(digest.toString());
    }

    /** How registries and proxies in front of them say how much arrived; the last one says nothing. */
    @ParameterizedTest
    @ValueSource(strings = {"0-999999", "bytes=0-999999", "bytes 0-999999", " 0-999999 ", ""})
    void readsTheOffsetInEveryForm(String range) throws Exception {
        List<String> puts = new ArrayList<>();
        try (FakeServer server = new FakeServer(request -> switch (request.getMethod() + puts.size()) {
            case "POST0" -> FakeServer.status(202).setHeader("Location", "/upload");
            case "PUT0", "PUT1" -> {
                puts.add(request.getHeader("Content-Range") + "");
                yield FakeServer.status(puts.size() == 1 ? 502 : 201);
            }
            case "GET1" -> {
                var answer = FakeServer.status(204).setHeader("Location", "/upload");
                yield range.isEmpty() ? answer : answer.setHeader("Range", range);
            }
            default -> FakeServer.status(500);
        })) {
            client.pushBlob(new Repository(server.host(), "team/app"), blob, this::open);
        }
        assertThat(puts).containsExactly("null", range.isEmpty() ? "null" : "1000000-4999999");
    }

    @Test
    void getsANewLocationForAStorageThatIsNotTheRegistry() throws Exception {
        AtomicInteger posts = new AtomicInteger();
        AtomicInteger puts = new AtomicInteger();
        try (FakeServer storage =
                        new FakeServer(request -> FakeServer.status(puts.incrementAndGet() == 1 ? 503 : 200));
                FakeServer server = new FakeServer(request -> FakeServer.status(202)
                        .setHeader("Location", storage.url() + "/file?signature=" + posts.incrementAndGet()))) {
            List<UploadSession> sessions = new ArrayList<>();
            client.pushBlob(
                    new Repository(server.host(), "team/app"),
                    blob,
                    this::open,
                    PushOptions.DEFAULTS.withSessions(sessions::add));

            // It knows neither GET nor DELETE of uploads, and each signature is for one request.
            assertThat(storage.lines())
                    .containsExactly(
                            "PUT /file?signature=1&digest=" + blob.digest(),
                            "PUT /file?signature=2&digest=" + blob.digest());
            assertThat(server.requests).hasSize(2);
            assertThat(sessions).isEmpty();
        }
    }

    @Test
    void pushesAManifestByADigestOfAnotherAlgorithm() throws Exception {
        try (FakeServer server = new FakeServer(request -> FakeServer.status(201)
                .setHeader(
                        "Docker-Content-Digest",
                        String.valueOf(request.getPath()).replaceFirst(".*/", "")))) {
            Manifest manifest = Manifest.of(blob, List.of(), Map.of());
            Digest sha512 = Digest.of(Digest.SHA512, manifest.content());
            Repository repository = new Repository(server.host(), "team/app");

            client.pushManifest(repository.digest(sha512), manifest);

            assertThat(server.lines()).containsExactly("PUT /v2/team/app/manifests/" + sha512);
            assertThatIllegalArgumentException()
                    .isThrownBy(() ->
                            client.pushManifest(repository.digest(Digest.of(Digest.SHA512, new byte[1])), manifest));
        }
    }

    @Test
    void saysThatTheSourceCannotBeReadAndAsksNobodyAgain() {
        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client.pushBlob(registry.repository(), blob, () -> {
                    opens.incrementAndGet();
                    throw new FileNotFoundException("layer.tar.gz");
                }))
                .withMessageContaining("the content to push cannot be read: layer.tar.gz");
        assertThat(opens).hasValue(1);
        assertThat(registry.lines("DELETE")).hasSize(1);
    }

    @Test
    void doesNotPushTheBeginningOfALongerSource() {
        Descriptor shorter = new Descriptor("application/octet-stream", Digest.of(new byte[] {1}), 1);

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.pushBlob(registry.repository(), shorter, this::open))
                .withMessageContaining("more than 1 bytes instead of 1");
        assertThat(registry.blobs).isEmpty();
    }

    private static final PushProgress INTERRUPTS = (bytes, total) -> {
        if (bytes > CUT) {
            Thread.currentThread().interrupt();
        }
    };

    @Test
    void anInterruptedPushCancelsItsUpload() {
        try {
            assertThatExceptionOfType(InterruptedException.class)
                    .isThrownBy(() -> push(PushOptions.DEFAULTS.withProgress(INTERRUPTS)));
            assertThat(registry.methods()).containsExactly("POST", "PUT", "DELETE");
            assertThat(registry.open()).isZero();
        } finally {
            assertThat(Thread.interrupted()).isFalse();
        }
    }

    @Test
    void anInterruptThatOnlyTheCallerKnowsStaysSet() {
        PushOptions options = PushOptions.DEFAULTS.withProgress((bytes, total) -> {
            if (bytes > CUT) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("enough");
            }
        });
        try {
            assertThatIllegalStateException().isThrownBy(() -> push(options));
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(registry.open()).isZero();
    }

    /** As when a future is cancelled whose task pushes: the thread waits for the answer of the registry. */
    @Test
    void aPushThatIsInterruptedWhileTheRegistryIsSilentCancelsItsUpload() throws Exception {
        Thread pushing = Thread.currentThread();
        try (FakeServer silent = new FakeServer(request -> switch (String.valueOf(request.getMethod())) {
            case "POST" -> FakeServer.status(202).setHeader("Location", "/upload");
            case "PUT" -> {
                pushing.interrupt();
                yield new MockResponse().setSocketPolicy(SocketPolicy.NO_RESPONSE);
            }
            default -> FakeServer.status(204);
        })) {
            assertThatExceptionOfType(InterruptedException.class)
                    .isThrownBy(() -> client.pushBlob(new Repository(silent.host(), "team/app"), blob, this::open));
            assertThat(silent.lines()).hasSize(3).endsWith("DELETE /upload");
        } finally {
            assertThat(Thread.interrupted()).isFalse();
        }
    }

    @Test
    void aPushWhoseDeadlineEndsCancelsItsUpload() {
        registry.fault = line -> {
            if (!line.startsWith("PUT")) {
                return null;
            }
            time.pass(Duration.ofHours(1));
            return new FakeUploads.Answer(503, "UNAVAILABLE");
        };
        try (RegistryClient timed = RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .sleeper(time::sleep)
                .ticker(time::nanos)
                .build()) {
            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> timed.pushBlob(registry.repository(), blob, this::open));
        }
        assertThat(registry.methods()).containsExactly("POST", "PUT", "DELETE");
        assertThat(time.sleeps).isEmpty();
    }

    @Test
    void aSourceThatFailsInTheMiddleCancelsItsUpload() {
        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client.pushBlob(
                        registry.repository(),
                        blob,
                        () -> new SequenceInputStream(new ByteArrayInputStream(content, 0, CUT), new InputStream() {
                            @Override
                            public int read() throws IOException {
                                throw new IOException("the disk is gone");
                            }
                        })))
                .withMessageContaining("the disk is gone");
        assertThat(registry.methods()).containsExactly("POST", "PUT", "DELETE");
    }

    @Test
    void anUploadThatSomebodyWantsToResumeIsKept() throws Exception {
        AtomicReference<String> kept = new AtomicReference<>();
        assertThatExceptionOfType(InterruptedException.class)
                .isThrownBy(() -> push(PushOptions.DEFAULTS
                        .withProgress(INTERRUPTS)
                        .withSessions(session -> kept.set(session.toText()))));
        UploadSession session = UploadSession.parse(kept.get());
        assertThatExceptionOfType(InterruptedException.class)
                .isThrownBy(
                        () -> push(PushOptions.DEFAULTS.withProgress(INTERRUPTS).resuming(session)));
        assertThatIllegalStateException()
                .isThrownBy(() -> push(PushOptions.DEFAULTS.resuming(session).withProgress((bytes, total) -> {
                    throw new IllegalStateException("later");
                })));
        assertThat(registry.lines("DELETE")).isEmpty();

        push(PushOptions.DEFAULTS.resuming(session));
        assertStored();
    }

    @Test
    void anUploadWhoseSourceFailsForGoodIsKeptIfSomebodyWantsToResumeIt() throws Exception {
        AtomicReference<String> kept = new AtomicReference<>();
        NotFoundException gone = new NotFoundException(
                Call.ping(registry.host()).what().answered(404, List.of()), "the source is deleted", null);
        BlobSource source = () -> new SequenceInputStream(new ByteArrayInputStream(content, 0, CUT), new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException(gone);
            }
        });
        PushOptions options = PushOptions.DEFAULTS.withChunks(CUT / 2);
        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.pushBlob(registry.repository(), blob, source, options))
                .withMessageContaining("the source is deleted");
        assertThat(registry.lines("DELETE")).as("nobody resumes it").hasSize(1);
        registry.lines.clear();

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client.pushBlob(
                        registry.repository(),
                        blob,
                        source,
                        options.withSessions(session -> kept.set(session.toText()))));
        assertThat(registry.lines("DELETE")).isEmpty();

        registry.lines.clear();
        push(PushOptions.DEFAULTS.resuming(UploadSession.parse(kept.get())));
        assertStored();
        assertThat(registry.methods()).as("it goes on").containsExactly("GET", "PUT");
    }
}
