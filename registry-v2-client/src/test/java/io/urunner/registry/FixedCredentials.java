package io.urunner.registry;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.Secret;
import java.util.ArrayList;
import java.util.List;

/** Yields the credentials of a test, and remembers the refusals that it was told. */
final class FixedCredentials implements CredentialProvider {
    volatile List<Credential> yielded;
    volatile AuthHints hints = AuthHints.NONE;
    private volatile String description = "test account";
    final List<Credential> refused = new ArrayList<>();
    Runnable onRefused = () -> {};

    FixedCredentials(Credential... yielded) {
        this.yielded = List.of(yielded);
    }

    static Credential.Basic basic(String user, String password) {
        return new Credential.Basic(user, Secret.of(password));
    }

    FixedCredentials hints(AuthHints newHints) {
        hints = newHints;
        return this;
    }

    FixedCredentials described(String newDescription) {
        description = newDescription;
        return this;
    }

    @Override
    public List<Credential> credentials(String registry, String repository) {
        return yielded;
    }

    @Override
    public AuthHints hints(String registry) {
        return hints;
    }

    @Override
    public synchronized void refused(String registry, Credential credential) {
        refused.add(credential);
        onRefused.run();
    }

    @Override
    public String describe(String registry, String repository) {
        return description;
    }
}
