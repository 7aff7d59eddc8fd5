package io.urunner.registry;

import io.urunner.registry.CredentialLedger.Claim;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * Sends calls with the credentials that they need: tries those that the provider yields, in its order, and asks the
 * provider once more after telling it about a refusal. What is learned about registries, tokens and single credentials
 * is shared with the authorizers made from this one; which credentials worked and which did not is not shared.
 * Thread-safe.
 */
final class Authorizer {
    /**
     * How many credentials are tried in vain for one call, and how many wrong ones are sent to a registry per interval.
     */
    private static final int MOST_IN_VAIN = 4;

    private static final Duration INTERVAL = Duration.ofMinutes(10);
    private static final int MOST_REMEMBERED = 2_500;
    private static final String WRONG = "wrong";
    private static final Set<Integer> MISSING = Set.of(404);

    final Transport transport;
    final Heads heads;
    final TokenService tokens;
    final CredentialProvider provider;
    final CredentialLedger ledger;
    final ChallengeMemory memory;
    final Elsewhere elsewhere;
    final InstantSource clock;
    private final LruMap<String, Credential> preferences = new LruMap<>(MOST_REMEMBERED, LruMap.LONGEST);

    /** When a credential last failed: for a scope, or, without a scope, because it is wrong. */
    private final LruMap<Claim, Instant> inVain = new LruMap<>(MOST_REMEMBERED);

    /** What was sent to hosts and not refused. */
    private final LruMap<Claim, Boolean> shown = new LruMap<>(MOST_REMEMBERED);

    Authorizer(
            Transport transport,
            TokenService tokens,
            Heads heads,
            CredentialProvider provider,
            InstantSource clock,
            Duration refusalMemory) {
        this.transport = transport;
        this.tokens = tokens;
        this.heads = heads;
        this.provider = provider;
        this.ledger = new CredentialLedger(clock, refusalMemory);
        this.memory = new ChallengeMemory();
        this.elsewhere = new Elsewhere(transport, tokens);
        this.clock = clock;
    }

    /** An authorizer that uses other credentials than another one. */
    Authorizer(Authorizer shared, CredentialProvider provider) {
        this.transport = shared.transport;
        this.tokens = shared.tokens;
        this.heads = shared.heads;
        this.provider = provider;
        this.ledger = shared.ledger;
        this.memory = shared.memory;
        this.elsewhere = shared.elsewhere;
        this.clock = shared.clock;
    }

