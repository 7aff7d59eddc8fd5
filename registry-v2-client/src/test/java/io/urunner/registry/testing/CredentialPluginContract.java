package io.urunner.registry.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialPlugins;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.testing.FakeRegistry.IssuerState;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/**
 * The contract of every credential plugin, tested with the real client against a stand-in of the plugin's registry. A
 * plugin's author extends it, defines the registry and the settings in {@link #subject}, and runs it:
 *
 * <pre>{@code
 * class MyPluginContractTest extends CredentialPluginContract {
 *     @Override
 *     protected Subject subject(TestNetwork network) {
 *         FakeHarbor registry = new FakeHarbor(network, "registry.example", "team");
 *         registry.account("ci", "secret-4711", "team/app");
 *         MySettings settings = new MySettings("ci", SecretSource.of(Secret.of("secret-4711")));
 *         return new Subject("my_type", settings, registry, "team/app", Set.of("secret-4711"));
 *     }
 * }
 * }</pre>
 *
 * <p>It needs the client's test jar, OkHttp's {@code mockwebserver} and {@code okhttp-tls}, AssertJ, and logback on the
 * test class path. For a registry without a stand-in, extend {@link FakeRegistry} or {@link FakeTokenRegistry}; for an
 * issuer of passwords that is one's own, use {@link FakeIssuer}.
 *
 * <p>A plugin may ask its issuer by {@link java.net.HttpURLConnection} or {@link java.net.http.HttpClient}. The latter
 * must not outlive the provider: a provider that keeps it in a field passes, a static one leaves its connections open.
 */
@NullUnmarked
@Timeout(60)
public abstract class CredentialPluginContract {
    private static final String ELSEWHERE = "elsewhere.example";
    private static final int THREADS = 16;
    /** The agent treats more than this as a defect. */
    private static final int MOST_CREDENTIALS = 100;

    private static final int LONGEST_DESCRIPTION = 200;

    private TestNetwork network;
    private Subject subject;
    private CredentialProvider provider;
    private RegistryClient client;
    private String digest;

    /**
     * A plugin and the registry that it is for.
     *
     * @param type the plugin's type
     * @param settings its settings, with valid credentials
     * @param registry the stand-in of the registry
     * @param registryName the registry's name in image references
     * @param repository a repository that only these credentials may read
     * @param secrets what must not appear anywhere
     * @param hasIssuer whether an issuer provides credentials or tokens before the registry accepts them
     * @param life how long they are valid
     */
    public record Subject(
            String type,
            Record settings,
            FakeRegistry registry,
            String registryName,
            String repository,
            Set<String> secrets,
            boolean hasIssuer,
            Duration life) {
        /**
         * A plugin whose credentials are exchanged for tokens that live five minutes.
         *
         * @param type the plugin's type
         * @param settings its settings, with valid credentials
         * @param registry the stand-in of the registry
         * @param repository a repository that only these credentials may read
         * @param secrets what must not appear anywhere
         */
        public Subject(String type, Record settings, FakeRegistry registry, String repository, Set<String> secrets) {
            this(type, settings, registry, registry.host(), repository, secrets, true, Duration.ofMinutes(5));
        }

        /**
         * The same, with another lifetime.
         *
         * @param newLife how long what the issuer gives is valid
         * @return the subject
         */
        public Subject living(Duration newLife) {
            return new Subject(type, settings, registry, registryName, repository, secrets, hasIssuer, newLife);
        }

        /**
         * The same, with credentials that the registry itself accepts.
         *
         * @return the subject
         */
        public Subject withoutIssuer() {
            return new Subject(type, settings, registry, registryName, repository, secrets, false, life);
        }

        /**
         * The same, with a name in image references that differs from the host.
         *
         * @param name the name
         * @return the subject
         */
        public Subject named(String name) {
            return new Subject(type, settings, registry, name, repository, secrets, hasIssuer, life);
        }
    }

    /** For subclasses. */
    protected CredentialPluginContract() {}

    /**
     * Sets up a registry and returns the plugin's settings for it. Called before every test.
     *
     * @param testNetwork the network to serve the registry in
     * @return the plugin and its registry
     */
    protected abstract Subject subject(TestNetwork testNetwork);

    @BeforeEach
    final void open() {
        network = new TestNetwork();
        subject = subject(network);
        subject.secrets().forEach(UsedSecrets::add);
        digest = subject.registry().push(subject.repository(), "latest", TestImage.image("private"));
        PluginContext context = new PluginContext(subject.registryName(), network.clock());
        provider = CredentialPlugins.discover().create(subject.type(), subject.settings(), context);
        client = newClient();
    }

    @AfterEach
    final void close() {
        // A subject that is not available, and is skipped, leaves some of them unset.
        if (client != null) {
            client.close();
        }
        if (provider != null) {
            provider.close();
        }
        network.close();
    }

