package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;

/** Any request, for the fixtures of tests, over the connection that the module itself uses. */
public final class ApiRequests {
    private ApiRequests() {}

    public record Response(int status, JsonNode body) {}

    public static Response send(KubeConnection connection, String method, String path, String type, JsonNode body)
            throws KubeException {
        KubeConnection.Answer answer = connection.send(
                new KubeConnection.Call(method, path, type, body == null ? null : body.toString()),
                method + " " + path);
        return new Response(answer.status(), answer.body());
    }
}
