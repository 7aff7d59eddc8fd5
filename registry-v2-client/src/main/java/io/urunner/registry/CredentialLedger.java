package io.urunner.registry;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Which credentials were accepted, which were refused, and which have to pause. A refused one is not sent again for a
 * while, because registries ban addresses that fail too often: for an hour, unless configured otherwise, if the registry
 * or its token server refused a credential that was shown to it; for seconds to minutes otherwise, longer each time. A
 * changed credential is a new one. Thread-safe.
 */
final class CredentialLedger {
    private static final Duration FIRST_BACK_OFF = Duration.ofSeconds(15);
    private static final Duration LONGEST_BACK_OFF = Duration.ofMinutes(10);
    private static final int MOST = 5_000;

    /**
     * A claim that a credential is valid or allows something.
     *
     * @param judge who decides: a registry or a token server; the case of the letters does not matter
     * @param scope what it should allow; empty for its identity alone
     * @param credential what distinguishes the credential from others; it may be long, and claims outlive it
     */
    record Claim(String judge, String scope, Secret credential) {
        Claim {
            judge = judge.toLowerCase(Locale.ROOT);
        }

        Claim(String judge, String scope, Credential credential) {
            this(
                    judge,
                    scope,
                    Secret.of(Digest.of(text(credential).getBytes(StandardCharsets.UTF_8))
                            .toString()));
        }

        static Claim identity(String judge, Credential credential) {
            return new Claim(judge, "", credential);
        }
    }

    /** The refusal of a claim. It does not say who made the claim, since others may make the same one. */
    static final class Refusal {
        /** The status of the answer. */
        final int status;

        /** The first error that the answer named. */
        final List<OciError> errors;

        /** Whether the credential is known and lacks a permission. */
        final boolean denied;

        /** Whether the answer has the form of a registry's or token server's own. */
        final boolean specified;

        final String reason;

        /** The time until which the claim is not made again. */
        final Instant until;

        /** How often the claim was refused since it was last granted. */
        private final int count;

        private Refusal(
                int status,
                List<OciError> errors,
                boolean denied,
                boolean specified,
                String reason,
                Instant until,
                int count) {
            this.status = status;
            this.errors = errors;
            this.denied = denied;
            this.specified = specified;
            this.reason = reason;
            this.until = until;
            this.count = count;
        }
    }

    /** What a token server's rejection is about. */
    static final class Blame {
        /** The credential, or only what it was shown for. */
        final Claim claim;

        /** Whether it is not the first of its kind. */
        final boolean confirmed;

        Blame(Claim claim, boolean confirmed) {
            this.claim = claim;
            this.confirmed = confirmed;
        }
    }

    /** Everything that makes up a credential. */
    static String text(Credential credential) {
        if (credential instanceof Credential.Basic basic) {
            return "basic " + basic.user() + ":" + basic.password().reveal();
        } else if (credential instanceof Credential.IdentityToken identity) {
            return "identity " + identity.refreshToken().reveal();
        } else if (credential instanceof Credential.AccessToken access) {
            return "access " + access.token().reveal() + " " + access.tenant();
        }
        return credential instanceof Credential.RegistryToken own
                ? "registry " + own.token().reveal()
                : "";
    }

    private final InstantSource clock;
    private final Duration memory;
    private final LruMap<Claim, Refusal> refusals = new LruMap<>(MOST);
    private final LruMap<Claim, Boolean> proven = new LruMap<>(MOST);

    /** By a credential at a token server, what it was last rejected for. */
    private final LruMap<Claim, Claim> rejected = new LruMap<>(MOST);

    private final LruMap<Claim, Instant> pauses = new LruMap<>(MOST);
    private final LruMap<Claim, ReentrantLock> locks = new LruMap<>(MOST);

    /**
     * Creates an empty ledger.
     *
     * @param memory how long a final refusal is remembered, and the longest time for all others
     */
    CredentialLedger(InstantSource clock, Duration memory) {
        this.clock = clock;
        this.memory = memory;
    }

