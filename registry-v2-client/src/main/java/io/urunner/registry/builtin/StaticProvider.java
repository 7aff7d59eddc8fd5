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
     * A provider.
     *
     * @param description what the credential is, for people
     * @param secret where the secret comes from, empty to read anonymously
     * @param credential makes the credential of the secret
     */
    StaticProvider(String description, Optional<SecretSource> secret, Function<Secret, Credential> credential) {
        this.description = description;
        this.secret = secret;
        this.credential = credential;
    }

    /** A user with a password, or neither to read anonymously. */
    static StaticProvider ofUser(String kind, Optional<String> user, Optional<SecretSource> password) {
        String name = user.orElse("");
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
