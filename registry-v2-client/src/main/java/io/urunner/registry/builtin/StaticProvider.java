package io.urunner.registry.builtin;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.SecretSource;
import java.util.List;
import java.util.Optional;

/** The same user for every repository; the password is read for every use. */
record StaticProvider(String kind, Optional<String> user, Optional<SecretSource> pass) implements CredentialProvider {
    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        if (user.isEmpty() || pass.isEmpty()) {
            return List.of();
        }
        return List.of(new Credential.Basic(user.get(), pass.get().read()));
    }

    @Override
    public String describe(String registry, String repository) {
        return user.map(name -> kind + " user " + name).orElse("anonymous at " + registry);
    }
}
