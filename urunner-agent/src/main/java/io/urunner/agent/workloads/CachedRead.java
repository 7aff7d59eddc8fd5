package io.urunner.agent.workloads;

import io.urunner.kube.KubeException;
import io.urunner.registry.auth.Credential;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The last value read from the API server, and the credentials in it: it is read again when it is old, or when one of them
 * was refused. Thread-safe.
 */
final class CachedRead<T> {
    /** How long a denial is kept, as somebody may grant the permission. */
    private static final Duration LIFE_OF_DENIALS = Duration.ofMinutes(1);
    /** What is missing may be created at any time, and what was refused may be replaced. */
    private static final Duration SHORT_LIFE = Duration.ofSeconds(15);
    /** An API server that did not answer is asked again. */
    private static final Duration RETRY = Duration.ofSeconds(5);

    private final InstantSource clock;
    private final Set<Credential> given = new HashSet<>();
    private volatile @Nullable T value;
    private @Nullable KubeException denial;
    private volatile Instant read = Instant.MIN;
    private boolean refused;

    /** Reads the value; blocks until the API server answers. */
    interface From<T> {
        T read() throws KubeException;
    }

    CachedRead(InstantSource clock) {
        this.clock = clock;
    }

    /** The value, read again if it is older than that. */
    synchronized T get(Duration life, BiPredicate<T, T> same, From<T> from) throws KubeException {
        Instant now = clock.instant();
        T known = value;
        KubeException denied = denial;
        if (denied != null && isYounger(denied.forbidden() || denied.refused() ? LIFE_OF_DENIALS : RETRY, now)) {
            throw denied;
        }
        if (known != null && isYounger(refused || known.equals(Optional.empty()) ? SHORT_LIFE : life, now)) {
            return known;
        }
        try {
            T fresh = from.read();
            if (known == null || !same.test(known, fresh)) {
                refused = false;
                given.clear();
            }
            value = fresh;
            denial = null;
            read = now;
            return fresh;
        } catch (KubeException e) {
            // If the API server is away, what is known stays valid.
            if (known != null && !e.forbidden()) {
                read = now.minus(life).plus(SHORT_LIFE);
                return known;
            }
            value = null;
            denial = e;
            read = now;
            throw e;
        }
    }

    /** Whether it was read less than {@code age} ago; a read in the future was before the clock was set back. */
    private boolean isYounger(Duration age, Instant now) {
        return !now.isBefore(read) && now.isBefore(read.plus(age));
    }

    /** The last value read; does not wait for a read that is under way. */
    Optional<T> known() {
        return Optional.ofNullable(value);
    }

    synchronized Optional<KubeException> denial() {
        return Optional.ofNullable(denial);
    }

    /** Whether nobody has read it again for {@code age}. */
    boolean isOlder(Duration age) {
        return read.isAfter(Instant.MIN) && read.plus(age).isBefore(clock.instant());
    }

    /** Records the credentials in it. If there are none, somebody is probably about to fix that. */
    synchronized void gave(Collection<Credential> credentials) {
        given.addAll(credentials);
        refused = refused || credentials.stream().allMatch(Credential.Anonymous.class::isInstance);
    }

    synchronized void refused(Credential credential) {
        refused = refused || given.contains(credential);
    }
}