    /**
     * Sends a call.
     *
     * @param expected the statuses that are not errors, in addition to those of success
     * @return the answer, of any status except those about credentials; the caller closes it
     */
    Response send(Call call, Set<Integer> expected, Deadline deadline)
            throws RegistryException, IOException, InterruptedException {
        Set<Credential> tried = new HashSet<>();
        RegistryException failure = null;
        TransientFailure limited = null;
        Response missing = null;
        int vain = 0;
        int left = 0;
        try {
            boolean again = true;
            for (int round = 0; round < 2 && again; round++) {
                again = false;
                List<Credential> candidates = candidates(call);
                for (Credential credential : candidates) {
                    if (vain == MOST_IN_VAIN) {
                        break;
                    }
                    if (!tried.add(credential)) {
                        continue;
                    }
                    try {
                        // One answer that says why something is missing is enough.
                        Response response = attempt(call, missing == null ? expected : MISSING, credential, deadline);
                        // Registries hide what a credential is not allowed to see: another one may find it.
                        if (response.code() != 404 || candidates.size() == 1) {
                            boolean accepted = response.isSuccessful() || response.code() == 304;
                            if (accepted && candidates.size() > 1 && !(credential instanceof Credential.Anonymous)) {
                                preferences.put(call.need(), credential);
                                preferences.put(call.registry(), credential);
                            }
                            return response;
                        }
                        if (missing == null) {
                            missing = response;
                        } else {
                            response.close();
                        }
                    } catch (TransientFailure e) {
                        if (!e.isLimit()) {
                            throw e;
                        }
                        // Limits are per account.
                        limited = limited == null ? e : limited;
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
                    vain++;
                    inVain.put(need(call, credential), clock.instant());
                }
                candidates.removeAll(tried);
                left = candidates.size();
            }
            if (limited != null) {
                throw limited;
            }
            if (left > 0) {
                throw unfinished(call, failure, left);
            }
            if (missing != null) {
                Response answer = missing;
                missing = null;
                return answer;
            }
            throw Objects.requireNonNull(failure);
        } finally {
            if (missing != null) {
                missing.close();
            }
        }
    }

    private static RegistryException unfinished(Call call, @Nullable RegistryException failure, int left) {
        String note = left + (left == 1 ? " more credential was" : " more credentials were") + " not tried after "
                + MOST_IN_VAIN + " that failed; remove those that do not work";
        if (failure == null) {
            return new NotFoundException(call.what().answered(404, List.of()), note, null);
        }
        return Attempt.error(
                failure.request(),
                failure.reason() + "; " + note,
                failure instanceof DeniedException,
                failure.isTransient(),
                failure);
    }

    /**
     * The credentials to try: first the one that worked the last time. If there are many, those follow that have not
     * failed yet, then those that failed longest ago, so that each gets its turn eventually.
     */
    private List<Credential> candidates(Call call) throws RegistryException {
        List<Credential> yielded;
        try {
            yielded = provider.credentials(call.registry(), call.repository());
        } catch (CredentialException e) {
            String reason = "the credentials are not available: " + e.getMessage();
            throw e.isTransient()
                    ? new UnavailableException(call.what(), reason, null, e)
                    : new UnauthorizedException(call.what(), reason, e);
        }
        List<Credential> candidates = new ArrayList<>(yielded);
        if (candidates.isEmpty()) {
            candidates.add(new Credential.Anonymous());
        } else if (candidates.size() > MOST_IN_VAIN) {
            Map<Credential, Instant> last = new HashMap<>();
            for (Credential credential : candidates) {
                last.put(credential, lastInVain(call, credential));
            }
            candidates.sort(Comparator.comparing(last::get));
            putFirst(preferences.get(call.registry()), candidates);
        }
        putFirst(preferences.get(call.need()), candidates);
        return candidates;
    }

    private Instant lastInVain(Call call, Credential credential) {
        Instant here = Objects.requireNonNullElse(inVain.get(need(call, credential)), Instant.MIN);
        Instant anywhere = Objects.requireNonNullElse(inVain.get(wrong(call.registry(), credential)), Instant.MIN);
        return here.isAfter(anywhere) ? here : anywhere;
    }

    private static void putFirst(@Nullable Credential preferred, List<Credential> candidates) {
        if (preferred != null && candidates.remove(preferred)) {
            candidates.add(0, preferred);
        }
    }

    private static Claim need(Call call, Credential credential) {
        return new Claim(call.registry(), call.joinedScopes(), credential);
    }

    private static Claim wrong(String registry, Credential credential) {
        return new Claim(registry, WRONG, credential);
    }

    /**
     * Records that a credential that nobody has accepted yet is about to be sent to a registry, unless too many wrong
     * ones were sent to it.
     *
     * @return null, or the time until which no other one is sent
     */
    synchronized @Nullable Instant suspect(String registry, Credential credential) {
        Instant now = clock.instant();
        Claim own = wrong(registry, credential);
        int recent = 0;
        Instant oldest = now;
        for (Map.Entry<Claim, Instant> entry : inVain.copy().entrySet()) {
            Claim claim = entry.getKey();
            Instant shownAt = entry.getValue();
            if (claim.scope().equals(WRONG)
                    && claim.judge().equals(own.judge())
                    && !claim.equals(own)
                    && !shownAt.isAfter(now)
                    && shownAt.plus(INTERVAL).isAfter(now)) {
                recent++;
                oldest = shownAt.isBefore(oldest) ? shownAt : oldest;
            }
        }
        if (recent >= MOST_IN_VAIN) {
            return oldest.plus(INTERVAL);
        }
        inVain.put(own, now);
        return null;
    }

    /** Records that a credential passed to {@link #suspect} is not wrong, as far as is known. */
    void acquit(String registry, Credential credential) {
        inVain.remove(wrong(registry, credential));
    }

    /** Records that a credential was sent to a host and not refused. */
    void noteShown(Claim identity) {
        shown.put(identity, true);
    }

    /**
     * What a host last said about the rate limits of the credentials that were used here. Of several, the one with the
     * most requests left counts, because requests succeed as long as one credential has any left. A limit whose window
     * is over does not count as a limit.
     */
    Optional<RateLimit> rateLimit(String host) {
        Instant now = clock.instant();
        RateLimit best = null;
        for (Claim claim : shown.copy().keySet()) {
            RateLimit limit = claim.judge().equalsIgnoreCase(host) ? transport.rateLimit(claim) : null;
            if (limit != null && (best == null || limit.leaves(now) > best.leaves(now))) {
                best = limit;
            }
        }
        return Optional.ofNullable(best);
    }

    private Response attempt(Call call, Set<Integer> expected, Credential credential, Deadline deadline)
            throws NotAccepted, RegistryException, IOException, InterruptedException {
        Claim asker = Claim.identity(call.registry(), credential);
        ledger.throwIfPaused(asker);
        if (call.countsAsPull()) {
            // An account that has used up its pulls may still resolve tags.
            asker = new Claim(call.registry(), "pull", credential);
            ledger.throwIfPaused(asker);
        }
        try {
            return new Attempt(this, call, expected, credential, deadline).send();
        } catch (TransientFailure e) {
            if (e.isLimit() && e.retryAfter().isPresent()) {
                ledger.pause(asker, e.retryAfter().get());
            }
            throw e;
        }
    }
}
