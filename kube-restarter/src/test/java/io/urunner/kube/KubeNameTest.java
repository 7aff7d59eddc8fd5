package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.urunner.kube.testing.TestPod;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** No name leads a request elsewhere. */
class KubeNameTest {
    private static final List<String> NO_NAMES = List.of(
            "",
            ".",
            "..",
            "../x",
            "../../tenant-a/secrets/x",
            "a/b",
            "a/",
            "a b",
            "a%2fb",
            "a%00",
            "a?x=1",
            "a&x",
            "a#x",
            "a;b",
            "a,b",
            "a=b",
            "A",
            "ä",
            "a\n",
            "a\r\nHost: b",
            "-a",
            "a-",
            ".a",
            "a.",
            "a..b",
            "a_b",
            "a".repeat(254),
            "\u202ea");

    @Test
    void namesAreThoseOfTheApiServer() {
        assertThat(NO_NAMES).noneMatch(KubeName::isOfObject).noneMatch(KubeName::isOfNamespace);
        assertThat(List.of("a", "0", "a-b", "a.b", "a1.b2-c", "a".repeat(253))).allMatch(KubeName::isOfObject);
        assertThat(List.of("a", "0", "a-b", "a".repeat(63))).allMatch(KubeName::isOfNamespace);
        assertThat(List.of("a.b", "a".repeat(64))).noneMatch(KubeName::isOfNamespace);
        assertThat(KubeName.shown("a\n\u001b\u202e" + "b".repeat(100))).isEqualTo("'a???" + "b".repeat(60) + "…'");
    }

    @Test
    void noRequestIsSentForAnInvalidName() throws Exception {
        List<String> asked = Collections.synchronizedList(new ArrayList<>());
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            asked.add(exchange.getRequestURI().toString());
            exchange.sendResponseHeaders(404, -1);
            exchange.close();
        });
        server.start();
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(1);
        try (KubeConnection connection =
                new KubeConnection(PlainHttp.at(server.getAddress().getPort()), executor)) {
            KubeAccess access = new KubeAccess(connection);
            Restarter restarter = new Restarter(connection);
            for (String wrong : NO_NAMES) {
                WorkloadId id = new WorkloadId("shop", WorkloadKind.DEPLOYMENT, wrong);
                Pod pod = TestPod.named(wrong).build();
                for (ThrowingCallable question : List.<ThrowingCallable>of(
                        () -> access.secret("shop", wrong),
                        () -> access.secret(wrong, "pull"),
                        () -> access.pullSecrets("shop", wrong),
                        () -> access.pullSecrets(wrong, "default"),
                        () -> access.labels(wrong),
                        () -> access.labels(id),
                        () -> restarter.read(id),
                        () -> restarter.pastTemplates(id),
                        () -> restarter.deletePod("shop", pod),
                        () -> restarter.deletePod(wrong, pod))) {
                    assertThatThrownBy(question)
                            .as(wrong)
                            .isInstanceOfSatisfying(
                                    KubeException.class,
                                    e -> assertThat(e.refused()).isTrue())
                            .hasMessageContaining("is not a valid name for");
                }
            }
            assertThat(asked).isEmpty();
            assertThat(access.secret("shop", "pull")).isEmpty();
            assertThat(asked).containsExactly("/api/v1/namespaces/shop/secrets/pull");
        } finally {
            executor.shutdownNow();
            server.stop(0);
        }
    }

    @Test
    void noWatchIsStartedForAnInvalidName() {
        for (String wrong : NO_NAMES) {
            assertThatThrownBy(() -> WatchScope.of(Set.of("shop", wrong)))
                    .as(wrong)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("is not a valid name for a namespace");
        }
        assertThat(WatchScope.of(Set.of("shop")).namespaces()).containsExactly("shop");
    }

    @Test
    void aSelectorIsOneParameter() throws Exception {
        assertThat(KubeName.encoded(Restarter.selector(
                        KubeConnection.JSON.valueToTree(Map.of("matchLabels", Map.of("a", "b&limit=0#"))))))
                .isEqualTo("a%3Db%26limit%3D0%23");
    }
}
