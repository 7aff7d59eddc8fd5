package io.urunner.registry.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.urunner.registry.testing.HonestRegistry.Response;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * A registry on loopback that misbehaves as real registries, proxies and gateways have been seen to, for the tests of
 * clients and plugins. Without any fault it is a plain registry in memory, which can be read and written:
 *
 * <pre>{@code
 * try (MisbehavingRegistry registry =
 *         MisbehavingRegistry.builder().lyingHead(403).start()) {
 *     String digest = registry.push("shop/web", "latest", TestImage.image("one"));
 *     // resolve registry.host() + "/shop/web:latest", and compare
 *     assertThat(registry.requests()).containsExactly("HEAD …", "GET …");
 * }
 * }</pre>
 *
 * <p>What it can get wrong, which can be combined:
 *
 * <ul>
 *   <li>{@code HEAD}: {@link Builder#lyingHead} (manifests), {@link Builder#lyingBlobHead}
 *   <li>connections: {@link Builder#cutUploads}, {@link Builder#cutBodies}, {@link Builder#slowBodies}, {@link
 *       Builder#loseAnswers}
 *   <li>redirects: {@link Builder#redirect(MisbehavingRegistry)} of reads, {@link Builder#redirectWrites}
 *   <li>authentication: {@link Builder#challenge}
 *   <li>types of manifests: {@link Builder#blobsAskedAsManifests}, {@link Builder#unknownTypes}
 *   <li>headers: {@link Builder#mediaType}, {@link Builder#digestHeader}, {@link Builder#contentEncoding}, {@link
 *       Builder#minimumChunk}
 *   <li>gateways in the way: {@link Builder#failFirst}
 * </ul>
 *
 * <p>It speaks HTTP without TLS. Two of them are two hosts: let the first redirect to the second. Needs nothing but the
 * JDK, not even the client. Thread-safe; closing it ends its threads and everything that it lets wait.
 */
public final class MisbehavingRegistry implements AutoCloseable {
    private static final List<String> WRITES = List.of("POST", "PUT", "PATCH", "DELETE");

    private final Builder faults;
    private final HonestRegistry content = new HonestRegistry();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final List<String> authorizations = new CopyOnWriteArrayList<>();
    private final AtomicInteger cuts = new AtomicInteger();
    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicInteger lost = new AtomicInteger();
    private final CountDownLatch over = new CountDownLatch(1);
    private final ExecutorService threads;
    private final HttpServer server;

    private MisbehavingRegistry(Builder faults) {
        this.faults = faults;
        cuts.set(faults.cutTimes);
        failures.set(faults.failures);
        lost.set(faults.lostTimes);
        threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "misbehaving-registry");
            thread.setDaemon(true);
            return thread;
        });
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    /**
     * Starts the description of a registry; without any call of its methods it has no fault.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns its name in image references.
     *
     * @return {@code 127.0.0.1:PORT}
     */
    public String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    /**
     * Adds an image, with its blobs and children.
     *
     * @param repository the repository
     * @param tag the tag
     * @param image the image
     * @return the digest of its manifest
     */
    public String push(String repository, String tag, TestImage image) {
        content.put(repository, tag, image);
        return image.digest();
    }

    /**
     * Returns a blob that was pushed.
     *
     * @param repository the repository
     * @param digest the digest
     * @return the content, or null if it is not there
     */
    public byte @Nullable [] blob(String repository, String digest) {
        return content.blob(repository, digest);
    }

    /**
     * Counts the uploads that were started, and neither completed nor cancelled.
     *
     * @return the number
     */
    public int openUploads() {
        return content.openUploads();
    }

    /**
     * Returns the requests.
     *
     * @return {@code METHOD path}, with the query, oldest first
     */
    public List<String> requests() {
        return List.copyOf(requests);
    }

    /**
     * Returns what was sent as {@code Authorization}.
     *
     * @return one text per request, empty if there was none, in the order of {@link #requests}
     */
    public List<String> authorizations() {
        return List.copyOf(authorizations);
    }

    @Override
    public void close() {
        over.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
        String shown = exchange.getRequestHeaders().getFirst("Authorization");
        authorizations.add(shown == null ? "" : shown);
        try {
            Response fault = fault(exchange, shown);
            if (fault != null) {
                exchange.getRequestBody().readAllBytes();
                send(exchange, fault);
            } else if (faults.cutUploadAt >= 0 && isLong(exchange) && cuts.getAndDecrement() > 0) {
                cutUpload(exchange);
            } else {
                Response answer = content.answer(exchange);
                boolean loses = exchange.getRequestMethod().equals(faults.lostMethod) && lost.getAndDecrement() > 0;
                if (!loses) {
                    send(exchange, changed(exchange, answer));
                }
            }
        } finally {
            exchange.close();
        }
    }

    /** What is answered instead of the truth, or null. */
    private @Nullable Response fault(HttpExchange exchange, @Nullable String shown) {
        if (failures.get() > 0 && failures.getAndDecrement() > 0) {
            return new Response(
                    faults.failure, faults.failureHeaders, faults.failureBody.getBytes(StandardCharsets.UTF_8));
        }
        if (faults.challenge != null && (shown == null || !shown.equals(faults.accepted))) {
            Response refusal = HonestRegistry.error(401, "UNAUTHORIZED", "authentication required");
            String challenge = faults.challenge.replace("REPOSITORY", HonestRegistry.repository(exchange));
            return new Response(401, with(refusal.headers(), "WWW-Authenticate", challenge), refusal.body());
        }
        if (faults.redirect != null && HonestRegistry.reads(exchange)) {
            return new Response(307, Map.of("Location", faults.redirect + exchange.getRequestURI()), new byte[0]);
        }
        String method = exchange.getRequestMethod();
        if (faults.redirectWrites != null && WRITES.contains(method)) {
            String location = faults.redirectWrites + exchange.getRequestURI();
            return new Response(faults.redirectWritesStatus, Map.of("Location", location), new byte[0]);
        }
        if (faults.unknownTypes != 0 && HonestRegistry.isManifest(exchange) && !isOfKnownType(exchange)) {
            return HonestRegistry.error(faults.unknownTypes, "MANIFEST_INVALID", "the type is unknown");
        }
        boolean lies = method.equals("HEAD") && HonestRegistry.reads(exchange);
        int status = HonestRegistry.isManifest(exchange) ? faults.head : faults.blobHead;
        return lies && status != 0 ? new Response(status, Map.of(), new byte[0]) : null;
    }

    private static boolean isOfKnownType(HttpExchange exchange) {
        String header = exchange.getRequestMethod().equals("PUT") ? "Content-Type" : "Accept";
        String type = String.valueOf(exchange.getRequestHeaders().getFirst(header));
        return type.startsWith("application/vnd.oci.image.") || type.startsWith("application/vnd.docker.");
    }

    /** The true answer with what is wrong about it. */
    private Response changed(HttpExchange exchange, Response answer) {
        String path = exchange.getRequestURI().getPath();
        String digest = path.substring(path.lastIndexOf('/') + 1);
        if (faults.blobsAskedAsManifests != 0
                && answer.status() == 404
                && HonestRegistry.isManifest(exchange)
                && content.blob(HonestRegistry.repository(exchange), digest) != null) {
            return HonestRegistry.error(faults.blobsAskedAsManifests, "UNKNOWN", "unknown error");
        }
        Map<String, String> headers = new HashMap<>(answer.headers());
        if (HonestRegistry.isManifest(exchange) && answer.status() == 200) {
            if (faults.mediaType != null) {
                headers.put("Content-Type", faults.mediaType);
            }
            if (faults.digest != null) {
                headers.put("Docker-Content-Digest", faults.digest);
            }
        }
        if (faults.minimumChunk > 0 && HonestRegistry.isUpload(exchange)) {
            headers.put("OCI-Chunk-Min-Length", String.valueOf(faults.minimumChunk));
        }
        byte[] body = answer.body();
        if (faults.encoding != null && body.length > 0) {
            headers.put("Content-Encoding", faults.encoding);
            body = faults.encoding.endsWith("gzip") ? gzip(body) : body;
        }
        headers.values().removeIf(String::isEmpty);
        return new Response(answer.status(), headers, body);
    }

    private boolean isLong(HttpExchange exchange) {
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        return WRITES.contains(exchange.getRequestMethod())
                && HonestRegistry.isUpload(exchange)
                && (length == null || Long.parseLong(length) > faults.cutUploadAt);
    }

    private void cutUpload(HttpExchange exchange) throws IOException {
        byte[] start = exchange.getRequestBody().readNBytes(faults.cutUploadAt);
        if (faults.keepsWhatArrived) {
            content.keep(exchange, start);
        } else {
            content.forgetUploads();
        }
    }

    private void send(HttpExchange exchange, Response answer) throws IOException {
        answer.headers().forEach(exchange.getResponseHeaders()::set);
        int length = answer.body().length;
        boolean head = exchange.getRequestMethod().equals("HEAD");
        if (head || length == 0) {
            if (head) {
                exchange.getResponseHeaders().set("Content-Length", String.valueOf(length));
            }
            exchange.sendResponseHeaders(answer.status(), -1);
            return;
        }
        exchange.sendResponseHeaders(answer.status(), length);
        boolean read = HonestRegistry.reads(exchange) && answer.status() == 200;
        int first = read && faults.bodyStopsAt >= 0 ? Math.min(faults.bodyStopsAt, length) : length;
        OutputStream out = exchange.getResponseBody();
        out.write(answer.body(), 0, first);
        out.flush();
        if (first < length && faults.bodyStops > 0) {
            rest(out, answer.body(), first);
        }
    }

    /** Waits, and writes the rest if nobody closed this meanwhile. */
    private void rest(OutputStream out, byte[] body, int from) throws IOException {
        try {
            if (!over.await(faults.bodyStops, TimeUnit.MILLISECONDS)) {
                out.write(body, from, body.length - from);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static byte[] gzip(byte[] content) {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(compressed)) {
            out.write(content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return compressed.toByteArray();
    }

    private static Map<String, String> with(Map<String, String> headers, String name, String value) {
        Map<String, String> all = new HashMap<>(headers);
        all.put(name, value);
        return all;
    }

    /** The faults of a registry. They can be combined. Single use; not thread-safe. */
    public static final class Builder {
        private int head;
        private int blobHead;
        private int blobsAskedAsManifests;
        private int unknownTypes;
        private @Nullable String lostMethod;
        private int lostTimes;
        private @Nullable String redirectWrites;
        private int redirectWritesStatus;
        private @Nullable String encoding;
        private int cutUploadAt = -1;
        private int cutTimes;
        private boolean keepsWhatArrived;
        private int minimumChunk;
        private @Nullable String redirect;
        private @Nullable String challenge;
        private @Nullable String accepted;
        private @Nullable String mediaType;
        private @Nullable String digest;
        private int bodyStopsAt = -1;
        private long bodyStops;
        private int failure;
        private int failures;
        private String failureBody = "";
        private Map<String, String> failureHeaders = Map.of();

        private Builder() {}

        /**
         * Answers {@code HEAD} of a manifest with this status, and {@code GET} truly. Some proxies and Nexus do so.
         *
         * @param status 400, 403, 404, 405 or 500, for example
         * @return this
         */
        public Builder lyingHead(int status) {
            head = status;
            return this;
        }

        /**
         * Answers {@code HEAD} of a blob with this status, and {@code GET} truly.
         *
         * @param status 400, 403, 404, 405 or 500, for example
         * @return this
         */
        public Builder lyingBlobHead(int status) {
            blobHead = status;
            return this;
        }

        /**
         * Answers with this status if a manifest is read and a blob has the digest. docker-registry does so with 500,
         * each time.
         *
         * @param status the status
         * @return this
         */
        public Builder blobsAskedAsManifests(int status) {
            blobsAskedAsManifests = status;
            return this;
        }

        /**
         * Answers with this status whoever reads or writes a manifest of a type that is neither OCI's nor Docker's,
         * whether it is there or not. When it is read, the first type of {@code Accept} counts.
         *
         * @param status 400, 406 or 415, for example
         * @return this
         */
        public Builder unknownTypes(int status) {
            unknownTypes = status;
            return this;
        }

        /**
         * Cuts the connection instead of answering, after the request was handled as usual: what it asked for has
         * happened, and the client cannot know.
         *
         * @param method the method of these requests, for example {@code PUT}
         * @param times how many of them
         * @return this
         */
        public Builder loseAnswers(String method, int times) {
            lostMethod = method;
            lostTimes = times;
            return this;
        }

        /**
         * Encodes all bodies, although the client accepts only {@code identity}, as some proxies do.
         *
         * @param encoding the {@code Content-Encoding}: {@code gzip} or {@code x-gzip}, with compressed bodies, or any
         *     other, which is a label only
         * @return this
         */
        public Builder contentEncoding(String encoding) {
            this.encoding = encoding;
            return this;
        }

        /**
         * Cuts the connection in the middle of an upload.
         *
         * @param bytes after how many bytes of a request's body; shorter bodies arrive
         * @param times how many uploads are cut before one arrives
         * @param keeps whether what arrived counts, so that the client can go on from there. Otherwise the registry
         *     forgets the upload, and answers 404 with {@code BLOB_UPLOAD_UNKNOWN}
         * @return this
         */
        public Builder cutUploads(int bytes, int times, boolean keeps) {
            cutUploadAt = bytes;
            cutTimes = times;
            keepsWhatArrived = keeps;
            return this;
        }

        /**
         * Names the size of the smallest chunk in {@code OCI-Chunk-Min-Length}.
         *
         * @param bytes the size
         * @return this
         */
        public Builder minimumChunk(int bytes) {
            minimumChunk = bytes;
            return this;
        }

        /**
         * Redirects the reading of manifests and blobs to another host with 307, as gateways do that lead to the real
         * registry. A client must not show that host the credential of this one, and answers its challenge.
         *
         * @param registry the other host
         * @return this
         */
        public Builder redirect(MisbehavingRegistry registry) {
            return redirect("http://" + registry.host());
        }

        /**
         * Redirects the reading of manifests and blobs with 307.
         *
         * @param origin scheme and host, for example {@code https://elsewhere.example}
         * @return this
         */
        public Builder redirect(String origin) {
            redirect = origin;
            return this;
        }

        /**
         * Redirects all writes (POST, PUT, PATCH and DELETE) to another host. A client must keep method and content, and
         * must not show that host the credential of this one.
         *
         * @param registry the other host
         * @param status 307 or 308; or another one, with which a write must not be repeated
         * @return this
         */
        public Builder redirectWrites(MisbehavingRegistry registry, int status) {
            redirectWrites = "http://" + registry.host();
            redirectWritesStatus = status;
            return this;
        }

        /**
         * Requires an {@code Authorization}.
         *
         * @param header the {@code WWW-Authenticate} of the refusals, literally, with any realm, wrong ones included;
         *     {@code REPOSITORY} in it stands for the repository of the request
         * @param authorization the {@code Authorization} that is accepted, for example {@code Bearer token-1}
         * @return this
         */
        public Builder challenge(String header, String authorization) {
            challenge = header;
            accepted = authorization;
            return this;
        }

        /**
         * Serves manifests with another media type.
         *
         * @param type for example {@code text/plain}; empty for no {@code Content-Type}
         * @return this
         */
        public Builder mediaType(String type) {
            mediaType = type;
            return this;
        }

        /**
         * Names another digest in {@code Docker-Content-Digest}.
         *
         * @param value the header's value; empty for none
         * @return this
         */
        public Builder digestHeader(String value) {
            digest = value;
            return this;
        }

        /**
         * Cuts the connection in the middle of the body of a manifest or blob.
         *
         * @param bytes after how many bytes
         * @return this
         */
        public Builder cutBodies(int bytes) {
            return slowBodies(bytes, Duration.ZERO);
        }

        /**
         * Pauses in the middle of the body of a manifest or blob.
         *
         * @param bytes after how many bytes
         * @param pause how long; closing the registry ends it
         * @return this
         */
        public Builder slowBodies(int bytes, Duration pause) {
            bodyStopsAt = bytes;
            bodyStops = pause.toMillis();
            return this;
        }

        /**
         * Answers the first requests like a gateway that is in the way.
         *
         * @param status the status
         * @param times how many requests
         * @param headers the headers, such as {@code Content-Type} or {@code Retry-After}
         * @param body the body, for example a page of HTML
         * @return this
         */
        public Builder failFirst(int status, int times, Map<String, String> headers, String body) {
            failure = status;
            failures = times;
            failureHeaders = Map.copyOf(headers);
            failureBody = body;
            return this;
        }

        /**
         * Starts the registry on a free port.
         *
         * @return the registry; the caller closes it
         */
        public MisbehavingRegistry start() {
            return new MisbehavingRegistry(this);
        }
    }
}
