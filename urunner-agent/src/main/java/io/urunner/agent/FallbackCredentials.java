package io.urunner.agent;

import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.Repository;
import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.util.List;

/** The configured credentials; for repositories of no configured registry those of another provider. */
final class FallbackCredentials implements CredentialProvider {
    private final List<RegistryPrefix> configured;
    private final CredentialProvider own;
    private final CredentialProvider others;

    /**
     * Asks two providers; neither is closed by this.
     *
     * @param configured what the first one is for
     * @param own the first one
     * @param others the one for everything else
     */
    FallbackCredentials(List<RegistryPrefix> configured, CredentialProvider own, CredentialProvider others) {
        this.configured = List.copyOf(configured);
        this.own = own;
        this.others = others;
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        return provider(registry, repository).credentials(registry, repository);
    }

    @Override
    public AuthHints hints(String registry) {
        return provider(registry, "").hints(registry);
    }

    @Override
    public void refused(String registry, Credential refused) {
        own.refused(registry, refused);
        others.refused(registry, refused);
    }

    @Override
    public String describe(String registry, String repository) {
        return provider(registry, repository).describe(registry, repository);
    }

    private CredentialProvider provider(String registry, String repository) {
        return configured.stream()
                        .anyMatch(prefix -> repository.isEmpty()
                                ? prefix.registry().equalsIgnoreCase(registry)
                                : prefix.matches(new Repository(registry, repository)))
                ? own
                : others;
    }
}
