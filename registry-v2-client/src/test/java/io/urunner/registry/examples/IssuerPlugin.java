package io.urunner.registry.examples;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.ExpiringCredential;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** A plugin: a company's own issuer gives passwords for an hour. Besides this file it needs a service file. */
public final class IssuerPlugin implements CredentialPlugin<IssuerPlugin.Settings> {
    /** The settings; the constructor rejects invalid ones. */
    public record Settings(URI url, SecretSource key) {
        public Settings {
            if (!url.isAbsolute()) {
                throw new IllegalArgumentException("'url' must be a whole URL, not " + url);
            }
        }
    }

    @Override
    public String type() {
        return "issuer";
    }

    @Override
    public Class<Settings> settingsType() {
        return Settings.class;
    }

    @Override
    public CredentialProvider create(Settings settings, PluginContext context) {
        ExpiringCredential password = ExpiringCredential.renewedAtHalfLife(
                () -> new ExpiringCredential.Issued(
                        ask(settings), context.clock().instant().plus(Duration.ofHours(1))),
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

    private static Credential ask(Settings settings) throws CredentialException {
        try {
            var connection = (HttpURLConnection) settings.url().toURL().openConnection();
            connection.setRequestProperty("X-Key", settings.key().read().reveal());
            connection.setReadTimeout(10_000);
            int status = connection.getResponseCode();
            if (status != 200) {
                throw new CredentialException(settings.url() + " answered " + status, status >= 500);
            }
            byte[] password = connection.getInputStream().readNBytes(1000);
            return new Credential.Basic("issuer", Secret.of(new String(password, StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new CredentialException("cannot ask " + settings.url() + ": " + e, true, e);
        }
    }
}