    @Test
    final void isFoundUnderItsType() {
        assertThat(CredentialPlugins.discover().get(subject.type()).settingsType())
                .isEqualTo(subject.settings().getClass());
    }

    @Test
    final void creatingAProviderSendsNoRequest() {
        assertThat(subject.registry().issuerRequests()).isZero();
    }

    @Test
    final void resolvesAPrivateManifest() throws Exception {
        assertThat(resolve()).isEqualTo(digest);
    }

    @Test
    final void theManifestIsReallyPrivate() {
        try (RegistryClient anonymous = RegistryClient.builder()
                .httpClient(network.client())
                .clock(network.clock())
                .sleeper(duration -> {})
                .build()) {
            assertThatThrownBy(() -> anonymous.resolve(image())).isInstanceOf(RegistryException.class);
        }
    }

    @Test
    final void asksTheIssuerOnceForManyRequests() throws Exception {
        for (int i = 0; i < 5; i++) {
            resolve();
        }
        assertThat(subject.registry().issuerRequests()).isEqualTo(subject.hasIssuer() ? 1 : 0);
    }

    @Test
    final void renewsBeforeExpiry() throws Exception {
        resolve();
        network.advance(subject.life().minusSeconds(3));

        assertThat(resolve()).isEqualTo(digest);
        assertThat(subject.registry().issuerRequests()).isEqualTo(subject.hasIssuer() ? 2 : 0);
        assertThat(subject.registry().refusals()).isZero();
    }

