package io.urunner.agent.app.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A stand-in for the Kubernetes API server on loopback: get, list, watch, create, replace and patch of the few
 * resources that the agent uses, without authentication. It knows no kinds; {@link DemoControllers} turns workloads
 * into pods.
 */
final class DemoApiServer implements AutoCloseable {
    private static final Pattern PATH = Pattern.compile(
            "/apis?/(?<group>[^/]+(/v[^/]+)?)(/namespaces/(?<ns>[^/]+))?/(?<resource>[a-z]+)(/(?<name>[^/]+))?");

    private final HttpServer server;
    private final ExecutorService threads;
    private final ApiObjects objects;

    private DemoApiServer(HttpServer server, ExecutorService threads, ApiObjects objects) {
        this.server = server;
        this.threads = threads;
        this.objects = objects;
    }

    static DemoApiServer start(ApiObjects objects) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        AtomicInteger number = new AtomicInteger();
        ExecutorService threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "demo-api-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        DemoApiServer api = new DemoApiServer(server, threads, objects);
        server.createContext("/", api::answer);
        server.setExecutor(threads);
        server.start();
        return api;
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            Matcher matcher = PATH.matcher(path);
            if (!matcher.matches()) {
                status(exchange, 404, "NotFound", path);
                return;
            }
            String namespace = Optional.ofNullable(matcher.group("ns")).orElse("");
            String resource = matcher.group("resource");
            String name = Optional.ofNullable(matcher.group("name")).orElse("");
            // /api/v1/namespaces/NAME is the namespace itself, which the pattern mistakes for the resources in it.
            if (resource.equals("namespaces")) {
                namespace = "";
            }
            Map<String, String> query = query(exchange);
            switch (exchange.getRequestMethod()) {
                case "GET" -> {
                    if (!name.isEmpty()) {
                        found(exchange, objects.get(resource, namespace, name), path);
                    } else if (query.containsKey("watch")
                            && !query.getOrDefault("watch", "").equals("false")) {
                        watch(exchange, resource, namespace, query);
                    } else {
                        list(exchange, resource, namespace, query);
                    }
                }
                case "POST" -> {
                    ObjectNode body = body(exchange);
                    if (resource.equals("selfsubjectaccessreviews")) {
                        body.putObject("status").put("allowed", true);
                        send(exchange, 201, body);
                    } else {
                        if (body.path("metadata").path("name").asText().isEmpty()) {
                            body.withObject("/metadata").put("name", "generated-" + objects.version());
                        }
                        body.withObject("/metadata").put("namespace", namespace);
                        send(exchange, 201, objects.put(resource, body));
                    }
                }
                case "PUT" -> send(exchange, 200, objects.put(resource, body(exchange)));
                case "PATCH" -> found(exchange, objects.patch(resource, namespace, name, body(exchange)), path);
                default -> status(exchange, 405, "MethodNotAllowed", path);
            }
        } catch (ApiObjects.ConflictException e) {
            status(exchange, 409, "Conflict", "the object has been modified");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void list(HttpExchange exchange, String resource, String namespace, Map<String, String> query)
            throws IOException {
        ObjectNode list = ApiObjects.JSON.createObjectNode();
        list.put("kind", "List").put("apiVersion", "v1");
        list.putObject("metadata").put("resourceVersion", Long.toString(objects.version()));
        ArrayNode items = list.putArray("items");
        objects.list(resource, namespace).stream()
                .filter(object -> selected(object, query))
                .forEach(items::add);
        send(exchange, 200, list);
    }

    private void watch(HttpExchange exchange, String resource, String namespace, Map<String, String> query)
            throws IOException, InterruptedException {
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, 0);
        OutputStream out = exchange.getResponseBody();
        out.flush();
        long seen = Long.parseLong(query.getOrDefault("resourceVersion", "0"));
        while (!Thread.currentThread().isInterrupted()) {
            List<ApiObjects.Event> events = objects.eventsAfter(seen);
            for (ApiObjects.Event event : events) {
                seen = event.version();
                ObjectNode object = event.object();
                if (event.resource().equals(resource)
                        && (namespace.isEmpty()
                                || namespace.equals(object.path("metadata")
                                        .path("namespace")
                                        .asText()))
                        && selected(object, query)) {
                    ObjectNode line = ApiObjects.JSON.createObjectNode();
                    line.put("type", event.type()).set("object", object);
                    out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
                    out.flush();
                }
            }
        }
    }

    /** Equality-based label selectors: {@code a=b,c!=d}. */
    private static boolean selected(ObjectNode object, Map<String, String> query) {
        JsonNode labels = object.path("metadata").path("labels");
        for (String term : query.getOrDefault("labelSelector", "").split(",", -1)) {
            int not = term.indexOf("!=");
            int is = term.indexOf('=');
            if (not > 0 && labels.path(term.substring(0, not)).asText().equals(term.substring(not + 2))) {
                return false;
            }
            if (not < 0
                    && is > 0
                    && !labels.path(term.substring(0, is)).asText().equals(term.substring(is + 1))) {
                return false;
            }
        }
        return true;
    }

    private static Map<String, String> query(HttpExchange exchange) {
        Map<String, String> query = new HashMap<>();
        String raw = exchange.getRequestURI().getRawQuery();
        for (String pair : raw == null ? new String[0] : raw.split("&", -1)) {
            int is = pair.indexOf('=');
            query.put(
                    is < 0 ? pair : pair.substring(0, is),
                    is < 0 ? "" : URLDecoder.decode(pair.substring(is + 1), StandardCharsets.UTF_8));
        }
        return query;
    }

    private static ObjectNode body(HttpExchange exchange) throws IOException {
        return (ObjectNode) ApiObjects.JSON.readTree(exchange.getRequestBody());
    }

    private static void found(HttpExchange exchange, Optional<ObjectNode> object, String path) throws IOException {
        if (object.isPresent()) {
            send(exchange, 200, object.get());
        } else {
            status(exchange, 404, "NotFound", path + " not found");
        }
    }

    private static void status(HttpExchange exchange, int code, String reason, String message) throws IOException {
        ObjectNode status = ApiObjects.JSON.createObjectNode();
        status.put("kind", "Status").put("apiVersion", "v1").put("status", "Failure");
        status.put("reason", reason).put("message", message).put("code", code);
        send(exchange, code, status);
    }

    private static void send(HttpExchange exchange, int code, ObjectNode json) throws IOException {
        byte[] body = json.toString().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(code, body.length);
        exchange.getResponseBody().write(body);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
