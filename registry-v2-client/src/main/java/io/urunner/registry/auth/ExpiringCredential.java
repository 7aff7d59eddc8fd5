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
 * A credential that an issuer gives for a time: kept, renewed before it expires, asked for by one thread at a time.
 * Thread-safe; it creates no thread, the caller's asks the issuer.
 *
 * <p>While a renewal is under way, or after one has failed, the others go on with what is still valid. An issuer's refusal
 * is thrown once nothing valid is left. All threads that wait for one answer get that answer.
 */
public final class ExpiringCredential {
    /** How soon a renewal that failed, or a credential that was refused, leads to the next question. */
    private static final Duration PAUSE = Duration.ofMinutes(1);

    private final Issuer issuer;
    private final InstantSource clock;
    private final Object lock = new Object();

    // Guarded by the lock.
    private @Nullable Issued held;
    private Instant renewAt = Instant.MIN;
    private Instant dropped = Instant.EPOCH;
    private @Nullable CompletableFuture<Credential> question;

    /** Asks for a new credential; it may take its time and is never asked twice at once. */
    @FunctionalInterface
    public interface Issuer {
        /**
         * Asks.
         *
         * @return a new credential
         * @throws CredentialException if the issuer cannot be asked or refuses
         */
        Issued issue() throws CredentialException;
    }

    /**
     * What an issuer gave.
     *
     * @param credential the credential
     * @param expiresAt until when it is good
     */
    public record Issued(Credential credential, Instant expiresAt) {}

    private ExpiringCredential(Issuer issuer, InstantSource clock) {
        this.issuer = Objects.requireNonNull(issuer, "issuer");
        this.clock = Objects.requireNonNull(clock, "clock");
    }

    /**
     * A credential that is renewed after half of its life.
     *
     * @param issuer who gives it
     * @param clock the time
     * @return the credential, not yet asked for
     */
    public static ExpiringCredential renewedAtHalfLife(Issuer issuer, InstantSource clock) {
        return new ExpiringCredential(issuer, clock);
    }

    /**
     * The credential, asked for or renewed first if that is due.
     *
     * @return a credential that has not expired
     * @throws CredentialException if there is none and the issuer cannot be asked or refuses, or if the thread was
     *     interrupted (it stays so)
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
                // The thread that asked was interrupted, which is no answer: ask in its place.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CredentialException("interrupted while another thread asked for the credential", true, e);
            } catch (ExecutionException e) {
                throw rethrown(e.getCause());
            }
        }
    }

    /**
     * Drops a credential that was refused, so that the next {@link #get} asks the issuer. It does so once per minute: a
     * new credential that is refused as well lacks a right, and asking again and again gives it none.
     *
     * @param refused what was refused; anything but the credential that is held is ignored
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
            // Does nothing where there is an answer.
            answer.cancel(false);
            synchronized (lock) {
                if (question == answer) {
                    question = null;
                }
            }
        }
    }

    /** What is held and has not expired. Only under the lock. */
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
