package io.urunner.agent.e2e;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.urunner.registry.testing.DockerRegistry;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** A proxy for a registry that does not forward all requests. */
final class FaultyRegistry implements AutoCloseable {
    private static final List<String> PASSED_ON =
            List.of("Docker-Content-Digest", "Content-Type", "WWW-Authenticate", "Docker-Distribution-Api-Version");

    private final DockerRegistry registry;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "faulty-registry");
        thread.setDaemon(true);
        return thread;
    });
    private final HttpClient http = HttpClient.newHttpClient();
    private final AtomicInteger asked = new AtomicInteger();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Fault fault = Fault.NONE;
    private volatile boolean limitUsedUp;

    enum Fault {
        NONE,
        HANGS,
        ANSWERS_500,
        ANSWERS_429,
        ANSWERS_GARBAGE
    }

    FaultyRegistry(DockerRegistry registry) throws IOException {
        this.registry = registry;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    void fault(Fault now) {
        fault = now;
    }

    /** Requests are still answered, but say that the limit is used up for six hours. */
    void useUpLimit() {
        limitUsedUp = true;
    }

    /** How often the agent asked for a digest, whatever the answer. */
    int asked() {
        return asked.get();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            boolean agent = !String.valueOf(exchange.getRequestHeaders().getFirst("User-Agent"))
                    .startsWith("simulated-node");
            if (agent && exchange.getRequestMethod().equals("HEAD")) {
                asked.incrementAndGet();
            }
            if (agent && limitUsedUp) {
                exchange.getResponseHeaders().set("RateLimit-Remaining", "0;w=21600");
            }
            switch (agent ? fault : Fault.NONE) {
                case NONE -> forward(exchange);
                case HANGS -> hang();
                case ANSWERS_500 -> exchange.sendResponseHeaders(500, -1);
                case ANSWERS_429 -> exchange.sendResponseHeaders(429, -1);
                case ANSWERS_GARBAGE -> {
                    exchange.getResponseHeaders().set("Docker-Content-Digest", "sha256:garbage");
                    exchange.getResponseHeaders().set("Content-Type", "text/html");
                    exchange.sendResponseHeaders(200, -1);
                }
            }
        }
    }

    private void hang() throws IOException {
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
    }

    private void forward(HttpExchange exchange) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create(registry.url() + exchange.getRequestURI().toString()))
                .method(exchange.getRequestMethod(), BodyPublishers.noBody());
        exchange.getRequestHeaders().getOrDefault("Accept", List.of()).forEach(type -> request.header("Accept", type));
        try {
            HttpResponse<byte[]> answer = http.send(request.build(), BodyHandlers.ofByteArray());
            for (String name : PASSED_ON) {
                answer.headers()
                        .firstValue(name)
                        .ifPresent(value -> exchange.getResponseHeaders().set(name, value));
            }
            if (exchange.getRequestMethod().equals("HEAD")) {
                answer.headers()
                        .firstValue("Content-Length")
                        .ifPresent(size -> exchange.getResponseHeaders().set("Content-Length", size));
            }
            byte[] body = answer.body();
            exchange.sendResponseHeaders(answer.statusCode(), body.length == 0 ? -1 : body.length);
            if (body.length > 0) {
                exchange.getResponseBody().write(body);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
