package io.urunner.registry.auth;

import java.util.List;

/**
 * Yields the credentials for repositories. Thread-safe. Its creator closes it; closing it twice has no effect.
 *
 * <p>A provider may ask an issuer over the network. It keeps the answer until it must be renewed ({@link
 * ExpiringCredential} helps), and never asks twice at the same time for the same thing.
 */
public interface CredentialProvider extends AutoCloseable {
    /**
     * Returns the credentials for a repository, best first. The client tries them one by one until one is accepted, as
     * the kubelet does with pull secrets.
     *
     * @param registry the registry as {@code host[:port]}
     * @param repository the repository's name on it, without tag, for example {@code library/nginx}
     * @return the credentials; an empty list means anonymous
     * @throws CredentialException if an issuer cannot be asked or refuses
     */
    List<Credential> credentials(String registry, String repository) throws CredentialException;

    /**
     * Returns how the client should authenticate with the credentials of this provider.
     *
     * @param registry the registry as {@code host[:port]}
     * @return the hints; {@link AuthHints#NONE} unless a registry needs something special
     */
    default AuthHints hints(String registry) {
        return AuthHints.NONE;
    }

    /**
     * Called when the registry or its token server refused a credential of this provider. A provider with a cache drops
     * its copy, so that the next call of {@link #credentials} asks the issuer again; others do nothing.
     *
     * @param registry the registry as {@code host[:port]}
     * @param refused the credential that was refused
     */
    default void refused(String registry, Credential refused) {}

    /**
     * Describes these credentials for people, for example {@code GitLab token (user ci)}. Never contains a secret.
     *
     * @param registry the registry as {@code host[:port]}
     * @param repository the repository's name on it
     * @return the description
     */
    String describe(String registry, String repository);

    @Override
    default void close() {}
}
