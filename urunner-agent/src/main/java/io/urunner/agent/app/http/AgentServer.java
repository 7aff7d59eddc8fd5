package io.urunner.agent.app.http;

import io.urunner.agent.app.http.Connection.Stage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the agent's probes and endpoints over HTTP/1.1, one request per connection. Single use; thread-safe.
 *
 * <p>Clients are not trusted. One thread moves all connections and never blocks on one of them; it answers the probes
 * itself, so that clients cannot delay them. A few other threads call the endpoints, for a few requests at a time, taking
 * clients in turn. If there are too many connections, from one client or in total, a waiting one is closed in favour of
 * the next, which is therefore always accepted.
 */
public final class AgentServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AgentServer.class);

    private static final int THREADS = 4;
    /** Concurrent requests, in total and per peer: each may take a megabyte or two. */
    private static final int UNDER_WAY = 8;

    private static final int UNDER_WAY_OF_PEER = 2;

    private static final int CONNECTIONS = 256;
    private static final int CONNECTIONS_OF_PEER = 64;
    private static final int BACKLOG = 1024;
    private static final int ACCEPTED_AT_ONCE = 64;
    private static final int READ_AT_ONCE = 16 * 1024;

    private static final Duration LOOK = Duration.ofMillis(100);
    private static final Duration CLOSING = Duration.ofSeconds(2);
    private static final long QUIET = Duration.ofMinutes(1).toNanos();

    private final int port;
    private final Map<String, Endpoint> probes;
    private final Map<String, Endpoint> endpoints;
    private final ThreadFactory threads;
    private final LongSupplier ticker;
    private final Queue<Runnable> told = new ConcurrentLinkedQueue<>();
    private final Set<Connection> connections = new LinkedHashSet<>();
    private final ByteBuffer buffer = ByteBuffer.allocate(READ_AT_ONCE);
    private State state = State.NEW;
    private ServerSocketChannel door;
    private Selector selector;
    private ExecutorService workers;
    private Thread thread;
    private volatile boolean closed;
    private long lastLine;

    private enum State {
        NEW,
        STARTED,
        CLOSED
    }

    /** Work that may fail because of the peer. */
    private interface Step {
        void run() throws IOException, MalformedRequestException;
    }

    /**
     * Creates a server; it is not started yet.
     *
     * @param port the port on all addresses; 0 for one that is free (see {@link #start})
     * @param probes by path, for example {@code /livez}, what is wrong; empty text if nothing is. They must not block
     * @param endpoints by path, for example {@code /metrics}
     * @param threads makes the threads
     * @param ticker the time since some fixed moment, in nanoseconds
     */
    @SuppressWarnings("NullAway.Init") // start sets the rest
    public AgentServer(
            int port,
            Map<String, Supplier<String>> probes,
            Map<String, Endpoint> endpoints,
            ThreadFactory threads,
            LongSupplier ticker) {
        this.port = port;
        this.probes = probes.entrySet().stream()
                .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, probe -> Endpoint.probe(probe.getValue())));
        this.endpoints = Map.copyOf(endpoints);
        this.threads = threads;
        this.ticker = ticker;
        lastLine = ticker.getAsLong() - QUIET;
    }

    /**
     * Starts serving.
     *
     * @return the port
     * @throws IOException if the port is not available; the message names the port and the remedy
     * @throws IllegalStateException if it was started or closed before
     */
    public synchronized int start() throws IOException {
        if (state != State.NEW) {
            throw new IllegalStateException("an HTTP endpoint can be started only once");
        }
        door = ServerSocketChannel.open();
        try {
            selector = Selector.open();
            door.bind(new InetSocketAddress(port), BACKLOG);
            door.configureBlocking(false);
            door.register(selector, SelectionKey.OP_ACCEPT);
        } catch (IOException e) {
            door.close();
            throw new IOException(
                    "cannot serve HTTP on port " + port + ": " + e.getMessage()
                            + "; is it taken? Set URUNNER_CONF_HTTP_PORT to a free port, or to 0 for none",
                    e);
        }
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                THREADS, THREADS, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(UNDER_WAY), threads);
        pool.allowCoreThreadTimeOut(true);
        workers = pool;
        thread = threads.newThread(this::serve);
        thread.start();
        state = State.STARTED;
        int bound = ((InetSocketAddress) door.getLocalAddress()).getPort();
        Set<String> paths = new TreeSet<>(probes.keySet());
        paths.addAll(endpoints.keySet());
        LOG.info("HTTP on port {}: {}", bound, String.join(", ", paths));
        return bound;
    }

    private void serve() {
        try {
            while (!closed) {
                try {
                    turn();
                } catch (IOException | RuntimeException | Error e) {
                    // For example too many open files, which may last.
                    if (isNews()) {
                        LOG.error("HTTP: connections cannot be accepted now; retrying", e);
                    }
                    LockSupport.parkNanos(LOOK.toNanos());
                }
            }
        } finally {
            connections.forEach(Connection::close);
            closeDoor();
        }
    }

    private void closeDoor() {
        workers.shutdownNow();
        try {
            door.close();
            selector.close();
        } catch (IOException e) {
            LOG.debug("HTTP: closing the port: {}", e.getMessage());
        }
    }

    private void turn() throws IOException {
        selector.select(connections.isEmpty() ? 0 : LOOK.toMillis());
        for (Runnable task = told.poll(); task != null; task = told.poll()) {
            task.run();
        }
        boolean anybody = false;
        for (SelectionKey key : selector.selectedKeys()) {
            if (key.attachment() instanceof Connection connection) {
                alone(connection, () -> goOn(connection));
            } else {
                anybody = true;
            }
        }
        selector.selectedKeys().clear();
        if (anybody) {
            accept();
        }
        connections.stream().filter(Connection::isLate).forEach(Connection::close);
        connections.removeIf(connection -> !connection.isOpen());
        takeTurns();
    }

    /** A failure ends only the connection that it concerns. */
    private void alone(Connection connection, Step step) {
        try {
            step.run();
        } catch (MalformedRequestException e) {
            alone(connection, () -> connection.answer(bytes(e.answer(), true)));
        } catch (IOException e) {
            connection.close();
        } catch (RuntimeException | Error e) {
            connection.close();
            LOG.error("HTTP: a connection failed; this is a defect, and does not affect the others", e);
        }
    }

    // ---- connections

    private void accept() throws IOException {
        for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
            SocketChannel channel = door.accept();
            if (channel == null) {
                return;
            }
            try { // what fails from here on concerns this connection
                channel.configureBlocking(false);
                SelectionKey key = channel.register(selector, 0);
                Connection connection = new Connection(channel, key, ticker);
                key.attach(connection);
                makeRoom(connection);
                connections.add(connection);
                alone(connection, () -> goOn(connection));
            } catch (IOException | RuntimeException e) {
                channel.close();
            }
        }
    }

    /** If there are too many, from this peer or in total, closes one that was answered, or the one that has waited longest. */
    private void makeRoom(Connection fresh) {
        Map<ByteBuffer, Long> counts = connections.stream()
                .filter(Connection::isOpen)
                .collect(Collectors.groupingBy(Connection::peer, Collectors.counting()));
        Optional<ByteBuffer> crowd = Optional.empty();
        if (counts.getOrDefault(fresh.peer(), 0L) >= CONNECTIONS_OF_PEER) {
            crowd = Optional.of(fresh.peer());
        } else if (counts.values().stream().mapToLong(count -> count).sum() >= CONNECTIONS) {
            crowd = counts.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey);
        }
        crowd.flatMap(peer -> connections.stream()
                        .filter(each -> each.isOpen() && each.peer().equals(peer))
                        .filter(each -> each.stage() != Stage.ENDPOINT)
                        .min(Comparator.comparing(each -> each.stage() != Stage.LEAVING)))
                .ifPresent(one -> {
                    one.close();
                    connections.remove(one);
                    tellOfCrowd(one.address());
                });
    }

    private void tellOfCrowd(InetAddress peer) {
        if (isNews()) {
            LOG.warn(
                    "HTTP: too many connections at once, most of them from {}: idle ones are closed to accept new ones",
                    peer.getHostAddress());
        }
    }

    /** Clients can cause at most one log line a minute. */
    private boolean isNews() {
        long now = ticker.getAsLong();
        boolean news = now - lastLine >= QUIET;
        lastLine = news ? now : lastLine;
        return news;
    }

    // ---- requests

    private void goOn(Connection connection) throws IOException, MalformedRequestException {
        boolean isHead = connection.stage() == Stage.HEAD;
        if (connection.goOn(buffer)) {
            if (isHead) {
                requested(connection);
            } else {
                ask(connection, endpoint(connection));
            }
        }
    }

    private void requested(Connection connection) throws IOException, MalformedRequestException {
        HttpRequest request = connection.request();
        boolean reads = request.method().equals("GET") || request.method().equals("HEAD");
        if (reads && request.length() != 0) {
            throw new MalformedRequestException("a body that is not expected");
        }
        Endpoint probe = probes.get(request.path());
        if (probe != null) {
            connection.answer(answered(probe, request));
        } else if (endpoints.containsKey(request.path())) {
            connection.awaitTurn();
        } else {
            connection.answer(bytes(Endpoint.Response.text(404, "not found\n"), !isHead(request)));
        }
    }

    private Endpoint endpoint(Connection connection) {
        return endpoints.getOrDefault(connection.request().path(), any -> Endpoint.Response.text(404, "not found\n"));
    }

    private static boolean isHead(HttpRequest request) {
        return request.method().equals("HEAD");
    }

    /** While there is room, starts requests of the peers with the fewest running requests. */
    private void takeTurns() {
        Map<ByteBuffer, Integer> underWay = new HashMap<>();
        connections.stream()
                .filter(Connection::isUnderWay)
                .forEach(connection -> underWay.merge(connection.peer(), 1, Integer::sum));
        while (underWay.values().stream().mapToInt(count -> count).sum() < UNDER_WAY) {
            Optional<Connection> next = connections.stream()
                    .filter(connection -> connection.stage() == Stage.TURN)
                    .filter(connection -> underWay.getOrDefault(connection.peer(), 0) < UNDER_WAY_OF_PEER)
                    .min(Comparator.comparing(connection -> underWay.getOrDefault(connection.peer(), 0)));
            if (next.isEmpty()) {
                return;
            }
            Connection connection = next.get();
            underWay.merge(connection.peer(), 1, Integer::sum);
            alone(connection, () -> begin(connection));
        }
    }

    private void begin(Connection connection) {
        connection.awaitEndpoint();
        HttpRequest request = connection.request();
        Endpoint endpoint = endpoint(connection);
        workers.execute(() -> {
            Step next = connection::close;
            try {
                Optional<Endpoint.Response> refusal = endpoint.refusal(request);
                if (refusal.isPresent()) {
                    byte[] bytes = bytes(refusal.get(), !isHead(request));
                    next = () -> connection.answer(bytes);
                } else if (request.length() != 0 && endpoint.longestBody() > 0) {
                    int most = endpoint.longestBody();
                    next = () -> readBody(connection, endpoint, most);
                } else {
                    byte[] bytes = answered(endpoint, request);
                    next = () -> connection.answer(bytes);
                }
            } catch (RuntimeException | Error e) {
                byte[] bytes = failed(request, e);
                next = () -> connection.answer(bytes);
            } finally {
                tell(connection, next);
            }
        });
    }

    private void readBody(Connection connection, Endpoint endpoint, int most)
            throws IOException, MalformedRequestException {
        if (connection.awaitBody(most)) {
            ask(connection, endpoint);
        }
    }

    private void ask(Connection connection, Endpoint endpoint) {
        connection.awaitEndpoint();
        HttpRequest request = connection.request();
        workers.execute(() -> {
            Step next = connection::close;
            try {
                byte[] bytes = answered(endpoint, request);
                next = () -> connection.answer(bytes);
            } finally {
                tell(connection, next);
            }
        });
    }

    /** Continues with a connection on the server's thread. */
    private void tell(Connection connection, Step next) {
        told.add(() -> alone(connection, next));
        selector.wakeup();
    }

    private static byte[] answered(Endpoint endpoint, HttpRequest request) {
        try {
            return bytes(endpoint.answer(request), !isHead(request));
        } catch (IOException | RuntimeException | Error e) {
            return failed(request, e);
        }
    }

    private static byte[] failed(HttpRequest request, Throwable e) {
        LOG.error("{} could not be answered; this is a defect", request.path(), e);
        return bytes(Endpoint.Response.text(500, "internal error, see the log\n"), true);
    }

    private static byte[] bytes(Endpoint.Response response, boolean withBody) {
        byte[] body = response.body().getBytes(StandardCharsets.UTF_8);
        StringBuilder head = new StringBuilder()
                .append("HTTP/1.1 ")
                .append(response.status())
                .append(' ')
                .append(reason(response.status()))
                .append("\r\nContent-Type: ")
                .append(response.contentType())
                .append("\r\nContent-Length: ")
                .append(body.length)
                .append("\r\nCache-Control: no-store\r\nConnection: close\r\n");
        response.headers()
                .forEach((name, value) ->
                        head.append(name).append(": ").append(value).append("\r\n"));
        byte[] first = head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
        byte[] all = new byte[first.length + (withBody ? body.length : 0)];
        System.arraycopy(first, 0, all, 0, first.length);
        System.arraycopy(body, 0, all, first.length, all.length - first.length);
        return all;
    }

    private static String reason(int status) {
        return switch (status) {
            case 200 -> "OK";
            case 202 -> "Accepted";
            case 400 -> "Bad Request";
            case 401 -> "Unauthorized";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 413 -> "Content Too Large";
            case 500 -> "Internal Server Error";
            case 503 -> "Service Unavailable";
            default -> "Status";
        };
    }

    /** Stops serving immediately. Idempotent. */
    @Override
    public synchronized void close() {
        if (state == State.STARTED) {
            closed = true;
            selector.wakeup();
            try {
                thread.join(CLOSING.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        state = State.CLOSED;
    }
}
