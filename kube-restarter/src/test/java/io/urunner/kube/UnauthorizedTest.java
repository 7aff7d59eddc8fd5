package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.urunner.kube.testing.Await;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** An API server that rejects our credential: nothing has been seen then, and there is one problem. */
class UnauthorizedTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final String NOTHING =
            "{\"kind\":\"NamespaceList\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}";
    private static final String ANSWER =
            "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"Unauthorized\",\"code\":401}";

    private final ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
    /** Whether lists are still answered although watches are not. */
    private volatile boolean expires;

    private HttpServer server;
    private KubeConnection connection;

    @BeforeEach
    void start() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            boolean lists = expires
                    && !String.valueOf(exchange.getRequestURI().getQuery()).contains("watch=1");
            byte[] body = (lists ? NOTHING : ANSWER).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(lists ? 200 : 401, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        connection = new KubeConnection(PlainHttp.at(server.getAddress().getPort()), executor, "urunner");
    }

    @AfterEach
    void stop() {
        connection.close();
        executor.shutdownNow();
        server.stop(0);
    }

    static Stream<WatchScope> scopes() {
        return Stream.of(WatchScope.cluster(), WatchScope.of(Set.of("pay", "shop")));
    }

    @ParameterizedTest
    @MethodSource("scopes")
    void nothingIsSeenAndOneProblemIsReported(WatchScope scope) {
        try (WorkloadWatch watch = new WorkloadWatch(connection, scope)) {
            watch.start();
            Await.until("a problem", SOON, () -> !watch.problems().isEmpty());
            List<WatchProblem> problems = watch.problems();
            assertThat(problems).hasSize(1);
            assertThat(problems.get(0).resource()).isEmpty();
            assertThat(problems.get(0).missing()).isEmpty();
            assertThat(problems.get(0).message()).contains("does not accept the agent's credential (401)", "expired");
            assertThat(watch.synced()).isFalse();
        }
    }

    @Test
    void aCredentialThatExpiresLaterIsReported() {
        expires = true;
        try (WorkloadWatch watch = new WorkloadWatch(connection, WatchScope.cluster())) {
            watch.start();
            Await.until("it is seen", SOON, watch::synced);
            Await.until("a problem", SOON, () -> !watch.problems().isEmpty());
            assertThat(watch.problems())
                    .singleElement()
                    .satisfies(problem ->
                            assertThat(problem.message()).contains("does not accept the agent's credential (401)"));
        }
    }
}
