package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.Agent;
import io.urunner.agent.app.http.AgentServer;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.testing.Await;
import io.urunner.registry.RegistryClient;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the probes report for an agent whose API server is unreachable, and whose scheduler is stuck. */
class ProbesTest {
    @TempDir
    private Path folder;

    private final AtomicLong later = new AtomicLong();
    private final AtomicBoolean stuck = new AtomicBoolean();
    private final CountDownLatch released = new CountDownLatch(1);

    @Test
    void onlyAStuckSchedulerFailsLiveness() throws Exception {
        try (DigestStore store = DigestStores.sqlite(folder.resolve("db"), "test");
                Agent agent = agent(KubeConfiguration.kubeconfig(kubeconfig()), store);
                AgentServer server = new AgentServer(
                        0,
                        Map.of("/livez", agent::notAlive, "/readyz", agent::notReady),
                        Map.of(),
                        Thread::new,
                        System::nanoTime)) {
            int port = server.start();
            agent.start();
            assertThat(get(port, "/livez")).isEqualTo("200 ok");
            Await.until(
                    "it is not ready, and says why",
                    Duration.ofSeconds(10),
                    () -> get(port, "/readyz")
                            .startsWith("503 not synced with the cluster yet: no usable response from the API server"));

            stuck.set(true);
            Thread asker = new Thread(() -> {
                try {
                    agent.status();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            asker.start();
            Await.until("the loop stands still", Duration.ofSeconds(10), () -> !stuck.get());
            later.addAndGet(Duration.ofSeconds(15).toNanos());
            assertThat(get(port, "/livez")).isEqualTo("200 ok");
            later.addAndGet(Duration.ofSeconds(20).toNanos());
            assertThat(get(port, "/livez")).startsWith("503 the scheduler has been stuck for ");

            released.countDown();
            Await.until(
                    "it continues",
                    Duration.ofSeconds(10),
                    () -> get(port, "/livez").equals("200 ok"));
            asker.join();
        }
    }

    @Test
    void aStoreThatNeverAnswersEventuallyFailsLiveness() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        DigestStore hanging = (DigestStore) Proxy.newProxyInstance(
                DigestStore.class.getClassLoader(), new Class<?>[] {DigestStore.class}, (proxy, called, arguments) -> {
                    asked.countDown();
                    released.await();
                    throw new AssertionError("it ends with the test");
                });
        try (Agent agent = agent(KubeConfiguration.kubeconfig(kubeconfig()), hanging)) {
            agent.start();
            asked.await();
            later.addAndGet(Duration.ofMinutes(16).toNanos());
            Await.until(
                    "it is stuck",
                    Duration.ofSeconds(10),
                    () -> !agent.stuck().getOrDefault("history", Duration.ZERO).isZero());
            Await.until(
                    "and lives", Duration.ofSeconds(10), () -> agent.notAlive().isEmpty());
            later.addAndGet(Duration.ofMinutes(16).toNanos());
            Await.until(
                    "it is hopeless",
                    Duration.ofSeconds(10),
                    () -> agent.notAlive().startsWith("history: has been stuck for "));
            released.countDown();
            Await.until(
                    "it has recovered",
                    Duration.ofSeconds(10),
                    () -> agent.notAlive().isEmpty());
        }
    }

    /** For an API server that is unreachable. */
    private Path kubeconfig() throws IOException {
        return Files.writeString(folder.resolve("kubeconfig"), """
                apiVersion: v1
                kind: Config
                clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
                users: [{name: none, user: {}}]
                contexts: [{name: none, context: {cluster: none, user: none}}]
                current-context: none
                """);
    }

    private Agent agent(KubeConfiguration cluster, DigestStore store) {
        return Agent.builder(cluster)
                .registry("registry.example", RegistryClient.builder().build())
                .store(store)
                .clock(this::now, () -> System.nanoTime() + later.get())
                .build();
    }

    /** The time; while the agent's loop should be stuck, it takes long when asked by that loop. */
    private Instant now() {
        if (Thread.currentThread().getName().startsWith("urunner-loop") && stuck.compareAndSet(true, false)) {
            try {
                released.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return Instant.now();
    }

    private static String get(int port, String path) throws Exception {
        var answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .build(),
                        BodyHandlers.ofString());
        return answer.statusCode() + " " + answer.body().strip();
    }
}
