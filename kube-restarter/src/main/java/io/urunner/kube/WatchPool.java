package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The connections of all watches. A fixed number of HTTP/2 connections carries as many streams as every API server allows;
 * further watches get an HTTP/1.1 connection each. So the number of threads does not grow with the number of watches, and
 * except in the largest clusters the number of connections does not, either.
 */
final class WatchPool {
    /** API servers allow 100 streams on a connection, older ones 250. The JDK's client fails instead of waiting. */
    private static final int STREAMS = 90;

    private static final int CONNECTIONS = 3;
    private static final int LISTS = 4;

    private final KubeConnection connection;
    private final Function<HttpClient.Version, HttpClient> clients;
    private final List<Slot> slots = new ArrayList<>();
    private final Slot overflow;
    private final Set<Stream> open = ConcurrentHashMap.newKeySet();
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private int lists;
    private volatile boolean closed;

    /** {@code clients} creates a client for the server of the connection. */
    WatchPool(KubeConnection connection, Function<HttpClient.Version, HttpClient> clients) {
        this.connection = connection;
        this.clients = clients;
        boolean tls = connection.configuration().server().getScheme().equals("https");
        this.overflow = new Slot(HttpClient.Version.HTTP_1_1, Integer.MAX_VALUE);
        for (int i = 0; tls && i < CONNECTIONS; i++) {
            slots.add(new Slot(HttpClient.Version.HTTP_2, STREAMS));
        }
        slots.add(overflow);
    }

    /** A running watch. */
    static final class Stream {
        private final Slot slot;
        private final JsonBody body;
        private final CompletableFuture<Void> started = new CompletableFuture<>();
        private final CompletableFuture<Void> ended = new CompletableFuture<>();
        private volatile @Nullable HttpClient client;

        private Stream(Slot slot, Wanted wanted, Consumer<JsonNode> event) {
            this.slot = slot;
            this.body = JsonBody.watch(wanted.event(), event);
        }

        /** Completes when the watch ends, with an error if it broke. */
        CompletableFuture<Void> ended() {
            return ended;
        }

        void cancel() {
            body.cancel();
        }
    }

    private final class Slot {
        private final HttpClient.Version version;
        private final int capacity;
        private HttpClient client;
        private int streams;
        private CompletableFuture<Void> lastStarted = CompletableFuture.completedFuture(null);

        Slot(HttpClient.Version version, int capacity) {
            this.version = version;
            this.capacity = capacity;
            this.client = clients.apply(version);
        }

        /** Replaces a client and so its connections, unless that has been done. */
        void renew(HttpClient suspect) {
            synchronized (WatchPool.this) {
                if (client == suspect) {
                    client = clients.apply(version);
                }
            }
        }
    }

    /**
     * Starts a watch.
     *
     * @param request the request
     * @param wanted the wanted fields of each object
     * @param status receives the status of the response
     * @param event receives each event of a response with status 200; must not block
     */
    Stream open(HttpRequest.Builder request, Wanted wanted, IntConsumer status, Consumer<JsonNode> event) {
        CompletableFuture<Void> before;
        Slot slot;
        Stream stream;
        synchronized (this) {
            slot = slots.stream()
                    .filter(each -> each.streams < each.capacity)
                    .findFirst()
                    .orElse(overflow);
            slot.streams++;
            stream = new Stream(slot, wanted, event);
            before = slot.lastStarted;
            slot.lastStarted = stream.started;
        }
        open.add(stream);
        KubeConnection.whenDone(stream.ended, (nothing, error) -> {
            synchronized (this) {
                slot.streams--;
            }
            open.remove(stream);
            stream.started.complete(null);
        });
        HttpResponse.BodyHandler<JsonBody.Kept> handler = info -> {
            stream.started.complete(null);
            status.accept(info.statusCode());
            return info.statusCode() == 200 ? stream.body : HttpResponse.BodySubscribers.replacing(JsonBody.NOTHING);
        };
        // One after another: several requests at once would each open a connection of their own.
        KubeConnection.whenDone(before, (nothing, error) -> send(stream, request, handler));
        return stream;
    }

    private void send(Stream stream, HttpRequest.Builder request, HttpResponse.BodyHandler<JsonBody.Kept> handler) {
        HttpClient client;
        synchronized (this) {
            client = stream.slot.client;
        }
        if (closed || stream.body.cancelled()) {
            stream.ended.cancel(false);
            return;
        }
        stream.client = client;
        CompletableFuture<HttpResponse<JsonBody.Kept>> answer = client.sendAsync(request.build(), handler);
        KubeConnection.whenDone(answer, (response, error) -> {
            if (error == null) {
                stream.ended.complete(null);
            } else {
                stream.ended.completeExceptionally(error);
            }
        });
        unlessDone(stream.started, connection.deadlines().headers(), () -> {
            // The connection seems to be open, but may be dead, and would be used again.
            stream.slot.renew(client);
            stream.ended.completeExceptionally(new TimeoutException());
            answer.cancel(true);
        });
    }

    private void unlessDone(CompletableFuture<?> what, Duration within, Runnable then) {
        connection.later(
                () -> {
                    if (!what.isDone()) {
                        then.run();
                    }
                },
                (int) within.toMillis());
    }

    /**
     * Sends a small request on each connection that watches share, because the HTTP client sends no pings. A connection
     * without a response is dead, and its watches are cancelled.
     */
    void probe() {
        for (Slot slot : slots) {
            HttpClient suspect;
            synchronized (this) {
                if (slot == overflow || slot.streams == 0) {
                    continue;
                }
                suspect = slot.client;
            }
            HttpRequest small;
            try {
                small = connection.request("/version").build();
            } catch (IOException e) {
                return; // The watches meet the same error, and report it.
            }
            CompletableFuture<HttpResponse<Void>> answer =
                    suspect.sendAsync(small, HttpResponse.BodyHandlers.discarding());
            unlessDone(answer, connection.deadlines().answer(), () -> {
                slot.renew(suspect);
                answer.cancel(true);
                open.stream().filter(stream -> stream.client == suspect).forEach(Stream::cancel);
            });
        }
    }

    /** Runs a list once fewer than a few are running: the API server holds a page of objects in memory for each. */
    void list(Supplier<CompletableFuture<?>> list) {
        synchronized (this) {
            if (lists >= LISTS) {
                waiting.add(() -> list(list));
                return;
            }
            lists++;
        }
        KubeConnection.whenDone(list.get(), (nothing, error) -> {
            Runnable next;
            synchronized (this) {
                lists--;
                next = waiting.poll();
            }
            if (next != null) {
                connection.later(next, 0);
            }
        });
    }

    void close() {
        closed = true;
        open.forEach(Stream::cancel);
    }
}
