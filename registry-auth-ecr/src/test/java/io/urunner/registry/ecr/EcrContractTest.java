package io.urunner.registry.ecr;

import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.CredentialPluginContract;
import io.urunner.registry.testing.FakeEcr;
import io.urunner.registry.testing.TestNetwork;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

class EcrContractTest extends CredentialPluginContract {
    private static final String SECRET_KEY = "secret/4711/key";

    @Override
    protected Subject subject(TestNetwork network) {
        FakeEcr ecr = new FakeEcr(network, "123456789012.dkr.ecr.eu-west-1.amazonaws.com");
        ecr.accessKey("AKIA4711");
        EcrSettings settings = new EcrSettings(
                Optional.of(SecretSource.of(Secret.of("AKIA4711"))),
                Optional.of(SecretSource.of(Secret.of(SECRET_KEY))),
                Optional.empty(),
                Optional.of(ecr.api()));
        return new Subject("aws_ecr", settings, ecr, "team/app", Set.of(SECRET_KEY)).living(Duration.ofHours(12));
    }
}
