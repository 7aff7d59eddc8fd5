package io.urunner.registry.ecr;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.ExpiringCredential;
import io.urunner.registry.auth.PluginContext;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One issuer of tokens per region and kind of endpoint. ECR Public is read anonymously if no token is available. */
final class EcrProvider implements CredentialProvider {
    private static final Logger LOG = LoggerFactory.getLogger(EcrProvider.class);

    /** How long ECR Public is read anonymously before a token is requested again. */
    private static final Duration ANONYMOUSLY = Duration.ofHours(1);

    private final EcrSettings settings;
    private final PluginContext context;
    private final InstantSource clock;
    private final Map<TokenIssuer.Endpoint, Tokens> tokens = new HashMap<>();
    private volatile Instant anonymousUntil = Instant.MIN;
    private boolean closed;

    private record Tokens(TokenIssuer issuer, ExpiringCredential credential) {}

    EcrProvider(EcrSettings settings, PluginContext context) {
        this.settings = settings;
        this.context = context;
        this.clock = context.clock();
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        return EcrHost.isPublic(registry)
                ? publicCredentials(registry)
                : List.of(tokens(registry).credential().get());
    }

    /** A token raises the limits; without one, or if one is refused, everything is still readable. */
    private List<Credential> publicCredentials(String registry) throws CredentialException {
        Instant now = clock.instant();
        if (now.isBefore(anonymousUntil)) {
            return List.of();
        }
        try {
            Credential token = tokens(registry).credential().get();
            anonymousUntil = Instant.MIN;
            return List.of(token, new Credential.Anonymous());
        } catch (CredentialException e) {
            if (Thread.currentThread().isInterrupted()) {
                throw e;
            }
            if (anonymousUntil.equals(Instant.MIN)) {
                LOG.info("{} is read anonymously, within the limits for everybody: {}", registry, e.getMessage());
            }
            anonymousUntil = now.plus(ANONYMOUSLY);
            return List.of();
        }
    }

    @Override
    public AuthHints hints(String registry) {
        return EcrHost.isPublic(registry) ? AuthHints.NONE : AuthHints.sendBasicDirectly();
    }

    @Override
    public void refused(String registry, Credential refused) {
        Tokens known;
        synchronized (tokens) {
            known = tokens.get(endpoint(registry));
        }
        if (known != null) {
            known.credential().refused(refused);
        }
    }

    @Override
    public String describe(String registry, String repository) {
        if (EcrHost.isPublic(registry) && clock.instant().isBefore(anonymousUntil)) {
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
                TokenIssuer issuer = new TokenIssuer(settings, missing, context);
                return new Tokens(issuer, ExpiringCredential.renewedAtHalfLife(issuer, clock));
            });
        }
    }

    private TokenIssuer.Endpoint endpoint(String registry) {
        if (EcrHost.isPublic(registry)) {
            return TokenIssuer.Endpoint.PUBLIC;
        }
        return EcrHost.parse(registry)
                .map(host -> new TokenIssuer.Endpoint(host.region(), host.fips(), host.dualStack(), false))
                .orElseGet(() -> new TokenIssuer.Endpoint(
                        settings.region()
                                .orElseThrow(() -> new IllegalArgumentException(
                                        registry + " is not the host name of an Amazon ECR registry")),
                        false,
                        false,
                        false));
    }
}
