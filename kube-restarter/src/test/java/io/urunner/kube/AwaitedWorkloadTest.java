package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.net.httpserver.HttpServer;
import io.urunner.kube.testing.Await;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A program that waits for one workload is told why it does not see it. */
@Timeout(60)
class AwaitedWorkloadTest {
    /** Longer than the test may take: whatever ends earlier was told. */
    private static final Duration LONG = Duration.ofMinutes(10);

    private static final WorkloadId WEB = new WorkloadId("shop", WorkloadKind.DEPLOYMENT, "web");

    private final ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
    private volatile int status = 200;
    private volatile String body = "{\"items\": [], \"metadata\": {\"resourceVersion\": \"1\"}}";
    private HttpServer server;

    @BeforeEach
    void start() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            boolean watches =
                    String.valueOf(exchange.getRequestURI().getQuery()).contains("watch=");
            byte[] bytes = (watches && status == 200 ? "" : body).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        executor.shutdownNow();
    }

    private KubeException failure(WatchScope scope, int port) {
        try (KubeConnection connection = new KubeConnection(PlainHttp.at(port), executor);
                WorkloadWatch watch = new WorkloadWatch(connection, scope)) {
            watch.start();
            return assertThatExceptionOfType(KubeException.class)
                    .isThrownBy(() -> watch.await(WEB, LONG))
                    .actual();
        }
    }

    @Test
    void thatNoApiServerListens() {
        int port = server.getAddress().getPort();
        server.stop(0);
        assertThat(failure(WatchScope.cluster(), port))
                .hasMessageStartingWith("cannot see " + WEB + ": ")
                .hasMessageContaining("127.0.0.1:" + port);
    }

    @Test
    void thatItsCredentialIsRefused() {
        status = 401;
        body = "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"Unauthorized\",\"code\":401}";
        assertThat(failure(WatchScope.cluster(), server.getAddress().getPort()))
                .hasMessageContaining("does not accept the agent's credential (401)");
    }

    @Test
    void thatAPermissionIsMissing() {
        status = 403;
        body = "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"no\",\"code\":403}";
        assertThat(failure(WatchScope.of(Set.of("shop")), server.getAddress().getPort()))
                .hasMessageContaining("not allowed to get namespaces (shop)");
    }

    @Test
    void thatItsNamespaceIsNotLabelled() {
        int port = server.getAddress().getPort();
        try (KubeConnection connection = new KubeConnection(PlainHttp.at(port), executor);
                WorkloadWatch watch = new WorkloadWatch(connection, WatchScope.cluster())) {
            watch.start();
            Await.until("everything is seen", Duration.ofSeconds(30), watch::synced);
            assertThatExceptionOfType(KubeException.class)
                    .isThrownBy(() -> watch.await(WEB, Duration.ZERO))
                    .withMessageContaining("kubectl label --overwrite namespace shop urunner=enable");
        }
    }
}