    @Test
    final void asksTheIssuerOnceForManyThreads() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            CountDownLatch ready = new CountDownLatch(THREADS);
            List<Future<String>> answers = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                answers.add(threads.submit(() -> {
                    ready.countDown();
                    ready.await();
                    return resolve();
                }));
            }
            for (Future<String> answer : answers) {
                assertThat(answer.get()).isEqualTo(digest);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(subject.registry().issuerRequests()).isEqualTo(subject.hasIssuer() ? 1 : 0);
    }

    @Test
    final void authenticatesOnceMoreWhenTheRegistryRefuses() throws Exception {
        resolve();
        subject.registry().expireCredentials();

        assertThat(resolve()).isEqualTo(digest);
        assertThat(subject.registry().issuerRequests()).isEqualTo(subject.hasIssuer() ? 2 : 0);
        assertThat(subject.registry().refusals())
                .as("one refused request, and at most one that asks why")
                .isBetween(subject.hasIssuer() ? 1 : 0, subject.hasIssuer() ? 2 : 0);
    }

    @Test
    final void aFailureOfTheIssuerIsTransient() throws Exception {
        subject.registry().issuer(IssuerState.FAILING);
        RegistryException failure = failure();
        assertThat(failure.isTransient()).isTrue();

        subject.registry().issuer(IssuerState.WORKING);
        // Backing off is done by the clock.
        network.advance(Duration.ofMinutes(15));
        assertThat(newClientResolves()).isEqualTo(digest);
    }

    @Test
    final void aRefusalOfTheIssuerIsPermanentAndNamesTheIssuer() {
        subject.registry().issuer(IssuerState.REFUSING);
        RegistryException failure = failure();

        assertThat(failure.isTransient()).isFalse();
        assertThat(failure).hasMessageContainingAll(subject.registryName(), subject.repository());
        int asked = subject.registry().issuerRequests();
        failure();
        assertThat(subject.registry().issuerRequests())
                .as("a rejected credential is not shown again and again")
                .isLessThanOrEqualTo(asked + 1);
    }

    @Test
    final void sendsNoCredentialsToAHostThatItIsRedirectedTo() {
        network.serve(ELSEWHERE, request -> new MockResponse().setResponseCode(401));
        subject.registry().redirectManifests(ELSEWHERE);

        failure();
        for (RecordedRequest request : network.requests(ELSEWHERE)) {
            assertThat(request.getHeader("Authorization")).isNull();
            assertThat(request.getRequestLine() + request.getHeaders()).doesNotContain(everythingSecret());
        }
    }

    @Test
    final void revealsNoSecret() throws Exception {
        List<String> told = new ArrayList<>();
        try (LogCapture log = new LogCapture()) {
            resolve();
            told.add(provider.credentials(subject.registryName(), subject.repository())
                    .toString());
            subject.registry().expireCredentials();
            subject.registry().issuer(IssuerState.REFUSING);
            told.add(stackTrace(failure()));
            client = newClient();
            subject.registry().issuer(IssuerState.FAILING);
            told.add(stackTrace(failure()));
            subject.registry().issuer(IssuerState.WORKING);
            subject.registry().failWith(500);
            told.add(stackTrace(failure()));
            told.addAll(log.lines());
        }
        told.add(subject.settings().toString());
        told.add(provider.toString());
        told.add(provider.describe(subject.registryName(), subject.repository()));
        told.add(provider.hints(subject.registryName()).toString());

        assertThat(told).allSatisfy(text -> assertThat(text).doesNotContain(everythingSecret()));
    }

    @Test
    final void describesItselfWithoutSendingARequest() {
        assertThat(provider.describe(subject.registryName(), subject.repository()))
                .isNotBlank();
        assertThat(subject.registry().issuerRequests()).isZero();
    }

    @Test
    final void yieldsAShortListWithoutNullAndHints() throws Exception {
        assertThat(provider.credentials(subject.registryName(), subject.repository()))
                .isNotEmpty()
                .doesNotContainNull()
                .hasSizeLessThanOrEqualTo(MOST_CREDENTIALS);
        assertThat(provider.hints(subject.registryName())).isNotNull();
        assertThat(provider.hints(subject.registryName()).tokenEndpoint()).isNotNull();
    }

    @Test
    final void describesItselfInOneShortLine() {
        assertThat(provider.describe(subject.registryName(), subject.repository()))
                .hasLineCount(1)
                .hasSizeLessThanOrEqualTo(LONGEST_DESCRIPTION)
                .doesNotMatch("(?s).*\\p{Cntrl}.*");
    }

    @Test
    final void isAskedForARegistryOfAnyNameWithoutFailing() {
        CredentialPlugin<?> plugin = CredentialPlugins.discover().get(subject.type());
        for (String name : List.of("a.example", "localhost:5000", "[::1]:5000", "127.0.0.1", "x".repeat(300), "")) {
            assertThatCode(() -> plugin.recognises(name)).doesNotThrowAnyException();
        }
    }

    @Test
    final void printsNothingToTheOutputOfCommands() throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream out = System.out;
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        Level level = root.getLevel();
        // Log output does not count, whatever the logger does with it.
        root.setLevel(Level.OFF);
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try (CredentialProvider another = CredentialPlugins.discover()
                .create(
                        subject.type(),
                        subject.settings(),
                        new PluginContext(subject.registryName(), network.clock()))) {
            another.credentials(subject.registryName(), subject.repository());
            another.describe(subject.registryName(), subject.repository());
        } finally {
            System.setOut(out);
            root.setLevel(level);
        }
        assertThat(printed.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    final void ignoresTheRefusalOfAForeignCredential() throws Exception {
        resolve();
        provider.refused(subject.registryName(), new Credential.Anonymous());

        assertThat(resolve()).isEqualTo(digest);
        assertThat(subject.registry().refusals()).isZero();
    }

    @Test
    final void canBeClosedTwiceAndLeavesNoConnectionOpen() throws Exception {
        provider.credentials(subject.registryName(), subject.repository());
        resolve();
        client.close();
        client.close();
        provider.close();
        provider.close();
        network.closeIdleConnections();

        // HttpURLConnection closes the connections that it keeps alive after five seconds; java.net.http.HttpClient,
        // which
        // has no close() before Java 21, when nothing refers to it any longer.
        provider = null;
        client = null;
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (network.openConnections() > 0 && System.nanoTime() - deadline < 0) {
            System.gc();
            Thread.sleep(100);
        }
        assertThat(network.openConnections())
                .as("connections that are open after the provider was closed and dropped. A java.net.http.HttpClient"
                        + " belongs into a field of the provider, not into a static one and not into the plugin: before"
                        + " Java 21 it has no close(), and its connections stay open for 20 minutes while something"
                        + " refers to it")
                .isZero();
    }

    private RegistryClient newClient() {
        return RegistryClient.builder()
                .credentials(provider)
                .httpClient(network.client())
                .clock(network.clock())
                .sleeper(duration -> {})
                .build();
    }

    private ImageReference image() {
        return ImageReference.parse(subject.registryName() + "/" + subject.repository() + ":latest");
    }

    private String resolve() throws RegistryException, InterruptedException {
        return client.resolve(image()).digest().toString();
    }

    private String newClientResolves() throws RegistryException, InterruptedException {
        try (RegistryClient fresh = newClient()) {
            return fresh.resolve(image()).digest().toString();
        }
    }

    private RegistryException failure() {
        RegistryException failure = catchThrowableOfType(RegistryException.class, this::resolve);
        assertThat(failure).isNotNull();
        return failure;
    }

    private String[] everythingSecret() {
        Set<String> all = new HashSet<>(subject.registry().secretsGiven());
        for (String secret : subject.secrets()) {
            all.add(secret);
            all.add(Base64.getEncoder().encodeToString(secret.getBytes(StandardCharsets.UTF_8)));
        }
        return all.toArray(String[]::new);
    }

    private static String stackTrace(Throwable failure) {
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text));
        return text.toString();
    }
}
