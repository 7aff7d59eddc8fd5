package io.urunner.registry.builtin;

import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.CredentialPluginContract;
import io.urunner.registry.testing.FakeAcr;
import io.urunner.registry.testing.FakeDockerHub;
import io.urunner.registry.testing.FakeGhcr;
import io.urunner.registry.testing.FakeGitea;
import io.urunner.registry.testing.FakeGoogle;
import io.urunner.registry.testing.FakeQuay;
import io.urunner.registry.testing.FakeTokenRegistry;
import io.urunner.registry.testing.TestNetwork;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Nested;

class BuiltinContractTest {
    private static final String PASS = "pass-4711secret";
    private static final Optional<SecretSource> SECRET = Optional.of(SecretSource.of(Secret.of(PASS)));

    private static CredentialPluginContract.Subject subject(
            String type, Record settings, FakeTokenRegistry registry, String user) {
        registry.account(user, PASS, "team/app");
        return new CredentialPluginContract.Subject(
                type, settings, registry, "team/app", Set.of(PASS, user + ":" + PASS));
    }

    @Nested
    class DockerHub extends CredentialPluginContract {
        @Override
        protected Subject subject(TestNetwork network) {
            PasswordSettings settings = new PasswordSettings(Optional.of("me"), SECRET);
            return BuiltinContractTest.subject("dockerhub", settings, new FakeDockerHub(network), "me")
                    .named("docker.io");
        }
    }

    @Nested
    class GenericAtQuay extends CredentialPluginContract {
        @Override
        protected Subject subject(TestNetwork network) {
            PasswordSettings settings = new PasswordSettings(Optional.of("team+bot"), SECRET);
            return BuiltinContractTest.subject("generic", settings, new FakeQuay(network, "quay.io"), "team+bot")
                    .living(Duration.ofHours(1));
        }
    }

    @Nested
    class GenericAtGitea extends CredentialPluginContract {
        @Override
        protected Subject subject(TestNetwork network) {
            PasswordSettings settings = new PasswordSettings(Optional.of("me"), SECRET);
            return BuiltinContractTest.subject("generic", settings, new FakeGitea(network, "git.example"), "me");
        }
    }

    @Nested
    class Ghcr extends CredentialPluginContract {
        @Override
        protected Subject subject(TestNetwork network) {
            GhcrPlugin.GhcrSettings settings = new GhcrPlugin.GhcrSettings(SECRET);
            return BuiltinContractTest.subject("ghcr", settings, new FakeGhcr(network), "token");
        }
    }

    @Nested
    class GoogleAccessToken extends CredentialPluginContract {
        @Override
        protected Subject subject(TestNetwork network) {
            GooglePlugin.GoogleSettings settings = new GooglePlugin.GoogleSettings(SECRET, Optional.empty());
            FakeGoogle registry = new FakeGoogle(network, "europe-docker.pkg.dev");
            return BuiltinContractTest.subject("google", settings, registry, "oauth2accesstoken")
                    .living(Duration.ofHours(1));
        }
    }

    @Nested
    class GoogleKeyFile extends CredentialPluginContract {
        @Override
        protected Subject subject(TestNetwork network) {
            String key = "{\"type\":\"service_account\",\"private_key\":\"key-4711secret\"}";
            FakeGoogle registry = new FakeGoogle(network, "gcr.io");
            registry.account("_json_key", key, "team/app");
            GooglePlugin.GoogleSettings settings =
                    new GooglePlugin.GoogleSettings(Optional.empty(), Optional.of(SecretSource.of(Secret.of(key))));
            return new Subject("google", settings, registry, "team/app", Set.of(key, "key-4711secret"))
                    .living(Duration.ofHours(1));
        }
    }

    @Nested
    class AcrPassword extends CredentialPluginContract {
        @Override
        protected Subject subject(TestNetwork network) {
            AcrPlugin.AcrSettings settings = acr(Optional.of("app-id"), SECRET, Optional.empty(), Optional.empty());
            return BuiltinContractTest.subject("acr", settings, new FakeAcr(network, "team.azurecr.io"), "app-id")
                    .living(Duration.ofMinutes(75));
        }
    }

    @Nested
    class AcrRefreshToken extends CredentialPluginContract {
        @Override
        protected Subject subject(TestNetwork network) {
            FakeAcr registry = new FakeAcr(network, "team.azurecr.io");
            registry.refreshToken(PASS, "team/app");
            AcrPlugin.AcrSettings settings = acr(Optional.empty(), Optional.empty(), SECRET, Optional.empty());
            return new Subject("acr", settings, registry, "team/app", Set.of(PASS)).living(Duration.ofMinutes(75));
        }
    }

    @Nested
    class AcrAccessToken extends CredentialPluginContract {
        @Override
        protected Subject subject(TestNetwork network) {
            FakeAcr registry = new FakeAcr(network, "team.azurecr.io");
            registry.entraToken(PASS, "team/app");
            AcrPlugin.AcrSettings settings = acr(Optional.empty(), Optional.empty(), Optional.empty(), SECRET);
            return new Subject("acr", settings, registry, "team/app", Set.of(PASS)).living(Duration.ofMinutes(75));
        }
    }

    private static AcrPlugin.AcrSettings acr(
            Optional<String> user,
            Optional<SecretSource> pass,
            Optional<SecretSource> refreshToken,
            Optional<SecretSource> accessToken) {
        return new AcrPlugin.AcrSettings(user, pass, refreshToken, accessToken, Optional.empty());
    }
}
