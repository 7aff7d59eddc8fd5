package io.urunner.registry.examples;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.ExpiringCredential;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.testing.CredentialPluginContract;
import io.urunner.registry.testing.FakeIssuer;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.TestNetwork;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** The contract of plugins, for issuers of one's own that are asked by either HTTP client of the JDK. */
class IssuerPluginTest {
    @TempDir
    static Path jar;

    private static URLClassLoader services;

    @BeforeAll
    static void installPlugins() throws IOException {
        Path folder = Files.createDirectories(jar.resolve("META-INF/services"));
        Files.writeString(
                folder.resolve(CredentialPlugin.class.getName()),
                IssuerPlugin.class.getName() + "\n" + JdkClientPlugin.class.getName() + "\n");
        services = new URLClassLoader(new URL[] {jar.toUri().toURL()}, IssuerPluginTest.class.getClassLoader());
    }

    @AfterAll
    static void removePlugins() throws IOException {
        services.close();
    }

    private static CredentialPluginContract.Subject subject(TestNetwork network, String type) {
        // The contract looks for plugins as a program does, by the class loader of its thread.
        Thread.currentThread().setContextClassLoader(services);
        Duration life = Duration.ofHours(1);
        FakeIssuer registry = new FakeIssuer(network, "images.example", "issuer", "X-Key", "our key 4711", life);
        registry.push("team/app", "v1", TestImage.image("one"));
        IssuerPlugin.Settings settings = new IssuerPlugin.Settings(registry.url(), Secret.of("our key 4711"));
        Record own = type.equals("issuer") ? settings : new JdkClientPlugin.Settings(registry.url(), "our key 4711");
        return new CredentialPluginContract.Subject(type, own, registry, "team/app", Set.of("our key 4711"))
                .living(life);
    }

    @Nested
    class WithUrlConnection extends CredentialPluginContract {
        private final ClassLoader before = Thread.currentThread().getContextClassLoader();

        @AfterEach
        void restore() {
            Thread.currentThread().setContextClassLoader(before);
        }

        @Override
        protected Subject subject(TestNetwork network) {
            return IssuerPluginTest.subject(network, "issuer");
        }
    }

    @Nested
    class WithHttpClient extends CredentialPluginContract {
        private final ClassLoader before = Thread.currentThread().getContextClassLoader();

        @AfterEach
        void restore() {
            Thread.currentThread().setContextClassLoader(before);
        }

        @Override
        protected Subject subject(TestNetwork network) {
            return IssuerPluginTest.subject(network, "jdk_client");
        }
    }

    /** Keeps its HTTP client where the provider goes, so that its connections go with the provider. */
    public static final class JdkClientPlugin implements CredentialPlugin<JdkClientPlugin.Settings> {
        /** The settings. */
        public record Settings(URI url, Secret key) {
            Settings(URI url, String key) {
                this(url, Secret.of(key));
            }
        }

        @Override
        public String type() {
            return "jdk_client";
        }

        @Override
        public Class<Settings> settingsType() {
            return Settings.class;
        }

        @Override
        public CredentialProvider create(Settings settings, PluginContext context) {
            HttpClient http = HttpClient.newBuilder()
                    .connectTimeout(Duration.ofSeconds(10))
                    .build();
            ExpiringCredential password = ExpiringCredential.renewedAtHalfLife(
                    () -> new ExpiringCredential.Issued(
                            ask(http, settings), context.clock().instant().plus(Duration.ofHours(1))),
                    context.clock());
            return new CredentialProvider() {
                @Override
                public List<Credential> credentials(String registry, String repository) throws CredentialException {
                    return List.of(password.get());
                }

                @Override
                public void refused(String registry, Credential refused) {
                    password.refused(refused);
                }

                @Override
                public String describe(String registry, String repository) {
                    return "a password from " + settings.url();
                }
            };
        }

        private static Credential ask(HttpClient http, Settings settings) throws CredentialException {
            HttpRequest request = HttpRequest.newBuilder(settings.url())
                    .timeout(Duration.ofSeconds(10))
                    .header("X-Key", settings.key().reveal())
                    .build();
            try {
                HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
                if (response.statusCode() != 200) {
                    throw new CredentialException(
                            settings.url() + " answered " + response.statusCode(), response.statusCode() >= 500);
                }
                return new Credential.Basic("issuer", Secret.of(response.body()));
            } catch (IOException e) {
                throw new CredentialException("cannot ask " + settings.url() + ": " + e, true, e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CredentialException("interrupted while asking " + settings.url(), true, e);
            }
        }
    }
}
