package io.urunner.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.Platform;
import io.urunner.registry.copy.ImageStore;
import io.urunner.registry.copy.Layouts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okio.Buffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The commands {@code urunner image …} against a registry in memory. */
class ImageCommandsTest extends WiredCommands {
    private final MockWebServer server = new MockWebServer();
    private final Map<String, byte[]> contents = new ConcurrentHashMap<>();
    private final Map<String, List<Descriptor>> referrers = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private Manifest amd;
    private Manifest arm;
    private Index index;
    private String host = "";
    private volatile boolean failing;

    @BeforeEach
    void fill() throws IOException {
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                requests.add(request.getMethod() + " " + request.getTarget());
                return answer(request);
            }
        });
        server.start();
        host = "localhost:" + server.getPort();
        amd = image("linux/amd64");
        arm = image("linux/arm64");
        index = Index.of(List.of(entry(amd, "linux/amd64"), entry(arm, "linux/arm64")), Map.of());
        put("v1", index);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private MockResponse answer(RecordedRequest request) {
        String path = request.getTarget().replaceFirst("\\?.*", "");
        MockResponse.Builder answer = new MockResponse.Builder();
        if (path.equals("/v2/app/tags/list")) {
            return answer.body("{\"name\":\"app\",\"tags\":[\"v1\",\"v2\"]}").build();
        }
        if (path.startsWith("/v2/app/referrers/")) {
            List<Descriptor> all = referrers.getOrDefault(path.substring(path.lastIndexOf('/') + 1), List.of());
            return answer.addHeader("Content-Type", MediaType.OCI_INDEX)
                    .body(new String(Index.of(all, Map.of()).content(), StandardCharsets.UTF_8))
                    .build();
        }
        if ("DELETE".equals(request.getMethod())) {
            return answer.code(202).build();
        }
        byte[] content = contents.get(path.substring(path.lastIndexOf('/') + 1));
        if (content == null) {
            return answer.code(failing ? 403 : 404).build();
        }
        answer.addHeader("Docker-Content-Digest", Digest.of(content).toString());
        if (path.contains("/manifests/")) {
            answer.addHeader("Content-Type", ManifestOrIndex.parse(content, "").mediaType());
        }
        return "HEAD".equals(request.getMethod())
                ? answer.setHeader("Content-Length", content.length).build()
                : answer.body(new Buffer().write(content)).build();
    }

    private Manifest image(String platform) {
        byte[] config = ("{\"architecture\":\"" + platform + "\"}").getBytes(StandardCharsets.UTF_8);
        byte[] layer = "layer".getBytes(StandardCharsets.UTF_8);
        Manifest image =
                Manifest.of(blob(MediaType.OCI_CONFIG, config), List.of(blob(MediaType.OCI_LAYER, layer)), Map.of());
        put(image.digest().toString(), image);
        return image;
    }

    private Descriptor blob(String mediaType, byte[] content) {
        contents.put(Digest.of(content).toString(), content);
        return new Descriptor(mediaType, Digest.of(content), content.length);
    }

    private void put(String tag, ManifestOrIndex content) {
        contents.put(tag, content.content());
        contents.put(content.digest().toString(), content.content());
    }

    private static Descriptor entry(Manifest image, String platform) {
        return image.descriptor().withPlatform(Platform.parse(platform));
    }

    private List<String> writes() {
        return requests.stream()
                .filter(request -> !request.startsWith("GET ") && !request.startsWith("HEAD "))
                .toList();
    }

    @Test
    void lsListsTags() {
        assertThat(run("image", "ls", host + "/app")).as(err.toString()).isZero();
        assertThat(out.toString()).isEqualTo("v1\nv2\n");
        out.getBuffer().setLength(0);

        assertThat(run("image", "ls", "-o", "json", host + "/app")).isZero();
        assertThat(out.toString()).contains("\"schema\" : 1", "\"repository\" : \"" + host + "/app\"", "\"v2\"");
        assertThat(run("image", "ls", host + "/app:v1")).isEqualTo(2);
    }

    @Test
    void digestIsThatOfTheIndexOrOfAPlatform() {
        assertThat(run("image", "digest", host + "/app:v1")).as(err.toString()).isZero();
        assertThat(run("image", "digest", "--platform", "linux/arm64", host + "/app:v1"))
                .isZero();

        assertThat(out.toString()).isEqualTo(index.digest() + "\n" + arm.digest() + "\n");
        assertThat(run("image", "digest", host + "/app:v9")).isEqualTo(1);
        assertThat(run("image", "digest", "--platform", "arm64", host + "/app:v1"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("os/architecture");
    }

    @Test
    void manifestIsPrintedAsTheRegistryHasIt() {
        assertThat(run("image", "manifest", "--platform", "linux/amd64", host + "/app:v1"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).isEqualTo(new String(amd.content(), StandardCharsets.UTF_8) + "\n");
        out.getBuffer().setLength(0);

        assertThat(run("image", "manifest", "-o", "json", host + "/app:v1")).isZero();
        assertThat(out.toString()).contains("\"digest\" : \"" + index.digest() + "\"", "\"manifests\" : [");
    }

    @Test
    void copyWritesALayoutWithALineForEachPieceAndASummary() throws Exception {
        Path layout = folder.resolve("layout");

        assertThat(run("image", "copy", host + "/app:v1", "oci:" + layout + ":v1"))
                .as(err.toString())
                .isZero();

        assertThat(Layouts.folder(layout).manifest("v1")).isEqualTo(index);
        assertThat(out.toString())
                .contains(index.digest() + " copied: 6 transferred", "0 already there")
                .hasLineCount(1);
        assertThat(err.toString())
                .contains("copied " + amd.digest())
                .doesNotContain("\r")
                .hasLineCount(6);
        out.getBuffer().setLength(0);

        assertThat(run("image", "copy", host + "/app:v1", "oci:" + layout + ":v1"))
                .isZero();
        assertThat(out.toString()).contains("0 transferred (0 B)", "3 already there");
        assertThat(writes()).isEmpty();
    }

    @Test
    void copyForDockerNeedsAPlatformAndDryRunWritesNothing() throws Exception {
        Path archive = folder.resolve("app.tar");
        String to = "docker-archive:" + archive + ":shop/app:v1";
        assertThat(run("image", "copy", host + "/app:v1", to)).isEqualTo(1);
        assertThat(err.toString()).contains("choose a platform: --platform");
        assertThat(requests).as("before anything is transferred").noneMatch(request -> request.contains("/blobs/"));
        assertThat(archive).as("after a failure").doesNotExist();
        assertThat(run("image", "copy", "--dry-run", "--platform", "linux/arm64", host + "/app:v1", to))
                .isZero();
        assertThat(archive).doesNotExist();

        assertThat(run("image", "copy", "-o", "json", "--platform", "linux/arm64", host + "/app:v1", to))
                .isZero();

        try (ImageStore read = Layouts.readArchive(archive)) {
            assertThat(read.manifest("shop/app:v1")).isEqualTo(arm);
        }
        assertThat(out.toString()).contains("\"outcome\" : \"copied\"", "\"dryRun\" : false");
    }

    @Test
    void copyRefusesWhatItCannotUnderstandBeforeItAsks() {
        for (List<String> wrong : List.of(
                List.of(host + "/app:v1", "oci:"),
                List.of("Not A Reference", "oci:x"),
                List.of("--jobs", "0", host + "/app:v1", "oci:x"),
                List.of("--platform", "x", host + "/app:v1", "oci:x"))) {
            List<String> words = new ArrayList<>(List.of("image", "copy"));
            words.addAll(wrong);
            assertThat(run(words.toArray(String[]::new))).as(wrong.toString()).isEqualTo(2);
        }
        assertThat(requests).isEmpty();
        assertThat(run("image")).isEqualTo(2);
        assertThat(err.toString()).contains("missing command");
    }

    @Test
    void deleteOnlySaysWhatItWouldDeleteUnlessItIsConfirmed() {
        assertThat(run("image", "delete", host + "/app:v1")).isEqualTo(2);
        assertThat(out.toString()).contains("would delete " + host + "/app:v1 " + index.digest());
        assertThat(err.toString()).contains("--yes");
        assertThat(writes()).isEmpty();

        assertThat(run("image", "delete", "--yes", host + "/app@" + arm.digest()))
                .as(err.toString())
                .isZero();
        assertThat(writes()).containsExactly("DELETE /v2/app/manifests/" + arm.digest());
        assertThat(run("image", "delete", "--yes", host + "/app")).isEqualTo(2);
        assertThat(run("image", "delete", "--yes", host + "/app:v9")).isEqualTo(1);
        assertThat(err.toString()).contains("there is no " + host + "/app:v9");
        assertThat(writes()).hasSize(1);
    }

    @Test
    void treeShowsPlatformsAndLayers() {
        assertThat(run("image", "tree", host + "/app:v1")).as(err.toString()).isZero();

        assertThat(out.toString().lines())
                .hasSize(1 + 1 + 2 * 3)
                .anyMatch(line ->
                        line.startsWith("image " + index.digest().toString().substring(0, 19)))
                .anyMatch(line -> line.matches("  image sha256:\\S+ \\S+ B linux/arm64"))
                .anyMatch(line -> line.matches("    layer sha256:\\S+ 5 B"));
        assertThat(run("image", "referrers", host + "/app:v1")).isZero();
        assertThat(err.toString()).contains("nothing refers to " + index.digest());
    }

    @Test
    void treeShowsTheRestBesideWhatCannotBeRead() {
        Descriptor unverifiable =
                new Descriptor(MediaType.OCI_MANIFEST, Digest.carried("blake3:" + "c".repeat(64)), 77);
        Descriptor missing = new Descriptor(MediaType.OCI_MANIFEST, Digest.parse("sha256:" + "d".repeat(64)), 88);
        Manifest sbom =
                Manifest.artifact("application/spdx+json", List.of(), Optional.of(index.descriptor()), Map.of());
        put("sbom", sbom);
        referrers.put(index.digest().toString(), List.of(unverifiable, missing, sbom.descriptor()));

        assertThat(run("image", "tree", host + "/app:v1")).isEqualTo(1);

        assertThat(out.toString().lines())
                .anyMatch(line -> line.matches("  referrer blake3:\\S+ 77 B ! .*cannot be verified.*"))
                .anyMatch(line -> line.matches("  referrer sha256:d+ 88 B ! .*HTTP 404.*"))
                .anyMatch(line -> line.matches("  referrer sha256:\\S+ \\S+ B application/spdx\\+json"))
                .anyMatch(line -> line.matches("  image sha256:\\S+ \\S+ B linux/arm64"));
        assertThat(err.toString()).contains("the tree is incomplete").hasLineCount(1);
        out.getBuffer().setLength(0);

        assertThat(run("image", "tree", "-o", "json", host + "/app:v1")).isEqualTo(1);
        assertThat(out.toString())
                .contains("\"complete\" : false", "\"problem\" : \"cannot read ", "application/spdx+json");
    }

    @Test
    void treeEndsAtWhatListsTheImageThatItRefersTo() {
        Index listing =
                Index.of(List.of(index.descriptor()), Optional.empty(), Optional.of(index.descriptor()), Map.of());
        put("listing", listing);
        referrers.put(index.digest().toString(), List.of(listing.descriptor()));

        assertThat(run("image", "tree", "-o", "json", host + "/app:v1"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("\"complete\" : true", "\"repeated\" : true");
        out.getBuffer().setLength(0);
        assertThat(run("image", "tree", host + "/app:v1")).isZero();
        assertThat(out.toString().lines())
                .anyMatch(line -> line.matches("    image sha256:\\S+ \\S+ B \\(see above\\)"));
    }

    @Test
    void treeDoesNotAskARegistryThatFailsForTheRest() {
        List<Descriptor> many = new ArrayList<>();
        for (int i = 10; i < 30; i++) {
            many.add(new Descriptor(MediaType.OCI_MANIFEST, Digest.parse("sha256:" + (i + "").repeat(32)), i));
        }
        referrers.put(index.digest().toString(), many);
        failing = true;

        assertThat(run("image", "tree", host + "/app:v1")).isEqualTo(1);

        assertThat(out.toString().lines())
                .filteredOn(line -> line.contains(" ! "))
                .hasSize(20)
                .filteredOn(line -> line.contains("not read after 3 failures"))
                .hasSize(17);
    }

    @Test
    void treeReadsAndShowsOnceWhatSeveralShare() {
        Index other = Index.of(List.of(entry(arm, "linux/arm64"), entry(amd, "linux/amd64")), Map.of("a", "b"));
        put("other", other);
        put("both", Index.of(List.of(index.descriptor(), other.descriptor(), other.descriptor()), Map.of()));

        assertThat(run("image", "tree", host + "/app:both")).as(err.toString()).isZero();

        assertThat(out.toString().lines())
                .hasSize(1 + 1 + 3 + 2 * 3 + 2)
                .filteredOn(line -> line.endsWith(" (see above)"))
                .hasSize(3)
                .anyMatch(line -> line.matches("    image sha256:\\S+ \\S+ B linux/arm64 \\(see above\\)"))
                .anyMatch(line ->
                        line.matches("  image " + other.digest().toString().substring(0, 19) + " .*"));
        for (ManifestOrIndex each : List.of(other, amd, arm)) {
            assertThat(requests)
                    .filteredOn(request -> request.endsWith("/" + each.digest()))
                    .as("manifest and referrers of %s", each.digest())
                    .containsExactlyInAnyOrder(
                            "GET /v2/app/manifests/" + each.digest(), "GET /v2/app/referrers/" + each.digest());
        }
    }

    @Test
    void treeAsksForNothingThatItWouldNotShow() {
        Descriptor layer = blob(MediaType.OCI_LAYER, "layer".getBytes(StandardCharsets.UTF_8));
        List<Descriptor> entries = new ArrayList<>();
        for (String name : List.of("1", "2", "3", "4")) {
            Manifest large = Manifest.of(
                    blob(MediaType.OCI_CONFIG, "{}".getBytes(StandardCharsets.UTF_8)),
                    Collections.nCopies(5_000, layer),
                    Map.of("name", name));
            put("large", large);
            entries.add(entry(large, "linux/amd64"));
        }
        entries.add(entry(arm, "linux/arm64"));
        put("v1", Index.of(entries, Map.of()));

        assertThat(run("image", "tree", host + "/app:v1")).isEqualTo(1);

        assertThat(out.toString().lines())
                .hasSize(2 + 20_000 + 1)
                .filteredOn(line -> line.contains(" ! "))
                .singleElement()
                .asString()
                .endsWith(" ! not shown, like all that follows: more than 20000 lines");
        assertThat(err.toString()).contains("the tree is incomplete").hasLineCount(1);
        assertThat(requests)
                .as("the index, four images, and what refers to the first three")
                .hasSize(1 + 4 + 3)
                .filteredOn(request -> request.startsWith("GET /v2/app/referrers/"))
                .hasSize(3);
        assertThat(requests).noneMatch(request -> request.endsWith("/" + arm.digest()));
    }
}
