package io.urunner.registry.auth;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A credential from an issuer that expires: it is kept, renewed before it expires, and requested by one thread at a
 * time. Thread-safe; it creates no thread, but asks the issuer in the caller's thread.
 *
 * <p>During a renewal, or after one has failed, other threads use the current credential while it is valid. An issuer's
 * refusal is thrown once nothing valid is left. All threads that wait for the same answer get it.
 */
public final class ExpiringCredential {
    /** The pause before the next request after a failed renewal or a refused credential. */
    private static final Duration PAUSE = Duration.ofMinutes(1);

    private final Issuer issuer;
    private final InstantSource clock;
    private final Object lock = new Object();

    // Guarded by the lock.
    private @Nullable Issued held;
    private Instant renewAt = Instant.MIN;
    private Instant dropped = Instant.EPOCH;
    private @Nullable CompletableFuture<Credential> question;

    /** Requests a new credential; it may be slow and is never called twice at the same time. */
    @FunctionalInterface
    public interface Issuer {
        /**
         * Requests a credential.
         *
         * @return a new credential
         * @throws CredentialException if the issuer cannot be asked or refuses
         */
        Issued issue() throws CredentialException;
    }

    /**
     * A credential from an issuer.
     *
     * @param credential the credential
     * @param expiresAt when it expires
     */
    public record Issued(Credential credential, Instant expiresAt) {}

    private ExpiringCredential(Issuer issuer, InstantSource clock) {
        this.issuer = Objects.requireNonNull(issuer, "issuer");
        this.clock = Objects.requireNonNull(clock, "clock");
    }

    /**
     * Creates a credential that is renewed after half of its life.
     *
     * @param issuer what issues it
     * @param clock the time
     * @return the credential, not yet requested
     */
    public static ExpiringCredential renewedAtHalfLife(Issuer issuer, InstantSource clock) {
        return new ExpiringCredential(issuer, clock);
    }

    /**
     * Returns the credential, after requesting or renewing it if necessary.
     *
     * @return a credential that has not expired
     * @throws CredentialException if there is none and the issuer cannot be asked or refuses, or if the thread was
     *     interrupted (its interrupt status stays set)
     */
    public Credential get() throws CredentialException {
        while (true) {
            CompletableFuture<Credential> answer;
            boolean asking = false;
            synchronized (lock) {
                Credential kept = kept();
                if (kept != null && (question != null || clock.instant().isBefore(renewAt))) {
                    return kept;
                }
                if (question == null) {
                    question = new CompletableFuture<>();
                    asking = true;
                }
                answer = question;
            }
            if (asking) {
                return ask(answer);
            }
            try {
                return answer.get();
            } catch (CancellationException e) {
                // The asking thread was interrupted, which is no answer: ask in its place.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CredentialException("interrupted while another thread asked for the credential", true, e);
            } catch (ExecutionException e) {
                throw rethrown(e.getCause());
            }
        }
    }

    /**
     * Drops a refused credential, so that the next {@link #get} asks the issuer. It does so at most once per minute: if
     * a new credential is refused as well, it lacks a permission, and repeated requests do not change that.
     *
     * @param refused what was refused; ignored unless it is the credential that is kept
     */
    public void refused(Credential refused) {
        synchronized (lock) {
            Instant now = clock.instant();
            if (held != null
                    && held.credential().equals(refused)
                    && Duration.between(dropped, now).abs().compareTo(PAUSE) >= 0) {
                held = null;
                dropped = now;
            }
        }
    }

    private Credential ask(CompletableFuture<Credential> answer) throws CredentialException {
        try {
            Issued issued = issuer.issue();
            synchronized (lock) {
                held = issued;
                Instant now = clock.instant();
                renewAt = now.plus(Duration.between(now, issued.expiresAt()).dividedBy(2));
                question = null;
            }
            answer.complete(issued.credential());
            return issued.credential();
        } catch (CredentialException | RuntimeException e) {
            Credential kept;
            synchronized (lock) {
                kept = kept();
                renewAt = clock.instant().plus(PAUSE);
                question = null;
            }
            if (kept != null) {
                answer.complete(kept);
                return kept;
            }
            if (!Thread.currentThread().isInterrupted()) {
                answer.completeExceptionally(e);
            }
            throw e;
        } finally {
            // Has no effect if there is an answer.
            answer.cancel(false);
            synchronized (lock) {
                if (question == answer) {
                    question = null;
                }
            }
        }
    }

    /** The kept credential, unless it has expired. Only under the lock. */
    private @Nullable Credential kept() {
        Issued issued = held;
        return issued != null && clock.instant().isBefore(issued.expiresAt()) ? issued.credential() : null;
    }

    private static CredentialException rethrown(@Nullable Throwable cause) {
        if (cause instanceof CredentialException refusal) {
            return new CredentialException(String.valueOf(refusal.getMessage()), refusal.isTransient(), refusal);
        }
        return new CredentialException("the credential's issuer failed: " + cause, true, cause);
    }
}
