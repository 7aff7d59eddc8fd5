package io.urunner.agent.tags;

import io.urunner.registry.auth.CredentialProvider;
import java.util.List;

/** The credentials in pull secrets, which says what is wrong with them. */
public interface PullSecretSource extends CredentialProvider {
    /**
     * What keeps the pull secrets that are named for a repository from opening it.
     *
     * @param registry the registry as {@code host[:port]}
     * @param repository the repository's name on it, without tag
     * @return sentences for people, without a secret; empty if nothing does, or no pull secret is named
     */
    List<String> problems(String registry, String repository);
}
