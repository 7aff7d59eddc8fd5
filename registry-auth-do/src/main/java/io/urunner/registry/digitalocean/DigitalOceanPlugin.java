package io.urunner.registry.digitalocean;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.util.List;

/** DigitalOcean's container registry (type {@code digitalocean}). */
public final class DigitalOceanPlugin implements CredentialPlugin<DigitalOceanSettings> {
    /** Called by {@link java.util.ServiceLoader}. */
    public DigitalOceanPlugin() {}

    @Override
    public String type() {
        return "digitalocean";
    }

    @Override
    public Class<DigitalOceanSettings> settingsType() {
        return DigitalOceanSettings.class;
    }

    @Override
    public boolean recognises(String registry) {
        return registry.equals("registry.digitalocean.com");
    }

    @Override
    public CredentialProvider create(DigitalOceanSettings settings, PluginContext context) {
        return new Provider(settings.token());
    }

    /** The API token is both the user name and the password. */
    private record Provider(SecretSource token) implements CredentialProvider {
        @Override
        public List<Credential> credentials(String registry, String repository) throws CredentialException {
            Secret read = token.read();
            return List.of(new Credential.Basic(read.reveal(), read));
        }

        @Override
        public String describe(String registry, String repository) {
            return "DigitalOcean API token";
        }
    }
}
