package io.urunner.registry.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a registry of the OCI distribution specification does when nothing goes wrong, in memory: manifests, blobs, the
 * upload of blobs in one request or in chunks, mounts and tags. It has no referrers API, as registries before 1.1. Thread-safe.
 */
final class HonestRegistry {
    private static final Pattern MANIFEST = Pattern.compile("/v2/(.+)/manifests/([^/]+)");
    private static final Pattern BLOB = Pattern.compile("/v2/(.+)/blobs/([^/]+:[^/]+)");
    private static final Pattern START = Pattern.compile("/v2/(.+)/blobs/uploads/");
    private static final Pattern UPLOAD = Pattern.compile("/v2/(.+)/blobs/uploads/([^/]+)");
    private static final Pattern TAGS = Pattern.compile("/v2/(.+)/tags/list");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A response: a status, headers and a body. */
    record Response(int status, Map<String, String> headers, byte[] body) {}

    private record Stored(String type, byte[] bytes) {}

    private final Map<String, Stored> manifests = new ConcurrentHashMap<>();
    private final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
    private final Map<String, ByteArrayOutputStream> uploads = new ConcurrentHashMap<>();

    void put(String repository, String tag, TestImage image) {
        manifests.put(repository + "/" + tag, new Stored(image.mediaType(), image.manifest()));
        manifests.put(repository + "/" + image.digest(), new Stored(image.mediaType(), image.manifest()));
        image.blobs().forEach((digest, bytes) -> blobs.put(repository + "/" + digest, bytes));
        image.children().values().forEach(child -> put(repository, child.digest(), child));
    }

    byte @Nullable [] blob(String repository, String digest) {
        byte[] bytes = blobs.get(repository + "/" + digest);
        return bytes == null ? null : bytes.clone();
    }

    int openUploads() {
        return uploads.size();
    }

    void forgetUploads() {
        uploads.clear();
    }

    /** Whether a request continues an upload. */
    static boolean isUpload(HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        return START.matcher(path).matches() || UPLOAD.matcher(path).matches();
    }

    /** Whether a request reads a manifest or a blob. */
    static boolean reads(HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        return List.of("GET", "HEAD").contains(exchange.getRequestMethod())
                && (MANIFEST.matcher(path).matches() || BLOB.matcher(path).matches());
    }

    /** Whether a request is about a manifest. */
    static boolean isManifest(HttpExchange exchange) {
        return MANIFEST.matcher(exchange.getRequestURI().getPath()).matches();
    }

    /** The repository of a request; empty if it names none. */
    static String repository(HttpExchange exchange) {
        for (Pattern pattern : List.of(MANIFEST, START, UPLOAD, BLOB, TAGS)) {
            Matcher found = pattern.matcher(exchange.getRequestURI().getPath());
            if (found.matches()) {
                return found.group(1);
            }
        }
        return "";
    }

    /** Adds the start of a body to an upload, as if the rest never arrived. */
    void keep(HttpExchange exchange, byte[] start) {
        Matcher upload = UPLOAD.matcher(exchange.getRequestURI().getPath());
        ByteArrayOutputStream open = upload.matches() ? uploads.get(upload.group(2)) : null;
        if (open != null) {
            open.writeBytes(start);
        }
    }

