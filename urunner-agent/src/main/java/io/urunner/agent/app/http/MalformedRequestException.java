package io.urunner.agent.app.http;

/** What came is no HTTP request that is answered here. Its message goes to who sent it, and says nothing that he sent. */
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
