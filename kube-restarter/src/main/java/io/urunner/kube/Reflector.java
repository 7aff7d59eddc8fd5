package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.kube.KubeConnection.Call;
import java.io.IOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mirrors one kind of object of one namespace or of all: lists it once in pages, then watches. A watch that ends or breaks
 * is resumed where it was; the objects are listed again only if the API server has forgotten that version (410), or keeps
 * refusing. Needs no thread. Guarded by the lock that it is given.
 *
 * @param <T> what is kept of an object
 */
final class Reflector<T extends Observed> {
    private static final Logger LOG = LoggerFactory.getLogger(Reflector.class);

    private static final int MOST_ON_A_PAGE = 100;
    /** A longer page costs the API server much memory and us much of the deadline: the next one has fewer objects. */
    private static final long LONG_PAGE = 4 * 1024 * 1024;

    private static final int LONGEST_DELAY_MILLIS = 2_000;
    private static final int REFUSED_DELAY_MILLIS = 5_000;
    private static final int REFUSALS_BEFORE_LIST = 3;
    private static final int SILENT_TICKS = 5;

    private final KubeConnection connection;
    private final Source source;
    private final Function<JsonNode, @Nullable T> parser;
    private final Sink<T> sink;
    private final Object lock;

    private final Map<String, T> objects = new LinkedHashMap<>();
    private boolean synced;
    private boolean closed;
    private String version = "";
    private int page = MOST_ON_A_PAGE;
    private int failures;
    /** Whether the last watch was refused because its version had expired. */
    private boolean expired;

    private int refusals;
    private boolean relist;
    private int silentTicks;
    private WatchPool.@Nullable Stream stream;
    private @Nullable WatchProblem problem;

    /**
     * The objects that are watched.
     *
     * @param resource the kind of object
     * @param namespace where; empty for everywhere
     * @param query a selector as an encoded query parameter; may be empty
     * @param metadataOnly whether the metadata is enough
     * @param wanted the wanted fields of each object
     */
    record Source(ApiResource resource, Optional<String> namespace, String query, boolean metadataOnly, Wanted wanted) {
        private String accept(boolean list) {
            return metadataOnly
                    ? "application/json;as=PartialObjectMetadata" + (list ? "List" : "") + ";g=meta.k8s.io;v=v1"
                    : KubeConnection.JSON_TYPE;
        }

        private String with(String parameters) {
            return resource.pathOfKnown(namespace) + "?" + (query.isEmpty() ? "" : query + "&") + parameters;
        }

        private String where() {
            return resource.plural()
                    + namespace.map(name -> " in namespace " + name).orElse("");
        }
    }

    /** Receives the changes. Called with the lock held, {@link #flush} without it. */
    interface Sink<T> {
        /** What is kept of an object; null for nothing. */
        default @Nullable T keep(T object) {
            return object;
        }

        /** An object appeared (no before), changed or went away (no after). */
        void changed(@Nullable T before, @Nullable T after);

        /** All objects are known for the first time. */
        void synced();

        /** There are no more changes for now. */
        void flush();
    }

    Reflector(
            KubeConnection connection,
            Source source,
            Function<JsonNode, @Nullable T> parser,
            Sink<T> sink,
            Object lock) {
        this.connection = connection;
        this.source = source;
        this.parser = parser;
        this.sink = sink;
        this.lock = lock;
    }

    private static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;
        final int status;

