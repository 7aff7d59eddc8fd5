package io.urunner.registry.ecr;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.ExpiringCredential;
import io.urunner.registry.auth.PluginContext;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One issuer of tokens per region and kind of endpoint; ECR Public is read anonymously. */
final class EcrProvider implements CredentialProvider {
    private final EcrSettings settings;
    private final InstantSource clock;
    private final Map<TokenIssuer.Endpoint, Tokens> tokens = new HashMap<>();
    private boolean closed;

    private record Tokens(TokenIssuer issuer, ExpiringCredential credential) {}

    EcrProvider(EcrSettings settings, PluginContext context) {
        this.settings = settings;
        this.clock = context.clock();
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        if (EcrHost.isPublic(registry)) {
            return List.of();
        }
        return List.of(tokens(registry).credential().get());
    }

    @Override
    public AuthHints hints(String registry) {
        return EcrHost.isPublic(registry) ? AuthHints.NONE : AuthHints.sendBasicDirectly();
    }

    @Override
    public void refused(String registry, Credential refused) {
        Tokens known;
        synchronized (tokens) {
            known = EcrHost.isPublic(registry) ? null : tokens.get(endpoint(registry));
        }
        if (known != null) {
            known.credential().refused(refused);
        }
    }

    @Override
    public String describe(String registry, String repository) {
        if (EcrHost.isPublic(registry)) {
            return "anonymous at " + registry;
        }
        String identity = settings.accessKeyId().isPresent() ? "access key" : "default credentials";
        return "AWS " + identity + ", region " + endpoint(registry).region();
    }

    @Override
    public void close() {
        List<Tokens> open;
        synchronized (tokens) {
            closed = true;
            open = List.copyOf(tokens.values());
            tokens.clear();
        }
        open.forEach(known -> known.issuer().close());
    }

    private Tokens tokens(String registry) {
        TokenIssuer.Endpoint endpoint = endpoint(registry);
        synchronized (tokens) {
            if (closed) {
                throw new IllegalStateException("the credentials of Amazon ECR are closed");
            }
            return tokens.computeIfAbsent(endpoint, missing -> {
                TokenIssuer issuer = new TokenIssuer(settings, missing);
                return new Tokens(issuer, ExpiringCredential.renewedAtHalfLife(issuer, clock));
            });
        }
    }

    private TokenIssuer.Endpoint endpoint(String registry) {
        return EcrHost.parse(registry)
                .map(host -> new TokenIssuer.Endpoint(host.region(), host.fips(), host.dualStack()))
                .orElseGet(() -> new TokenIssuer.Endpoint(
                        settings.region()
                                .orElseThrow(() -> new IllegalArgumentException(
                                        registry + " is not the host name of an Amazon ECR registry")),
                        false,
                        false));
    }
}
