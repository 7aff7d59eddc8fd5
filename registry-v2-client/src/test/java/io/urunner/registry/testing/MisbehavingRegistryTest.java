package io.urunner.registry.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.HostOptions;
import io.urunner.registry.ImageReference;
import io.urunner.registry.PushOptions;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.Repository;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.dockerconfig.Keychain;
import io.urunner.registry.dockerconfig.PullSecret;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each fault is on the wire as its method says; and what the client makes of them. */
@Timeout(60)
class MisbehavingRegistryTest {
    private static final TestImage IMAGE = TestImage.image("one");
    private static final String MANIFEST = "/v2/shop/web/manifests/latest";

    private static HttpResponse<byte[]> send(
            MisbehavingRegistry registry, String method, String path, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://" + registry.host() + path))
                .method(method, HttpRequest.BodyPublishers.noBody());
        if (headers.length > 0) {
            request.headers(headers);
        }
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    private static RegistryClient client() {
        return client(Keychain.chain());
    }

    private static CredentialProvider secret(String host, String user, String password) {
        String config =
                "{\"auths\":{\"" + host + "\":{\"username\":\"" + user + "\",\"password\":\"" + password + "\"}}}";
        return Keychain.kubernetes(List.of(PullSecret.parse(
                "regcred",
                "kubernetes.io/dockerconfigjson",
                Map.of(".dockerconfigjson", config.getBytes(StandardCharsets.UTF_8)))));
    }

    private static ImageReference image(MisbehavingRegistry registry) {
        return ImageReference.parse(registry.host() + "/shop/web:latest");
    }

    private static RegistryClient client(CredentialProvider credentials) {
        return RegistryClient.builder()
                .credentials(credentials)
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .sleeper(duration -> {})
                .build();
    }

    private static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElse("");
    }

    @Test
    void withoutFaultsItIsReadAndWritten() throws Exception {
        try (MisbehavingRegistry registry = MisbehavingRegistry.builder().start();
                RegistryClient client = client()) {
            String digest = registry.push("shop/web", "latest", IMAGE);
            Repository repository = Repository.parse(registry.host() + "/shop/web");
            assertThat(client.resolve(repository.tag("latest")).digest()).hasToString(digest);
            assertThat(client.tags(repository).next()).containsExactly("latest");

            Descriptor blob = blob(100);
            client.pushBlob(repository, blob, () -> new ByteArrayInputStream(new byte[100]));
            assertThat(registry.blob("shop/web", blob.digest().toString())).hasSize(100);
            try (InputStream read = client.blob(repository, blob)) {
                assertThat(read.readAllBytes()).hasSize(100);
            }
            assertThat(client.mountBlob(Repository.parse(registry.host() + "/shop/other"), "shop/web", blob.digest()))
                    .isTrue();
            client.pushManifest(repository.tag("again"), client.manifest(repository.tag("latest")));
            assertThat(client.resolve(repository.tag("again")).digest()).hasToString(digest);
        }
    }

    @Test
    void blobsAskedAsManifestsFail() throws Exception {
        try (MisbehavingRegistry registry =
                MisbehavingRegistry.builder().blobsAskedAsManifests(500).start()) {
            String digest = registry.push("shop/web", "latest", IMAGE);
            String blob = IMAGE.blobs().keySet().iterator().next();
            String manifests = "/v2/shop/web/manifests/";
            assertThat(send(registry, "GET", manifests + blob).statusCode()).isEqualTo(500);
            assertThat(send(registry, "GET", manifests + digest).statusCode()).isEqualTo(200);
            assertThat(send(registry, "GET", manifests + "other").statusCode()).isEqualTo(404);
        }
    }

