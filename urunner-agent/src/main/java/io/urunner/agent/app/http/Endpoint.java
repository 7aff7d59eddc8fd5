package io.urunner.agent.app.http;

import io.urunner.agent.text.Printable;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Answers the requests to one path. Implementations are thread-safe and do not wait long. */
@FunctionalInterface
public interface Endpoint {
    /**
     * Answers a request.
     *
     * @param request the request, with its body
     * @return the answer
     * @throws IOException if it cannot be written
     */
    Response answer(Request request) throws IOException;

    /**
     * Checks a request before its body is read, so that unauthorized clients cannot send one.
     *
     * @param head the request, without its body
     * @return the response that refuses it; empty to read and answer it
     */
    default Optional<Response> refusal(Request head) {
        return Optional.empty();
    }

    /**
     * The maximum length of a body. A longer one is answered with 413.
     *
     * @return in bytes; 0 if no body is read at all
     */
    default int longestBody() {
        return 0;
    }

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
         * @return its value, or the empty text; of several fields all values, after commas
         */
        String header(String name);

        /**
         * The query, decoded.
         *
         * @return the last value of each parameter
         */
        Map<String, String> query();

        /**
         * The announced length of the body.
         *
         * @return in bytes; negative if it comes in chunks
         */
        long length();

        /**
         * The body.
         *
         * @return all of it; nothing where no body is read
         */
        byte[] body();
    }

    /**
     * An answer.
     *
     * @param status the HTTP status
     * @param contentType its media type
     * @param body its text, which is made harmless
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
     * A probe: 200 if nothing is wrong, else 503 with the reason.
     *
     * @param problem what is wrong; empty if nothing is
     * @return the endpoint
     */
    static Endpoint probe(Supplier<String> problem) {
        return reading(request -> {
            String words = problem.get();
            return words.isEmpty() ? Response.text(200, "ok\n") : Response.text(503, words + "\n");
        });
    }
}
