package io.urunner.agent.app.http;

/** The input is not an HTTP request that is answered here. The message goes to the client and contains none of its input. */
final class MalformedRequestException extends Exception {
    private static final long serialVersionUID = 1;

    private final int status;

    MalformedRequestException(String message) {
        this(400, message);
    }

    MalformedRequestException(int status, String message) {
        super(message);
        this.status = status;
    }

    Endpoint.Response answer() {
        return Endpoint.Response.text(status, getMessage() + "\n");
    }
}
