package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How often the credential for the API server is read, which may mean running a program, and which requests repeat. */
class KubeConnectionTest {
    @AutoClose("shutdownNow")
    private final Timers timers = new Timers();

    @Test
    void aCredentialThatIsAlwaysRefusedIsReadAFewTimesAMinuteAndLaterOnceAgain() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        KubeConfiguration configuration = PlainHttp.at(1, () -> {
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

    /** A watch is restarted only after an {@link IOException}. */
    @ParameterizedTest
    @MethodSource("faults")
    void aCredentialIsReadAgainAfterAnyThrowable(Supplier<Optional<String>> fault) throws Exception {
        AtomicInteger reads = new AtomicInteger();
        KubeConfiguration configuration = PlainHttp.at(1, () -> {
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

    /** Like a busy API server: what is refused, cut off or answered 503 first is answered the next time. */
    @ParameterizedTest
    @ValueSource(strings = {"503", "429", "cut"})
    void aReadIsRepeatedWhileTheApiServerIsBusy(String trouble) throws Exception {
        AtomicInteger asked = new AtomicInteger();
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", exchange -> {
            if (asked.incrementAndGet() > 2) {
                byte[] body = "{\"gitVersion\":\"v1.33.1\"}".getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            } else if (!trouble.equals("cut")) {
                exchange.sendResponseHeaders(Integer.parseInt(trouble), -1);
            }
            exchange.close();
        });
        server.start();
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
        try (KubeConnection patient = connection(server, executor, Duration.ofSeconds(30));
                KubeConnection impatient = connection(server, executor, Duration.ZERO)) {
            assertThatThrownBy(() -> new KubeAccess(impatient).version()).isInstanceOf(KubeException.class);
            asked.set(0);
            assertThat(new KubeAccess(patient).version()).isEqualTo("v1.33.1");
            assertThat(asked).hasValue(3);
        } finally {
            executor.shutdownNow();
            server.stop(0);
        }
    }

    @Test
    void anApiServerThatNeverAcceptsConnectionsIsNotWaitedForBeyondTheDeadline() throws Exception {
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            port = free.getLocalPort();
        }
        try (KubeConnection connection =
                new KubeConnection(PlainHttp.at(port), executor, "test", Duration.ofSeconds(1))) {
            assertThatThrownBy(() -> new KubeAccess(connection).version())
                    .isInstanceOf(KubeException.class)
                    .hasMessageContaining("it does not accept connections");
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void aRequestThatChangesSomethingIsNotRepeated() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", exchange -> {
            asked.incrementAndGet();
            exchange.sendResponseHeaders(503, -1);
            exchange.close();
        });
        server.start();
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
        try (KubeConnection patient = connection(server, executor, Duration.ofSeconds(30))) {
            KubeAccess.Permission permission =
                    new KubeAccess.Permission("get", "", "pods", Optional.empty(), Optional.empty());
            assertThatThrownBy(() -> new KubeAccess(patient).allowed(permission))
                    .isInstanceOf(KubeException.class);
            assertThat(asked).hasValue(1);
        } finally {
            executor.shutdownNow();
            server.stop(0);
        }
    }

    private static KubeConnection connection(HttpServer server, ScheduledExecutorService executor, Duration patience)
            throws Exception {
        return new KubeConnection(PlainHttp.at(server.getAddress().getPort()), executor, "test", patience);
    }

    /** Timers that a test advances. */
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