    @Test
    void typesAreUnknown() throws Exception {
        try (MisbehavingRegistry registry =
                MisbehavingRegistry.builder().unknownTypes(415).start()) {
            registry.push("shop/web", "latest", IMAGE);
            String known = "application/vnd.oci.image.index.v1+json";
            assertThat(send(registry, "GET", MANIFEST, "Accept", known).statusCode())
                    .isEqualTo(200);
            assertThat(send(registry, "GET", MANIFEST, "Accept", "a/b, " + known)
                            .statusCode())
                    .isEqualTo(415);
            assertThat(send(registry, "PUT", MANIFEST, "Content-Type", known).statusCode())
                    .isEqualTo(201);
            assertThat(send(registry, "PUT", MANIFEST, "Content-Type", "a/b").statusCode())
                    .isEqualTo(415);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 403, 404, 500})
    void headLies(int status) throws Exception {
        try (MisbehavingRegistry registry =
                        MisbehavingRegistry.builder().lyingHead(status).start();
                RegistryClient client = client()) {
            registry.push("shop/web", "latest", IMAGE);
            assertThat(send(registry, "HEAD", MANIFEST).statusCode()).isEqualTo(status);
            HttpResponse<byte[]> read = send(registry, "GET", MANIFEST);
            assertThat(read.statusCode()).isEqualTo(200);
            assertThat(read.body()).isEqualTo(IMAGE.manifest());
            assertThat(registry.requests()).containsExactly("HEAD " + MANIFEST, "GET " + MANIFEST);

            for (int i = 0; i < 2; i++) {
                assertThat(client.resolve(image(registry)).digest()).hasToString(IMAGE.digest());
            }
            assertThat(registry.requests().subList(2, registry.requests().size()))
                    .as("the lie is found out once")
                    .containsExactly("HEAD " + MANIFEST, "GET " + MANIFEST, "GET " + MANIFEST);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPushSurvivesACutUpload(boolean keeps) throws Exception {
        try (MisbehavingRegistry registry = MisbehavingRegistry.builder()
                        .cutUploads(100_000, 1, keeps)
                        .start();
                RegistryClient client = client()) {
            Descriptor blob = blob(1_000_000);
            client.pushBlob(
                    Repository.parse(registry.host() + "/shop/web"),
                    blob,
                    () -> new ByteArrayInputStream(new byte[1_000_000]));
            assertThat(registry.blob("shop/web", blob.digest().toString())).hasSize(1_000_000);
            assertThat(registry.openUploads()).isZero();
            assertThat(registry.requests().stream().filter(line -> line.startsWith("POST ")))
                    .hasSize(keeps ? 1 : 2);
        }
    }

    @Test
    void aRedirectLeadsToAnotherHostThatHasItsOwnChallenge() throws Exception {
        String challenge = "Bearer realm=\"https://login.example/token\",scope=\"repository:REPOSITORY:pull\"";
        try (MisbehavingRegistry real = MisbehavingRegistry.builder()
                        .challenge(challenge, "Bearer token-1")
                        .start();
                MisbehavingRegistry gateway =
                        MisbehavingRegistry.builder().redirect(real).start()) {
            real.push("shop/web", "latest", IMAGE);
            HttpResponse<byte[]> led = send(gateway, "GET", MANIFEST);
            assertThat(led.statusCode()).isEqualTo(307);
            assertThat(header(led, "Location")).isEqualTo("http://" + real.host() + MANIFEST);

            HttpResponse<byte[]> refused = send(real, "GET", MANIFEST);
            assertThat(refused.statusCode()).isEqualTo(401);
            assertThat(header(refused, "WWW-Authenticate")).contains("scope=\"repository:shop/web:pull\"");
            assertThat(send(real, "GET", MANIFEST, "Authorization", "Bearer token-1")
                            .statusCode())
                    .isEqualTo(200);
            assertThat(real.authorizations()).containsExactly("", "Bearer token-1");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 403, 404, 405, 500})
    void headOfABlobLies(int status) throws Exception {
        try (MisbehavingRegistry registry =
                        MisbehavingRegistry.builder().lyingBlobHead(status).start();
                RegistryClient client = client()) {
            registry.push("shop/web", "latest", IMAGE);
            Repository repository = Repository.parse(registry.host() + "/shop/web");
            String digest = IMAGE.blobs().keySet().iterator().next();
            String path = "/v2/shop/web/blobs/" + digest;
            assertThat(send(registry, "HEAD", path).statusCode()).isEqualTo(status);

            assertThat(client.hasBlob(repository, Digest.parse(digest))).isTrue();
            assertThat(client.hasBlob(repository, Digest.parse(digest))).isTrue();
            assertThat(registry.requests())
                    .as("asked twice the first time, then as is known to work")
                    .containsExactly("HEAD " + path, "HEAD " + path, "GET " + path, "GET " + path);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {307, 308})
    void writesAreRedirectedToAnotherHost(int status) throws Exception {
        try (MisbehavingRegistry real = MisbehavingRegistry.builder().start();
                MisbehavingRegistry gateway = MisbehavingRegistry.builder()
                        .redirectWrites(real, status)
                        .start();
                RegistryClient client = client()) {
            gateway.push("shop/web", "latest", IMAGE);
            Repository repository = Repository.parse(gateway.host() + "/shop/web");
            Descriptor blob = blob(100);
            HttpResponse<byte[]> led = send(gateway, "POST", "/v2/shop/web/blobs/uploads/");
            assertThat(led.statusCode()).isEqualTo(status);
            assertThat(header(led, "Location")).isEqualTo("http://" + real.host() + "/v2/shop/web/blobs/uploads/");

            client.pushBlob(
                    repository,
                    blob,
                    () -> new ByteArrayInputStream(new byte[100]),
                    PushOptions.DEFAULTS.withChunks(60));
            client.pushManifest(repository.tag("v1"), client.manifest(repository.tag("latest")));

            assertThat(real.blob("shop/web", blob.digest().toString())).hasSize(100);
            assertThat(real.openUploads()).isZero();
            assertThat(real.requests())
                    .extracting(line -> line.substring(0, line.indexOf(' ')))
                    .containsExactly("POST", "PATCH", "PATCH", "PUT", "PUT");
            client.deleteTag(repository, "v1");
            assertThat(real.requests()).endsWith("DELETE /v2/shop/web/manifests/v1");
        }
    }

    @Test
    void answersAreLost() throws Exception {
        try (MisbehavingRegistry registry =
                        MisbehavingRegistry.builder().loseAnswers("PUT", 1).start();
                RegistryClient client = client()) {
            Repository repository = Repository.parse(registry.host() + "/shop/web");
            Descriptor blob = blob(100);
            client.pushBlob(repository, blob, () -> new ByteArrayInputStream(new byte[100]));
            assertThat(registry.requests())
                    .as("it is there, and not sent again")
                    .extracting(line -> line.substring(0, line.indexOf(' ')))
                    .containsExactly("POST", "PUT", "GET", "HEAD");
        }
        try (MisbehavingRegistry registry =
                        MisbehavingRegistry.builder().loseAnswers("PATCH", 1).start();
                RegistryClient client = client()) {
            Descriptor blob = blob(100);
            client.pushBlob(
                    Repository.parse(registry.host() + "/shop/web"),
                    blob,
                    () -> new ByteArrayInputStream(new byte[100]),
                    PushOptions.DEFAULTS.withChunks(60));
            assertThat(registry.blob("shop/web", blob.digest().toString())).hasSize(100);
            assertThat(registry.requests())
                    .extracting(line -> line.substring(0, line.indexOf(' ')))
                    .containsExactly("POST", "PATCH", "GET", "PATCH", "PUT");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "x-gzip", "identity", "aws-chunked"})
    void bodiesAreEncoded(String encoding) throws Exception {
        try (MisbehavingRegistry registry =
                        MisbehavingRegistry.builder().contentEncoding(encoding).start();
                RegistryClient client = client()) {
            String digest = registry.push("shop/web", "latest", IMAGE);
            HttpResponse<byte[]> raw = send(registry, "GET", MANIFEST);
            assertThat(header(raw, "Content-Encoding")).isEqualTo(encoding);
            assertThat(Arrays.equals(raw.body(), IMAGE.manifest())).isEqualTo(!encoding.endsWith("gzip"));

            Repository repository = Repository.parse(registry.host() + "/shop/web");
            assertThat(client.resolve(repository.tag("latest")).digest()).hasToString(digest);
            assertThat(client.manifest(repository.tag("latest")).content()).isEqualTo(IMAGE.manifest());
            assertThat(client.tags(repository).all()).containsExactly("latest");
            Descriptor blob = blob(100);
            client.pushBlob(repository, blob, () -> new ByteArrayInputStream(new byte[100]));
            try (InputStream read = client.blob(repository, blob)) {
                assertThat(read.readAllBytes()).isEqualTo(new byte[100]);
            }
        }
    }

    @Test
    void aClientFollowsTheRedirectWithoutItsCredential() throws Exception {
        String authorization =
                "Basic " + Base64.getEncoder().encodeToString("ci:only-here".getBytes(StandardCharsets.UTF_8));
        try (MisbehavingRegistry real = MisbehavingRegistry.builder().start();
                MisbehavingRegistry gateway = MisbehavingRegistry.builder()
                        .challenge("Basic realm=\"r\"", authorization)
                        .redirect(real)
                        .start();
                RegistryClient client = client(secret(gateway.host(), "ci", "only-here"))) {
            real.push("shop/web", "latest", IMAGE);
            assertThat(client.manifest(image(gateway)).content()).isEqualTo(IMAGE.manifest());
            assertThat(gateway.authorizations()).containsExactly("", authorization);
            assertThat(real.authorizations()).containsExactly("");
        }
    }

    @Test
    void typesAndDigestsAreOdd() throws Exception {
        try (MisbehavingRegistry registry = MisbehavingRegistry.builder()
                        .mediaType("text/plain")
                        .digestHeader("")
                        .start();
                RegistryClient client = client()) {
            registry.push("shop/web", "latest", IMAGE);
            HttpResponse<byte[]> read = send(registry, "GET", MANIFEST);
            assertThat(header(read, "Content-Type")).isEqualTo("text/plain");
            assertThat(read.headers().firstValue("Docker-Content-Digest")).isEmpty();
            assertThat(client.resolve(image(registry)).digest()).hasToString(IMAGE.digest());
            assertThat(client.manifest(image(registry)).content()).isEqualTo(IMAGE.manifest());
        }
    }

    @Test
    void bodiesAreCut() throws Exception {
        try (MisbehavingRegistry registry =
                        MisbehavingRegistry.builder().cutBodies(10).start();
                RegistryClient client = client()) {
            registry.push("shop/web", "latest", IMAGE);
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> send(registry, "GET", MANIFEST));
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(() -> client.manifest(ImageReference.parse(registry.host() + "/shop/web")))
                    .matches(RegistryException::isTransient);
        }
    }

    @Test
    void aSlowBodyArrives() throws Exception {
        try (MisbehavingRegistry registry = MisbehavingRegistry.builder()
                        .slowBodies(10, Duration.ofMillis(50))
                        .start();
                RegistryClient client = client()) {
            registry.push("shop/web", "latest", IMAGE);
            assertThat(send(registry, "GET", MANIFEST).body()).isEqualTo(IMAGE.manifest());
            assertThat(client.manifest(image(registry)).content()).isEqualTo(IMAGE.manifest());
        }
    }

    @Test
    void aClientWaitsForAGatewayAndMakesChunksLargeEnough() throws Exception {
        try (MisbehavingRegistry registry = MisbehavingRegistry.builder()
                        .failFirst(503, 1, Map.of("Content-Type", "text/html"), "<html>closed</html>")
                        .minimumChunk(5)
                        .start();
                RegistryClient client = client()) {
            client.pushBlob(
                    Repository.parse(registry.host() + "/shop/web"),
                    blob(12),
                    () -> new ByteArrayInputStream(new byte[12]),
                    PushOptions.DEFAULTS.withChunks(2));
            assertThat(registry.requests())
                    .extracting(line -> line.substring(0, line.indexOf(' ')))
                    .containsExactly("POST", "POST", "PATCH", "PATCH", "PATCH", "PUT");
        }
    }

    @Test
    void aGatewayIsInTheWayOfTheFirstRequests() throws Exception {
        try (MisbehavingRegistry registry = MisbehavingRegistry.builder()
                .failFirst(503, 1, Map.of("Content-Type", "text/html", "Retry-After", "7"), "<html>closed</html>")
                .minimumChunk(5)
                .start()) {
            registry.push("shop/web", "latest", IMAGE);
            HttpResponse<byte[]> first = send(registry, "GET", MANIFEST);
            assertThat(List.of(first.statusCode(), header(first, "Retry-After")))
                    .containsExactly(503, "7");
            assertThat(new String(first.body(), StandardCharsets.UTF_8)).contains("closed");
            assertThat(send(registry, "GET", MANIFEST).statusCode()).isEqualTo(200);
            assertThat(header(send(registry, "POST", "/v2/shop/web/blobs/uploads/"), "OCI-Chunk-Min-Length"))
                    .isEqualTo("5");
        }
    }

    private static Descriptor blob(int size) {
        return new Descriptor("application/octet-stream", Digest.parse(TestImage.digest(new byte[size])), size);
    }
}
