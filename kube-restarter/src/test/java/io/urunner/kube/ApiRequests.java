package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;

/**
 * Arbitrary requests for the fixtures of tests, with the credential of a connection. The connection itself keeps only
 * those parts of an answer that the module needs.
 */
public final class ApiRequests {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<KubeConnection, HttpClient> CLIENTS = Collections.synchronizedMap(new WeakHashMap<>());

    private ApiRequests() {}

    public record Response(int status, JsonNode body) {}

    public static Response send(KubeConnection connection, String method, String path, String type, JsonNode body)
            throws KubeException {
        HttpClient client = CLIENTS.computeIfAbsent(
                connection,
                added -> HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .sslContext(added.configuration().tls())
                        .connectTimeout(Duration.ofSeconds(3))
                        .build());
        try {
            HttpRequest.Builder request = connection
                    .request(path)
                    .timeout(Duration.ofSeconds(30))
                    .method(
                            method,
                            body == null
                                    ? HttpRequest.BodyPublishers.noBody()
                                    : HttpRequest.BodyPublishers.ofString(body.toString()));
            if (type != null) {
                request.header("Content-Type", type);
            }
            HttpResponse<byte[]> response = client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            return new Response(response.statusCode(), json(response.body()));
        } catch (IOException e) {
            throw new KubeException(method + " " + path + ": " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KubeException(method + " " + path, e);
        }
    }

    private static JsonNode json(byte[] body) {
        try {
            return JSON.readTree(body);
        } catch (IOException e) {
            return MissingNode.getInstance();
        }
    }
}
