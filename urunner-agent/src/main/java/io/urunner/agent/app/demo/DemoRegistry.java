package io.urunner.agent.app.demo;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A registry of manifests on loopback: enough of the distribution API to resolve tags and to read manifests. */
final class DemoRegistry implements AutoCloseable {
    private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    private static final Pattern MANIFESTS = Pattern.compile("/v2/(.+)/manifests/([^/]+)");
    private static final String EMPTY_CONFIG =
            "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    private final HttpServer server;
    private final Map<String, byte[]> manifests = new ConcurrentHashMap<>();
    private final AtomicInteger resolved = new AtomicInteger();

    private DemoRegistry(HttpServer server) {
        this.server = server;
    }

    static DemoRegistry start() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        DemoRegistry registry = new DemoRegistry(server);
        server.createContext("/v2/", registry::answer);
        server.start();
        return registry;
    }

    /** {@code host:port}. */
    String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    /** How often a tag's digest was requested. */
    int resolved() {
        return resolved.get();
    }

    /** Pushes an image: a manifest whose content depends only on the version. Returns the manifest's digest. */
    String push(String repository, String tag, String version) {
        String text = "{\"schemaVersion\":2,\"mediaType\":\"" + MANIFEST + "\",\"config\":"
                + "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"" + EMPTY_CONFIG
                + "\",\"size\":2},\"layers\":[],"
                + "\"annotations\":{\"org.opencontainers.image.version\":\"" + version + "\"}}";
        byte[] manifest = text.getBytes(StandardCharsets.UTF_8);
        String digest = digest(manifest);
        manifests.put(repository + "@" + digest, manifest);
        manifests.put(repository + "@" + tag, manifest);
        return digest;
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getResponseHeaders().set("Docker-Distribution-Api-Version", "registry/2.0");
            Matcher path = MANIFESTS.matcher(exchange.getRequestURI().getPath());
            byte[] manifest = path.matches() ? manifests.get(path.group(1) + "@" + path.group(2)) : null;
            boolean head = exchange.getRequestMethod().equals("HEAD");
            if (exchange.getRequestURI().getPath().equals("/v2/")) {
                exchange.sendResponseHeaders(200, -1);
            } else if (manifest == null) {
                byte[] error = "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\"}]}"
                        .getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                exchange.sendResponseHeaders(404, head ? -1 : error.length);
                if (!head) {
                    exchange.getResponseBody().write(error);
                }
            } else {
                exchange.getResponseHeaders().set("Content-Type", MANIFEST);
                exchange.getResponseHeaders().set("Docker-Content-Digest", digest(manifest));
                if (head) {
                    resolved.incrementAndGet();
                    exchange.getResponseHeaders().set("Content-Length", Integer.toString(manifest.length));
                }
                exchange.sendResponseHeaders(200, head ? -1 : manifest.length);
                if (!head) {
                    exchange.getResponseBody().write(manifest);
                }
            }
        }
    }

    private static String digest(byte[] content) {
        try {
            return "sha256:"
                    + HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
