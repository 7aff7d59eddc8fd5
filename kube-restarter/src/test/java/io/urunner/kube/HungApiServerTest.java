package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.urunner.kube.testing.Await;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** An API server that starts to answer and then falls silent. */
@Execution(ExecutionMode.CONCURRENT)
class HungApiServerTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Deadlines DEADLINES =
            new Deadlines(Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ofMinutes(10));

    private final CountDownLatch over = new CountDownLatch(1);
    private final AtomicInteger lists = new AtomicInteger();
    private final AtomicInteger watches = new AtomicInteger();
    private final ExecutorService handlers = Executors.newCachedThreadPool();
    private final ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
    private HttpServer server;
    private KubeConnection connection;

    @BeforeEach
    void start() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(handlers);
        server.start();
        connection = new KubeConnection(
                new KubeConfiguration(
                        URI.create("http://127.0.0.1:" + server.getAddress().getPort()),
                        Optional.empty(),
                        SSLContext.getDefault(),
                        null,
                        Optional::empty),
                executor,
                "urunner",
                DEADLINES);
    }

    @AfterEach
    void stop() {
        connection.close();
        over.countDown();
        executor.shutdownNow();
        server.stop(0);
        handlers.shutdownNow();
    }

    private void say(HttpExchange exchange, String text) throws IOException {
        exchange.sendResponseHeaders(200, 0);
        exchange.getResponseBody().write(text.getBytes(StandardCharsets.UTF_8));
        exchange.getResponseBody().flush();
    }

    private void fallSilent() {
        try {
            over.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aListThatStallsIsRestartedAndAWatchMayBeSilentForLonger() throws Exception {
        server.createContext("/", exchange -> {
            if (exchange.getRequestURI().getQuery().contains("watch=1")) {
                say(exchange, "");
                watches.incrementAndGet();
                fallSilent();
            } else if (lists.incrementAndGet() == 1) {
                say(exchange, "{\"items\": [");
                fallSilent();
            } else {
                say(exchange, "{\"items\": [], \"metadata\": {\"resourceVersion\": \"1\"}}");
                exchange.close();
            }
        });
        try (WorkloadWatch watch = new WorkloadWatch(connection, WatchScope.cluster())) {
            watch.start();
            Await.until("synced", SOON, watch::synced);
            assertThat(lists).hasValueGreaterThanOrEqualTo(2);
            Await.until(
                    "watched", SOON, () -> watches.get() > 0 && watch.problems().isEmpty());
            int listed = lists.get();
            int watched = watches.get();
            // Longer than any of the deadlines: a watch has none once its answer has started.
            Thread.sleep(2_500);
            assertThat(watches).hasValue(watched);
            assertThat(lists).hasValue(listed);
            assertThat(watch.problems()).isEmpty();
        }
    }

    @Test
    void aWatchWithoutAnAnswerIsRestartedAndReported() {
        server.createContext("/", exchange -> {
            if (exchange.getRequestURI().getQuery().contains("watch=1")) {
                watches.incrementAndGet();
                fallSilent();
            } else {
                say(exchange, "{\"items\": [], \"metadata\": {\"resourceVersion\": \"1\"}}");
                exchange.close();
            }
        });
        try (WorkloadWatch watch = new WorkloadWatch(connection, WatchScope.cluster())) {
            watch.start();
            Await.until("tried again", SOON, () -> watches.get() >= 3);
            Await.until(
                    "told",
                    SOON,
                    () -> watch.problems().stream()
                            .anyMatch(problem -> problem.message().endsWith("it does not respond in time")));
        }
    }

    /** Otherwise each list would come at most 200 ms after the one before, for ever. */
    @Test
    void aWatchThatExpiresAtOnceIsRelistedLessAndLessOften() throws Exception {
        server.createContext("/", exchange -> {
            if (exchange.getRequestURI().getQuery().contains("watch=1")) {
                say(exchange, "{\"type\": \"ERROR\", \"object\": {\"code\": 410, \"message\": \"too old\"}}\n");
                watches.incrementAndGet();
            } else {
                lists.incrementAndGet();
                say(exchange, "{\"items\": [], \"metadata\": {\"resourceVersion\": \"1\"}}");
            }
            exchange.close();
        });
        try (WorkloadWatch watch = new WorkloadWatch(connection, WatchScope.cluster())) {
            watch.start();
            Await.until("expired", SOON, () -> watches.get() > 0);
            Thread.sleep(6_000);
            assertThat(lists).hasValueLessThan(25);
        }
    }

    @Test
    void anAnswerThatStallsIsNotWaitedFor() {
        server.createContext("/", exchange -> {
            say(exchange, "{");
            fallSilent();
        });
        assertThatThrownBy(() -> new KubeAccess(connection).version())
                .isInstanceOf(KubeException.class)
                .hasMessageEndingWith("it does not respond in time");
    }
}
