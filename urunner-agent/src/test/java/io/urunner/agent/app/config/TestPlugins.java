package io.urunner.agent.app.config;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialPlugins;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.SecretSource;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Plugins with settings of every form, to test the binder without the real plugins. */
final class TestPlugins {
    private TestPlugins() {}

    record GitLab(Optional<String> user, SecretSource token, Optional<URI> authUrl) {}

    record Harbor(String user, SecretSource pass) {}

    record Aws(Optional<String> accessKeyId, Optional<SecretSource> secretAccessKey, Optional<String> region) {
        Aws {
            if (accessKeyId.isPresent() != secretAccessKey.isPresent()) {
                throw new IllegalArgumentException("give both the access key id and the secret access key, or neither");
            }
        }
    }

    record Ocean(SecretSource token) {}

    record Generic(Optional<String> user, Optional<SecretSource> pass) {}

    record Outside(boolean loud, int retries, Duration patience, URI issuer) {
        Outside {
            if (retries > 10) {
                throw new IllegalArgumentException("retries must be at most 10");
            }
        }
    }

    private record Plugin<S extends Record>(String type, Class<S> settingsType) implements CredentialPlugin<S> {
        @Override
        public boolean recognises(String registry) {
            return type.equals("gitlab") && registry.equals("registry.gitlab.com");
        }

        @Override
        public CredentialProvider create(S settings, PluginContext context) {
            return new CredentialProvider() {
                @Override
                public List<Credential> credentials(String registry, String repository) {
                    return List.of();
                }

                @Override
                public String describe(String registry, String repository) {
                    return type;
                }
            };
        }
    }

    static CredentialPlugins discover(Optional<Path> directory) {
        directory.ifPresent(path -> {
            if (!path.toFile().isDirectory()) {
                throw new IllegalArgumentException("the plugin directory " + path + " is not there");
            }
        });
        return CredentialPlugins.of(
                new Plugin<>("gitlab", GitLab.class),
                new Plugin<>("harbor", Harbor.class),
                new Plugin<>("aws_ecr", Aws.class),
                new Plugin<>("digitalocean", Ocean.class),
                new Plugin<>("dockerhub", Generic.class),
                new Plugin<>("generic", Generic.class),
                new Plugin<>("outside", Outside.class));
    }
}
