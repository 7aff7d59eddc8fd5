package io.urunner.registry;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A provider that asks others: for each repository the one whose prefix matches it, of several the longest. Repositories
 * that no prefix matches are read anonymously. Closing it closes them all.
 */
public final class CredentialRouter implements CredentialProvider {
    private record Route(RegistryPrefix prefix, CredentialProvider provider) {}

    private final List<Route> routes;

    /**
     * A router over these providers.
     *
     * @param providers the provider for each prefix; this router closes them
     */
    public CredentialRouter(Map<RegistryPrefix, CredentialProvider> providers) {
        this.routes = providers.entrySet().stream()
                .map(entry -> new Route(entry.getKey(), entry.getValue()))
                .sorted(Comparator.comparingInt(
                                (Route route) -> route.prefix().path().length())
                        .reversed())
                .toList();
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        Optional<CredentialProvider> provider = providerOf(registry, repository);
        return provider.isPresent() ? provider.get().credentials(registry, repository) : List.of();
    }

    @Override
    public AuthHints hints(String registry) {
        return providersAt(registry).stream()
                .map(provider -> provider.hints(registry))
                .filter(hints -> !hints.equals(AuthHints.NONE))
                .findFirst()
                .orElse(AuthHints.NONE);
    }

    @Override
    public void refused(String registry, Credential refused) {
        providersAt(registry).forEach(provider -> provider.refused(registry, refused));
    }

    @Override
    public String describe(String registry, String repository) {
        return providerOf(registry, repository)
                .map(provider -> provider.describe(registry, repository))
                .orElse("no credentials");
    }

    @Override
    public void close() {
        List<RuntimeException> failures = new ArrayList<>();
        for (Route route : routes) {
            try {
                route.provider().close();
            } catch (RuntimeException e) {
                failures.add(e);
            }
        }
        if (!failures.isEmpty()) {
            RuntimeException first = failures.get(0);
            failures.stream().skip(1).forEach(first::addSuppressed);
            throw first;
        }
    }

    private Optional<CredentialProvider> providerOf(String registry, String repository) {
        return routes.stream()
                .filter(route -> matches(route.prefix(), registry, repository))
                .map(Route::provider)
                .findFirst();
    }

    private List<CredentialProvider> providersAt(String registry) {
        return routes.stream()
                .filter(route -> route.prefix().registry().equalsIgnoreCase(registry))
                .map(Route::provider)
                .distinct()
                .toList();
    }

    /** What concerns a whole registry (a ping, the catalog) goes to whoever has the registry or the first part of it. */
    private static boolean matches(RegistryPrefix prefix, String registry, String repository) {
        return repository.isEmpty()
                ? prefix.registry().equalsIgnoreCase(registry)
                : prefix.matches(new Repository(registry, repository));
    }
}
