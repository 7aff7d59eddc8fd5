package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How often the credential for the API server is read, which may mean to run a program. */
class KubeConnectionTest {
    private final Timers timers = new Timers();

    @AfterEach
    void stop() {
        timers.shutdownNow();
    }

    @Test
    void aCredentialThatIsRefusedAllTheTimeIsReadAFewTimesAMinuteAndAfterwardsOnceAsBefore() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        KubeConfiguration configuration = new KubeConfiguration(
                URI.create("http://127.0.0.1:1"), Optional.empty(), SSLContext.getDefault(), null, () -> {
                    reads.incrementAndGet();
                    return Optional.of("Bearer x");
                });
        List<Integer> perMinute = new ArrayList<>();
        try (KubeConnection connection = new KubeConnection(configuration, timers)) {
            for (int minute = 0; minute < 10; minute++) {
                int before = reads.get();
                for (int second = 0; second < 60; second++) {
                    connection.request("/version");
                    if (minute == 2) {
                        connection.forgetAuthorization();
                    }
                    timers.advance(1000);
                }
                perMinute.add(reads.get() - before);
            }
        }
        assertThat(perMinute.remove(2)).as("60 answers of 401").isBetween(2, 13);
        assertThat(perMinute).as("reads a minute").allMatch(count -> count <= 1);
    }

    /** A watch is begun again after an {@link IOException}, and after nothing else. */
    @ParameterizedTest
    @MethodSource("faults")
    void aCredentialThatCannotBeReadWhateverIsThrownIsReadAgain(Supplier<Optional<String>> fault) throws Exception {
        AtomicInteger reads = new AtomicInteger();
        KubeConfiguration configuration = new KubeConfiguration(
                URI.create("http://127.0.0.1:1"), Optional.empty(), SSLContext.getDefault(), null, () -> {
                    return reads.incrementAndGet() == 1 ? fault.get() : Optional.of("Bearer x");
                });
        try (KubeConnection connection = new KubeConnection(configuration, timers)) {
            assertThatThrownBy(() -> connection.request("/version"))
                    .isInstanceOf(IOException.class)
                    .hasMessageNotContaining("secret");
            assertThat(connection.request("/version").build().headers().map()).containsKey("Authorization");
        }
    }

    static Stream<Supplier<Optional<String>>> faults() {
        return Stream.of(
                () -> {
                    throw new NoClassDefFoundError("secret");
                },
                () -> {
                    throw new IllegalStateException("secret");
                });
    }

    /** Timers that are moved by hand. */
    private static final class Timers extends ScheduledThreadPoolExecutor {
        private final List<Timer> waiting = new ArrayList<>();
        private long now;

        private record Timer(long at, Runnable task) {}

        Timers() {
            super(1);
        }

        @Override
        public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
            waiting.add(new Timer(now + unit.toMillis(delay), task));
            return super.schedule(() -> {}, 0, unit);
        }

        void advance(long millis) {
            now += millis;
            List<Timer> due = waiting.stream().filter(timer -> timer.at <= now).toList();
            waiting.removeAll(due);
            due.forEach(timer -> timer.task.run());
        }
    }
}
