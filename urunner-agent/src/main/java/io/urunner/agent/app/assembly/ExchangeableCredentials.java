package io.urunner.agent.app.assembly;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.util.List;

/** Credentials that can be exchanged while they are in use. Thread-safe; closes the providers that it was given. */
final class ExchangeableCredentials implements CredentialProvider {
    private volatile CredentialProvider current;

    ExchangeableCredentials(CredentialProvider first) {
        current = first;
    }

    /** Uses another provider from now on, and closes the previous one. */
    synchronized void exchange(CredentialProvider next) {
        CredentialProvider before = current;
        current = next;
        before.close();
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        return current.credentials(registry, repository);
    }

    @Override
    public AuthHints hints(String registry) {
        return current.hints(registry);
    }

    @Override
    public void refused(String registry, Credential refused) {
        current.refused(registry, refused);
    }

    @Override
    public String describe(String registry, String repository) {
        return current.describe(registry, repository);
    }

    @Override
    public synchronized void close() {
        current.close();
    }
}
