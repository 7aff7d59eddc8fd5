package io.urunner.registry;

import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.testing.DockerRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import okio.Buffer;
import org.junit.jupiter.api.Test;

/** The client against CNCF Distribution behind a redirecting and a rate-limiting proxy. */
class BehindProxiesIT {
    private static MockResponse forward(OkHttpClient http, DockerRegistry registry, RecordedRequest request) {
        Request.Builder asked = new Request.Builder()
                .url(registry.url() + request.getPath())
                .headers(request.getHeaders().newBuilder().removeAll("Host").build())
                .method(String.valueOf(request.getMethod()), null);
        try (Response answer = http.newCall(asked.build()).execute()) {
            MockResponse response = new MockResponse().setResponseCode(answer.code());
            response.setBody(new Buffer().write(answer.body().bytes()));
            response.setHeaders(answer.headers());
            return response;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void followsARedirectingProxy() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start();
                FakeServer proxy = new FakeServer(request ->
                        status(307).setHeader("Location", registry.url() + String.valueOf(request.getPath())));
                RegistryClient client = RegistryClient.builder().build()) {
            String digest = registry.push("team/app", "latest", "one");
            ImageReference image = proxy.image("team/app");

            assertThat(client.resolve(image).digest()).hasToString(digest);
            Manifest manifest = (Manifest) client.manifest(image);
            Descriptor layer = manifest.layers().get(0);
            try (InputStream content = client.blob(image.toRepository(), layer)) {
                assertThat(layer.digest().matches(content)).isTrue();
            }
        }
    }

    @Test
    void sendsNoCredentialsToWhereAProxyRedirects() throws Exception {
        try (DockerRegistry registry =
                        DockerRegistry.builder().user("ci", "secret").start();
                FakeServer proxy = new FakeServer(request ->
                        status(307).setHeader("Location", registry.url() + String.valueOf(request.getPath())));
                RegistryClient client = RegistryClient.builder()
                        .credentials(new FixedCredentials(FixedCredentials.basic("ci", "secret")))
                        .build()) {
            registry.push("team/app", "latest", "one");

            assertThatExceptionOfType(DeniedException.class)
                    .isThrownBy(() -> client.resolve(proxy.image("team/app")))
                    .withMessageContaining("redirected");
            assertThat(registry.settledAccesses().stream()
                            .filter(access -> access.path().startsWith("/v2/team/")
                                    && access.method().equals("HEAD")))
                    .isNotEmpty()
                    .allSatisfy(access -> assertThat(access.status()).isEqualTo(401));
        }
    }

    @Test
    void slowsDownForARateLimitingProxy() throws Exception {
        ManualTime time = new ManualTime();
        OkHttpClient http = new OkHttpClient();
        AtomicInteger count = new AtomicInteger();
        try (DockerRegistry registry = DockerRegistry.start();
                FakeServer proxy = new FakeServer(request -> status(500));
                RegistryClient client = RegistryClient.builder()
                        .clock(time)
                        .ticker(time::nanos)
                        .sleeper(time::sleep)
                        .build()) {
            String digest = registry.push("team/app", "latest", "one");
            proxy.answer(request -> count.incrementAndGet() % 5 == 0
                    ? status(429).setHeader("Retry-After", "2").setHeader("RateLimit-Remaining", "0")
                    : forward(http, registry, request).setHeader("RateLimit-Remaining", "" + (4 - count.get() % 5)));

            for (int i = 0; i < 20; i++) {
                assertThat(client.resolve(proxy.image("team/app")).digest()).hasToString(digest);
            }

            assertThat(time.sleeps)
                    .hasSize(4)
                    .allSatisfy(wait -> assertThat(wait).hasSeconds(2));
            assertThat(count).hasValue(24);
            assertThat(client.rateLimit(proxy.host()).orElseThrow().remaining()).isPresent();
        } finally {
            http.dispatcher().executorService().shutdown();
            http.connectionPool().evictAll();
        }
    }
}
