package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.urunner.kube.testing.Await;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Manifest;
import io.urunner.registry.MediaType;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.copy.Layouts;
import io.urunner.registry.testing.DockerRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies that end in the middle of a layer, and that are run again. */
@Tag("heavy")
class ImageCopyKillsIT {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int LAYER = 2_000_000;

    @TempDir
    private Path folder;

    private final DockerRegistry source = DockerRegistry.start();
    private final DockerRegistry target = DockerRegistry.start();
    private final HttpClient http = HttpClient.newHttpClient();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    /** In front of the source: of the last layer it sends a half, until it is released. */
    private HttpServer front;

    private volatile CountDownLatch halfway = new CountDownLatch(1);
    private volatile CountDownLatch release = new CountDownLatch(1);
    private Manifest image;
    private String from = "";
    private Descriptor first;
    private Descriptor last;

    @BeforeEach
    void fill() throws Exception {
        front = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        front.setExecutor(threads);
        front.createContext("/", this::answer);
        front.start();
        from = "127.0.0.1:" + front.getAddress().getPort() + "/team/app:v1";
        ImageReference named = ImageReference.parse(source.host() + "/team/app:v1");
        try (RegistryClient client = RegistryClient.builder().build()) {
            first = push(client, named, MediaType.OCI_LAYER, random(1));
            last = push(client, named, MediaType.OCI_LAYER, random(2));
            Descriptor config = push(client, named, MediaType.OCI_CONFIG, "{}".getBytes(StandardCharsets.UTF_8));
            image = Manifest.of(config, List.of(first, last), Map.of());
            client.pushManifest(named, image);
        }
    }

    @AfterEach
    void stop() {
        release.countDown();
        front.stop(0);
        threads.shutdownNow();
        source.close();
        target.close();
    }

    private static byte[] random(int seed) {
        byte[] content = new byte[LAYER];
        new Random(seed).nextBytes(content);
        return content;
    }

    private static Descriptor push(RegistryClient client, ImageReference to, String type, byte[] content)
            throws Exception {
        Descriptor blob = new Descriptor(type, Digest.of(content), content.length);
        client.pushBlob(to.toRepository(), blob, () -> new ByteArrayInputStream(content));
        return blob;
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            HttpResponse<byte[]> answer = http.send(
                    HttpRequest.newBuilder(URI.create(
                                    source.url() + exchange.getRequestURI().toString()))
                            .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.noBody())
                            .header("Accept", MediaType.OCI_MANIFEST)
                            .build(),
                    BodyHandlers.ofByteArray());
            for (String name : List.of("Docker-Content-Digest", "Content-Type")) {
                answer.headers()
                        .firstValue(name)
                        .ifPresent(value -> exchange.getResponseHeaders().set(name, value));
            }
            byte[] body = answer.body();
            exchange.sendResponseHeaders(answer.statusCode(), body.length == 0 ? -1 : body.length);
            OutputStream out = exchange.getResponseBody();
            int sent = 0;
            if (exchange.getRequestURI().getPath().endsWith(last.digest().toString())) {
                sent = body.length / 2;
                out.write(body, 0, sent);
                out.flush();
                halfway.countDown();
                release.await();
            }
            out.write(body, sent, body.length - sent);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private AgentProcess copy(String to) {
        Map<String, String> environment = new HashMap<>();
        environment.put("HOME", folder.toString());
        halfway = new CountDownLatch(1);
        return AgentProcess.start(
                folder.resolve("copy-" + System.nanoTime() + ".log"),
                environment,
                "image",
                "copy",
                "--jobs",
                "2",
                from,
                to);
    }

    /** Waits until the first layer is there, and the last one is on its way. */
    private void awaitTheMiddle(AgentProcess copy) {
        Await.until(
                "a half has arrived",
                Seen.within(SOON),
                () -> halfway.getCount() == 0 && copy.log().contains("copied " + first.digest()));
    }

    private long uploads() {
        return target.count("POST", "/v2/team/app/blobs/uploads/");
    }

    @Test
    void afterAKillACopyToARegistryGoesOnWithWhatIsMissing() throws Exception {
        String to = target.host() + "/team/app:v1";
        try (AgentProcess killed = copy(to)) {
            awaitTheMiddle(killed);
            killed.kill();
        }
        assertThat(target.count("PUT", "/v2/team/app/manifests/")).isZero();
        long before = uploads();
        release.countDown();

        try (AgentProcess again = copy(to)) {
            assertThat(again.exitCode()).as(again.log()).isZero();
            assertThat(again.log())
                    .contains("present " + first.digest(), "copied " + last.digest(), to + " " + image.digest());
        }
        assertThat(uploads() - before).as("only of the last layer").isEqualTo(1);
        try (RegistryClient client = RegistryClient.builder().build()) {
            assertThat(client.manifest(ImageReference.parse(to))).isEqualTo(image);
        }
    }

    @Test
    void interruptedItCancelsTheUploadInProgress() throws Exception {
        try (AgentProcess interrupted = copy(target.host() + "/team/app:v1")) {
            awaitTheMiddle(interrupted);
            signal("INT", interrupted);

            assertThat(interrupted.exitCode()).isEqualTo(1);
            assertThat(interrupted.log()).contains("urunner: interrupted").doesNotContain("\tat ");
        }
        assertThat(target.count("DELETE", "/v2/team/app/blobs/uploads/")).isEqualTo(1);
    }

    @Test
    void interruptedItLeavesNoUnfinishedFileAndGoesOn() throws Exception {
        Path layout = folder.resolve("layout");
        try (AgentProcess interrupted = copy("oci:" + layout + ":v1")) {
            awaitTheMiddle(interrupted);
            Await.until("a file is begun", Seen.within(SOON), () -> unfinished().size() == 1);
            signal("INT", interrupted);

            assertThat(interrupted.exitCode()).isEqualTo(1);
            assertThat(interrupted.log()).contains("urunner: interrupted").doesNotContain("\tat ");
        }
        assertThat(unfinished()).isEmpty();
        release.countDown();

        try (AgentProcess again = copy("oci:" + layout + ":v1")) {
            assertThat(again.exitCode()).as(again.log()).isZero();
            assertThat(again.log()).contains("present " + first.digest());
        }
        assertThat(Layouts.folder(layout).manifest("v1")).isEqualTo(image);
    }

    @Test
    void aTerminatedCopyToAnArchiveLeavesTheOldOne() throws Exception {
        Path archive = Files.writeString(folder.resolve("app.tar"), "the old one");
        try (AgentProcess terminated = copy("oci-archive:" + archive)) {
            Await.until("a half has arrived", Seen.within(SOON), () -> halfway.getCount() == 0);
            signal("TERM", terminated);

            assertThat(terminated.exitCode()).isEqualTo(1);
        }
        release.countDown();
        assertThat(unfinished()).isEmpty();
        assertThat(archive).hasContent("the old one");
    }

    private List<Path> unfinished() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".part")).toList();
        }
    }

    private static void signal(String name, AgentProcess process) throws Exception {
        assertThat(new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid())
                        .start()
                        .waitFor())
                .isZero();
    }
}
