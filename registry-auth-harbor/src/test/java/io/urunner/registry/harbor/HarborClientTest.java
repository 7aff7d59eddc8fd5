package io.urunner.registry.harbor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.UnauthorizedException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.FakeHarbor;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.TestNetwork;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class HarborClientTest {
    private static final String HOST = "harbor.example";

    @AutoClose
    private final TestNetwork network = new TestNetwork();

    private final FakeHarbor harbor = new FakeHarbor(network, HOST, "project", "other");

    @Test
    void sendsOneRequestPerResolveAndNeverUsesTheRealm() throws Exception {
        harbor.account("robot$project+ci", "secret", "project/app");
        harbor.nameRealmWithoutTls();
        String digest = harbor.push("project/app", "latest", TestImage.image("one"));

        try (RegistryClient client = client("secret")) {
            assertThat(client.resolve(image("project/app")).digest()).hasToString(digest);
            assertThat(client.resolve(image("project/app")).digest()).hasToString(digest);
            assertThat(network.requests(HOST)).hasSize(2);
        }
    }

    @Test
    void wrongCredentialsAreRecognised() {
        harbor.account("robot$project+ci", "secret", "project/app");
        harbor.push("project/app", "latest", TestImage.image("one"));

        try (RegistryClient client = client("wrong")) {
            RegistryException failure =
                    catchThrowableOfType(RegistryException.class, () -> client.resolve(image("project/app")));
            assertThat(failure)
                    .isInstanceOf(UnauthorizedException.class)
                    .hasMessageContainingAll(HOST, "project/app", "Harbor user robot$project+ci")
                    .hasMessageNotContaining("wrong");
        }
    }

    @Test
    void anUnknownProjectAndADeniedRepositoryDoNotCountAsWrongCredentials() throws Exception {
        harbor.account("robot$project+ci", "secret", "project/app");
        String digest = harbor.push("project/app", "latest", TestImage.image("one"));
        harbor.push("other/app", "latest", TestImage.image("two"));

        try (RegistryClient client = client("secret")) {
            for (String repository : new String[] {"other/app", "unknown/app"}) {
                RegistryException failure =
                        catchThrowableOfType(RegistryException.class, () -> client.resolve(image(repository)));
                assertThat(failure.isTransient()).isFalse();
                assertThat(failure).hasMessageContaining(repository);
            }
            assertThat(client.resolve(image("project/app")).digest()).hasToString(digest);
        }
    }

    private RegistryClient client(String pass) {
        CredentialProvider provider = new HarborPlugin()
                .create(
                        new HarborSettings("robot$project+ci", SecretSource.of(Secret.of(pass))),
                        new PluginContext(HOST, network.clock()));
        return RegistryClient.builder()
                .credentials(provider)
                .httpClient(network.client())
                .clock(network.clock())
                .build();
    }

    private static ImageReference image(String repository) {
        return ImageReference.parse(HOST + "/" + repository + ":latest");
    }
}
