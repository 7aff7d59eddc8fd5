package io.urunner.registry.builtin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.urunner.registry.CredentialRouter;
import io.urunner.registry.HostOptions;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RateLimitedException;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.UnavailableException;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialPlugins;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.FakeAcr;
import io.urunner.registry.testing.FakeDockerHub;
import io.urunner.registry.testing.FakeGhcr;
import io.urunner.registry.testing.FakeGoogle;
import io.urunner.registry.testing.FakeQuay;
import io.urunner.registry.testing.FakeTokenRegistry;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.TestNetwork;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class BuiltinPluginsTest {
    private static final Optional<SecretSource> SECRET = Optional.of(SecretSource.of(Secret.of("secret")));

    static Stream<Arguments> publicRegistries() {
        return Stream.of(
                anonymous("dockerhub", PasswordSettings.ANONYMOUS, "docker.io", FakeDockerHub::new),
                anonymous("ghcr", new GhcrPlugin.GhcrSettings(Optional.empty()), "ghcr.io", FakeGhcr::new),
                anonymous("generic", PasswordSettings.ANONYMOUS, "quay.io", net -> new FakeQuay(net, "quay.io")),
                anonymous(
                        "google",
                        new GooglePlugin.GoogleSettings(Optional.empty(), Optional.empty()),
                        "gcr.io",
                        net -> new FakeGoogle(net, "gcr.io")),
                anonymous(
                        "acr",
                        new AcrPlugin.AcrSettings(
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty()),
                        "team.azurecr.io",
                        net -> new FakeAcr(net, "team.azurecr.io")));
    }

    private static Arguments anonymous(
            String type, Record settings, String registry, Function<TestNetwork, FakeTokenRegistry> fake) {
        return Arguments.of(type, settings, registry, fake);
    }

    @ParameterizedTest(name = "{0} at {2}")
    @MethodSource("publicRegistries")
    void readsPublicContentWithoutCredentials(
            String type, Record settings, String name, Function<TestNetwork, FakeTokenRegistry> fake) throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            FakeTokenRegistry registry = fake.apply(network);
            registry.publicRepository("team/app");
            String digest = registry.push("team/app", "latest", TestImage.index("one", "amd64"));
            PluginContext context = new PluginContext(name, network.clock());
            try (CredentialProvider provider = CredentialPlugins.discover().create(type, settings, context);
                    RegistryClient client = RegistryClient.builder()
                            .credentials(provider)
                            .httpClient(network.client())
                            .clock(network.clock())
                            .build()) {
                assertThat(client.resolve(ImageReference.parse(name + "/team/app:latest"))
                                .digest())
                        .hasToString(digest);
                assertThat(provider.describe(name, "team/app")).isEqualTo("anonymous at " + name);
            }
        }
    }

    @Test
    void dockerHubResolvesTagsEvenWithoutPullsLeft() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            FakeDockerHub hub = new FakeDockerHub(network);
            hub.publicRepository("library/nginx");
            String digest = hub.push("library/nginx", "latest", TestImage.image("one"));
            hub.remaining(0);
            ImageReference image = ImageReference.parse("nginx");
            try (RegistryClient client = RegistryClient.builder()
                    .httpClient(network.client())
                    .clock(network.clock())
                    .sleeper(duration -> {})
                    .build()) {
                for (int i = 0; i < 2; i++) {
                    assertThatExceptionOfType(RateLimitedException.class).isThrownBy(() -> client.manifest(image));
                    assertThat(client.resolve(image).digest()).hasToString(digest);
                }
                assertThat(network.requests("registry-1.docker.io").stream()
                                .filter(request -> "GET".equals(request.getMethod())
                                        && request.getHeader("Authorization") != null))
                        .as("who was told to wait does")
                        .hasSize(1);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "docker.io",
                "index.docker.io",
                "registry-1.docker.io",
                "registry.hub.docker.com",
                "DOCKER.IO",
            })
    void dockerHubIsOneRegistryByWhicheverNameItIsWritten(String name) throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            FakeDockerHub hub = new FakeDockerHub(network);
            hub.account("me", "secret", "library/nginx");
            String digest = hub.push("library/nginx", "latest", TestImage.image("one"));
            PluginContext context = new PluginContext("docker.io", network.clock());
            PasswordSettings settings = new PasswordSettings(Optional.of("me"), SECRET);
            try (RegistryClient client = RegistryClient.builder()
                    .credentials(new CredentialRouter(Map.of(
                            RegistryPrefix.parse("registry.hub.docker.com"),
                            new DockerHubPlugin().create(settings, context))))
                    .httpClient(network.client())
                    .clock(network.clock())
                    .build()) {
                assertThat(client.resolve(ImageReference.parse(name + "/nginx")).digest())
                        .hasToString(digest);
                assertThat(client.rateLimit(name)).isPresent().isEqualTo(client.rateLimit("registry.hub.docker.com"));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"docker.io, registry-1.docker.io", "registry.hub.docker.com, docker.io", "INDEX.docker.io, docker.io"})
    void theOptionsOfDockerHubHoldForAllItsNames(String set, String asked) throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            FakeDockerHub hub = new FakeDockerHub(network);
            hub.publicRepository("library/nginx");
            hub.push("library/nginx", "latest", TestImage.image("one"));
            try (RegistryClient client = RegistryClient.builder()
                    .host("docker.io", HostOptions.DEFAULTS)
                    .host(set, HostOptions.DEFAULTS.withPlainHttp())
                    .httpClient(network.client())
                    .clock(network.clock())
                    .attempts(1)
                    .build()) {
                // The network serves Docker Hub by TLS only.
                assertThatExceptionOfType(UnavailableException.class)
                        .isThrownBy(() -> client.resolve(ImageReference.parse(asked + "/library/nginx")));
                assertThat(network.requests("registry-1.docker.io")).isEmpty();
            }
        }
    }

    @Test
    void aUserNeedsAPasswordAndAPasswordAUser() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PasswordSettings(Optional.of("me"), Optional.empty()))
                .withMessageContaining("'pass'");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PasswordSettings(Optional.empty(), SECRET))
                .withMessageContaining("'user'");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PasswordSettings(Optional.of("a:b"), SECRET))
                .withMessageContaining("'user'");
    }

    @Test
    void twoKindsOfCredentialsAtOnceAreRejected() {
        assertThatIllegalArgumentException().isThrownBy(() -> new GooglePlugin.GoogleSettings(SECRET, SECRET));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new AcrPlugin.AcrSettings(
                        Optional.of("me"), SECRET, SECRET, Optional.empty(), Optional.empty()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new AcrPlugin.AcrSettings(
                        Optional.empty(), Optional.empty(), SECRET, SECRET, Optional.empty()));
    }

    @Test
    void distinguishesAKeyFileFromItsBase64() throws CredentialException {
        assertThat(googleUser("{\"type\":\"service_account\"}")).isEqualTo("_json_key");
        assertThat(googleUser("\n {\"type\":\"service_account\"}")).isEqualTo("_json_key");
        assertThat(googleUser("eyJ0eXBlIjoic2VydmljZV9hY2NvdW50In0=")).isEqualTo("_json_key_base64");
    }

    private static String googleUser(String key) throws CredentialException {
        GooglePlugin.GoogleSettings settings =
                new GooglePlugin.GoogleSettings(Optional.empty(), Optional.of(SecretSource.of(Secret.of(key))));
        CredentialProvider provider =
                new GooglePlugin().create(settings, new PluginContext("gcr.io", InstantSource.system()));
        Credential credential = provider.credentials("gcr.io", "p/i").get(0);
        return ((Credential.Basic) credential).user();
    }
}
