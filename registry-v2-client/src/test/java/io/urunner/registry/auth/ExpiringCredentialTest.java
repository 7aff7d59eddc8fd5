package io.urunner.registry.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ExpiringCredentialTest {
    private static final Duration LIFE = Duration.ofHours(12);

    private volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private final InstantSource clock = () -> now;
    private final AtomicInteger asked = new AtomicInteger();
    private volatile @Nullable CredentialException refusal;
    private final ExpiringCredential credential = ExpiringCredential.renewedAtHalfLife(this::issue, clock);

    @Test
    void isRequestedOnceWhileItIsFresh() throws CredentialException {
        Credential first = credential.get();
        now = now.plus(LIFE.dividedBy(2)).minusSeconds(1);

        assertThat(credential.get()).isEqualTo(first);
        assertThat(asked).hasValue(1);
    }

    @Test
    void isRenewedAfterHalfOfItsLife() throws CredentialException {
        Credential first = credential.get();
        now = now.plus(LIFE.dividedBy(2));

        assertThat(credential.get()).isNotEqualTo(first);
        assertThat(asked).hasValue(2);
    }

    @Test
    void isDroppedWhenRefusedEvenIfTheClockWasSetBack() throws CredentialException {
        credential.refused(credential.get());
        Credential second = credential.get();
        now = now.minus(Duration.ofDays(1000));
        credential.refused(second);

        assertThat(credential.get()).isNotEqualTo(second);
    }

    @Test
    void staysInUseWhenARenewalFailsAndIsTriedAgainAfterAMinute() throws CredentialException {
        Credential first = credential.get();
        now = now.plus(LIFE.dividedBy(2));
        refusal = new CredentialException("issuer is down", true);

        assertThat(credential.get()).isEqualTo(first);
        assertThat(credential.get()).isEqualTo(first);
        assertThat(asked).hasValue(2);
        now = now.plusSeconds(60);
        refusal = null;
        assertThat(credential.get()).isNotEqualTo(first);
    }

    @Test
    void failsAsTheIssuerDoesOnceNothingValidIsLeft() throws CredentialException {
        credential.get();
        now = now.plus(LIFE);
        CredentialException down = new CredentialException("issuer is down", true);
        refusal = down;

        assertThatThrownBy(credential::get).isSameAs(down);
    }

    @Test
    void isDroppedWhenRefusedButOnlyOnceAMinute() throws CredentialException {
        Credential first = credential.get();
        credential.refused(first);
        Credential second = credential.get();
        assertThat(second).isNotEqualTo(first);

        credential.refused(second);
        assertThat(credential.get()).isEqualTo(second);
        now = now.plusSeconds(60);
        credential.refused(second);
        assertThat(credential.get()).isNotEqualTo(second);
    }

    @Test
    void ignoresTheRefusalOfACredentialThatItNoLongerKeeps() throws CredentialException {
        Credential first = credential.get();
        credential.refused(new Credential.Basic("AWS", Secret.of("older")));

        assertThat(credential.get()).isEqualTo(first);
    }

    @Test
    void isRequestedOnceByManyThreads() throws Exception {
        CountDownLatch open = new CountDownLatch(1);
        ExpiringCredential slow = ExpiringCredential.renewedAtHalfLife(
                () -> {
                    await(open);
                    return issue();
                },
                clock);

        List<Future<Credential>> answers = inThreads(16, slow, open);
        for (Future<Credential> answer : answers) {
            assertThat(answer.get()).isEqualTo(answers.get(0).get());
        }
        assertThat(asked).hasValue(1);
    }

    @Test
    void givesOneRefusalToAllThreadsThatWaitForIt() throws Exception {
        CountDownLatch open = new CountDownLatch(1);
        ExpiringCredential slow = ExpiringCredential.renewedAtHalfLife(
                () -> {
                    asked.incrementAndGet();
                    await(open);
                    throw new CredentialException("wrong key", false);
                },
                clock);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            Future<Credential> first = threads.submit(slow::get);
            while (asked.get() == 0) {
                Thread.onSpinWait();
            }
            List<Thread> waiting = new CopyOnWriteArrayList<>();
            Future<Credential> second = threads.submit(() -> {
                waiting.add(Thread.currentThread());
                return slow.get();
            });
            while (waiting.isEmpty() || waiting.get(0).getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            open.countDown();

            for (Future<Credential> answer : List.of(first, second)) {
                assertThatThrownBy(answer::get)
                        .isInstanceOf(ExecutionException.class)
                        .cause()
                        .isInstanceOfSatisfying(
                                CredentialException.class,
                                e -> assertThat(e.isTransient()).isFalse())
                        .hasMessage("wrong key");
            }
            assertThat(asked).hasValue(1);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aWaitingThreadCanBeInterruptedAndStaysInterrupted() throws Exception {
        CountDownLatch open = new CountDownLatch(1);
        ExpiringCredential slow = ExpiringCredential.renewedAtHalfLife(
                () -> {
                    await(open);
                    return issue();
                },
                clock);
        ExecutorService threads = Executors.newFixedThreadPool(1);
        try {
            Future<Credential> asking = threads.submit(slow::get);
            Thread.currentThread().interrupt();
            CredentialException interrupted = null;
            // The first one asks; the other waits.
            try {
                slow.get();
            } catch (CredentialException e) {
                interrupted = e;
            }
            assertThat(Thread.interrupted()).isTrue();
            assertThat(interrupted).isNotNull();
            assertThat(interrupted.isTransient()).isTrue();
            open.countDown();
            assertThat(asking.get(10, TimeUnit.SECONDS)).isNotNull();
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void basicCredentialsDoNotPrintATokenThatIsTheUserNameToo() {
        assertThat(new Credential.Basic("tok-123", Secret.of("tok-123")))
                .asString()
                .doesNotContain("tok-123");
        assertThat(new Credential.Basic("ci", Secret.of("tok-123"))).hasToString("Basic[user=ci, password=[secret]]");
        assertThatThrownBy(() -> new Credential.Basic("tok:123", Secret.of("tok:123")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("tok");
    }

    private ExpiringCredential.Issued issue() throws CredentialException {
        int number = asked.incrementAndGet();
        CredentialException refused = refusal;
        if (refused != null) {
            throw refused;
        }
        return new ExpiringCredential.Issued(new Credential.Basic("AWS", Secret.of("token " + number)), now.plus(LIFE));
    }

    private static void await(CountDownLatch latch) throws CredentialException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CredentialException("interrupted while asking", true, e);
        }
    }

    private static List<Future<Credential>> inThreads(int count, ExpiringCredential credential, CountDownLatch open)
            throws InterruptedException {
        ExecutorService threads = Executors.newFixedThreadPool(count);
        try {
            CountDownLatch ready = new CountDownLatch(count);
            List<Future<Credential>> answers = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                answers.add(threads.submit(() -> {
                    ready.countDown();
                    return credential.get();
                }));
            }
            ready.await();
            open.countDown();
            return answers;
        } finally {
            threads.shutdown();
        }
    }
}
