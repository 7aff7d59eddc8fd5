package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client of one API server. Everything in this package goes through a connection. Thread-safe.
 *
 * <p>The executor handles responses, watches and timers; nothing in this package blocks on it except a credential program
 * of a kubeconfig. Callers must not block on its threads either: methods that wait for a response would wait for
 * themselves. Two threads are enough for any number of workloads. The HTTP client has a few more of its own,
 * whose number is fixed.
 */
public final class KubeConnection implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();
    static final String JSON_TYPE = "application/json";

    private static final Logger LOG = LoggerFactory.getLogger(KubeConnection.class);
    private static final Duration CONNECT = Duration.ofSeconds(3);
    private static final int PAGE = 100;
    private static final int TOKEN_SECONDS = 60;
    private static final int REFUSED_MILLIS = 5000;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(3);
    /** How long an API server that refuses connections may take to start. */
    private static final Duration REFUSED_PATIENCE = Duration.ofSeconds(5);

    private static final Set<Integer> BUSY = Set.of(429, 502, 503, 504);

    private final KubeConfiguration configuration;
    private final String userAgent;
    private final ScheduledExecutorService executor;
    private final Deadlines deadlines;
    private final Duration patience;
    private final HttpClient requests;
    private final WatchPool watches;
    /** Whether a credential was refused recently and has been read again. */
    private final AtomicBoolean refused = new AtomicBoolean();

    private volatile @Nullable Credential credential;
    private volatile boolean closed;

    /**
     * Creates a connection. Sends no request.
     *
     * @param configuration where to
     * @param executor handles what arrives; the caller shuts it down after closing this
     */
    public KubeConnection(KubeConfiguration configuration, ScheduledExecutorService executor) {
        this(configuration, executor, "urunner");
    }

    /**
     * Creates a connection. Sends no request.
     *
     * @param configuration where to
     * @param executor handles what arrives; the caller shuts it down after closing this
     * @param userAgent how the API server's audit log names this client
     */
    public KubeConnection(KubeConfiguration configuration, ScheduledExecutorService executor, String userAgent) {
        this(configuration, executor, userAgent, Duration.ZERO);
    }

    /**
     * Creates a connection. Sends no request.
     *
     * @param configuration where to
     * @param executor handles what arrives; the caller shuts it down after closing this
     * @param userAgent how the API server's audit log names this client
     * @param patience how long reads are retried while the API server is too busy to respond; zero for callers that retry
     *     by themselves
     */
    public KubeConnection(
            KubeConfiguration configuration, ScheduledExecutorService executor, String userAgent, Duration patience) {
        this(configuration, executor, userAgent, Deadlines.DEFAULT, patience);
    }

    KubeConnection(
            KubeConfiguration configuration, ScheduledExecutorService executor, String userAgent, Deadlines deadlines) {
        this(configuration, executor, userAgent, deadlines, Duration.ZERO);
    }

    KubeConnection(
            KubeConfiguration configuration,
            ScheduledExecutorService executor,
            String userAgent,
            Deadlines deadlines,
            Duration patience) {
        this.patience = patience;
        this.userAgent = userAgent;
        this.configuration = configuration;
        this.executor = executor;
        this.deadlines = deadlines;
        this.requests = client(HttpClient.Version.HTTP_1_1);
        this.watches = new WatchPool(this, this::client);
    }

    private HttpClient client(HttpClient.Version version) {
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(version)
                .sslContext(configuration.tls())
                .connectTimeout(CONNECT)
                .followRedirects(HttpClient.Redirect.NEVER)
                .executor(executor);
        configuration.proxySelector().ifPresent(builder::proxy);
        return builder.build();
    }

    /**
     * Returns the configuration of this connection.
     *
     * @return the configuration
     */
    public KubeConfiguration configuration() {
        return configuration;
    }

    ScheduledExecutorService executor() {
        return executor;
    }

    Deadlines deadlines() {
        return deadlines;
    }

    /** Runs something once after a delay; never if the executor has shut down. */
    void later(Runnable what, int millis) {
        Future<?> unused = after(Duration.ofMillis(millis), what);
    }

    private Future<?> after(Duration delay, Runnable what) {
        try {
            return executor.schedule(what, delay.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            closed = true;
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Does something when a future is done. A failure in that is a bug; it is logged, because nobody waits for it. */
    static <T> void whenDone(CompletableFuture<T> future, BiConsumer<? super T, ? super Throwable> then) {
        CompletableFuture<?> unused = future.whenComplete((value, error) -> {
            try {
                then.accept(value, error);
            } catch (RuntimeException e) {
                LOG.error("failed to process a response of the API server; this is a defect", e);
            }
        });
    }

    WatchPool watches() {
        return watches;
    }

    boolean closed() {
        return closed;
    }

    /**
     * A response of the API server.
     *
     * @param body the wanted fields of its body, if that was JSON
     * @param bytes how long the body was
     */
    record Answer(int status, JsonNode body, long bytes) {
        Answer(int status, JsonNode body) {
            this(status, body, 0);
        }

        /** What a {@code Status} object says, see "API conventions: response status kind". */
        String message() {
            String message = body.path("message").asText("");
            return message.isEmpty() ? "HTTP " + status : "HTTP " + status + ": " + message;
        }

        /**
         * Whether an admission rule denied the request: a missing permission is answered with 403, too. Webhooks and
         * policies say that they denied the request; a missing permission is described by what the user cannot do.
         */
        boolean deniedByAdmission() {
            return status == 403 && body.path("message").asText("").matches("(?s).*\\bdenied (the )?request\\b.*");
        }
    }

    /**
     * A request to be sent.
     *
     * @param wanted the fields of the response that are wanted, see {@link JsonSieve}
     * @param item receives each item of a response that is a list
     */
    record Call(
            String method,
            String path,
            @Nullable String type,
            @Nullable String body,
            JsonNode wanted,
            @Nullable Consumer<JsonNode> item) {
        Call(String method, String path, @Nullable String type, @Nullable String body) {
            this(method, path, type, body, ObservedJson.ANSWER, null);
        }

        static Call get(String path) {
            return new Call("GET", path, null, null);
        }

        Call wanting(JsonNode needed) {
            return new Call(method, path, type, body, needed, item);
        }

        /** For a response that is a list. */
        Call each(Wanted needed, Consumer<JsonNode> of) {
            return new Call(method, path, type, body, needed.list(), of);
        }

        private HttpResponse.BodyHandler<JsonBody.Kept> handler() {
            return info -> item == null ? JsonBody.answer(wanted) : JsonBody.list(wanted, item);
        }
    }

    HttpRequest.Builder request(String path) throws IOException {
        HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(configuration.server() + path))
                .header("Accept", JSON_TYPE)
                .header("User-Agent", userAgent);
        Optional<String> authorization = authorization();
        if (authorization.isPresent()) {
            if (!authorization.get().chars().allMatch(each -> each == '\t' || (each >= ' ' && each < 0x7F))) {
                // The HTTP client would say so, and quote it.
                throw new IOException("the credential for the API server is not a single line of printable characters");
            }
            builder.header("Authorization", authorization.get());
        }
        return builder;
    }

    /** The header as last read. */
    private static final class Credential {
        private final Optional<String> header;

        Credential(Optional<String> header) {
            this.header = header;
        }
    }

    private Optional<String> authorization() throws IOException {
        Credential known = credential;
        if (known == null) {
            synchronized (this) {
                known = credential;
                if (known == null) {
                    known = new Credential(header());
                    credential = known;
                    Credential read = known;
                    later(() -> expire(read), TOKEN_SECONDS * 1000);
                }
            }
        }
        return known.header;
    }

    /** Whatever reading it throws is a problem of the connection: callers retry. */
    private Optional<String> header() throws IOException {
        try {
            return configuration.authorization().header();
        } catch (RuntimeException | Error e) {
            // Its message may quote what was read.
            throw new IOException(
                    "cannot get the credential for the API server: "
                            + e.getClass().getName(),
                    e);
        }
    }

    private synchronized void expire(Credential read) {
        if (credential == read) {
            credential = null;
        }
    }

    /**
     * Has the credential read again for the next request, because it was refused. Not for each request, if that does not
     * help: reading it may run a program.
     */
    void forgetAuthorization() {
        if (refused.compareAndSet(false, true)) {
            credential = null;
            later(() -> refused.set(false), REFUSED_MILLIS);
        }
    }

    /** Sends a GET request without waiting. */
    CompletableFuture<Answer> get(Call call, String accept) {
        try {
            // A timeout of the HTTP client ends with the headers before Java 26, and with the body since.
            CompletableFuture<HttpResponse<JsonBody.Kept>> answer = requests.sendAsync(
                    request(call.path()).setHeader("Accept", accept).build(), call.handler());
            Future<?> timer = after(deadlines.answer(), () -> answer.cancel(true));
            whenDone(answer, (response, error) -> timer.cancel(false));
            return answer.thenApply(KubeConnection::answer);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static Answer answer(HttpResponse<JsonBody.Kept> response) {
        return new Answer(
                response.statusCode(), response.body().json(), response.body().bytes());
    }

    /**
     * Sends a request and waits for the response, regardless of its status.
     *
     * @param doing what is being done, for the message of an error
     * @throws KubeException if there is no response
     */
    Answer send(Call call, Action doing) throws KubeException {
        return send(call, doing, deadlines.answer());
    }

    /** As {@link #send(Call, Action)}, with another deadline for each response. */
    Answer send(Call call, Action doing, Duration deadline) throws KubeException {
        if (patience.isZero() || !call.method().equals("GET")) {
            return sendWithCredential(call, doing, deadline);
        }
        Future<?> end = after(patience, () -> {});
        Future<?> refusedEnd = after(patience.compareTo(REFUSED_PATIENCE) < 0 ? patience : REFUSED_PATIENCE, () -> {});
        Duration pause = FIRST_PAUSE;
        try {
            while (true) {
                try {
                    Answer answer = sendWithCredential(call, doing, deadline);
                    if (end.isDone() || !BUSY.contains(answer.status())) {
                        return answer;
                    }
                } catch (KubeException e) {
                    boolean refuses = e.getCause() instanceof ConnectException;
                    if (!mayPass(e) || (refuses ? refusedEnd : end).isDone()) {
                        throw e;
                    }
                    LOG.debug("retrying: {}", e.getMessage());
                }
                pause(pause, doing);
                pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
            }
        } finally {
            end.cancel(false);
            refusedEnd.cancel(false);
        }
    }

    /** Whether the same request may succeed in a moment: a bad credential or certificate stays bad. */
    private boolean mayPass(KubeException e) {
        return !closed
                && !Thread.currentThread().isInterrupted()
                && (e.getCause() instanceof TimeoutException
                        || (e.getCause() instanceof IOException && !(e.getCause() instanceof SSLException)));
    }

    private void pause(Duration time, Action doing) throws KubeException {
        try {
            after(time, () -> {}).get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw noAnswer(doing, e);
        } catch (ExecutionException e) {
            throw noAnswer(doing, e); // the executor has ended
        }
    }

    private Answer sendWithCredential(Call call, Action doing, Duration deadline) throws KubeException {
        Answer answer = sendOnce(call, doing, deadline);
        if (answer.status() == 401) {
            forgetAuthorization();
            answer = sendOnce(call, doing, deadline);
        }
        return answer;
    }

    private Answer sendOnce(Call call, Action doing, Duration deadline) throws KubeException {
        HttpRequest.Builder request = request(call.path(), doing);
        String body = call.body();
        request.method(
                call.method(),
                body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (call.type() != null) {
            request.header("Content-Type", call.type());
        }
        return exchange(request, call.handler(), doing, deadline, response -> {
            Answer answer = answer(response);
            if (answer.status() / 100 == 2 && !answer.body().isObject()) {
                throw new IOException("HTTP " + answer.status() + " without a JSON object");
            }
            return answer;
        });
    }

    /** Sends a GET request and reads a response of any kind with its headers. */
    KubeAccess.PodAnswer text(String path, Map<String, String> headers, Action doing, Duration deadline, int largest)
            throws KubeException {
        HttpRequest.Builder request = request(path, doing).setHeader("Accept", "*/*");
        headers.forEach(request::header);
        return exchange(request, HttpResponse.BodyHandlers.ofInputStream(), doing, deadline, response -> {
            Map<String, String> told = new HashMap<>();
            response.headers().map().forEach((name, values) -> told.put(name.toLowerCase(Locale.ROOT), values.get(0)));
            return new KubeAccess.PodAnswer(response.statusCode(), told, text(response.body(), deadline, largest));
        });
    }

    private String text(InputStream answer, Duration deadline, int largest) throws IOException {
        Future<?> timer = after(deadline, () -> close(answer));
        try (InputStream body = answer) {
            byte[] bytes = body.readNBytes(largest + 1);
            if (bytes.length > largest) {
                throw new IOException("the answer has more than " + largest + " bytes");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        } finally {
            timer.cancel(false);
        }
    }

    private HttpRequest.Builder request(String path, Action doing) throws KubeException {
        if (closed) {
            throw new KubeException("cannot " + doing + ": the connection is closed", KubeException.NO_ANSWER);
        }
        try {
            return request(path);
        } catch (IOException e) {
            // A retry does not fix a credential: without a cause this is not retried.
            throw new KubeException("cannot " + doing + ": " + unreachable(e), KubeException.NO_ANSWER);
        }
    }

    /** Reads a response. */
    private interface Reading<B, T> {
        T read(HttpResponse<B> response) throws IOException;
    }

    /** Sends a request, and waits for the response until the deadline. */
    private <B, T> T exchange(
            HttpRequest.Builder request,
            HttpResponse.BodyHandler<B> handler,
            Action doing,
            Duration deadline,
            Reading<B, T> reading)
            throws KubeException {
        CompletableFuture<HttpResponse<B>> response = requests.sendAsync(request.build(), handler);
        try {
            return reading.read(response.get(deadline.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw noAnswer(doing, e);
        } catch (ExecutionException e) {
            throw noAnswer(doing, e.getCause() == null ? e : e.getCause());
        } catch (IOException | TimeoutException e) {
            throw noAnswer(doing, e);
        } finally {
            response.cancel(true);
        }
    }

    private static void close(InputStream body) {
        try {
            body.close();
        } catch (IOException e) {
            LOG.debug("a response took too long: {}", e.getMessage());
        }
    }

    /** Lists objects with their common fields. */
    void list(String path, String selector, Action doing, Consumer<JsonNode> item) throws KubeException {
        list(path, selector, ObservedJson.ANY, doing, item);
    }

    /**
     * Lists objects page by page.
     *
     * @param path of the collection
     * @param selector as query parameter, encoded; may be empty
     * @param wanted the fields that are wanted
     * @param item receives each object
     * @throws KubeException if the API server refused or could not be reached
     */
    void list(String path, String selector, Wanted wanted, Action doing, Consumer<JsonNode> item) throws KubeException {
        String parameters = "?limit=" + PAGE + (selector.isEmpty() ? "" : "&" + selector);
        String next = "";
        do {
            String from = next.isEmpty() ? "" : "&continue=" + KubeName.encoded(next);
            Answer answer = send(Call.get(path + parameters + from).each(wanted, item), doing);
            if (answer.status() != 200) {
                throw refused(doing, answer);
            }
            next = answer.body().path("metadata").path("continue").asText("");
        } while (!next.isEmpty());
    }

    private KubeException noAnswer(Action doing, Throwable cause) {
        return new KubeException("cannot " + doing + ": " + unreachable(cause), cause);
    }

    /** The message when the API server cannot be reached, or its response makes no sense. */
    String unreachable(Throwable error) {
        return "no usable response from the API server " + configuration.server() + ": " + words(error);
    }

    /** The problem when the API server does not accept the credential: then nothing can be seen. */
    WatchProblem unauthorized() {
        return new WatchProblem(
                "",
                Optional.empty(),
                Optional.empty(),
                "the API server " + configuration.server()
                        + " does not accept the agent's credential (401): it is wrong or has expired");
    }

    /** An error in words; many errors of the HTTP client have no message. */
    static String words(Throwable error) {
        if (error instanceof ConnectException) {
            return "it does not accept connections";
        }
        if (error instanceof TimeoutException || error instanceof CancellationException) {
            return "it does not respond in time";
        }
        return error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
    }

    /** The error for a response other than success. */
    KubeException refused(Action doing, Answer answer) {
        boolean admission = answer.deniedByAdmission();
        boolean forbidden = answer.status() == 403 && !admission;
        String remedy = "";
        if (answer.status() == 401) {
            remedy = " (the credential for the API server is wrong or has expired)";
        } else if (forbidden) {
            remedy = " (grant this permission in the role of the account)";
        } else if (admission) {
            remedy = " (denied by an admission rule of the cluster)";
        }
        return new KubeException(
                (forbidden ? "not allowed to " : "cannot ") + doing + " at " + configuration.server() + ": "
                        + answer.message() + remedy,
                answer.status(),
                admission,
                forbidden ? doing.permission() : Optional.empty());
    }

    /** Closes all watches and sends no more requests. Idempotent. */
    @Override
    public void close() {
        closed = true;
        watches.close();
    }
}
