package io.urunner.registry.harbor;

import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.CredentialPluginContract;
import io.urunner.registry.testing.FakeHarbor;
import io.urunner.registry.testing.TestNetwork;
import java.util.Set;

class HarborContractTest extends CredentialPluginContract {
    private static final String USER = "robot$project+ci";
    private static final String PASS = "harbor-4711secret";

    @Override
    protected Subject subject(TestNetwork network) {
        FakeHarbor harbor = new FakeHarbor(network, "harbor.example", "project");
        harbor.account(USER, PASS, "project/app");
        HarborSettings settings = new HarborSettings(USER, SecretSource.of(Secret.of(PASS)));
        return new Subject("harbor", settings, harbor, "project/app", Set.of(PASS, USER + ":" + PASS)).withoutIssuer();
    }
}