        Refused(int status, String message) {
            super(message);
            this.status = status;
        }
    }

    void start() {
        connection.watches().list(this::list);
    }

    /** Lists once more, to get what was not kept before. */
    void startAgain() {
        WatchPool.Stream running;
        synchronized (lock) {
            relist = true;
            running = stream;
        }
        if (running != null) {
            running.cancel();
        }
    }

    /** The objects; read with the lock held. */
    Collection<T> objects() {
        return objects.values();
    }

    @Nullable T object(String uid) {
        return objects.get(uid);
    }

    /** Whether all objects have been known. */
    boolean synced() {
        return synced;
    }

    /** Whether waiting for the objects is pointless, because a permission is missing. */
    boolean hopeless() {
        return !synced && problem != null && problem.missing().isPresent();
    }

    @Nullable WatchProblem problem() {
        return problem;
    }

    /** Drops everything and accepts nothing more; close it then. With the lock held. */
    void clear() {
        closed = true;
        objects.clear();
    }

    void close() {
        WatchPool.Stream running;
        synchronized (lock) {
            clear();
            running = stream;
            stream = null;
        }
        if (running != null) {
            running.cancel();
        }
    }

    /**
     * Called regularly: restarts a watch on which not even a bookmark has arrived for long. On a live connection that costs
     * one request; a dead one is detected.
     */
    void tick() {
        WatchPool.Stream silent = null;
        synchronized (lock) {
            if (stream != null) {
                failures = 0;
                if (++silentTicks > SILENT_TICKS) {
                    silent = stream;
                }
            }
        }
        if (silent != null) {
            LOG.debug("the watch of {} is silent: restarting it", source.where());
            silent.cancel();
        }
    }

    private CompletableFuture<?> list() {
        synchronized (lock) {
            if (closed) {
                return CompletableFuture.completedFuture(null);
            }
        }
        return page(new HashSet<>(), "").whenComplete((nothing, error) -> {
            if (error == null) {
                watch();
            } else {
                if (!(cause(error) instanceof Refused)) {
                    pages(2 * LONG_PAGE);
                }
                failed("list", cause(error), true);
            }
        });
    }

    /** Requests fewer objects per page from now on, or more after short pages. */
    private void pages(long bytes) {
        synchronized (lock) {
            page = bytes > LONG_PAGE
                    ? (int) Math.max(1, page * LONG_PAGE / bytes)
                    : bytes > LONG_PAGE / 4 ? page : Math.min(MOST_ON_A_PAGE, 2 * page);
        }
    }

    private int page() {
        synchronized (lock) {
            return page;
        }
    }

    /** Takes the objects of a page as they arrive; {@code found} collects their uids. */
    private CompletableFuture<Void> page(Set<String> found, String next) {
        synchronized (lock) {
            if (closed) {
                return CompletableFuture.completedFuture(null);
            }
        }
        String parameters = "limit=" + page() + (next.isEmpty() ? "" : "&continue=" + KubeName.encoded(next));
        Call call = Call.get(source.with(parameters)).each(source.wanted(), item -> listed(item, found));
        return connection.get(call, source.accept(true)).thenCompose(answer -> {
            if (answer.status() != 200) {
                throw new Refused(answer.status(), answer.message());
            }
            pages(answer.bytes());
            String token = answer.body().path("metadata").path("continue").asText("");
            if (!token.isEmpty()) {
                sink.flush();
                return page(found, token);
            }
            String seen = answer.body().path("metadata").path("resourceVersion").asText("");
            if (seen.isEmpty()) {
                throw new Refused(answer.status(), "its response is not a list");
            }
            listed(found, seen);
            return CompletableFuture.completedFuture(null);
        });
    }

    private void listed(JsonNode item, Set<String> found) {
        T object = parser.apply(item);
        synchronized (lock) {
            if (object != null && !closed) {
                found.add(object.uid());
                put(object);
            }
        }
    }

    /** Takes the current state of an object. With the lock held. */
    private void put(T object) {
        T after = sink.keep(object);
        T before = after == null ? objects.remove(object.uid()) : objects.put(object.uid(), after);
        if (!Objects.equals(before, after)) {
            sink.changed(before, after);
        }
    }

    /** Replaces what is kept of an object; null for nothing. With the lock held. */
    void replace(String uid, @Nullable T after) {
        T before = after == null ? objects.remove(uid) : objects.replace(uid, after);
        if (before != null && !before.equals(after)) {
            sink.changed(before, after);
        }
    }

    /** All objects have been received. */
    private void listed(Set<String> found, String foundVersion) {
        synchronized (lock) {
            if (closed) {
                return;
            }
            for (String uid : List.copyOf(objects.keySet())) {
                if (!found.contains(uid)) {
                    replace(uid, null);
                }
            }
            version = foundVersion;
            // An expired watch right after the list says more than the success of the list.
            failures = expired ? failures : 0;
            refusals = 0;
            problem = null;
            if (!synced) {
                synced = true;
                sink.synced();
            }
        }
        sink.flush();
    }

    private void watch() {
        WatchPool.Stream started;
        int seconds = ThreadLocalRandom.current().nextInt(240, 480);
        try {
            String from;
            boolean list;
            synchronized (lock) {
                if (closed) {
                    return;
                }
                from = version;
                list = relist;
                relist = false;
            }
            if (list) {
                start();
                return;
            }
            Attempt attempt = new Attempt();
            started = connection
                    .watches()
                    .open(
                            connection
                                    .request(source.with("watch=1&allowWatchBookmarks=true&timeoutSeconds=" + seconds
                                            + "&resourceVersion=" + KubeName.encoded(from)))
                                    .setHeader("Accept", source.accept(false)),
                            source.wanted(),
                            attempt::status,
                            attempt::event);
            synchronized (lock) {
                stream = started;
                silentTicks = 0;
            }
            KubeConnection.whenDone(started.ended(), (nothing, error) -> attempt.ended(error));
        } catch (IOException e) {
            failed("watch", e, false);
            return;
        }
        boolean late;
        synchronized (lock) {
            late = closed;
        }
        if (late) {
            started.cancel();
        }
    }

    /** One watch, until it ends. */
    private final class Attempt {
        private volatile int status;
        private volatile @Nullable Refused refusal;

        void status(int answered) {
            status = answered;
            if (answered == 200) {
                synchronized (lock) {
                    problem = null;
                }
            }
        }

        void event(JsonNode event) {
            JsonNode object = event.path("object");
            String type = event.path("type").asText();
            if (type.equals("ERROR")) {
                refusal = new Refused(
                        object.path("code").asInt(500), object.path("message").asText("the watch reported an error"));
                throw refusal;
            }
            String seen = object.path("metadata").path("resourceVersion").asText("");
            if (seen.isEmpty()) {
                refusal = new Refused(500, "the API server sent an invalid event");
                throw refusal;
            }
            T after = type.equals("ADDED") || type.equals("MODIFIED") ? parser.apply(object) : null;
            synchronized (lock) {
                if (closed) {
                    return;
                }
                version = seen;
                silentTicks = 0;
                failures = 0;
                refusals = 0;
                expired = false;
                if (after != null) {
                    put(after);
                } else if (!type.equals("BOOKMARK")) {
                    replace(object.path("metadata").path("uid").asText(), null);
                }
            }
            sink.flush();
        }

        void ended(@Nullable Throwable error) {
            synchronized (lock) {
                stream = null;
            }
            Refused refused = refusal;
            if (refused != null) {
                failed("watch", refused, false);
            } else if (error == null && status != 200) {
                failed("watch", new Refused(status, "HTTP " + status), false);
            } else if (error != null && cause(error) instanceof CancellationException) {
                connection.later(Reflector.this::watch, 1);
            } else if (error != null) {
                failed("watch", cause(error), false);
            } else {
                connection.later(Reflector.this::watch, again());
            }
        }

        /** A watch ends now and then, which is not a failure. One that ends again and again is. */
        private int again() {
            synchronized (lock) {
                failures++;
                return failures <= 1 ? 1 : delay(failures);
            }
        }
    }

    private void failed(String verb, Throwable error, boolean listing) {
        boolean list;
        int delay;
        synchronized (lock) {
            if (closed || connection.closed()) {
                return;
            }
            failures++;
            delay = delay(failures);
            list = listing;
            if (error instanceof Refused refused) {
                int status = refused.status;
                // A credential that has just expired is read again for the next try.
                boolean news = status != 401 || failures > 1 || listing;
                refusals++;
                boolean again = expired;
                expired = status == 410;
                list = listing || expired || refusals >= REFUSALS_BEFORE_LIST;
                if (expired && !listing) {
                    delay = again ? delay : delay(1);
                } else {
                    delay = status == 403 || status == 401 || status == 429
                            ? ThreadLocalRandom.current().nextInt(REFUSED_DELAY_MILLIS / 2, REFUSED_DELAY_MILLIS)
                            : delay;
                    problem = news ? refusedProblem(verb, status, error.getMessage()) : problem;
                }
            } else if (failures > 1 || listing) {
                problem = new WatchProblem("", Optional.empty(), Optional.empty(), connection.unreachable(error));
            }
        }
        if (error instanceof Refused refused && refused.status == 401) {
            connection.forgetAuthorization();
        }
        LOG.debug("{} of {} failed, retrying in {} ms: {}", verb, source.where(), delay, error.toString());
        connection.later(list ? this::start : this::watch, delay);
    }

    private WatchProblem refusedProblem(String verb, int status, @Nullable String message) {
        if (status == 401) {
            return connection.unauthorized();
        }
        Action doing = source.resource().action(verb, source.namespace());
        boolean forbidden = status == 403;
        return new WatchProblem(
                source.resource().plural(),
                source.namespace(),
                forbidden ? doing.permission() : Optional.empty(),
                (forbidden ? "not allowed to " : "cannot ") + doing + ": " + message
                        + (forbidden
                                ? " (grant list and watch of "
                                        + source.resource().plural() + ")"
                                : ""));
    }

    /** Full jitter, so that the watches of many clients do not return at the same moment. */
    private static int delay(int failures) {
        return ThreadLocalRandom.current().nextInt(50, Math.min(LONGEST_DELAY_MILLIS, 100 << Math.min(failures, 10)));
    }

    private static Throwable cause(Throwable error) {
        return error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
    }
}
