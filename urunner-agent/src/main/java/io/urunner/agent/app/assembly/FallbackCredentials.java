package io.urunner.agent.app.assembly;

import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.Repository;
import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.util.List;

/**
 * The configured credentials; if a configured registry has none, those of the pods that use the repository; for
 * repositories outside the configured registries those of another provider.
 */
final class FallbackCredentials implements CredentialProvider {
    private final List<RegistryPrefix> configured;
    private final CredentialProvider own;
    private final CredentialProvider pods;
    private final CredentialProvider others;

    /**
     * Uses these providers, and closes none of them.
     *
     * @param configured the configured registries
     * @param own the provider for the configured registries
     * @param pods the provider for configured registries without credentials
     * @param others the provider for everything else
     */
    FallbackCredentials(
            List<RegistryPrefix> configured,
            CredentialProvider own,
            CredentialProvider pods,
            CredentialProvider others) {
        this.configured = List.copyOf(configured);
        this.own = own;
        this.pods = pods;
        this.others = others;
    }

    /**
     * The same with another provider for the pods.
     *
     * @param pods the provider for the pods
     * @return the credentials; they need not be closed
     */
    FallbackCredentials withPods(CredentialProvider pods) {
        return new FallbackCredentials(configured, own, pods, others);
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        if (!isConfigured(registry, repository)) {
            return others.credentials(registry, repository);
        }
        List<Credential> found = own.credentials(registry, repository);
        return isNone(found) ? pods.credentials(registry, repository) : found;
    }

    @Override
    public AuthHints hints(String registry) {
        return isConfigured(registry, "") ? own.hints(registry) : others.hints(registry);
    }

    @Override
    public void refused(String registry, Credential refused) {
        own.refused(registry, refused);
        pods.refused(registry, refused);
        others.refused(registry, refused);
    }

    @Override
    public String describe(String registry, String repository) {
        if (!isConfigured(registry, repository)) {
            return others.describe(registry, repository);
        }
        try {
            return isNone(own.credentials(registry, repository)) && !isNone(pods.credentials(registry, repository))
                    ? pods.describe(registry, repository)
                    : own.describe(registry, repository);
        } catch (CredentialException e) {
            return own.describe(registry, repository);
        }
    }

    private boolean isConfigured(String registry, String repository) {
        return configured.stream()
                .anyMatch(prefix -> repository.isEmpty()
                        ? prefix.registry().equalsIgnoreCase(Repository.canonicalRegistry(registry))
                        : prefix.matches(registry, repository));
    }

    private static boolean isNone(List<Credential> credentials) {
        return credentials.stream().allMatch(Credential.Anonymous.class::isInstance);
    }
}
