package io.urunner.agent.http;

import io.urunner.agent.text.Printable;
import java.io.IOException;
import java.util.Map;
import java.util.function.Supplier;

/** Answers the requests to one path. Implementations are thread-safe and do not wait long. */
@FunctionalInterface
public interface Endpoint {
    /**
     * Answers a request.
     *
     * @param request the request
     * @return the answer
     * @throws IOException if the connection fails
     */
    Response answer(Request request) throws IOException;

    /** A request. */
    interface Request {
        /**
         * The method.
         *
         * @return for example {@code GET}
         */
        String method();

        /**
         * A header.
         *
         * @param name its name, in any case
         * @return its first value, or the empty text
         */
        String header(String name);

        /**
         * The query, decoded.
         *
         * @return the last value of each parameter
         */
        Map<String, String> query();

        /**
         * Reads the body.
         *
         * @param limit how many bytes at most
         * @return the body
         * @throws BodyTooLargeException if the body is longer; what is not caught is answered with 413
         * @throws IOException if the connection fails
         */
        byte[] body(int limit) throws IOException;
    }

    /**
     * An answer.
     *
     * @param status the HTTP status
     * @param contentType its media type
     * @param body its text; what is given is made harmless
     * @param headers further headers
     */
    record Response(int status, String contentType, String body, Map<String, String> headers) {
        public Response {
            body = Printable.lines(body);
            headers = Map.copyOf(headers);
        }

        /**
         * An answer of one line in plain text.
         *
         * @param status the HTTP status
         * @param line the line
         * @return the answer
         */
        public static Response text(int status, String line) {
            String shown = Printable.line(line.stripTrailing()) + (line.endsWith("\n") ? "\n" : "");
            return new Response(status, "text/plain; charset=utf-8", shown, Map.of());
        }
    }

    /**
     * Restricts an endpoint to reading.
     *
     * @param endpoint what answers {@code GET} and {@code HEAD}
     * @return an endpoint that answers 405 to other methods
     */
    static Endpoint reading(Endpoint endpoint) {
        return request -> switch (request.method()) {
            case "GET", "HEAD" -> endpoint.answer(request);
            default ->
                new Response(405, "text/plain; charset=utf-8", "method not allowed\n", Map.of("Allow", "GET, HEAD"));
        };
    }

    /**
     * A probe: 200 while there is nothing wrong, else 503 with the reason.
     *
     * @param problem what is wrong, empty while nothing is
     * @return the endpoint
     */
    static Endpoint probe(Supplier<String> problem) {
        return reading(request -> {
            String words = problem.get();
            return words.isEmpty() ? Response.text(200, "ok\n") : Response.text(503, words + "\n");
        });
    }
}
