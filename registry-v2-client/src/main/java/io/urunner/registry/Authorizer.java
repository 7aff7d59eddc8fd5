package io.urunner.registry;

import io.urunner.registry.CredentialLedger.Claim;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * Sends calls with the credentials that they need: tries what the provider yields in its order, and asks it once more
 * where it was told that something was refused. Thread-safe.
 */
final class Authorizer {
    private static final int MOST_PREFERENCES = 10_000;

    final Transport transport;
    final TokenService tokens;
    final CredentialProvider provider;
    final CredentialLedger ledger;
    final ChallengeMemory memory = new ChallengeMemory();
    private final Pauses pauses;
    private final Map<String, Credential> preferences = LruMap.of(MOST_PREFERENCES);

    Authorizer(Transport transport, TokenService tokens, CredentialProvider provider, InstantSource clock) {
        this.transport = transport;
        this.tokens = tokens;
        this.provider = provider;
        this.ledger = new CredentialLedger(clock);
        this.pauses = new Pauses(clock);
    }

    /**
     * Sends a call.
     *
     * @return the answer, of any status but those that are about credentials; the caller closes it
     */
    Response send(Call call, Deadline deadline) throws RegistryException, IOException, InterruptedException {
        Set<Credential> tried = new HashSet<>();
        RegistryException failure = null;
        Response missing = null;
        boolean again = true;
        for (int round = 0; round < 2 && again; round++) {
            again = false;
            List<Credential> candidates = candidates(call);
            for (Credential credential : candidates) {
                if (!tried.add(credential)) {
                    continue;
                }
                try {
                    Response response = attempt(call, credential, deadline);
                    closeQuietly(missing);
                    // Registries hide what a credential may not see: another one may find it.
                    if (response.code() == 404 && candidates.size() > 1) {
                        missing = response;
                        continue;
                    }
                    if (candidates.size() > 1 && !(credential instanceof Credential.Anonymous)) {
                        preferences.put(call.need(), credential);
                    }
                    return response;
                } catch (RegistryException | IOException | InterruptedException e) {
                    closeQuietly(missing);
                    throw e;
                } catch (NotAccepted e) {
                    if (e.renewable() && !(credential instanceof Credential.Anonymous)) {
                        provider.refused(call.registry(), credential);
                        again = true;
                    }
                    if (failure == null) {
                        failure = e.error();
                    } else if (failure != e.error()) {
                        failure.addSuppressed(e.error());
                    }
                }
            }
        }
        if (missing != null) {
            return missing;
        }
        throw Objects.requireNonNull(failure);
    }

    private static void closeQuietly(@Nullable Response response) {
        if (response != null) {
            response.close();
        }
    }

    /** The credentials to try, the one that did the last time first. */
    private List<Credential> candidates(Call call) throws RegistryException {
        List<Credential> yielded;
        try {
            yielded = provider.credentials(call.registry(), call.repository());
        } catch (CredentialException e) {
            String reason = "there are no credentials: " + e.getMessage();
            throw e.isTransient()
                    ? new UnavailableException(call.what(), reason, null, e)
                    : new UnauthorizedException(call.what(), reason, e);
        }
        if (yielded.isEmpty()) {
            return List.of(new Credential.Anonymous());
        }
        Credential preferred = yielded.size() > 1 ? preferences.get(call.need()) : null;
        if (preferred == null || !yielded.contains(preferred)) {
            return yielded;
        }
        List<Credential> ordered = new ArrayList<>(yielded);
        ordered.remove(preferred);
        ordered.add(0, preferred);
        return ordered;
    }

    private Response attempt(Call call, Credential credential, Deadline deadline)
            throws NotAccepted, RegistryException, IOException, InterruptedException {
        Claim asker = Claim.identity(call.registry(), credential);
        pauses.check(asker);
        if (call.countsAsPull()) {
            // Who may pull no more may still ask what a tag names.
            asker = new Claim(call.registry(), "pull", credential);
            pauses.check(asker);
        }
        try {
            Response response = new Attempt(this, call, credential, deadline).send();
            if (response.code() == 429) {
                pauses.note(asker, pauses.asked(response));
            }
            return response;
        } catch (TransientFailure e) {
            if (e.status() == 429) {
                pauses.note(asker, e.retryAfter());
            }
            throw e;
        }
    }
}
