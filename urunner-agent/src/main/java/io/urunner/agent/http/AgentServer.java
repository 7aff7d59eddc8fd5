package io.urunner.agent.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the agent's endpoints over HTTP, with the JDK's server: a probe every few seconds needs no more. Single use;
 * thread-safe. An exact path has one {@link Endpoint}; other paths are answered 404, other methods 405.
 */
public final class AgentServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AgentServer.class);

    /** A probe must be answered while a slow reader holds a thread. */
    private static final int THREADS = 4;

    private static final int BACKLOG = 50;

    /** The JDK's server takes this from nowhere else: after so many seconds a request must have come in, or it is dropped. */
    private static final String LONGEST_REQUEST = "sun.net.httpserver.maxReqTime";

    private static final String SECONDS = "5";

    private final int port;
    private final Map<String, Endpoint> endpoints;
    private final ThreadFactory threads;
    private State state = State.NEW;
    private HttpServer server;
    private ExecutorService executor;

    private enum State {
        NEW,
        STARTED,
        CLOSED
    }

    /**
     * A server that does not serve yet.
     *
     * @param port the port on all addresses; 0 for one that is free (see {@link #start})
     * @param endpoints by path, for example {@code /livez}
     * @param threads makes the threads that answer
     */
    @SuppressWarnings("NullAway.Init") // server and executor are made by start
    public AgentServer(int port, Map<String, Endpoint> endpoints, ThreadFactory threads) {
        this.port = port;
        this.endpoints = Map.copyOf(endpoints);
        this.threads = threads;
    }

    /**
     * Begins to serve.
     *
     * @return the port
     * @throws IOException if the port cannot be had, with the port and the remedy in its message
     * @throws IllegalStateException if it was started or closed before
     */
    public synchronized int start() throws IOException {
        if (state != State.NEW) {
            throw new IllegalStateException("an HTTP endpoint is started once");
        }
        if (System.getProperty(LONGEST_REQUEST) == null) {
            System.setProperty(LONGEST_REQUEST, SECONDS);
        }
        try {
            server = HttpServer.create(new InetSocketAddress(port), BACKLOG);
        } catch (IOException e) {
            throw new IOException(
                    "cannot serve HTTP on port " + port + ": " + e.getMessage()
                            + "; is it taken? Set URUNNER_CONF_HTTP_PORT to a free port, or to 0 for none",
                    e);
        }
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                THREADS, THREADS, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(BACKLOG), threads);
        pool.allowCoreThreadTimeOut(true);
        executor = pool;
        server.setExecutor(pool);
        server.createContext("/", this::answer);
        server.start();
        state = State.STARTED;
        int bound = server.getAddress().getPort();
        LOG.info("HTTP on port {}: {}", bound, String.join(", ", new TreeMap<>(endpoints).keySet()));
        return bound;
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            Endpoint.Response response = respond(exchange);
            byte[] body = response.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", response.contentType());
            exchange.getResponseHeaders().set("Cache-Control", "no-store");
            response.headers().forEach(exchange.getResponseHeaders()::set);
            boolean head = exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(response.status(), head || body.length == 0 ? -1 : body.length);
            if (!head) {
                try (OutputStream out = exchange.getResponseBody()) {
                    out.write(body);
                }
            }
        }
    }

    private Endpoint.Response respond(HttpExchange exchange) throws IOException {
        Endpoint endpoint = endpoints.get(exchange.getRequestURI().getPath());
        if (endpoint == null) {
            return Endpoint.Response.text(404, "not found\n");
        }
        try {
            return endpoint.answer(new HttpRequest(exchange));
        } catch (BodyTooLargeException e) {
            return Endpoint.Response.text(413, e.getMessage() + "\n");
        } catch (RuntimeException e) {
            LOG.error(
                    "{} could not be answered; this is a defect",
                    exchange.getRequestURI().getPath(),
                    e);
            return Endpoint.Response.text(500, "internal error, see the log\n");
        }
    }

    /** Stops serving at once. Idempotent. */
    @Override
    public synchronized void close() {
        if (state == State.STARTED) {
            server.stop(0);
            executor.shutdownNow();
        }
        state = State.CLOSED;
    }
}
