package io.urunner.agent;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.util.List;

/** The credentials in pull secrets; reports what is wrong with them. */
public interface PullSecretSource extends CredentialProvider {
    /**
     * Returns why the pull secrets that are named for a repository do not give access to it.
     *
     * @param registry the registry as {@code host[:port]}
     * @param repository the repository's name on it, without tag
     * @return sentences for people, without a secret; empty if nothing is wrong, or no pull secret is named
     */
    List<String> problems(String registry, String repository);

    /**
     * Returns this source restricted to the repositories for which other credentials have none: what is asked with the
     * others is for everybody.
     *
     * @param others the other credentials
     * @return the source; needs no closing
     */
    default PullSecretSource behind(CredentialProvider others) {
        PullSecretSource own = this;
        return new PullSecretSource() {
            @Override
            public List<Credential> credentials(String registry, String repository) throws CredentialException {
                return isNeeded(registry, repository) ? own.credentials(registry, repository) : List.of();
            }

            @Override
            public List<String> problems(String registry, String repository) {
                try {
                    return isNeeded(registry, repository) ? own.problems(registry, repository) : List.of();
                } catch (CredentialException e) {
                    return List.of();
                }
            }

            private boolean isNeeded(String registry, String repository) throws CredentialException {
                return others.credentials(registry, repository).stream()
                        .allMatch(Credential.Anonymous.class::isInstance);
            }

            @Override
            public AuthHints hints(String registry) {
                return others.hints(registry);
            }

            @Override
            public void refused(String registry, Credential refused) {
                own.refused(registry, refused);
            }

            @Override
            public String describe(String registry, String repository) {
                return own.describe(registry, repository);
            }
        };
    }
}
