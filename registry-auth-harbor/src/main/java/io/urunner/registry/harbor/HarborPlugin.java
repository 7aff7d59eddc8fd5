package io.urunner.registry.harbor;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import java.util.List;

/** Harbor (type {@code harbor}). */
public final class HarborPlugin implements CredentialPlugin<HarborSettings> {
    /** Called by {@link java.util.ServiceLoader}. */
    public HarborPlugin() {}

    @Override
    public String type() {
        return "harbor";
    }

    @Override
    public Class<HarborSettings> settingsType() {
        return HarborSettings.class;
    }

    @Override
    public CredentialProvider create(HarborSettings settings, PluginContext context) {
        return new Provider(settings);
    }

    private record Provider(HarborSettings settings) implements CredentialProvider {
        @Override
        public List<Credential> credentials(String registry, String repository) throws CredentialException {
            return List.of(new Credential.Basic(settings.user(), settings.pass().read()));
        }

        /**
         * Harbor's token server answers wrong credentials with a token for nobody, and behind a proxy it names a realm
         * with the wrong scheme. Its registry accepts Basic credentials directly and rejects wrong ones.
         */
        @Override
        public AuthHints hints(String registry) {
            return AuthHints.sendBasicDirectly();
        }

        @Override
        public String describe(String registry, String repository) {
            return "Harbor user " + settings.user();
        }
    }
}