    Response answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String method = exchange.getRequestMethod();
        if (path.equals("/v2/")) {
            return new Response(200, Map.of("Content-Type", "application/json"), bytes("{}"));
        }
        Matcher found = MANIFEST.matcher(path);
        if (found.matches()) {
            return manifest(exchange, method, found.group(1), found.group(2));
        }
        found = START.matcher(path);
        if (found.matches()) {
            return start(exchange, found.group(1));
        }
        found = UPLOAD.matcher(path);
        if (found.matches()) {
            return upload(exchange, method, found.group(1), found.group(2));
        }
        found = BLOB.matcher(path);
        if (found.matches()) {
            return blob(method, found.group(1), found.group(2));
        }
        found = TAGS.matcher(path);
        return found.matches() ? tags(found.group(1)) : error(404, "NAME_UNKNOWN", "there is nothing at this path");
    }

    private Response manifest(HttpExchange exchange, String method, String repository, String name) throws IOException {
        String key = repository + "/" + name;
        if (method.equals("PUT")) {
            byte[] bytes = exchange.getRequestBody().readAllBytes();
            String type = String.valueOf(exchange.getRequestHeaders().getFirst("Content-Type"));
            String digest = TestImage.digest(bytes);
            manifests.put(key, new Stored(type, bytes));
            manifests.put(repository + "/" + digest, new Stored(type, bytes));
            return new Response(
                    201,
                    Map.of("Location", "/v2/" + repository + "/manifests/" + digest, "Docker-Content-Digest", digest),
                    new byte[0]);
        }
        Stored stored = method.equals("DELETE") ? manifests.remove(key) : manifests.get(key);
        if (stored == null) {
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown");
        }
        return method.equals("DELETE")
                ? new Response(202, Map.of(), new byte[0])
                : new Response(
                        200,
                        Map.of(
                                "Content-Type",
                                stored.type(),
                                "Docker-Content-Digest",
                                TestImage.digest(stored.bytes())),
                        stored.bytes());
    }

    private Response blob(String method, String repository, String digest) {
        String key = repository + "/" + digest;
        byte[] bytes = method.equals("DELETE") ? blobs.remove(key) : blobs.get(key);
        if (bytes == null) {
            return error(404, "BLOB_UNKNOWN", "blob unknown to registry");
        }
        return method.equals("DELETE")
                ? new Response(202, Map.of(), new byte[0])
                : new Response(
                        200,
                        Map.of("Content-Type", "application/octet-stream", "Docker-Content-Digest", digest),
                        bytes);
    }

    private Response start(HttpExchange exchange, String repository) throws IOException {
        String mount = parameter(exchange, "mount");
        byte[] mounted = blobs.get(parameter(exchange, "from") + "/" + mount);
        if (mounted != null) {
            blobs.put(repository + "/" + mount, mounted);
            return created(repository, String.valueOf(mount));
        }
        String id = UUID.randomUUID().toString();
        uploads.put(id, new ByteArrayOutputStream());
        return parameter(exchange, "digest") == null
                ? progress(202, repository, id)
                : upload(exchange, "PUT", repository, id);
    }

    private Response upload(HttpExchange exchange, String method, String repository, String id) throws IOException {
        ByteArrayOutputStream open = uploads.get(id);
        if (open == null) {
            return error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
        }
        String range = exchange.getRequestHeaders().getFirst("Content-Range");
        if (range != null && !range.startsWith(open.size() + "-")) {
            return progress(416, repository, id);
        }
        switch (method) {
            case "GET" -> {
                return progress(204, repository, id);
            }
            case "DELETE" -> {
                uploads.remove(id);
                return new Response(204, Map.of(), new byte[0]);
            }
            default -> {
                try (InputStream body = exchange.getRequestBody()) {
                    open.writeBytes(body.readAllBytes());
                }
            }
        }
        if (method.equals("PATCH")) {
            return progress(202, repository, id);
        }
        String digest = String.valueOf(parameter(exchange, "digest"));
        byte[] bytes = open.toByteArray();
        uploads.remove(id);
        if (!TestImage.digest(bytes).equals(digest)) {
            return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
        }
        blobs.put(repository + "/" + digest, bytes);
        return created(repository, digest);
    }

    private Response progress(int status, String repository, String id) {
        ByteArrayOutputStream open = uploads.get(id);
        int size = open == null ? 0 : open.size();
        return new Response(
                status,
                Map.of(
                        "Location", "/v2/" + repository + "/blobs/uploads/" + id,
                        "Docker-Upload-UUID", id,
                        "Range", "0-" + Math.max(0, size - 1)),
                new byte[0]);
    }

    private static Response created(String repository, String digest) {
        return new Response(
                201,
                Map.of("Location", "/v2/" + repository + "/blobs/" + digest, "Docker-Content-Digest", digest),
                new byte[0]);
    }

    private Response tags(String repository) throws IOException {
        TreeSet<String> tags = new TreeSet<>();
        manifests.keySet().forEach(key -> {
            String tag = key.substring(key.lastIndexOf('/') + 1);
            if (key.equals(repository + "/" + tag) && !tag.contains(":")) {
                tags.add(tag);
            }
        });
        return tags.isEmpty()
                ? error(404, "NAME_UNKNOWN", "repository name not known to registry")
                : new Response(
                        200,
                        Map.of("Content-Type", "application/json"),
                        JSON.writeValueAsBytes(Map.of("name", repository, "tags", tags)));
    }

    static Response error(int status, String code, String message) {
        return new Response(
                status,
                Map.of("Content-Type", "application/json"),
                bytes("{\"errors\":[{\"code\":\"" + code + "\",\"message\":\"" + message + "\"}]}"));
    }

    private static @Nullable String parameter(HttpExchange exchange, String name) {
        String query = exchange.getRequestURI().getQuery();
        if (query != null) {
            for (String pair : query.split("&", -1)) {
                if (pair.startsWith(name + "=")) {
                    return pair.substring(name.length() + 1);
                }
            }
        }
        return null;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
