package io.urunner.registry;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A provider that delegates to others: for each repository to the one with the longest matching prefix. Repositories
 * that no prefix matches are read anonymously. Closing it closes all of them.
 */
public final class CredentialRouter implements CredentialProvider {
    /** The providers, those of the longest prefixes first. */
    private final List<Map.Entry<RegistryPrefix, CredentialProvider>> routes;

    /**
     * Creates a router over these providers.
     *
     * @param providers the provider for each prefix; this router closes them
     */
    public CredentialRouter(Map<RegistryPrefix, CredentialProvider> providers) {
        this.routes = new ArrayList<>(Map.copyOf(providers).entrySet());
        routes.sort(Comparator.comparingInt(route -> -route.getKey().path().length()));
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        CredentialProvider provider = providerOf(registry, repository);
        return provider == null ? List.of() : provider.credentials(registry, repository);
    }

    @Override
    public AuthHints hints(String registry) {
        for (CredentialProvider provider : providersAt(registry)) {
            AuthHints hints = provider.hints(registry);
            if (!hints.equals(AuthHints.NONE)) {
                return hints;
            }
        }
        return AuthHints.NONE;
    }

    @Override
    public void refused(String registry, Credential refused) {
        for (CredentialProvider provider : providersAt(registry)) {
            provider.refused(registry, refused);
        }
    }

    @Override
    public String describe(String registry, String repository) {
        CredentialProvider provider = providerOf(registry, repository);
        return provider == null ? "no credentials" : provider.describe(registry, repository);
    }

    @Override
    public void close() {
        RuntimeException failure = null;
        for (var route : routes) {
            try {
                route.getValue().close();
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private @Nullable CredentialProvider providerOf(String registry, String repository) {
        for (var route : routes) {
            if (matches(route.getKey(), registry, repository)) {
                return route.getValue();
            }
        }
        return null;
    }

    private Set<CredentialProvider> providersAt(String registry) {
        Set<CredentialProvider> providers = new LinkedHashSet<>();
        for (var route : routes) {
            if (matches(route.getKey(), registry, "")) {
                providers.add(route.getValue());
            }
        }
        return providers;
    }

    /** Requests for a whole registry (a ping, the catalog) go to the provider of the registry or of its first part. */
    private static boolean matches(RegistryPrefix prefix, String registry, String repository) {
        return repository.isEmpty()
                ? prefix.registry().equalsIgnoreCase(Repository.canonicalRegistry(registry))
                : prefix.matches(registry, repository);
    }
}
