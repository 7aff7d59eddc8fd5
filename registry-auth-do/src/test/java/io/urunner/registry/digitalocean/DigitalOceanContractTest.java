package io.urunner.registry.digitalocean;

import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.CredentialPluginContract;
import io.urunner.registry.testing.FakeDigitalOcean;
import io.urunner.registry.testing.TestNetwork;
import java.util.Set;

class DigitalOceanContractTest extends CredentialPluginContract {
    private static final String TOKEN = "dop_v1_4711secret";

    @Override
    protected Subject subject(TestNetwork network) {
        FakeDigitalOcean registry = new FakeDigitalOcean(network);
        registry.apiToken(TOKEN, "team/app");
        DigitalOceanSettings settings = new DigitalOceanSettings(SecretSource.of(Secret.of(TOKEN)));
        return new Subject("digitalocean", settings, registry, "team/app", Set.of(TOKEN, TOKEN + ":" + TOKEN));
    }
}
