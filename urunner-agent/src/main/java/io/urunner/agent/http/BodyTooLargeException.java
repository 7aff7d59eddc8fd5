package io.urunner.agent.http;

import java.io.IOException;

/** The body of a request is longer than its endpoint takes. */
public final class BodyTooLargeException extends IOException {
    private static final long serialVersionUID = 1;

    /**
     * A body that is too long.
     *
     * @param limit how many bytes are taken
     */
    public BodyTooLargeException(int limit) {
        super("the body is longer than " + limit + " bytes");
    }
}
