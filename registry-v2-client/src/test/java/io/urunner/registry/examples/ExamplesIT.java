package io.urunner.registry.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.HostOptions;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialPlugins;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.DockerRegistry;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the examples against real registries. */
class ExamplesIT {
    @Test
    void aTagIsResolved() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start()) {
            String digest = registry.push("team/app", "v1", "one");
            String image = registry.host() + "/team/app";
            assertThat(printed(() -> ResolveTag.main(image + ":v1"))).containsExactly(image + ":v1 is " + digest);
            assertThat(printed(() -> ResolveTag.main(image + ":v2")))
                    .singleElement()
                    .asString()
                    .contains(registry.host(), "team/app", "v2")
                    .doesNotContain("try again");
        }
    }

    @Test
    void severalTagsAreResolvedAtOnce() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start()) {
            String one = registry.push("team/app", "v1", "one");
            String two = registry.push("team/app", "v2", "two");
            String image = registry.host() + "/team/app";
            assertThat(printed(() -> ResolveAsync.main(image + ":v2", image + ":v1", image + ":v3")))
                    .startsWith(image + ":v1 is " + one, image + ":v2 is " + two)
                    .hasSize(3)
                    .last()
                    .asString()
                    .contains("v3 is not resolved", "MANIFEST_UNKNOWN");
        }
    }

    @Test
    void aCallEndsWhenItsFutureIsCancelled() throws Exception {
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
                RegistryClient client = RegistryClient.builder()
                        .defaults(HostOptions.DEFAULTS.withPlainHttp())
                        .readTimeout(Duration.ofHours(1))
                        .deadline(Duration.ofHours(1))
                        .build()) {
            ImageReference image = ImageReference.parse("127.0.0.1:" + silent.getLocalPort() + "/team/app");
            var answer = ResolveAsync.call(threads, () -> client.resolve(image));
            try (Socket asked = silent.accept()) {
                assertThat(asked.getInputStream().read()).isEqualTo('H');
                assertThat(answer).isNotDone();

                answer.cancel(true);

                threads.shutdown();
                assertThat(threads.awaitTermination(30, TimeUnit.SECONDS))
                        .as("its thread no longer waits")
                        .isTrue();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void tagsAreListedWithTheCredentialsOfDockerLogin(@TempDir Path home) throws Exception {
        Path docker = Files.createDirectory(home.resolve(".docker"));
        String before = System.getProperty("user.home");
        try (DockerRegistry registry =
                DockerRegistry.builder().user("ci", "secret").start()) {
            registry.push("team/app", "v1", "one");
            registry.push("team/app", "v2", "two");
            Files.writeString(
                    docker.resolve("config.json"),
                    "{\"auths\":{\"" + registry.host() + "\":{\"username\":\"ci\",\"password\":\"secret\"}}}");
            System.setProperty("user.home", home.toString());
            assertThat(printed(() -> ListTags.main(registry.host() + "/team/app")))
                    .containsExactlyInAnyOrder("v1", "v2");
        } finally {
            System.setProperty("user.home", before);
        }
    }

    @Test
    void anImageWithAllItsPlatformsIsCopiedToAnotherRegistry() throws Exception {
        try (DockerRegistry from = DockerRegistry.start();
                DockerRegistry to = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            String digest = from.pushIndex("team/app", "v1", "one", "amd64", "arm64");
            String target = to.host() + "/mirror/app:v1";
            assertThat(printed(() -> CopyImage.main(from.host() + "/team/app:v1", target)))
                    .containsExactly("copied " + digest + " to " + target);
            assertThat(client.resolve(ImageReference.parse(target)).digest()).hasToString(digest);
            assertThat(client.manifest(ImageReference.parse(target)).content())
                    .isEqualTo(client.manifest(ImageReference.parse(from.host() + "/team/app:v1"))
                            .content());
        }
    }

    @Test
    void aPluginIsFoundByItsServiceFileAndYieldsCredentials(@TempDir Path jar) throws Exception {
        Path services = Files.createDirectories(jar.resolve("META-INF/services"));
        Files.writeString(services.resolve(CredentialPlugin.class.getName()), IssuerPlugin.class.getName());
        try (MockWebServer issuer = new MockWebServer();
                DockerRegistry registry =
                        DockerRegistry.builder().user("issuer", "secret").start();
                var loader = new URLClassLoader(
                        new URL[] {jar.toUri().toURL()}, getClass().getClassLoader())) {
            issuer.start();
            issuer.enqueue(new MockResponse.Builder().body("secret").build());
            String digest = registry.push("team/app", "v1", "one");
            var settings =
                    new IssuerPlugin.Settings(issuer.url("/password").uri(), SecretSource.of(Secret.of("our key")));
            var context = new PluginContext(registry.host(), InstantSource.system());
            try (var credentials = CredentialPlugins.discover(loader).create("issuer", settings, context);
                    var client =
                            RegistryClient.builder().credentials(credentials).build()) {
                ImageReference image = ImageReference.parse(registry.host() + "/team/app:v1");
                assertThat(client.resolve(image).digest()).hasToString(digest);
                assertThat(client.resolve(image).digest()).hasToString(digest);
            }
            assertThat(issuer.getRequestCount()).isEqualTo(1);
            assertThat(issuer.takeRequest().getHeaders().get("X-Key")).isEqualTo("our key");
        }
    }

    @Test
    void aPluginTakesLessThan80Lines() throws Exception {
        Path source = Path.of("src/test/java/io/urunner/registry/examples/IssuerPlugin.java");
        assertThat(Files.readAllLines(source)).hasSizeLessThan(80);
    }

    @FunctionalInterface
    private interface Example {
        void run() throws Exception;
    }

    private static List<String> printed(Example example) throws Exception {
        PrintStream before = System.out;
        var output = new ByteArrayOutputStream();
        System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
        try {
            example.run();
        } finally {
            System.setOut(before);
        }
        return output.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
