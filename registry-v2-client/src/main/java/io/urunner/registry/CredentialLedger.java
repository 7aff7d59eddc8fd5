package io.urunner.registry;

import io.urunner.registry.auth.Credential;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Which credentials were accepted and which refused. A refused one is not shown again before an hour has passed:
 * registries ban addresses that fail too often. One that changes is another one. Thread-safe.
 */
final class CredentialLedger {
    static final Duration PATIENCE = Duration.ofHours(1);

    private static final int MOST = 10_000;

    /** A credential at whoever judges it: a registry or a token server. */
    record Identity(String judge, Credential credential) {}

    /** What a credential is to allow. */
    record Grant(String registry, String scope, Credential credential) {}

    /** That something was refused. */
    record Refusal(RegistryException error, String reason, boolean denied, Instant until) {}

    private final InstantSource clock;
    private final LruMap<Object, Refusal> refusals = new LruMap<>(MOST);
    private final LruMap<Identity, Boolean> proven = new LruMap<>(MOST);
    private final LruMap<Identity, ReentrantLock> locks = new LruMap<>(MOST);

    CredentialLedger(InstantSource clock) {
        this.clock = clock;
    }

    @Nullable Refusal refusalOf(Identity identity) {
        return current(identity);
    }

    @Nullable Refusal refusalOf(Grant grant) {
        return current(grant);
    }

    private @Nullable Refusal current(Object key) {
        Refusal refusal = refusals.get(key);
        if (refusal == null || clock.instant().isBefore(refusal.until())) {
            return refusal;
        }
        refusals.remove(key, refusal);
        return null;
    }

    /** Notes that a judge does not know a credential. */
    void refuse(Identity identity, RegistryException error, String reason, boolean denied) {
        proven.remove(identity);
        refusals.put(
                identity, new Refusal(error, reason, denied, clock.instant().plus(PATIENCE)));
    }

    /** Notes that a credential does not allow one thing. */
    void refuse(Grant grant, RegistryException error, String reason, boolean denied) {
        refusals.put(grant, new Refusal(error, reason, denied, clock.instant().plus(PATIENCE)));
    }

    boolean isProven(Identity identity) {
        return proven.get(identity) != null;
    }

    void prove(Identity identity) {
        if (proven.get(identity) == null) {
            proven.put(identity, true);
            refusals.remove(identity);
        }
    }

    /**
     * Lets one thread at a time try a credential that nobody has accepted yet, so that a wrong one is shown once and not
     * by every thread.
     *
     * @return the lock, held; null if the credential is proven
     */
    @Nullable ReentrantLock holdUnproven(Identity identity, Deadline deadline)
            throws InterruptedException, SocketTimeoutException {
        if (isProven(identity)) {
            return null;
        }
        ReentrantLock created = new ReentrantLock();
        ReentrantLock earlier = locks.putIfAbsent(identity, created);
        ReentrantLock lock = earlier != null ? earlier : created;
        if (!lock.tryLock(deadline.remaining().toNanos(), TimeUnit.NANOSECONDS)) {
            throw new SocketTimeoutException(
                    "the first try of the credentials at " + identity.judge() + " took all the time");
        }
        if (isProven(identity)) {
            lock.unlock();
            return null;
        }
        return lock;
    }
}
