package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.Secret;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import okhttp3.OkHttpClient;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is thrown anywhere, nothing stays held: the next request is answered, and no connection is lost. */
@Timeout(120)
class ReleaseTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);

    /** What throws, or null for nothing. */
    private final AtomicReference<String> broken = new AtomicReference<>();

    private Object told(String what) {
        if (what.equals(broken.get())) {
            throw new NoClassDefFoundError("what a plugin's jar lacks");
        }
        return what;
    }

    private RegistryObserver observer() {
        return (RegistryObserver) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {RegistryObserver.class}, (proxy, method, arguments) -> {
                    told(method.getName());
                    return null;
                });
    }

    private CredentialProvider provider() {
        return new CredentialProvider() {
            @Override
            public List<Credential> credentials(String registry, String repository) {
                told("credentials");
                return List.of(
                        new Credential.Basic("one", Secret.of("wrong-one")),
                        new Credential.Basic("two", Secret.of("right-two")));
            }

            @Override
            public void refused(String registry, Credential credential) {
                told("refused");
            }

            @Override
            public String describe(String registry, String repository) {
                told("describe");
                return "a test's";
            }

            @Override
            public void close() {}
        };
    }

    private static MockResponse answer(RecordedRequest request, boolean fails) {
        String path = String.valueOf(request.getPath());
        if (path.startsWith("/token")) {
            boolean right = String.valueOf(request.getHeader("Authorization"))
                    .equals(TokenService.basic("two", Secret.of("right-two")));
            return right ? FakeServer.json("{\"token\":\"t\"}") : FakeServer.status(401);
        }
        if (fails) {
            return FakeServer.status(503);
        }
        return request.getHeader("Authorization") == null
                ? FakeServer.challenge("Bearer realm=\"/token\"")
                        .setHeader("Warning", "299 - \"w" + request.getSequenceNumber() + "\"")
                        .setHeader("RateLimit-Limit", "100")
                        .setHeader("RateLimit-Remaining", "9")
                : FakeServer.manifest(DIGEST);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "requested",
                "tokenFetched",
                "rateLimited",
                "warned",
                "retried",
                "credentials",
                "refused",
                "describe"
            })
    void releasesEverythingAfterAnErrorOfAnObserverOrAProvider(String method) throws Exception {
        OkHttpClient http = new OkHttpClient();
        boolean retried = method.equals("retried");
        try (FakeServer registry = new FakeServer(request -> answer(request, retried && broken.get() != null));
                RegistryClient client = RegistryClient.builder()
                        .httpClient(http)
                        .defaults(HostOptions.DEFAULTS.withPlainHttp().withConcurrency(1))
                        .deadline(Duration.ofSeconds(10))
                        .sleeper(duration -> {})
                        .observer(observer())
                        .credentials(provider())
                        .build()) {
            broken.set(method);
            ImageReference image = registry.image("team/app");

            assertThatThrownBy(() -> client.resolve(image)).isInstanceOf(NoClassDefFoundError.class);
            assertThat(http.connectionPool().idleConnectionCount())
                    .isEqualTo(http.connectionPool().connectionCount());

            broken.set(null);
            assertThat(client.resolve(image).digest()).hasToString(DIGEST);
        } finally {
            http.dispatcher().executorService().shutdown();
            http.connectionPool().evictAll();
        }
    }

    @Test
    void noThreadWaitsForATokenWhoseThreadFailed() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (FakeServer registry = new FakeServer(request -> {
                    if (String.valueOf(request.getPath()).startsWith("/token") && asked.getCount() > 0) {
                        asked.countDown();
                        try {
                            goOn.await();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    }
                    return request.getHeader("Authorization") != null
                            ? FakeServer.manifest(DIGEST)
                            : String.valueOf(request.getPath()).startsWith("/token")
                                    ? FakeServer.json("{\"token\":\"t\"}")
                                    : FakeServer.challenge("Bearer realm=\"/token\"");
                });
                RegistryClient client = RegistryClient.builder()
                        .defaults(HostOptions.DEFAULTS.withPlainHttp())
                        .deadline(Duration.ofMinutes(1))
                        .observer(observer())
                        .build()) {
            broken.set("tokenFetched");
            FutureTask<Descriptor> first = new FutureTask<>(() -> client.resolve(registry.image("team/app")));
            new Thread(first).start();
            asked.await();
            FutureTask<Descriptor> second = new FutureTask<>(() -> client.resolve(registry.image("team/app")));
            Thread waiting = new Thread(second);
            waiting.start();
            while (waiting.getState() != Thread.State.TIMED_WAITING) {
                Thread.onSpinWait();
            }
            goOn.countDown();

            assertThatThrownBy(first::get).hasCauseInstanceOf(NoClassDefFoundError.class);
            assertThatThrownBy(second::get).hasCauseInstanceOf(NoClassDefFoundError.class);
            broken.set(null);
            assertThat(client.resolve(registry.image("team/app")).digest()).hasToString(DIGEST);
        }
    }
}
