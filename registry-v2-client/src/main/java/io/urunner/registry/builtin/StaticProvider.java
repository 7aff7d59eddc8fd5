package io.urunner.registry.builtin;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The same credential for every repository; its secret is read for every use. */
final class StaticProvider implements CredentialProvider {
    private final String description;
    private final Optional<SecretSource> secret;
    private final Function<Secret, Credential> credential;

    /**
     * Creates a provider.
     *
     * @param description the credential's description for people
     * @param secret where the secret comes from, empty for anonymous access
     * @param credential makes a credential from the secret
     */
    StaticProvider(String description, Optional<SecretSource> secret, Function<Secret, Credential> credential) {
        this.description = description;
        this.secret = secret;
        this.credential = credential;
    }

    /** A user with a password, or neither for anonymous access. */
    static StaticProvider ofUser(String kind, String name, Optional<SecretSource> password) {
        return new StaticProvider(kind + " user " + name, password, secret -> new Credential.Basic(name, secret));
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        return secret.isEmpty()
                ? List.of()
                : List.of(credential.apply(secret.get().read()));
    }

    @Override
    public String describe(String registry, String repository) {
        return secret.isEmpty() ? "anonymous at " + registry : description;
    }
}
