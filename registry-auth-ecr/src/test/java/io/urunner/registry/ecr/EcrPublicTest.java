package io.urunner.registry.ecr;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.testing.FakeEcrPublic;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.TestNetwork;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class EcrPublicTest {
    @Test
    void public_images_are_read_anonymously_also_after_a_token_has_expired() throws Exception {
        try (TestNetwork network = new TestNetwork()) {
            FakeEcrPublic registry = new FakeEcrPublic(network);
            registry.publicRepository("team/app");
            String digest = registry.push("team/app", "latest", TestImage.index("one", "amd64", "arm64"));
            PluginContext context = new PluginContext(FakeEcrPublic.HOST, network.clock());
            try (CredentialProvider provider = new EcrPlugin().create(EcrSettings.DEFAULT, context);
                    RegistryClient client = RegistryClient.builder()
                            .credentials(provider)
                            .httpClient(network.client())
                            .clock(network.clock())
                            .build()) {
                ImageReference image = ImageReference.parse("public.ecr.aws/team/app:latest");
                assertThat(client.resolve(image).digest()).hasToString(digest);

                network.advance(Duration.ofMinutes(10));
                assertThat(client.resolve(image).digest()).hasToString(digest);
            }
        }
    }
}
