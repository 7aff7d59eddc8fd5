package io.urunner.registry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The part of a registry that accepts blobs, in memory, with faults that a test chooses. It serves one client. */
final class FakeUploads implements AutoCloseable {
    private static final Pattern DIGEST = Pattern.compile("[?&]digest=([^&]+)");
    private static final Pattern UPLOAD = Pattern.compile("/v2/(.+)/blobs/uploads/([0-9]+)\\?state=([0-9]+).*");

    /** The answer to a request, instead of the usual one: a status, and a code of an error or a body. */
    record Answer(int status, String code) {}

    /** What a test changes about a request before it is handled. */
    interface Fault {
        /** Returns the answer to give, or null to handle the request. */
        @Nullable Answer on(String line);
    }

    private final HttpServer server;
    private final Map<String, ByteArrayOutputStream> uploads = new ConcurrentHashMap<>();
    private final List<Long> cuts = new CopyOnWriteArrayList<>();
    private int opened;

    final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
    final List<String> lines = new CopyOnWriteArrayList<>();

    /** The {@code Content-Range} and the length of each request with content. */
    final List<String> ranges = new CopyOnWriteArrayList<>();

    volatile Fault fault = line -> null;
    volatile boolean losesParts;
    volatile boolean losesAnswers;
    volatile boolean missesPuts;
    volatile boolean acceptsSinglePost;
    volatile int smallestChunk;

    FakeUploads() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        server.createContext("/", this::serve);
        server.start();
    }

    /** Cuts the connections of the next requests with content, each after so many bytes of it. */
    void cutAfter(Long... bytes) {
        cuts.addAll(List.of(bytes));
    }

    String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    Repository repository() {
        return new Repository(host(), "team/app");
    }

    /** How many uploads are neither completed nor cancelled. */
    int open() {
        return uploads.size();
    }

    /** The methods of all requests, in their order. */
    List<String> methods() {
        return lines.stream().map(line -> line.substring(0, line.indexOf(' '))).toList();
    }

    private void serve(HttpExchange exchange) throws IOException {
        String method = exchange.getRequestMethod();
        String target = exchange.getRequestURI().toString();
        lines.add(method + " " + target.replace("%3A", ":"));
        Answer answer = fault.on(method + " " + target);
        if (answer != null) {
            exchange.getRequestBody().readAllBytes();
            answer(exchange, answer.status(), answer.code());
            return;
        }
        Matcher upload = UPLOAD.matcher(target);
        if (upload.matches()) {
            onUpload(exchange, upload.group(2), target);
        } else if (method.equals("POST")) {
            open(exchange, target);
        } else {
            boolean there = blobs.containsKey(target.substring(target.lastIndexOf('/') + 1));
            answer(exchange, there ? 200 : 404, "BLOB_UNKNOWN");
        }
    }

    private void open(HttpExchange exchange, String target) throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        if (!receive(exchange, content)) {
            return;
        }
        if (acceptsSinglePost && target.contains("?digest=")) {
            store(exchange, target, content.toByteArray());
            return;
        }
        String id = String.valueOf(++opened);
        uploads.put(id, new ByteArrayOutputStream());
        if (smallestChunk > 0) {
            exchange.getResponseHeaders().set("OCI-Chunk-Min-Length", "" + smallestChunk);
        }
        locate(exchange, id, 0);
        answer(exchange, 202, "");
    }

    private void onUpload(HttpExchange exchange, String id, String target) throws IOException {
        ByteArrayOutputStream content = uploads.get(id);
        if (content == null) {
            exchange.getRequestBody().readAllBytes();
            answer(exchange, 404, "BLOB_UPLOAD_UNKNOWN");
            return;
        }
        switch (exchange.getRequestMethod()) {
            case "DELETE" -> {
                uploads.remove(id);
                answer(exchange, 204, "");
            }
            case "GET" -> {
                locate(exchange, id, content.size());
                answer(exchange, 204, "");
            }
            default -> append(exchange, id, content, target);
        }
    }

    private void append(HttpExchange exchange, String id, ByteArrayOutputStream content, String target)
            throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Content-Range");
        if (range != null && !range.startsWith(content.size() + "-")) {
            exchange.getRequestBody().readAllBytes();
            locate(exchange, id, content.size());
            answer(exchange, 416, "RANGE_INVALID");
        } else if (missesPuts && exchange.getRequestMethod().equals("PUT")) {
            exchange.getRequestBody().readAllBytes();
            uploads.remove(id);
            store(exchange, target, content.toByteArray());
        } else if (!receive(exchange, content)) {
            if (losesParts) {
                uploads.remove(id);
            }
        } else if (exchange.getRequestMethod().equals("PATCH")) {
            locate(exchange, id, content.size());
            answer(exchange, 202, "");
        } else {
            uploads.remove(id);
            store(exchange, target, content.toByteArray());
        }
    }

    /** Returns false if the connection was cut. */
    private boolean receive(HttpExchange exchange, ByteArrayOutputStream content) throws IOException {
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        InputStream body = exchange.getRequestBody();
        if (length == null || length.equals("0")) {
            return true;
        }
        ranges.add(exchange.getRequestHeaders().getFirst("Content-Range") + " " + length);
        if (cuts.isEmpty()) {
            body.transferTo(content);
            return true;
        }
        content.write(body.readNBytes(Math.toIntExact(cuts.remove(0))));
        exchange.close();
        return false;
    }

    private void store(HttpExchange exchange, String target, byte[] content) throws IOException {
        Matcher matcher = DIGEST.matcher(target.replace("%3A", ":"));
        Digest digest = Digest.parse(matcher.find() ? matcher.group(1) : "");
        if (!digest.matches(content)) {
            answer(exchange, 400, "DIGEST_INVALID");
            return;
        }
        blobs.put(digest.toString(), content);
        if (losesAnswers) {
            losesAnswers = false;
            exchange.close();
            return;
        }
        exchange.getResponseHeaders().set("Docker-Content-Digest", digest.toString());
        exchange.getResponseHeaders().set("Location", "/v2/team/app/blobs/" + digest);
        answer(exchange, 201, "");
    }

    private static void locate(HttpExchange exchange, String id, int size) {
        exchange.getResponseHeaders().set("Location", "/v2/team/app/blobs/uploads/" + id + "?state=" + size);
        exchange.getResponseHeaders().set("Range", "0-" + Math.max(0, size - 1));
    }

    private static void answer(HttpExchange exchange, int status, String code) throws IOException {
        boolean hasBody = status >= 400 && !exchange.getRequestMethod().equals("HEAD");
        String text = code.startsWith("<") ? code : "{\"errors\":[{\"code\":\"" + code + "\"}]}";
        byte[] body = hasBody ? text.getBytes(StandardCharsets.UTF_8) : new byte[0];
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    /** The requests of one method, without the others. */
    List<String> lines(String method) {
        List<String> found = new ArrayList<>(lines);
        found.removeIf(line -> !line.startsWith(method + " "));
        return found;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