    @Nullable Refusal refusalOf(Claim claim) {
        Refusal refusal = refusals.get(claim);
        // One that is over is kept: the next back-off is longer.
        return refusal != null && lasts(refusal.until, memory) ? refusal : null;
    }

    /** Whether a time is still to come; one further ahead than possible dates from before the clock was set back. */
    private boolean lasts(Instant until, Duration most) {
        Instant now = clock.instant();
        return now.isBefore(until) && !now.plus(most).isBefore(until);
    }

    /**
     * Records a refusal.
     *
     * @param specified whether the answer has the form of a registry's or token server's own; the page of a gateway may
     *     pass
     * @param confirmed whether a credential was shown and its refusal is beyond doubt; if it is the registry's own
     *     answer, only somebody's action changes it
     */
    void refuse(
            Claim claim,
            int status,
            List<OciError> errors,
            boolean denied,
            boolean specified,
            boolean confirmed,
            String reason) {
        proven.remove(claim);
        Refusal before = refusals.get(claim);
        int count = before == null ? 1 : before.count + 1;
        List<OciError> first = errors.subList(0, Math.min(1, errors.size()));
        Instant until = clock.instant().plus(specified && confirmed ? memory : backOff(count));
        refusals.put(claim, new Refusal(status, first, denied, specified, reason, until, count));
    }

    private Duration backOff(int count) {
        Duration wait = FIRST_BACK_OFF;
        for (int i = 1; i < count && wait.compareTo(LONGEST_BACK_OFF) < 0; i++) {
            wait = wait.multipliedBy(2);
        }
        wait = wait.compareTo(LONGEST_BACK_OFF) < 0 ? wait : LONGEST_BACK_OFF;
        return wait.compareTo(memory) < 0 ? wait : memory;
    }

    /** A claim was granted. */
    void grant(Claim claim) {
        refusals.remove(claim);
    }

    /**
     * Says what it is about that a token server rejects a credential. Once may be a mistake, or about what was
     * requested: it is the credential if it was rejected for two different things, and never accepted meanwhile.
     *
     * @param identity the credential at the token server
     * @param grant what it was shown for
     */
    Blame blame(Claim identity, Claim grant) {
        Claim earlier = rejected.put(identity, grant);
        boolean accepted = proven.get(identity) != null;
        if (earlier == null) {
            return accepted ? new Blame(grant, refusals.get(grant) != null) : new Blame(identity, false);
        }
        return earlier.equals(grant) ? new Blame(grant, true) : new Blame(identity, !accepted);
    }

    /**
     * Stops a request with these credentials that would be earlier than the registry asked for.
     *
     * @throws TransientFailure with the rest of the pause
     */
    void throwIfPaused(Claim asker) throws TransientFailure {
        Instant until = pauses.get(asker);
        if (until == null) {
            return;
        }
        if (lasts(until, RateLimitHeaders.LONGEST)) {
            Duration rest = Duration.between(clock.instant(), until);
            throw new TransientFailure(asker.judge(), 429, List.of(), Optional.of(rest));
        }
        pauses.remove(asker, until);
    }

    void pause(Claim asker, Duration wait) {
        pauses.put(asker, clock.instant().plus(wait));
    }

    void prove(Claim identity) {
        rejected.remove(identity);
        if (proven.put(identity, true) == null) {
            refusals.remove(identity);
        }
    }

    /**
     * Lets one thread at a time try a credential that nobody has accepted yet, so that a wrong one is sent once, not by
     * every thread.
     *
     * @return the held lock, or null if the credential is proven
     */
    @Nullable ReentrantLock holdUnproven(Claim identity, Deadline deadline) throws InterruptedException, SocketTimeoutException {
        if (proven.get(identity) != null) {
            return null;
        }
        ReentrantLock lock = locks.putIfAbsent(identity, new ReentrantLock());
        if (!lock.tryLock(deadline.remaining().toNanos(), TimeUnit.NANOSECONDS)) {
            throw new SocketTimeoutException(
                    "the first attempt with the credentials at " + identity.judge() + " used up the deadline");
        }
        if (proven.get(identity) != null) {
            lock.unlock();
            return null;
        }
        return lock;
    }
}
